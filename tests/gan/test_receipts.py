"""The receipts of the chapter `gan`, broken on purpose."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from chapters import Break, altered, assert_breaks, method, rewritten, swap

from genbook.divergences import densities, measures
from genbook.games import functional, play
from genbook.gan import algorithm, bilinear, images, optimum
from genbook.gan import costs as gan_costs
from genbook.gan import scenes as gan_runs
from genbook.kit.training import Step


def costing(cost: gan_costs.Cost, other: gan_costs.Cost) -> Break:
    """One cost has the loss of another under its own name."""
    return swap(cost, replace(cost, loss=other.loss))


def penalised(divergence: measures.Divergence, factor: float) -> Break:
    honest = divergence.penalty
    return swap(divergence, replace(divergence, penalty=lambda p, q: factor * honest(p, q)))


def test_receipt_losses():
    def halved(game):  # as the tutorial of 2016 prints them
        return replace(
            game,
            critic_loss=lambda a, b: game.critic_loss(a, b) / 2,
            generator_loss=lambda v: game.generator_loss(v) / 2,
        )

    assert_breaks(
        "gan",
        "test_receipt_losses",
        altered(gan_costs.objective, halved),
        costing(gan_costs.NON_SATURATING, gan_costs.SATURATING),
    )


def test_receipt_dstar():
    assert_breaks(
        "gan",
        "test_receipt_dstar",
        altered(optimum.optimal_logit, lambda v: -v),  # the probability of a fake
        altered(optimum.optimal_logit, lambda v: v / 2),
    )


def test_receipt_best():
    assert_breaks(
        "gan",
        "test_receipt_best",
        altered(optimum.optimal_logit, lambda v: -v),
        altered(optimum.optimal_logit, lambda v: v / 4),
    )


def test_receipt_js():
    assert_breaks(
        "gan",
        "test_receipt_js",
        penalised(measures.JENSEN_SHANNON, 2.0),
        altered(optimum.optimal_logit, lambda v: v + 0.1),  # a prior that is not one half
        altered(optimum.optimal_logit, lambda v: -v),
    )


def test_receipt_pinned():
    right = optimum.disjoint_intervals
    assert_breaks(
        "gan",
        "test_receipt_pinned",
        swap(right, lambda theta, x: right(theta / 4, x)),
        swap(right, lambda theta, x: right(4 * theta, x)),
        penalised(measures.JENSEN_SHANNON, 2.0),
    )


def test_receipt_costs():
    def attached(cost, log_density, mu, sigma, *, nodes=4001):  # v* is not held
        theta = torch.tensor([mu, sigma], dtype=torch.float64, requires_grad=True)
        z = torch.linspace(-12, 12, nodes, dtype=torch.float64)
        x = theta[0] + theta[1] * z
        logit = log_density(x) - densities.gaussian_log_density(x, theta[0], theta[1])
        mean = torch.trapezoid(
            torch.distributions.Normal(0, 1).log_prob(z).exp() * cost.loss(logit), z
        )
        return torch.autograd.grad(mean, theta)[0]

    assert_breaks(
        "gan",
        "test_receipt_costs",
        swap(gan_costs.generator_gradient, attached),
        *(swap(cost, replace(cost, loss=lambda v, c=cost: -c.loss(v))) for cost in gan_costs.COSTS),
    )


def test_receipt_saturation():
    right = gan_costs.pushes
    assert_breaks(
        "gan",
        "test_receipt_saturation",
        swap(right, lambda _, *rest: right(gan_costs.NON_SATURATING, *rest)),
        swap(gan_costs.saturation_bound, lambda epsilon, jacobian: jacobian * epsilon),
    )


def test_receipt_smooth():
    right = optimum.smoothed_discriminator
    assert_breaks(
        "gan",
        "test_receipt_smooth",
        swap(right, lambda p, g, alpha, beta: right(p, g, alpha=beta, beta=alpha)),
        swap(right, lambda p, g, alpha, beta: right(p, g, alpha=alpha)),
    )


def test_receipt_rare():
    right = optimum.smoothed_discriminator
    assert_breaks(
        "gan",
        "test_receipt_rare",
        swap(right, lambda p, g, alpha, beta: right(p, g, alpha=alpha, beta=beta + 0.01)),
        swap(right, lambda p, g, alpha, beta: right(p, g, alpha=alpha)),
    )


def test_receipt_circle():
    def both_descend(game, point):
        x, y = point[..., 0], point[..., 1]
        return torch.stack([-game.x_rate * y, -game.y_rate * (x - game.curvature * y)], -1)

    assert_breaks(
        "gan",
        "test_receipt_circle",
        method(bilinear.SmallGame, "field", both_descend),
        swap(bilinear.alternating, bilinear.simultaneous),
    )


def test_receipt_tied():
    def pushed_out(game, point):
        x, y = point[..., 0], point[..., 1]
        return torch.stack([-game.x_rate * y, game.y_rate * (x + game.curvature * y)], -1)

    assert_breaks(
        "gan",
        "test_receipt_tied",
        method(bilinear.SmallGame, "field", pushed_out),
        altered(bilinear.growth, lambda radius: radius**2),
    )


def test_receipt_algorithm():
    right = algorithm.algorithm_1

    def one_critic_step(*arguments, **settings):
        return right(*arguments, **{**settings, "critic_steps": 1})

    def another_game(g, d, game, *rest, **settings):
        return right(g, d, gan_costs.objective(gan_costs.SATURATING), *rest, **settings)

    assert_breaks(
        "gan",
        "test_receipt_algorithm",
        swap(right, one_critic_step),
        swap(right, another_game),
    )


def test_receipt_corner():
    assert_breaks(
        "gan",
        "test_receipt_corner",
        costing(gan_costs.NON_SATURATING, gan_costs.SATURATING),
        costing(gan_costs.SATURATING, gan_costs.NON_SATURATING),
    )


def test_receipt_page():
    right, other = functional.adam, functional.generator_update

    def without_correction(player, slopes, rate, settings):
        weights, means, squares, count = player
        return right((weights, means, squares, count + 1_000), slopes, rate, settings)

    def too_fast(*arguments, **settings):
        *rest, rate = arguments
        return other(*rest, 1.01 * rate, **settings)

    assert_breaks(
        "gan", "test_receipt_page", swap(right, without_correction), swap(other, too_fast)
    )


def test_receipt_learned():
    def sides_exchanged(game):
        return replace(game, critic_loss=lambda real, fake: game.critic_loss(fake, real))

    right = optimum.value
    half = torch.tensor(0.5).log()

    def half_of_the_fakes(logit, log_p, log_g, x):
        return right(logit, log_p, log_g + half, x)

    assert_breaks(
        "gan",
        "test_receipt_learned",
        altered(gan_costs.objective, sides_exchanged),
        swap(right, half_of_the_fakes),
        given=sooner(0.5),
    )


def sooner(share: float) -> Break:
    """Games and discriminators train for a share of their rounds."""
    game, fit = play.play, algorithm.fit_discriminator

    def shorter_game(g, d, objective, sample, settings, streams):
        rounds = round(share * settings.iterations)
        return game(g, d, objective, sample, replace(settings, iterations=rounds), streams)

    def shorter_fit(*arguments, iterations, **settings):
        return fit(*arguments, iterations=round(share * iterations), **settings)

    def break_(monkeypatch):
        swap(game, shorter_game)(monkeypatch)
        swap(fit, shorter_fit)(monkeypatch)

    return break_


def untrained(*_, **__):
    yield Step(0, 1, {})


def test_receipt_reassuring():
    fit = algorithm.fit_discriminator

    def generator_asleep(g, d, objective, sample, settings, streams):
        def fakes(streams, count):
            return play.generate(g, streams, count, settings.latent)

        return fit(d, objective, sample, fakes, streams, iterations=100, lr=0.01)

    def broken(name, substitute):
        def break_(monkeypatch):  # whatever stands there by now: it was shortened
            module = {"play": play, "fit_discriminator": algorithm}[name]
            swap(getattr(module, name), substitute)(monkeypatch)

        return break_

    assert_breaks(
        "gan",
        "test_receipt_reassuring",
        broken("play", generator_asleep),
        broken("fit_discriminator", untrained),
        given=sooner(0.3),
    )


def test_receipt_alone():
    """The record alone stands behind these claims, and how a fate is told."""
    assert_breaks(
        "gan",
        "test_receipt_alone",
        rewritten("gan_alone", lambda row: {"apart_end": 3.0}),  # nothing collapses
        rewritten("gan_alone", lambda row: {"near_end": 0.7} if row["seed"] == 5 else {}),
        rewritten("gan_alone", lambda row: {"push_end": 1.0}),
        altered(gan_runs.fate, lambda found: "on the ring" if found == "one point" else found),
    )


def momentum_alone(monkeypatch):
    """No race with Adam, which the receipt does not read."""
    right = gan_runs.race

    def shorter(players, costs, sample, rule, streams, **settings):
        if isinstance(rule, play.Adam):
            settings = {**settings, "ahead": 1, "rounds": 1}
        return right(players, costs, sample, rule, streams, **settings)

    swap(right, shorter)(monkeypatch)


def test_receipt_race():
    assert_breaks(
        "gan",
        "test_receipt_race",
        costing(gan_costs.SATURATING, gan_costs.NON_SATURATING),
        given=momentum_alone,
    )


def test_receipt_images():
    assert_breaks(
        "gan",
        "test_receipt_images",
        costing(gan_costs.SATURATING, gan_costs.NON_SATURATING),
        costing(gan_costs.NON_SATURATING, gan_costs.SATURATING),
    )


def trained_once():
    """The game on images is played once, and each run gets a copy of how it ended."""
    right, found = images.trained_on, []

    def remembered(table, seeds, milestones):
        if not found:
            found.extend(copy.deepcopy(moment) for moment in right(table, seeds, milestones))
        yield from copy.deepcopy(found)

    return swap(right, remembered)


def scoring(**changes: float) -> Break:
    """The record scores a kind of model higher by so many nats."""
    kinds = {"gan": "GAN", "centres": "k-means centres", "images": "training images"}
    added = {kinds[name]: nats for name, nats in changes.items()}
    return rewritten(
        "gan_parzen", lambda row: {"parzen": row["parzen"] + added.get(str(row["model"]), 0.0)}
    )


def test_receipt_parzen():
    """That the page reads the record, and that a live run which learnt nothing is told apart."""

    def never_trained(drawn):
        return torch.rand(drawn.shape, generator=torch.Generator().manual_seed(0))

    assert_breaks(
        "gan",
        "test_receipt_parzen",
        scoring(centres=-50.0),
        scoring(gan=200.0),
        altered(play.generate, never_trained),
        given=trained_once(),
    )
