"""The chapter's machine: its scores against the chapter's, its fits against exact ones."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.divergences import densities, fitting, machines, measures
from genbook.kit.machine.parts import Twin

SCORES = {
    "KL(p‖q), forward": measures.KL,
    "KL(q‖p), reverse": measures.REVERSE_KL,
    "Jensen–Shannon": measures.JENSEN_SHANNON,
    "squared Hellinger": measures.SQUARED_HELLINGER,
    "total variation": measures.TOTAL_VARIATION,
}
X = machines.places()


@pytest.fixture(scope="module")
def machine():
    return machines.drawn_curve()


def moments(log_q):
    mean = (log_q.exp() * X).sum()
    return mean.item(), ((log_q.exp() * (X - mean) ** 2).sum()).sqrt().item()


def played(machine, seed, score, data="two hills", steps=600):
    twin = Twin(machine, seed, {"score": score, "rate": 0.03}, machine.data[data])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def begun(*weights):
    parts = [[torch.zeros_like(weight) for weight in weights] for _ in range(2)]
    return list(weights), *parts, torch.tensor(0.0)


def descended(name, model, player, heights, steps=600, rate=0.03):
    score, step = machines.scores()[name], torch.tensor(rate)
    for k in range(steps):
        player, value, _ = machines.descend(
            score, model, player, heights, step * min(1, 2 * (1 - k / steps))
        )
        player = tuple(
            [leaf.detach() for leaf in part] if isinstance(part, list) else part for part in player
        )
    return player[0], value.item()


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("seed", range(5))
def test_scores_of_places_are_those_of_atoms(name, seed):
    source = torch.Generator().manual_seed(seed)
    log_p, log_q = torch.randn(2, 64, generator=source).mul(3).log_softmax(1).double()
    wanted = measures.on_atoms(SCORES[name], log_p.exp(), log_q.exp())
    got = machines.scores()[name](log_p, log_q)
    assert got.item() == pytest.approx(wanted.item(), rel=1e-9, abs=1e-12)


def test_w1_of_two_spikes_is_their_distance():
    log_p, log_q = torch.full((2, 64), -60.0).double()
    log_p[10], log_q[42] = 0.0, 0.0
    got = machines.scores()["W₁"](log_p, log_q)
    assert got.item() == pytest.approx((X[42] - X[10]).item(), abs=1e-6)


def test_far_apart_the_bounded_scores_are_at_their_bounds():
    log_p, log_q = torch.full((2, 64), -60.0).double()
    log_p[10], log_q[42] = 0.0, 0.0
    for name, bound in (
        ("Jensen–Shannon", math.log(2)),
        ("squared Hellinger", 2.0),
        ("total variation", 1.0),
    ):
        assert machines.scores()[name](log_p, log_q).item() == pytest.approx(bound, abs=1e-9)


@pytest.mark.parametrize("data", machines.presets())
def test_the_forward_fit_has_the_mean_and_the_variance_of_the_curve(data):
    heights = machines.presets()[data]
    weights, _ = descended(
        "KL(p‖q), forward", machines.log_one, begun(torch.ones(1), torch.zeros(1)), heights
    )
    wanted = moments(machines.log_data(heights))
    assert moments(machines.log_one(weights, X)) == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_reverse_kl_of_two_far_hills_takes_the_one_it_begins_at(side):
    heights = torch.exp(-0.5 * ((X.abs() - 2) / 0.3) ** 2)
    weights, value = descended(
        "KL(q‖p), reverse", machines.log_one, begun(torch.tensor([1.6 * side]), torch.zeros(1)),
        heights,
    )  # fmt: skip
    mean, width = moments(machines.log_one(weights, X))
    assert mean == pytest.approx(2 * side, abs=0.02)
    assert width == pytest.approx(0.3, abs=0.02)
    assert value == pytest.approx(math.log(2), abs=0.1)  # the price of half of the data


def test_the_fit_is_that_of_newtons_steps_on_a_grid(machine):
    """A wide curve that no edge cuts: the places stand for the line."""
    heights = machine.data["two hills"]
    x = X.double()
    log_p = machines.log_data(heights.double()) - math.log(machines.WIDTH)
    exact = fitting.fit_gaussian(measures.JENSEN_SHANNON, log_p, x, start=(0.3, 1.3))
    weights, _ = descended(
        "Jensen–Shannon", machines.log_one, begun(torch.zeros(1), torch.ones(1)), heights
    )
    assert weights[0].item() == pytest.approx(exact.mu, abs=0.02)
    assert math.exp(weights[1].item()) * machines.NARROW == pytest.approx(exact.sigma, abs=0.02)


@pytest.mark.parametrize("name", machines.scores())
def test_two_gaussians_take_both_hills_whatever_the_score(name):
    heights = machines.presets()["two hills"]
    start = begun(torch.zeros(1), torch.tensor([-0.6, 0.6]), torch.zeros(2))
    (odds, means, log_widths), value = descended(name, machines.log_two, start, heights)
    assert odds.sigmoid().item() == pytest.approx(0.4, abs=0.02)
    assert means.tolist() == pytest.approx([-1.3, 1.3], abs=0.03)
    assert (machines.NARROW * log_widths.exp()).tolist() == pytest.approx([0.35, 0.35], abs=0.04)
    assert value < 0.03


@pytest.mark.parametrize("name", ["Jensen–Shannon", "total variation"])
def test_adam_walks_where_the_slope_has_all_but_died(name):
    """A hill 5.5 away: a slope below 0.01, and still 0.1 a step; W₁'s slope there is 0.99."""
    heights = torch.exp(-0.5 * ((X - 3) / 0.35) ** 2)
    player = begun(torch.tensor([-2.5]), torch.zeros(1))
    scores, rate = machines.scores(), torch.tensor(0.1)
    after, _, steep = machines.descend(scores[name], machines.log_one, player, heights, rate)
    _, _, steady = machines.descend(scores["W₁"], machines.log_one, player, heights, rate)
    assert steep.item() < 0.01
    assert steady.item() == pytest.approx(0.987, abs=1e-3)
    assert abs(after[0][0].item() + 2.5) == pytest.approx(0.1, abs=1e-4)


