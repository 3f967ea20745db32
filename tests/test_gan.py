"""The optimal discriminator, its game and its training; receipts broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs
from sklearn.neighbors import KernelDensity
from torch import nn
from torch.distributions import Normal

from genbook import adversarial as adv
from genbook import divergences as dv
from genbook import gan, gan_dynamics, gan_images, gan_runs, gan_training
from genbook.figures import gan as figures
from genbook.gan_dynamics import METHODS, SmallGame
from genbook.kit import data, studies
from genbook.kit.receipts import ReceiptError
from genbook.kit.training import NonFiniteLoss, Step

FEW = settings(max_examples=15, deadline=None)
GRID = torch.linspace(-30, 30, 6001, dtype=torch.float64)


def normal(mu, sigma):
    return Normal(*torch.tensor([mu, sigma], dtype=torch.float64))


RING = adv.around(data.ring_centres(6, 2.2), 0.25)
each_cost = pytest.mark.parametrize("cost", gan.COSTS, ids=lambda cost: cost.name)


# --- The optimal discriminator ----------------------------------------------------------------


@FEW
@given(pair=gaussian_pairs())
def test_the_best_discriminator_is_the_posterior_of_two_equal_classes(pair: GaussianPair):
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    p, g = pair.p.log_prob(x), pair.q.log_prob(x)
    both = gan.optimal_discriminator(p, g)
    torch.testing.assert_close(both, p.exp() / (p.exp() + g.exp()))
    torch.testing.assert_close(both + gan.optimal_discriminator(g, p), torch.ones_like(x).double())


@FEW
@given(pair=gaussian_pairs())
def test_the_criterion_is_twice_js_above_minus_log_four(pair: GaussianPair):
    p, g = pair.p.log_prob(GRID), pair.q.log_prob(GRID)
    js = dv.on_grid(dv.JENSEN_SHANNON, p, g, GRID)
    assert gan.criterion(p, g, GRID).item() == pytest.approx(2 * js.item() - math.log(4), abs=1e-6)


@FEW
@given(tilt=st.floats(-2, 2), shift=st.floats(-2, 2))
def test_no_discriminator_has_a_higher_value(tilt, shift):
    p, g = Normal(0.0, 1.0).log_prob(GRID), Normal(1.0, 1.5).log_prob(GRID)
    other = gan.optimal_logit(p, g) + tilt * torch.sin(GRID) + shift
    assert gan.value(other, p, g, GRID) <= gan.criterion(p, g, GRID) + 1e-12


def test_a_discriminator_that_says_half_has_value_minus_log_four():
    p, g = (normal(mu, s).log_prob(GRID) for mu, s in ((-2.0, 1.0), (3.0, 0.5)))
    value = gan.value(torch.zeros_like(GRID), p, g, GRID)
    assert value.item() == pytest.approx(-math.log(4), abs=1e-9)


def test_a_discriminator_that_is_certain_and_wrong_has_value_minus_infinity():
    p = Normal(0.0, 1.0).log_prob(GRID)
    assert gan.value(torch.full_like(GRID, -math.inf), p, p, GRID) == -math.inf


def test_where_neither_density_lives_nothing_is_said():
    nowhere = torch.tensor(-math.inf)
    assert gan.optimal_discriminator(nowhere, nowhere) == 0.5


def test_disjoint_supports_have_the_value_zero_at_any_distance():
    x = torch.linspace(-6, 7, 1301, dtype=torch.float64) + 0.005
    values = [gan.criterion(*gan.disjoint_intervals(t, x), x).item() for t in (-4.0, 1.1, 5.0)]
    assert values == [0.0, 0.0, 0.0]


# --- Softer targets ---------------------------------------------------------------------------


@FEW
@given(alpha=st.floats(0, 0.4), beta=st.floats(0, 0.4), ratio=st.floats(-2, 2))
def test_the_smoothed_loss_is_stationary_at_the_smoothed_optimum(alpha, beta, ratio):
    p, g = torch.tensor([ratio, 0.0], dtype=torch.float64).log_softmax(0)
    best = gan.smoothed_discriminator(p, g, alpha=alpha, beta=beta).clamp(1e-12, 1 - 1e-12)
    v = torch.logit(best).reshape(1, 1).requires_grad_()
    game, held = gan.smoothed(gan.SATURATING, alpha=alpha, beta=beta), v.detach()
    loss = p.exp() * game.critic_loss(v, held) + g.exp() * game.critic_loss(held, v)
    (slope,) = torch.autograd.grad(loss.sum(), v)
    assert slope.abs().item() < 1e-9


def test_without_smoothing_nothing_changes():
    p, g = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    plain, soft = gan.objective(gan.SATURATING), gan.smoothed(gan.SATURATING, alpha=0.0)
    torch.testing.assert_close(soft.critic_loss(p, g), plain.critic_loss(p, g))
    torch.testing.assert_close(
        gan.smoothed_discriminator(p, g, alpha=0.0), gan.optimal_discriminator(p, g)
    )


# --- What the costs descend -------------------------------------------------------------------


@each_cost
@FEW
@given(mu=st.floats(-1.5, 1.5), sigma=st.floats(0.8, 1.8))
def test_each_cost_has_the_gradient_of_its_divergences(cost, mu, sigma):
    density = figures.target().log_prob
    ours = gan.generator_gradient(cost, density, mu, sigma)
    theirs = gan.divergence_gradient(cost.descends, density, mu, sigma, GRID)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@each_cost
def test_losses_and_their_slopes_are_consistent(cost):
    v = torch.linspace(-3, 2, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cost.loss, v)


def test_pushes_stand_as_d_to_one_minus_d():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    d = torch.sigmoid(3 * x + 1)
    weak, strong = (
        gan.pushes(cost, lambda y: 3 * y + 1, x) for cost in (gan.SATURATING, gan.NON_SATURATING)
    )
    torch.testing.assert_close(weak * (1 - d), strong * d)


@FEW
@given(steep=st.floats(1, 30), distance=st.floats(0.2, 3))
def test_the_saturating_gradient_obeys_its_bound(steep, distance):
    z = torch.linspace(0, 1, 201, dtype=torch.float64)
    d = torch.sigmoid(-steep * (z + distance))
    epsilon = torch.maximum(d, steep * d * (1 - d)).max().item()
    pull = gan.pushes(gan.SATURATING, lambda x: -steep * x, z + distance).mean().abs().item()
    if epsilon < 1:
        assert pull <= gan.saturation_bound(epsilon, 1.0)


# --- The circling game ------------------------------------------------------------------------


@FEW
@given(x_rate=st.floats(0.01, 0.9), y_rate=st.floats(0.01, 0.9))
def test_growth_of_the_three_methods(x_rate, y_rate):
    game, h = SmallGame(x_rate, y_rate), x_rate * y_rate
    growth = {name: gan_dynamics.growth(step, game) for name, step in METHODS.items()}
    assert growth["simultaneous"] == pytest.approx(math.sqrt(1 + h))
    assert growth["alternating"] == pytest.approx(1)
    assert growth["extragradient"] == pytest.approx(math.sqrt(1 - h + h**2))


@pytest.mark.parametrize("name", METHODS)
def test_an_orbit_is_the_matrix_applied_again_and_again(name):
    game, start = SmallGame(0.3, 0.2, 0.1), torch.tensor([1.0, -0.5], dtype=torch.float64)
    path = gan_dynamics.orbit(METHODS[name], game, start, 4)
    matrix = gan_dynamics.update_matrix(METHODS[name], game)
    torch.testing.assert_close(path[-1], torch.linalg.matrix_power(matrix, 4) @ start)


@FEW
@given(x_rate=st.floats(0.05, 1.5), y_rate=st.floats(0.05, 1.5))
def test_taking_turns_conserves_an_ellipse(x_rate, y_rate):
    game, start = SmallGame(x_rate, y_rate), torch.tensor([1.0, 0.3], dtype=torch.float64)
    kept = gan_dynamics.conserved(game, gan_dynamics.orbit(METHODS["alternating"], game, start, 60))
    torch.testing.assert_close(kept, kept[:1].expand(61))


# --- Algorithm 1 ------------------------------------------------------------------------------


def two_players(seeds=(0,), width=8):
    streams = adv.Streams(seeds)
    return adv.mlp([2, width, 2], streams), adv.mlp([2, width, 1], streams), streams


def flat(*modules):
    return torch.cat([w.detach().flatten() for m in modules for w in m.parameters()])


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_algorithm_1_takes_the_steps_of_the_engine(critic_steps):
    g, d, streams = two_players()
    both = adv.Adam().over(d.parameters()), adv.Adam().over(g.parameters())
    settings_ = {"iterations": 5, "batch": 16, "latent": 2, "critic_steps": critic_steps}
    game = gan.objective(gan.NON_SATURATING)
    list(gan_training.algorithm_1(g, d, game, RING, both, streams, **settings_))
    h, e, streams = two_players()
    list(adv.play(h, e, game, RING, adv.Game(**settings_), streams))
    assert torch.equal(flat(g, d), flat(h, e))


def test_an_infinite_loss_stops_algorithm_1():
    g, d, streams = two_players()
    both = adv.Adam().over(d.parameters()), adv.Adam().over(g.parameters())
    steps = gan_training.algorithm_1(
        *(g, d, gan.objective(gan.SATURATING)),
        *(lambda s, n: s.normal(n, 2) * math.inf, both, streams),
        **{"iterations": 1, "batch": 4, "latent": 2},
    )
    with pytest.raises(NonFiniteLoss):
        list(steps)


def test_costs_side_by_side_are_each_seeds_own():
    v = torch.tensor([[0.5, -1.0], [0.5, -1.0]])
    both = gan_training.side_by_side((gan.SATURATING, gan.NON_SATURATING)).generator_loss(v)
    alone = [gan.objective(c).generator_loss(v[:1]) for c in (gan.SATURATING, gan.NON_SATURATING)]
    torch.testing.assert_close(both, torch.cat(alone))


def test_a_discriminator_of_equal_piles_learns_one_half():
    streams = adv.Streams([0])
    critic, same = adv.mlp([1, 8, 1], streams, nn.Tanh), adv.around(torch.zeros(1, 1), 1.0)
    game = gan.objective(gan.SATURATING)
    list(gan_training.fit_discriminator(critic, game, same, same, streams, iterations=150, lr=0.01))
    with torch.no_grad():
        assert adv.scores(critic, torch.linspace(-1, 1, 5)[None, :, None]).abs().max() < 0.2


def test_gradient_norms_are_those_of_backward():
    g, d, streams = two_players((0, 1))
    noise = streams.normal(7, 2)
    norms = gan_training.gradient_norms(g, d, gan.NON_SATURATING, noise)
    gan.objective(gan.NON_SATURATING).generator_loss(adv.scores(d, g(noise))).sum().backward()
    squares = sum(w.grad.flatten(1).square().sum(1) for w in g.parameters())
    torch.testing.assert_close(norms, squares.sqrt())


def test_momentum_does_not_rescale_a_gradient():
    for scale in (1.0, 1e-6):
        weight = nn.Parameter(torch.zeros(1))
        rule = gan_training.Momentum(lr=0.5, momentum=0.0).over([weight])
        (scale * weight).sum().backward()
        rule.step()
        assert weight.item() == pytest.approx(-0.5 * scale)


def test_parzen_windows_agree_with_a_library():
    points = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    ours = gan_training.parzen(points[:30], points[30:], [0.3, 1.0])
    for sigma, row in zip((0.3, 1.0), ours, strict=True):
        theirs = KernelDensity(bandwidth=sigma).fit(points[:30]).score_samples(points[30:])
        torch.testing.assert_close(row.double(), torch.from_numpy(theirs), rtol=1e-4, atol=1e-4)


def test_the_validation_set_chooses_the_width():
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    score = gan_training.parzen_score(points[:100], points[100:150], points[150:], [0.01, 0.5, 9.0])
    assert score.sigma == 0.5
    assert score.standard_error > 0


# --- Runs -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forked():
    return gan_runs.forked_run(RING, seed=0, rounds=6, fork=2, every=2, width=8, resolution=5)


def test_three_runs_share_their_beginning(forked):
    first = [[scene.points for scene in scenes[:2]] for scenes in forked.values()]
    assert all(torch.equal(a, b) for run in first for a, b in zip(run, first[0], strict=True))


def test_a_player_who_rests_does_not_change(forked):
    resting = forked["discriminator only"], forked["generator only"]
    assert torch.equal(resting[0][1].points, resting[0][-1].points)
    assert torch.equal(resting[1][1].field, resting[1][-1].field)
    assert not torch.equal(resting[0][1].field, resting[0][-1].field)
    assert not torch.equal(resting[1][1].points, resting[1][-1].points)


def test_a_race_without_rounds_moves_nothing():
    g, d, streams = two_players((0, 0))
    costs = (gan.SATURATING, gan.NON_SATURATING)
    rule = gan_training.Momentum()
    seen = gan_runs.race(
        (g, d), costs, RING, rule, streams, latent=2, ahead=4, rounds=0, batch=8, every=2
    )
    assert seen.moved.tolist() == [0, 0]
    assert seen.steps == [0, 2, 4]
    assert seen.norms[gan.SATURATING.symbol].shape == (3, 2)
    torch.testing.assert_close(seen.before[0], seen.before[1])  # only costs differ


def test_nearness_counts_samples_and_modes():
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    samples = torch.tensor([[[0.1, 0.0], [0.0, 0.2], [2.5, 0.0]]])
    share, modes = gan_runs.near(samples, centres, 0.5)
    assert (share.item(), modes.item()) == (pytest.approx(2 / 3), 1)


# --- Images -----------------------------------------------------------------------------------


def test_pixels_lie_between_zero_and_one():
    streams = adv.Streams([0, 1])
    generator, critic = gan_images.image_players(9, streams, hidden=5)
    drawn = generator(streams.normal(6, gan_images.LATENT))
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert adv.scores(critic, drawn).shape == (2, 6)


def test_validation_images_are_not_trained_on():
    digits = data.digits("train")
    rows = gan_images.split(digits, data.digits("test"))
    assert len(rows.train) + len(rows.validation) == len(digits)
    assert torch.equal(torch.cat([rows.train, rows.validation]), digits.flat)


def test_milestones_hand_out_the_generator_as_it_is_then():
    table = torch.rand(20, 9, generator=torch.Generator().manual_seed(0))
    found = [(at, flat(g)) for at, g, _ in gan_images.trained_on(table, (0,), (2, 3))]
    assert [at for at, _ in found] == [2, 3]
    assert not torch.equal(found[0][1], found[1][1])


def test_a_slice_of_the_study_has_a_row_for_each_seed_and_yardstick():
    rows = list(gan_images.record_parzen(slice=True))
    assert [row["seed"] for row in rows if row["model"] == "GAN"] == list(gan_images.SEEDS)
    assert {row["model"] for row in rows} == {"GAN", "training images", "k-means centres"}


# --- Bad input --------------------------------------------------------------------------------

ONE = torch.zeros(1, 1)
FLAT = torch.zeros(3)
STANDARD = Normal(0.0, 1.0).log_prob
BAD_INPUT = {
    "target above one": lambda: gan.smoothed(gan.SATURATING, alpha=1.2),
    "target below zero": lambda: gan.smoothed_discriminator(ONE, ONE, alpha=0.0, beta=-0.1),
    "grid that falls": lambda: gan.value(FLAT, FLAT, FLAT, -torch.arange(3.0)),
    "grid of another length": lambda: gan.criterion(FLAT, FLAT, torch.arange(4.0)),
    "width of zero": lambda: gan.generator_gradient(gan.SATURATING, STANDARD, 0.0, 0.0),
    "negative width": lambda: gan.divergence_gradient({dv.KL: 1.0}, STANDARD, 0.0, -1.0, GRID),
    "epsilon of one": lambda: gan.saturation_bound(1.0, 1.0),
    "rate of zero": lambda: SmallGame(0.0, 1.0),
    "negative number of steps": lambda: gan_dynamics.orbit(
        gan_dynamics.alternating, SmallGame(1.0, 1.0), torch.zeros(2), -1
    ),
    "nothing conserved": lambda: gan_dynamics.conserved(SmallGame(1.0, 1.0, 0.1), torch.zeros(2)),
    "one cost too few": lambda: gan_training.side_by_side((gan.SATURATING,)).generator_loss(
        torch.zeros(2, 3)
    ),
    "images that are no rows": lambda: gan_training.parzen(torch.zeros(2, 3, 3), FLAT, [1.0]),
    "no width": lambda: gan_training.parzen(ONE, ONE, []),
    "window of zero": lambda: gan_training.parzen_score(ONE, ONE, ONE, [0.0]),
    "fork between two scenes": lambda: gan_runs.forked_run(RING, seed=0, rounds=4, fork=1, every=2),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert not isinstance(caught.value, ReceiptError)


# --- Drawings ---------------------------------------------------------------------------------

FRAMES = {
    "duel": (figures.duel, [(-4.0, 0.4), (2.5, 1.6)]),
    "circling": (figures.circling, [("simultaneous", 4, True), ("extragradient", -4, False)]),
}


def limits(figure):
    return [(*axes.get_xlim(), *axes.get_ylim()) for axes in figure.axes]


@pytest.mark.parametrize(("draw", "places"), FRAMES.values(), ids=FRAMES.keys())
def test_the_axes_of_an_explorable_stand_still(draw, places):
    assert limits(draw(*places[0])) == limits(draw(*places[1]))


def test_the_arena_stands_still_too(forked):
    real = RING(adv.Streams([1]), 10)[0]
    frames = [figures.arena(forked, real, at, mode) for at in (0, 3) for mode in forked]
    assert all(limits(frame) == limits(frames[0]) for frame in frames)


def test_a_verdict_says_what_the_growth_factor_says():
    assert "flies apart" in figures.circling("simultaneous", 0, False).get_label()
    assert "cycles" in figures.circling("alternating", 2, False).get_label()
    assert "converges" in figures.circling("simultaneous", 2, True).get_label()


# --- The chapter's receipts, broken on purpose ------------------------------------------------


def standing(norms=(1.0, 1.0)):
    """A race in which every seed has moved as far as any other."""

    def race(players, costs, *_, **__):
        count = len(costs)
        course = torch.tensor(norms)[:, None].expand(-1, count)
        seen = {cost.symbol: course for cost in (gan.SATURATING, gan.NON_SATURATING)}
        samples = torch.zeros(count, 50, 2)
        return gan_runs.Race([0, 20], seen, samples, samples + 1)

    return race


@pytest.fixture
def quick(monkeypatch):
    """Leave out the trainings, and pictures of them."""

    def untrained(*_, **__):
        yield Step(0, 1, {})

    def generators(table, seeds, milestones):
        streams = adv.Streams(seeds)
        generator, _ = gan_images.image_players(table.shape[1], streams)
        yield milestones[-1], generator, streams

    monkeypatch.setattr(gan_training, "fit_discriminator", untrained)
    monkeypatch.setattr(adv, "play", untrained)
    monkeypatch.setattr(gan_training, "algorithm_1", untrained)
    monkeypatch.setattr(gan_runs, "forked_run", lambda *_, **__: {})
    monkeypatch.setattr(gan_runs, "race", standing())
    monkeypatch.setattr(gan_images, "trained_on", generators)
    for name in ("learned", "on_the_line", "galleries", "head_start", "pinned", "costs"):
        monkeypatch.setattr(figures, name, lambda *_, **__: None)


def breaks(monkeypatch, test):
    assert_breaks("gan", test, monkeypatch)


def scaled(monkeypatch, module, name, change):
    honest = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(honest(*a, **k)))


def test_receipt_losses(monkeypatch):
    def halved(game):  # as the tutorial of 2016 prints them
        return replace(
            game,
            critic_loss=lambda a, b: game.critic_loss(a, b) / 2,
            generator_loss=lambda v: game.generator_loss(v) / 2,
        )

    scaled(monkeypatch, gan, "objective", halved)
    breaks(monkeypatch, "test_receipt_losses")


def test_receipt_dstar(monkeypatch):
    scaled(monkeypatch, gan, "optimal_logit", lambda v: -v)  # the probability of a fake
    breaks(monkeypatch, "test_receipt_dstar")


def test_receipt_js(monkeypatch):
    scaled(monkeypatch, gan, "criterion", lambda value: value - 1)
    breaks(monkeypatch, "test_receipt_js")


def test_receipt_pinned(monkeypatch):
    honest = gan.disjoint_intervals
    monkeypatch.setattr(gan, "disjoint_intervals", lambda theta, x: honest(theta / 4, x))
    breaks(monkeypatch, "test_receipt_pinned")


def test_receipt_costs(monkeypatch):
    scaled(monkeypatch, gan, "divergence_gradient", lambda gradient: gradient / 2)
    breaks(monkeypatch, "test_receipt_costs")


def test_receipt_saturation(monkeypatch):
    honest = gan.pushes
    monkeypatch.setattr(gan, "pushes", lambda _, *rest: honest(gan.NON_SATURATING, *rest))
    breaks(monkeypatch, "test_receipt_saturation")


def test_receipt_smooth(monkeypatch):
    honest = gan.smoothed_discriminator
    monkeypatch.setattr(
        gan,
        "smoothed_discriminator",
        lambda p, g, alpha, beta: honest(p, g, alpha=beta, beta=alpha),
    )
    breaks(monkeypatch, "test_receipt_smooth")


def test_receipt_circle(monkeypatch):
    def both_descend(game, point):
        x, y = point[..., 0], point[..., 1]
        return torch.stack([-game.x_rate * y, -game.y_rate * (x - game.curvature * y)], -1)

    monkeypatch.setattr(SmallGame, "field", both_descend)
    breaks(monkeypatch, "test_receipt_circle")


def test_receipt_algorithm(monkeypatch):
    honest = gan_training.algorithm_1
    monkeypatch.setattr(
        gan_training,
        "algorithm_1",
        lambda *a, **k: honest(*a, **{**k, "critic_steps": 1}),
    )
    breaks(monkeypatch, "test_receipt_algorithm")


@pytest.mark.usefixtures("quick")
def test_receipt_learned(monkeypatch):
    scaled(monkeypatch, gan, "value", lambda value: value + 3)
    breaks(monkeypatch, "test_receipt_learned")


def stubborn(bias):
    """Instead of training, a discriminator that is sure of everything."""

    def setting(critic):
        with torch.no_grad():
            list(critic.parameters())[-1].fill_(bias)
        yield Step(0, 1, {})

    return setting


@pytest.mark.usefixtures("quick")
def test_receipt_reassuring(monkeypatch):
    monkeypatch.setattr(adv, "play", lambda g, d, *_: stubborn(2.0)(d))
    monkeypatch.setattr(gan_training, "fit_discriminator", lambda d, *_, **__: stubborn(9.0)(d))
    breaks(monkeypatch, "test_receipt_reassuring")


@pytest.mark.usefixtures("quick")
def test_receipt_race(monkeypatch):
    breaks(monkeypatch, "test_receipt_race")


@pytest.mark.usefixtures("quick")
def test_receipt_images(monkeypatch):
    monkeypatch.setattr(gan_runs, "race", standing(norms=(1.0, 0.5)))
    breaks(monkeypatch, "test_receipt_images")


@pytest.mark.usefixtures("quick")
def test_receipt_parzen(monkeypatch):
    honest, made_up = studies.load, {"GAN": 300.0, "training images": 100.0}

    def load(name):
        found = honest(name)
        rows = ({**row, "parzen": made_up.get(row["model"], 50.0)} for row in found.rows)
        return replace(found, rows=tuple(rows))

    monkeypatch.setattr(studies, "load", load)
    breaks(monkeypatch, "test_receipt_parzen")


@pytest.mark.parametrize("test", ["test_receipt_circle", "test_receipt_algorithm"])
def test_receipts_hold_as_the_chapter_stands(test, monkeypatch):
    assert_holds("gan", test, monkeypatch)
