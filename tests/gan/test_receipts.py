"""The receipts of the chapter `gan`, with the code behind each broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.games import parzen, play
from genbook.gan import algorithm, bilinear, costs, images, optimum, scenes
from genbook.gan.bilinear import SmallGame


def test_receipt_losses():
    """Halved, as a tutorial of 2016 prints them; and a derived loss with the other sign."""

    def halved(game):
        return replace(
            game,
            critic_loss=lambda a, b: game.critic_loss(a, b) / 2,
            generator_loss=lambda v: game.generator_loss(v) / 2,
        )

    def climbing(game):
        return replace(game, generator_loss=lambda v: -game.generator_loss(v))

    assert_breaks(
        "gan",
        "test_receipt_losses",
        altered(costs.objective, halved),
        altered(play.from_convex, climbing),
    )


def test_receipt_dstar():
    """The probability of a fake; half the log-ratio."""
    assert_breaks(
        "gan",
        "test_receipt_dstar",
        altered(optimum.optimal_logit, lambda v: -v),
        altered(optimum.optimal_logit, lambda v: v / 2),
    )


def test_receipt_js():
    """A value that is an average of its two halves; a value in bits."""
    assert_breaks(
        "gan",
        "test_receipt_js",
        altered(optimum.criterion, lambda value: value / 2),
        altered(optimum.criterion, lambda value: -value),
    )


def test_receipt_pinned():
    intervals = optimum.disjoint_intervals
    assert_breaks(
        "gan",
        "test_receipt_pinned",
        swap(intervals, lambda theta, x: intervals(theta / 4, x)),
        swap(intervals, lambda theta, x: intervals(theta + 3.0, x)),
    )


def test_receipt_costs():
    assert_breaks(
        "gan",
        "test_receipt_costs",
        altered(costs.divergence_gradient, lambda gradient: gradient / 2),
        altered(costs.generator_gradient, lambda gradient: gradient.flip(0)),
    )


def test_receipt_saturation():
    pushes = costs.pushes
    assert_breaks(
        "gan",
        "test_receipt_saturation",
        swap(pushes, lambda _, *rest: pushes(costs.NON_SATURATING, *rest)),
        altered(pushes, lambda push: 0 * push),
    )


def test_receipt_smooth():
    smoothed = optimum.smoothed_discriminator
    assert_breaks(
        "gan",
        "test_receipt_smooth",
        swap(smoothed, lambda p, g, alpha, beta: smoothed(p, g, alpha=beta, beta=alpha)),
    )


def test_receipt_circle():
    """Both players descend, or the clock runs a little too fast."""

    def both_descend(game, point):
        x, y = point[..., 0], point[..., 1]
        return torch.stack([-game.x_rate * y, -game.y_rate * (x - game.curvature * y)], -1)

    assert_breaks(
        "gan",
        "test_receipt_circle",
        method(SmallGame, "field", both_descend),
        altered(bilinear.conserved, lambda kept: kept + 1e-6 * torch.arange(len(kept))),
    )


def test_receipt_algorithm():
    """One critic step instead of two; updates in the wrong order."""
    algorithm_1 = algorithm.algorithm_1
    assert_breaks(
        "gan",
        "test_receipt_algorithm",
        swap(algorithm_1, lambda *a, **k: algorithm_1(*a, **{**k, "critic_steps": 1})),
    )


def test_receipt_learned():
    """A value that forgets a half; a training that stops early; targets that are mixed up."""
    fit = algorithm.fit_discriminator
    assert_breaks(
        "gan",
        "test_receipt_learned",
        altered(optimum.value, lambda value: value / 2),
        swap(fit, lambda *a, iterations, **k: fit(*a, iterations=20, **k)),
        swap(fit, lambda d, game, real, fake, *a, **k: fit(d, game, fake, real, *a, **k)),
    )


def test_receipt_reassuring():
    """A fresh discriminator that does not learn; a generator that is not trained."""
    fit, train = algorithm.fit_discriminator, play.play
    assert_breaks(
        "gan",
        "test_receipt_reassuring",
        swap(fit, lambda *a, iterations, **k: fit(*a, iterations=1, **k)),
        swap(train, lambda *a: list(train(*a[:4], replace(a[4], iterations=60), a[5]))),
    )


def test_receipt_race():
    """Both halves of the race get the cost that does not saturate."""
    race = scenes.race
    assert_breaks(
        "gan",
        "test_receipt_race",
        swap(race, lambda p, c, *a, **k: race(p, [costs.NON_SATURATING] * len(c), *a, **k)),
    )


def test_receipt_images():
    """The costs change places; the discriminator gets no head start."""
    race = scenes.race

    def exchanged(*given, **options):
        found = race(*given, **options)
        norms = dict(zip(found.norms, reversed(found.norms.values()), strict=True))
        return replace(found, norms=norms, after=found.after.flip(0), before=found.before.flip(0))

    assert_breaks("gan", "test_receipt_images", swap(race, exchanged))


def test_receipt_parzen():
    """Shows that both orders are read from the record."""
    made_up = {"GAN": 300.0, "training images": 100.0, "k-means centres": 150.0}
    assert_breaks(
        "gan",
        "test_receipt_parzen",
        rewritten("gan_parzen", lambda row: {"parzen": made_up[row["model"]]}),
    )


def test_receipt_live():
    """Windows that are summed instead of averaged; a generator that is not trained."""
    score, trained_on = parzen.parzen_score, images.trained_on
    assert_breaks(
        "gan",
        "test_receipt_live",
        altered(score, lambda found: replace(found, mean=found.mean + math.log(10_000))),
        swap(trained_on, lambda table, seeds, _: trained_on(table, seeds, (20,))),
    )