def test_a_model_is_a_distribution_and_its_line_has_the_curves_scale():
    heights = machines.presets()["a slope"]
    for log_q in (
        machines.log_data(heights),
        machines.log_one([torch.ones(1), torch.ones(1)], X),
        machines.log_two([torch.ones(1), torch.tensor([-9.0, 9.0]), torch.zeros(2)], X),
    ):
        assert log_q.exp().sum().item() == pytest.approx(1, abs=1e-5)
        line = machines.curve(log_q, heights)
        assert line[:, 1].sum().item() == pytest.approx(heights.sum().item() + 0.064, abs=1e-4)
        assert torch.equal(line[:, 0], X)


def test_the_machine_plays_what_the_functions_say(machine):
    twin = played(machine, 2, "KL(p‖q), forward", steps=1)
    start = Twin(machine, 2, {}, machine.data["two hills"]).state
    one = begun(*start["one"][:2])
    after, value, _ = machines.descend(
        machines.scores()["KL(p‖q), forward"], machines.log_one, one, machine.data["two hills"],
        torch.tensor(0.03),
    )  # fmt: skip
    assert torch.equal(twin.state["one"][0], after[0][0])
    assert twin.targets["first"].item() < value.item()


def test_every_score_has_its_programs_and_every_curve_fits_its_panel(machine):
    words = set(machine.controls[0].words)
    assert set(machine.acts[0].programs) == set(machine.view.programs) == words
    for heights in machine.data.values():
        assert heights.shape == (64,)
        assert heights.min() >= 0
        assert heights.max() <= 1


def test_log_sum_is_logaddexp():
    a, b = torch.randn(2, 200).mul(40)
    torch.testing.assert_close(machines.log_sum(a, b), torch.logaddexp(a, b))


def test_gaussians_are_the_chapters(machine):
    """Fine enough and far from the edges, places and densities differ by the bin's width."""
    log_q = machines.log_gaussian(torch.tensor([0.3]), torch.tensor([0.2]), X).double()
    exact = densities.gaussian_log_density(
        X.double(), torch.tensor(0.3).double(), torch.tensor(0.5 * math.exp(0.2)).double()
    )
    assert (log_q - exact - math.log(machines.WIDTH)).abs().max() < 1e-4
