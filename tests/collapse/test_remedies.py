"""Laws of `genbook.collapse.remedies`."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from genbook.collapse import figures, onset, remedies
from genbook.games.play import Duel, scores, unrolled
from genbook.kit import studies
from genbook.kit.seeds import Streams, around
from tests.collapse.given import RING

SHORT = remedies.Budget(iterations=3, batch=8)


each_method = pytest.mark.parametrize("chosen", remedies.METHODS, ids=lambda m: m.name)


@each_method
def test_seeds_of_a_method_together_equal_seeds_alone(chosen):
    look = {"looks": 1, "samples": 6, "width": 6}
    both = list(remedies.watch(chosen, remedies.RING, [3, 4], SHORT, **look))[-1]
    for place, seed in enumerate((3, 4)):
        one = list(remedies.watch(chosen, remedies.RING, [seed], SHORT, **look))[-1]
        torch.testing.assert_close(
            one.samples[0], both.samples[place], rtol=1e-3, atol=1e-5, equal_nan=True
        )


def test_looking_more_often_changes_nothing():
    budget = remedies.Budget(iterations=20, batch=8)
    ends = [
        list(remedies.watch(remedies.METHODS[0], remedies.RING, [0], budget, looks=looks, width=6))
        for looks in (1, 4)
    ]
    assert [len(moments) for moments in ends] == [1, 4]
    assert torch.equal(*(moments[-1].samples for moments in ends))


def test_the_goal_counts_all_methods_with_one_budget():
    names = [m.name for m in remedies.METHODS]
    assert len(set(names)) == len(names)
    games = [remedies.GRID_BUDGET.game(m.unroll) for m in remedies.METHODS]
    assert {(g.iterations, g.batch, g.critic_steps) for g in games} == {(3000, 256, 1)}


def test_flat_slopes_charge_the_squared_gradient_on_both_batches():
    x, y = torch.zeros(1, 4, 2), torch.ones(1, 4, 2)

    def steep(v):
        return 3 * v[..., 0]

    duel = Duel(steep, x, y, steep(x), steep(y), Streams([0]))
    assert remedies.flat_slopes(0.5).penalty(duel).item() == pytest.approx(0.5 * (9 + 9))


def test_neighbours_of_the_ring_are_a_chord_apart_and_of_the_grid_two():
    assert remedies.RING.spacing == pytest.approx(2 * math.sin(math.pi / 8))
    assert remedies.GRID.spacing == 2
    assert (remedies.RING.unit, remedies.GRID.unit) == (pytest.approx(0.2), pytest.approx(1.0))


@pytest.mark.parametrize("name", ["WGAN-GP", "flat slopes (R1 + R2)", "PacGAN4"])
def test_a_benchmark_drawn_eight_times_as_large_is_the_same_game(name):
    small, long = remedies.RING, remedies.Budget(iterations=20, batch=8)
    large = replace(small, centres=8 * small.centres, std=8 * small.std)
    one, other = (
        list(remedies.watch(remedies.method(name), which, [0], long, looks=1, width=8))[-1]
        for which in (small, large)
    )
    torch.testing.assert_close(8 * one.samples, other.samples)
    assert torch.equal(one.score.counts, other.score.counts)


def test_samples_are_measured_in_the_benchmarks_own_length():
    class Still(torch.nn.Module):
        def forward(self, z):
            return (remedies.RING.centres / remedies.RING.unit)[None, [3]].expand(
                len(z), z.shape[1], 2
            )

    def stay(*_, **__):
        yield SimpleNamespace(index=0, generator=Still())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remedies, "play", stay)
        budget = remedies.Budget(iterations=1)
        (now,) = remedies.watch(remedies.METHODS[0], remedies.RING, [0], budget, samples=5, width=4)
    assert now.score.high_quality.item() == 1
    assert now.score.modes.item() == 1


def test_the_legend_of_a_recorded_run_lies_above_every_line():
    draw = figures.scrubber(studies.load("collapse_grid").rows)
    for chosen in remedies.METHODS:
        figure = draw(chosen.name, 0, 4)
        FigureCanvasAgg(figure).draw()
        right = figure.axes[1]
        bottom = right.get_legend().get_window_extent().y0
        assert right.transData.transform((0, 100))[1] < bottom
        assert max(max(line.get_ydata()) for line in right.lines) <= 100


def test_an_unrolled_generator_learns_from_the_second_term():
    ring = around(RING, 0.01)
    sides = []
    for steps in (0, 3):
        streams = Streams([0], dtype=torch.float64)
        generator, critic = onset.small_players(streams, width=8)
        fake = generator(streams.normal(16, 2))
        seen = unrolled(
            critic, remedies.PLAIN, ring(streams, 16), fake, streams, steps=steps, rate=0.3
        )
        loss = remedies.PLAIN.generator_loss(scores(seen, fake)).sum()
        sides.append(
            torch.cat([g.flatten() for g in torch.autograd.grad(loss, [*generator.parameters()])])
        )
    assert not torch.allclose(*sides)
