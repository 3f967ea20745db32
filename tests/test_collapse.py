"""Measures of collapse, critics against it, and the chapter's receipts broken on purpose."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy.stats import chi2, entropy

from genbook import collapse, collapse_images, collapse_play, collapse_sweeps, duality
from genbook import collapse_critics as critics
from genbook import collapse_methods as methods
from genbook import collapse_patience as patience
from genbook.adversarial import Duel, from_convex, scores, unrolled
from genbook.figures import collapse as figures
from genbook.kit import data, studies
from genbook.seeds import Streams, around, mlp

FEW = settings(max_examples=20, deadline=None)
RING, GRID = data.ring_centres(), data.grid_centres()
each = pytest.mark.parametrize("convex", duality.TABLE, ids=lambda convex: convex.name)


# --- Measures ---------------------------------------------------------------------------------


def test_the_centres_are_those_of_the_papers():
    angles = 2 * np.pi * np.arange(1, 9) / 8
    ring = {(round(math.cos(a), 6), round(math.sin(a), 6)) for a in angles}
    assert {tuple(round(v + 0.0, 6) for v in row) for row in RING.double().tolist()} == ring
    assert {tuple(row) for row in GRID.tolist()} == set(
        itertools.product((-4.0, -2.0, 0.0, 2.0, 4.0), repeat=2)
    )


def test_samples_on_the_centres_capture_every_mode_once():
    found = collapse.score(GRID[None], GRID, std=0.05)
    assert found.counts.tolist() == [[1] * 25]
    assert found.modes.tolist() == [25]
    assert found.high_quality.tolist() == [1.0]
    assert found.reverse_kl.item() == 0.0


@FEW
@given(kept=st.integers(1, 25), each_count=st.integers(1, 40))
def test_k_equal_modes_of_25_are_log_25_over_k_away(kept, each_count):
    counts = torch.zeros(25, dtype=torch.int64)
    counts[:kept] = each_count
    assert collapse.histogram_kl(counts).item() == pytest.approx(math.log(25 / kept))


@FEW
@given(counts=st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(any))
def test_the_histogram_divergence_is_scipys_and_log_k_less_the_entropy(counts):
    n = np.array(counts)
    found = collapse.histogram_kl(torch.tensor(counts)).item()
    assert found == pytest.approx(entropy(n / n.sum(), np.full(len(n), 1 / len(n))), abs=1e-12)
    assert found == pytest.approx(math.log(len(n)) - entropy(n / n.sum()), abs=1e-12)


def test_weights_of_the_data_move_the_zero_of_the_histogram_divergence():
    counts = torch.tensor([10, 30, 60])
    assert collapse.histogram_kl(counts, torch.tensor([1.0, 3.0, 6.0])).item() == pytest.approx(0)
    assert collapse.histogram_kl(counts).item() > 0.1


def test_no_good_sample_is_infinitely_far():
    assert collapse.histogram_kl(torch.zeros(2, 3)).tolist() == [math.inf] * 2


def test_three_deviations_are_a_circle_not_a_box():
    at = torch.tensor([[[0.29, 0.0], [0.25, 0.25], [0.31, 0.0]]])
    assert collapse.score(at, torch.zeros(1, 2), std=0.1).counts.tolist() == [[1]]


def test_a_sample_that_is_not_finite_is_not_good():
    lost = torch.tensor([[[math.nan, 0.0], [math.inf, 0.0], [0.0, 0.0]]])
    found = collapse.score(lost, torch.zeros(1, 2), std=1.0)
    assert found.counts.tolist() == [[1]]
    assert found.high_quality.item() == pytest.approx(1 / 3)


def test_the_data_score_the_ceiling_and_the_floor():
    drawn = around(GRID, 0.05)(Streams(range(20)), 2500)
    found = collapse.score(drawn, GRID, std=0.05)
    assert found.high_quality.mean().item() == pytest.approx(collapse.ceiling(), abs=0.002)
    floor = collapse.histogram_floor(25, 2500)
    assert found.reverse_kl.mean().item() == pytest.approx(floor, rel=0.2)
    assert found.modes.tolist() == [25] * 20


@pytest.mark.parametrize("dimension", [1, 2, 1200])
def test_the_ceiling_is_the_chi_square_distribution(dimension):
    radius = 10.0 if dimension == 1200 else 3.0
    exact = chi2.cdf(radius**2, dimension)
    assert collapse.ceiling(radius, dimension) == pytest.approx(exact, abs=1e-9)


# --- The value of forgetting ------------------------------------------------------------------


@each
@FEW
@given(kept=st.integers(1, 8))
def test_kept_modes_agree_with_the_divergence_of_discrete_distributions(convex, kept):
    tiny = 1e-13  # f(p/q) q needs q > 0
    p = torch.full((8,), 1 / 8, dtype=torch.float64)
    q = torch.full((8,), tiny, dtype=torch.float64)
    q[:kept] = (1 - tiny * (8 - kept)) / kept
    value = float((q * convex.f(p / q)).sum()) - convex.at_one
    exact = collapse.kept_modes(convex, kept, 8)
    if math.isfinite(exact):
        assert value == pytest.approx(exact, rel=1e-4, abs=1e-5)
    else:
        assert value > 1.5


# --- Packing ----------------------------------------------------------------------------------


def by_words(p, q, m):
    words = itertools.product(range(len(p)), repeat=m)
    return sum(abs(math.prod(p[i] for i in w) - math.prod(q[i] for i in w)) for w in words) / 2


@FEW
@given(
    p=st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    q=st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    m=st.integers(1, 4),
)
def test_packed_variation_sums_over_all_words(p, q, m):
    p, q = [v / sum(p) for v in p], [v / sum(q) for v in q]
    found = collapse.packed_tv(
        torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64), m
    )
    assert found == pytest.approx(by_words(p, q, m), abs=1e-12)


@FEW
@given(lost=st.floats(0.01, 0.9), m=st.integers(1, 6))
def test_a_lost_mass_is_seen_unless_all_packed_samples_miss_it(lost, m):
    p = torch.tensor([lost, 1 - lost], dtype=torch.float64)
    q = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert collapse.packed_tv(p, q, m) == pytest.approx(1 - (1 - lost) ** m)


# --- The trap ---------------------------------------------------------------------------------


@FEW
@given(n=st.integers(2, 40))
def test_linspace_with_both_ends_repeats_the_first_mode(n):
    angles = torch.linspace(0, 2 * math.pi, n, dtype=torch.float64)
    closed = torch.stack([angles.cos(), angles.sin()], 1)
    assert collapse.distinct(closed) == n - 1
    assert collapse.distinct(data.ring_centres(n)) == n


# --- Critics ----------------------------------------------------------------------------------


def alone(make, seed):
    return make(Streams([seed], dtype=torch.float64))


MAKERS = {
    "packed": lambda s: critics.Packed(mlp([6, 8, 1], s), 3),
    "minibatch": lambda s: critics.MinibatchStd(mlp([3, 8, 1], s), 4),
    "spectral": lambda s: critics.SpectralMLP([2, 8, 8, 1], s),
    "waves": lambda s: torch.nn.Sequential(critics.Waves(2, 5), mlp([10, 8, 1], s)),
}
each_critic = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


@each_critic
def test_no_seed_sees_another(make):
    x = Streams([7, 8, 9], dtype=torch.float64).normal(12, 2)
    together = make(Streams([0, 1, 2], dtype=torch.float64))(x)
    for place in range(3):
        torch.testing.assert_close(together[place : place + 1], alone(make, place)(x[place, None]))


@each_critic
def test_critics_can_be_differentiated_twice(make):
    critic = alone(make, 0).eval()
    x = Streams([3], dtype=torch.float64).normal(12, 2).requires_grad_()
    assert torch.autograd.gradcheck(critic, (x,))
    assert torch.autograd.gradgradcheck(critic, (x,))


def test_a_pack_holds_neighbours():
    class Sum(torch.nn.Module):
        def forward(self, x):
            return x.sum(-1, keepdim=True)

    x = torch.arange(12.0).reshape(1, 6, 2)
    assert critics.Packed(Sum(), 3)(x).flatten().tolist() == [15.0, 51.0]


def test_minibatch_deviation_is_zero_for_a_collapsed_group_and_one_for_noise():
    still = critics.MinibatchStd(torch.nn.Identity(), 4, eps=0.0)(torch.ones(1, 8, 2))
    assert still[..., -1].abs().max() == 0
    noise = critics.MinibatchStd(torch.nn.Identity())(Streams([0]).normal(20_000, 2))
    assert noise[..., -1].mean().item() == pytest.approx(1, abs=0.02)


def test_minibatch_deviation_passes_a_gradient_where_all_samples_agree():
    x = torch.ones(1, 4, 2, requires_grad=True)
    critics.MinibatchStd(torch.nn.Identity())(x).sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())


def test_power_iteration_finds_the_largest_singular_value():
    weight = Streams([0, 1], dtype=torch.float64).normal(7, 5)
    start = Streams([2, 3], dtype=torch.float64).normal(5, 1)
    found = critics.spectral_norm(weight, start, 300)[0].flatten()
    torch.testing.assert_close(found, torch.linalg.matrix_norm(weight, 2), rtol=1e-6, atol=1e-8)


@FEW
@given(seed=st.integers(0, 1000))
def test_a_spectral_critic_is_no_steeper_than_its_scale(seed):
    streams = Streams([seed], dtype=torch.float64)
    critic = critics.SpectralMLP([2, 16, 16, 1], streams, scale=3.0)
    x, y = streams.normal(64, 2), streams.normal(64, 2)
    for _ in range(30):
        critic(x)
    rise = (critic(x) - critic(y)).abs().squeeze(-1)
    assert (rise <= 3.0 * torch.linalg.vector_norm(x - y, dim=-1) * (1 + 1e-3)).all()


def test_waves_change_no_faster_than_their_lipschitz_constant():
    waves = critics.Waves(2, 8)
    x, y = Streams([0]).normal(200, 2), Streams([1]).normal(200, 2)
    rise = torch.linalg.vector_norm(waves(x) - waves(y), dim=-1)
    assert (rise <= waves.lipschitz * torch.linalg.vector_norm(x - y, dim=-1) * (1 + 1e-5)).all()
    close = torch.linalg.vector_norm(waves(x) - waves(x + 1e-3), dim=-1)
    assert close.max() > 0


# --- Unrolling --------------------------------------------------------------------------------


class Scalar(torch.nn.Module):
    """The critic y·x of the bilinear game."""

    def __init__(self, y: float) -> None:
        super().__init__()
        self.y = torch.nn.Parameter(torch.tensor(y, dtype=torch.float64))

    def forward(self, x):
        return self.y * x


@FEW
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), steps=st.integers(0, 4))
def test_unrolling_differentiates_through_the_imagined_steps(x, y, steps):
    objective, rate = from_convex(duality.TRANSPORT), 0.3
    place = torch.tensor([[[x]]], dtype=torch.float64, requires_grad=True)
    streams = Streams([0], dtype=torch.float64)
    real = torch.zeros(1, 1, 1, dtype=torch.float64)
    critic = unrolled(Scalar(y), objective, real, place, streams, steps=steps, rate=rate)
    loss = objective.generator_loss(scores(critic, place)).sum()
    (slope,) = torch.autograd.grad(loss, place)
    assert slope.item() == pytest.approx(-(y - 2 * steps * rate * x), abs=1e-12)


# --- Why a generator forgets ------------------------------------------------------------------


@FEW
@given(start=st.floats(0.7, 3), rate=st.floats(0.01, 0.3), steps=st.integers(1, 12))
def test_against_a_critic_that_stands_still_the_width_is_a_power(start, rate, steps):
    path = collapse_play.stale(start, rate, 0, steps)
    factor = 1 - rate * (1 - start**-2)
    assert path[-1].item() == pytest.approx(start * factor**steps)


@FEW
@given(start=st.floats(0.5, 3))
def test_against_a_critic_that_is_renewed_each_step_the_width_becomes_the_datas(start):
    assert collapse_play.stale(start, 0.1, 1, 400)[-1].item() == pytest.approx(1, abs=1e-6)


def test_the_stale_step_is_the_gradient_of_the_mean_score():
    sigma = torch.tensor(1.4, dtype=torch.float64, requires_grad=True)
    x = torch.linspace(-14, 14, 8001, dtype=torch.float64)
    log_p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
    log_q = torch.distributions.Normal(0.0, 2.0).log_prob(x)
    fakes = torch.distributions.Normal(0.0, sigma).log_prob(x).exp()
    torch.trapezoid(fakes * (log_p - log_q), x).backward()
    moved = 1.4 + 0.1 * sigma.grad.item()
    assert moved == pytest.approx(1.4 * (1 - 0.1 * (1 - 2.0**-2)), abs=1e-6)


def test_a_change_where_no_fake_falls_pushes_nothing():
    streams = Streams([0], dtype=torch.float64)
    generator, critic = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
    noise = streams.normal(50, 2)
    far = torch.tensor([40.0, 0.0])
    near = generator(noise)[0, 0].detach()
    for convex in duality.TABLE:
        for practical in (False, True):
            game = from_convex(convex, practical=practical)
            before = collapse_play.push(generator, critic, game, noise)
            lifted = collapse_play.Elsewhere(critic, far, 1.0, 100.0)
            assert torch.equal(before, collapse_play.push(generator, lifted, game, noise))
    lifted = collapse_play.Elsewhere(critic, near + 0.1, 1.0, 100.0)
    assert not torch.equal(before, collapse_play.push(generator, lifted, methods.PLAIN, noise))


@FEW
@given(unroll=st.integers(0, 10), look=st.floats(0.05, 0.5), rate=st.floats(0.02, 0.2))
def test_the_bilinear_step_is_autograds(unroll, look, rate):
    x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(-0.4, dtype=torch.float64)
    imagined = y
    for _ in range(unroll):
        imagined = imagined + look * x
    (slope,) = torch.autograd.grad(x * imagined, x)
    step = collapse_play.bilinear_step(unroll, look=look, rate=rate)
    moved = step @ torch.stack([x.detach(), y])
    assert moved[0].item() == pytest.approx(0.7 - rate * slope.item())
    assert moved[1].item() == pytest.approx(-0.4 + rate * 0.7)


def test_looking_ahead_turns_a_spiral_out_into_a_spiral_in():
    radius = [
        torch.linalg.eigvals(collapse_play.bilinear_step(k, look=0.2, rate=0.1)).abs().max().item()
        for k in range(6)
    ]
    assert radius[0] == pytest.approx(math.sqrt(1.01))
    assert max(radius[1:]) < 1
    assert radius[1:] == sorted(radius[1:], reverse=True)


# --- Methods ----------------------------------------------------------------------------------

SHORT = methods.Budget(iterations=3, batch=8)
each_method = pytest.mark.parametrize("chosen", methods.METHODS, ids=lambda m: m.name)


@each_method
def test_seeds_of_a_method_together_equal_seeds_alone(chosen):
    look = {"looks": 1, "samples": 6, "width": 6}
    both = list(methods.watch(chosen, methods.RING, [3, 4], SHORT, **look))[-1]
    for place, seed in enumerate((3, 4)):
        one = list(methods.watch(chosen, methods.RING, [seed], SHORT, **look))[-1]
        torch.testing.assert_close(
            one.samples[0], both.samples[place], rtol=1e-3, atol=1e-5, equal_nan=True
        )


def test_looking_more_often_changes_nothing():
    budget = methods.Budget(iterations=20, batch=8)
    ends = [
        list(methods.watch(methods.METHODS[0], methods.RING, [0], budget, looks=looks, width=6))
        for looks in (1, 4)
    ]
    assert [len(moments) for moments in ends] == [1, 4]
    assert torch.equal(*(moments[-1].samples for moments in ends))


def test_the_goal_counts_all_methods_with_one_budget():
    names = [m.name for m in methods.METHODS]
    assert len(set(names)) == len(names)
    games = [methods.GRID_BUDGET.game(m.unroll) for m in methods.METHODS]
    assert {(g.iterations, g.batch, g.critic_steps) for g in games} == {(3000, 256, 1)}


def test_flat_slopes_charge_the_squared_gradient_on_both_batches():
    x, y = torch.zeros(1, 4, 2), torch.ones(1, 4, 2)

    def steep(v):
        return 3 * v[..., 0]

    duel = Duel(steep, x, y, steep(x), steep(y), Streams([0]))
    assert methods.flat_slopes(0.5).penalty(duel).item() == pytest.approx(0.5 * (9 + 9))


def test_waves_alone_repeat_and_the_position_tells_the_places_apart():
    placed = critics.PlacedWaves(8, 0.3, 4.0)
    placed.waves.rows.fill_(2 * math.pi)  # one cycle per unit: every shift by (1, 0) looks alike
    here, there = torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]])
    torch.testing.assert_close(placed.waves(here), placed.waves(there), atol=1e-5, rtol=0)
    assert (placed(here) - placed(there)).abs().max() == pytest.approx(1 / 4)


def test_a_field_without_size_is_refused():
    with pytest.raises(ValueError, match="reach > 0"):
        critics.PlacedWaves(8, 0.3, 0.0)


def test_the_long_run_is_a_row_of_the_table_with_more_iterations():
    flat = methods.method("flat slopes (R1 + R2)")
    assert replace(patience.PATIENT, name=flat.name) == flat
    more = patience.LONG_BUDGET.iterations
    assert replace(methods.GRID_BUDGET, iterations=more) == patience.LONG_BUDGET


def test_neighbours_of_the_ring_are_a_chord_apart_and_of_the_grid_two():
    assert methods.RING.spacing == pytest.approx(2 * math.sin(math.pi / 8))
    assert methods.GRID.spacing == 2
    assert (methods.RING.unit, methods.GRID.unit) == (pytest.approx(0.2), pytest.approx(1.0))


@pytest.mark.parametrize("name", ["WGAN-GP", "flat slopes (R1 + R2)", "PacGAN4"])
def test_a_benchmark_drawn_eight_times_as_large_is_the_same_game(name):
    small, long = methods.RING, methods.Budget(iterations=20, batch=8)
    large = replace(small, centres=8 * small.centres, std=8 * small.std)
    one, other = (
        list(methods.watch(methods.method(name), which, [0], long, looks=1, width=8))[-1]
        for which in (small, large)
    )
    torch.testing.assert_close(8 * one.samples, other.samples)
    assert torch.equal(one.score.counts, other.score.counts)


def test_samples_are_measured_in_the_benchmarks_own_length():
    class Still(torch.nn.Module):
        def forward(self, z):
            return (methods.RING.centres / methods.RING.unit)[None, [3]].expand(
                len(z), z.shape[1], 2
            )

    def stay(*_, **__):
        yield SimpleNamespace(index=0, generator=Still())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(methods, "play", stay)
        budget = methods.Budget(iterations=1)
        (now,) = methods.watch(methods.METHODS[0], methods.RING, [0], budget, samples=5, width=4)
    assert now.score.high_quality.item() == 1
    assert now.score.modes.item() == 1


@FEW
@given(
    points=st.lists(st.tuples(st.integers(-600, 600), st.integers(-600, 600)), min_size=1).map(
        lambda pairs: torch.tensor(pairs) / 100
    )
)
def test_points_survive_as_text(points):
    torch.testing.assert_close(methods.unpack_points(methods.pack_points(points)), points)


def test_the_legend_of_a_recorded_run_lies_above_every_line():
    draw = figures.scrubber(studies.load("collapse_grid").rows)
    for chosen in methods.METHODS:
        figure = draw(chosen.name, 0, 4)
        FigureCanvasAgg(figure).draw()
        right = figure.axes[1]
        bottom = right.get_legend().get_window_extent().y0
        assert right.transData.transform((0, 100))[1] < bottom
        assert max(max(line.get_ydata()) for line in right.lines) <= 100


def test_lost_samples_are_written_far_away():
    assert methods.pack_points(torch.tensor([[math.nan, math.inf]])) == "9900 9900"


def test_an_unrolled_generator_learns_from_the_second_term():
    ring = around(RING, 0.01)
    sides = []
    for steps in (0, 3):
        streams = Streams([0], dtype=torch.float64)
        generator, critic = collapse_sweeps.small_players(streams, width=8)
        fake = generator(streams.normal(16, 2))
        seen = unrolled(
            critic, methods.PLAIN, ring(streams, 16), fake, streams, steps=steps, rate=0.3
        )
        loss = methods.PLAIN.generator_loss(scores(seen, fake)).sum()
        sides.append(
            torch.cat([g.flatten() for g in torch.autograd.grad(loss, [*generator.parameters()])])
        )
    assert not torch.allclose(*sides)


# --- Sweeps and images ------------------------------------------------------------------------


def test_rings_of_their_own_have_their_own_size_and_width():
    radii, stds = torch.tensor([0.5, 4.0]), torch.tensor([0.02, 0.1])
    centres, draw = collapse_sweeps.own_rings(radii, stds)
    drawn = draw(Streams([0, 1]), 4000)
    for place in range(2):
        distance, _ = collapse.nearest(drawn[place, None], centres[place])
        rayleigh = float(stds[place]) * math.sqrt(math.pi / 2)
        assert distance.mean().item() == pytest.approx(rayleigh, rel=0.03)


@FEW
@given(st.lists(st.integers(0, 8), min_size=1, max_size=10))
def test_collapse_begins_where_the_count_first_falls(modes):
    at = collapse_sweeps.onset(modes)
    rising = modes[:at] if at >= 0 else modes
    assert rising == sorted(rising)
    assert at < 0 or modes[at] < modes[at - 1]


def test_the_reader_counts_every_sample_once():
    train, reader = collapse_images.reading("digits")
    counts = reader.classes(train.flat[None, :500])
    assert counts.sum().item() == 500
    truth = torch.bincount(train.labels[:500], minlength=10)
    assert (counts[0] - truth).abs().sum() < 60


def test_captured_digits_need_more_than_one_sample_in_a_hundred():
    classes = torch.tensor([[500, 490, 10] + [0] * 7])
    assert collapse_images.Drawn(torch.empty(1, 1000, 4), classes).captured.tolist() == [2]


# --- Bad input --------------------------------------------------------------------------------

ONE = torch.ones(1, 4, 2)
BAD_INPUT = {
    "flat samples": lambda: collapse.nearest(torch.ones(4, 2), RING),
    "sigma zero": lambda: collapse.score(ONE, RING, std=0.0),
    "negative counts": lambda: collapse.histogram_kl(torch.tensor([-1, 2])),
    "another number of weights": lambda: collapse.histogram_kl(torch.ones(3), torch.ones(2)),
    "one seed": lambda: collapse.mean_and_error([1.0]),
    "no radius": lambda: collapse.ceiling(0.0),
    "no sample": lambda: collapse.histogram_floor(8, 0),
    "more kept than there are": lambda: collapse.kept_modes(duality.KL, 9, 8),
    "no pack": lambda: collapse.packed_tv(torch.ones(1), torch.ones(1), 0),
    "no distribution": lambda: collapse.packed_tv(torch.ones(2), torch.ones(2), 1),
    "flat centres": lambda: collapse.distinct(torch.ones(3)),
    "flat images": lambda: collapse.Reader(torch.nn.Identity(), 1.0, "none").classes(RING),
    "pack of zero": lambda: critics.Packed(torch.nn.Identity(), 0),
    "batch that does not divide": lambda: critics.Packed(torch.nn.Identity(), 3)(ONE),
    "negative group": lambda: critics.MinibatchStd(torch.nn.Identity(), -1),
    "group that does not divide": lambda: critics.MinibatchStd(torch.nn.Identity(), 3)(ONE),
    "one size": lambda: critics.SpectralMLP([2], Streams([0])),
    "matrix without seeds": lambda: critics.spectral_norm(torch.eye(2), torch.ones(2, 1)),
    "no waves": lambda: critics.Waves(2, 0),
    "stale without width": lambda: collapse_play.stale(0.0, 0.1, 1, 1),
    "ball without radius": lambda: collapse_play.Elsewhere(
        torch.nn.Identity(), ONE[0, 0], 0.0, 1.0
    ),
    "negative unroll": lambda: collapse_play.bilinear(-1),
    "unknown method": lambda: methods.method("BigGAN"),
    "no weight": lambda: methods.flat_slopes(0.0),
    "no look": lambda: methods.moments(5, 0),
    "odd numbers": lambda: methods.unpack_points("1 2 3"),
    "radius zero": lambda: collapse_sweeps.own_rings(torch.zeros(1), torch.ones(1)),
    "unknown images": lambda: collapse_images.reading("faces"),
    "no steps": lambda: collapse_images.learn_to_read(
        data.digits("train"), data.digits("test"), steps=0
    ),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected"):
        call()


# --- The chapter's receipts, broken on purpose --------------------------------------------------


def test_receipts_hold_as_the_chapter_stands(monkeypatch):
    assert_holds("collapse", "test_receipt_pack", monkeypatch)


def test_receipt_ceiling(monkeypatch):
    monkeypatch.setattr(collapse, "ceiling", lambda: 1.0)
    assert_breaks("collapse", "test_receipt_ceiling", monkeypatch)


def test_receipt_floor(monkeypatch):
    monkeypatch.setattr(collapse, "histogram_floor", lambda modes, samples: modes / samples)
    assert_breaks("collapse", "test_receipt_floor", monkeypatch)


def test_receipt_trap(monkeypatch):
    monkeypatch.setattr(collapse, "distinct", len)
    assert_breaks("collapse", "test_receipt_trap", monkeypatch)


def test_receipt_wish(monkeypatch):
    monkeypatch.setattr(collapse, "kept_modes", lambda convex, kept, modes: kept / modes)
    assert_breaks("collapse", "test_receipt_wish", monkeypatch)


def test_receipt_order(monkeypatch):
    true = collapse_play.stale
    monkeypatch.setattr(collapse_play, "stale", lambda s, r, k, n: true(s, 1.5 * r, k, n))
    assert_breaks("collapse", "test_receipt_order", monkeypatch)


def test_receipt_silence(monkeypatch):
    class Everywhere(collapse_play.Elsewhere):
        def __init__(self, critic, centre, radius, height):
            super().__init__(critic, 0 * centre, 3 * radius, height)

    monkeypatch.setattr(collapse_play, "Elsewhere", Everywhere)
    assert_breaks("collapse", "test_receipt_silence", monkeypatch)


def test_receipt_unroll(monkeypatch):
    from genbook import adversarial

    def still(critic, objective, real, fake, streams, *, steps, rate):
        return unrolled(critic, objective, real, fake.detach(), streams, steps=steps, rate=rate)

    monkeypatch.setattr(adversarial, "unrolled", still)
    assert_breaks("collapse", "test_receipt_unroll", monkeypatch)


def test_receipt_spiral(monkeypatch):
    true = collapse_play.bilinear_step
    monkeypatch.setattr(
        collapse_play, "bilinear_step", lambda k, *, look, rate: true(0, look=look, rate=rate)
    )
    assert_breaks("collapse", "test_receipt_spiral", monkeypatch)


def test_receipt_pack(monkeypatch):
    true = collapse.packed_tv
    monkeypatch.setattr(figures, "seen_together", lambda q, m: 0.5 + 0 * true(q, q, 1))
    assert_breaks("collapse", "test_receipt_pack", monkeypatch)


def test_receipt_spectral(monkeypatch):
    def half(weight, u, steps=1):
        sigma, u = critics_norm(weight, u, steps)
        return sigma / 30, u

    critics_norm = critics.spectral_norm
    monkeypatch.setattr(critics, "spectral_norm", half)
    assert_breaks("collapse", "test_receipt_spectral", monkeypatch)


def _rewritten(monkeypatch, name, change):
    """Load the study ``name`` with each row changed."""
    true = studies.load

    def load(asked):
        found = true(asked)
        if asked != name:
            return found
        return replace(found, rows=tuple({**row, **change(row)} for row in found.rows))

    monkeypatch.setattr(studies, "load", load)


def test_receipt_ahead(monkeypatch):
    _rewritten(monkeypatch, "collapse_unroll", lambda row: {"modes": 4})
    assert_breaks("collapse", "test_receipt_ahead", monkeypatch)


def test_receipt_recorded(monkeypatch):
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"modes": 12, "good": 0.5})
    assert_breaks("collapse", "test_receipt_recorded", monkeypatch)


def test_receipt_goal(monkeypatch):
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"modes": 25, "good": 0.95})
    assert_breaks("collapse", "test_receipt_goal", monkeypatch)


def test_receipt_hops(monkeypatch):
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"points": "0 0 " * 45})
    assert_breaks("collapse", "test_receipt_hops", monkeypatch)


def test_receipt_ring(monkeypatch):
    _rewritten(monkeypatch, "collapse_ring", lambda row: {"modes": 6})
    assert_breaks("collapse", "test_receipt_ring", monkeypatch)


def test_receipt_unit(monkeypatch):
    monkeypatch.setattr(methods.Benchmark, "unit", 1.0)
    assert_breaks("collapse", "test_receipt_unit", monkeypatch)


def test_receipt_patience(monkeypatch):
    _rewritten(monkeypatch, "collapse_patience", lambda row: {"modes": 24, "good": 0.9})
    assert_breaks("collapse", "test_receipt_patience", monkeypatch)


def test_receipt_sweep(monkeypatch):
    _rewritten(monkeypatch, "collapse_sweep", lambda row: {"modes": 5})
    assert_breaks("collapse", "test_receipt_sweep", monkeypatch)


def _illiterate(monkeypatch):
    true = collapse_images.learn_to_read

    def learn(train, test, *, steps, seed=0):
        return collapse.Reader(true(train, test, steps=1, seed=seed).logits, 0.5, train.name)

    monkeypatch.setattr(collapse_images, "ITERATIONS", 2)
    monkeypatch.setattr(collapse_images, "learn_to_read", learn)


def test_receipt_digits(monkeypatch):
    _illiterate(monkeypatch)
    _rewritten(monkeypatch, "collapse_digits", lambda row: {"captured": 5})
    assert_breaks("collapse", "test_receipt_digits", monkeypatch)


def test_receipt_live(monkeypatch):
    _illiterate(monkeypatch)
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"modes": int(row["modes"]) + 100})
    for name in ("GRID_BUDGET", "RING_BUDGET"):
        monkeypatch.setattr(methods, name, replace(getattr(methods, name), batch=8))
    assert_breaks("collapse", "test_receipt_live", monkeypatch)
