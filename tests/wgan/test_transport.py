"""Laws of `genbook.wgan.transport`."""

from __future__ import annotations

import math

import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from torch import nn
from torch.distributions import Normal

from genbook.divergences import measures
from genbook.games.play import Adam, mlp
from genbook.kit import data
from genbook.kit.receipts import ReceiptError
from genbook.kit.seeds import Streams
from genbook.wgan import contests, critics, depth, figures, frechet, losses, transport
from tests.wgan.given import FEW, any_seed, double


def problem(seed, n=6, m=8, dimension=2):
    streams = double(seed)
    p, q = streams.uniform(n)[0], streams.uniform(m)[0]
    x, y = streams.normal(n, dimension)[0], streams.normal(m, dimension)[0]
    return x, p / p.sum(), y, q / q.sum()


def test_an_offer_that_nearly_fits_is_no_offer():
    real, fake = figures.clouds(seed=3, n=40)  # HiGHS's own tolerance lets one cost exceed
    even, cost = torch.full((40,), 1 / 40, dtype=torch.float64), torch.cdist(real, fake)
    found = transport.solve(even, even, cost)
    assert found.cost == pytest.approx(ot.emd2([], [], cost.numpy()), abs=1e-13)
    slack = cost - found.potential_p[:, None] - found.potential_q
    assert slack.min() > -1e-12
    assert (found.plan * slack).abs().max() < 1e-13


@pytest.mark.parametrize("theta", [-0.7, 0.0, 0.3])
def test_atoms_of_the_lines_are_shared_only_where_they_coincide(theta):
    p, q, points = transport.line_atoms(theta, 5)
    assert p.sum().item() == pytest.approx(1) == q.sum().item()
    assert len(points) == (5 if theta == 0 else 10)
    assert (p * q).sum().item() == pytest.approx(0.2 if theta == 0 else 0.0)
    torch.testing.assert_close(q @ points, torch.tensor([theta, 0.5], dtype=torch.float64))


@FEW
@given(seed=any_seed)
def test_plan_and_potentials_meet_their_constraints_and_each_other(seed):
    x, p, y, q = problem(seed)
    cost = torch.cdist(x, y)
    found = transport.solve(p, q, cost)
    torch.testing.assert_close(found.plan.sum(1), p, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.plan.sum(0), q, rtol=0, atol=1e-9)
    assert found.plan.min() >= -1e-12
    slack = cost - found.potential_p[:, None] - found.potential_q
    assert slack.min() > -1e-9
    assert (found.plan * slack).abs().max() < 1e-9
    assert abs(found.gap) < 1e-9
    assert found.potential_p[0] == 0


@FEW
@given(seed=any_seed)
def test_the_linear_program_agrees_with_pot(seed):
    x, p, y, q = problem(seed)
    cost = torch.cdist(x, y).square()
    reference = ot.emd2(p.numpy(), q.numpy(), cost.numpy())
    assert transport.solve(p, q, cost).cost == pytest.approx(reference, abs=1e-9)


@FEW
@given(seed=any_seed, factor=st.floats(0.1, 9), move=st.floats(-3, 3))
def test_w1_is_a_metric_that_scales_and_is_shifted_exactly(seed, factor, move):
    (x, p, y, q), (z, r, _, _) = problem(seed), problem(seed + 1)

    def far(a, m, b, n):
        return transport.solve(m, n, torch.cdist(a, b)).cost

    once = far(x, p, y, q)
    assert far(y, q, x, p) == pytest.approx(once, abs=1e-9)
    assert far(x, p, x, p) == pytest.approx(0, abs=1e-9)
    assert far(factor * x, p, factor * y, q) == pytest.approx(factor * once, abs=1e-8)
    assert far(x, p, z, r) <= once + far(y, q, z, r) + 1e-9
    assert far(x, p, x + move, p) == pytest.approx(abs(move) * math.sqrt(2), abs=1e-8)


@FEW
@given(seed=any_seed)
def test_one_lipschitz_critic_replaces_two_potentials(seed):
    x, p, y, q = problem(seed)
    z = torch.cat([x, y])
    best = transport.potential(torch.cat([p, 0 * q]), torch.cat([0 * p, q]), torch.cdist(z, z))
    exact = transport.solve(p, q, torch.cdist(x, y))
    assert best.value == pytest.approx(exact.cost, abs=1e-9)
    assert transport.lipschitz(best.f, torch.cdist(z, z)) <= 1 + 1e-9
    assert best.f[0] == 0


@FEW
@given(seed=any_seed)
def test_the_extended_potential_is_a_best_critic_on_the_whole_space(seed):
    x, p, y, q = problem(seed)
    exact = transport.solve(p, q, torch.cdist(x, y))

    def f(z):
        return transport.extended(exact.potential_p, x, z)

    assert (p @ f(x) - q @ f(y)).item() == pytest.approx(exact.cost, abs=1e-9)
    anywhere = double(seed).normal(40, 2)[0] * 3
    assert transport.lipschitz(f(anywhere), torch.cdist(anywhere, anywhere)) <= 1 + 1e-9


def test_the_extended_potential_has_the_gradient_of_its_nearest_support():
    x = torch.tensor([[0.0, 0.0], [9.0, 0.0]], dtype=torch.float64)
    phi = torch.zeros(2, dtype=torch.float64)
    y = torch.tensor([[1.0, 2.0], [7.0, -1.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: transport.extended(phi, x, z), y)


@FEW
@given(seed=any_seed)
def test_the_area_between_distribution_functions_is_w1(seed):
    x, p, y, q = problem(seed, dimension=1)
    area = transport.on_line(x[:, 0], p, y[:, 0], q).item()
    assert area == pytest.approx(transport.solve(p, q, torch.cdist(x, y)).cost, abs=1e-9)
    assert area == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0], p, q), abs=1e-9)


@FEW
@given(seed=any_seed)
def test_sorted_samples_match_in_order(seed):
    a, b = double(seed, seed + 1).normal(30)
    even = torch.full((30,), 1 / 30, dtype=torch.float64)
    torch.testing.assert_close(
        transport.of_samples(a, b), transport.on_line(a, even, b, even), rtol=0, atol=1e-12
    )
    assert transport.of_samples(a, a + 2.5).item() == pytest.approx(2.5)


def test_the_area_is_differentiable_in_points_and_masses():
    x, p, y, q = problem(3, dimension=1)
    points = x[:, 0].clone().requires_grad_()
    masses = p.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, m: transport.on_line(a, m, y[:, 0], q), (points, masses)
    )


@pytest.mark.parametrize("theta", [-0.8, 0.02, 3.0])
def test_the_parallel_lines_by_an_exact_solver(theta):
    height = torch.linspace(0, 1, 12, dtype=torch.float64)

    def line(at):
        return torch.stack([torch.full_like(height, at), height], dim=1)

    exact = ot.emd2([], [], torch.cdist(line(0.0), line(theta)).numpy())
    readings = transport.parallel_lines(theta)
    assert readings["W₁"].value == pytest.approx(exact)
    assert readings["W₁"].slope == math.copysign(1, theta)
    assert readings["JS"] == transport.Reading(math.log(2), 0.0)
    assert readings["KL(p‖q)"].value == readings["KL(q‖p)"].value == math.inf


def test_at_zero_the_parallel_lines_are_one():
    readings = transport.parallel_lines(0.0).values()
    assert all(reading.value == 0 and math.isnan(reading.slope) for reading in readings)


@pytest.mark.parametrize("theta", [-0.7, 0.0, 0.25])
def test_noisy_lines_are_two_gaussians(theta):
    x = torch.linspace(-4, 4, 40_001, dtype=torch.float64)
    noise, rows = (
        0.3,
        (measures.JENSEN_SHANNON, measures.TOTAL_VARIATION, measures.KL, measures.REVERSE_KL),
    )

    def values(at):
        places = torch.tensor([[0.0], [at]], dtype=torch.float64)
        log_p, log_q = Normal(places, torch.full_like(places, noise)).log_prob(x)
        return [measures.on_grid(row, log_p, log_q, x).item() for row in rows]

    readings = [transport.parallel_lines(theta, noise)[name] for name in transport.NAMES[1:]]
    assert [r.value for r in readings] == pytest.approx(values(theta), abs=1e-6)
    step = 1e-4
    pairs = zip(values(theta + step), values(theta - step), strict=True)
    for reading, (after, before) in zip(readings, pairs, strict=True):
        if not math.isnan(reading.slope):
            assert reading.slope == pytest.approx((after - before) / (2 * step), abs=1e-3)
    assert transport.parallel_lines(theta, noise)["W₁"].value == abs(theta)


def test_less_noise_leads_back_to_the_lines():
    clean, faint = transport.parallel_lines(0.5), transport.parallel_lines(0.5, 0.01)
    for name in ("W₁", "JS", "TV"):
        assert faint[name].value == pytest.approx(clean[name].value, abs=1e-9)
        assert faint[name].slope == pytest.approx(clean[name].slope, abs=1e-9)


HALF = torch.tensor([0.5, 0.5])


BAD_INPUT = {
    "no probabilities": lambda: transport.solve(HALF * 3, HALF, torch.ones(2, 2)),
    "cost of another shape": lambda: transport.solve(HALF, HALF, torch.ones(2, 3)),
    "no metric": lambda: transport.potential(HALF, HALF, torch.tensor([[0.0, 1.0], [2.0, 0.0]])),
    "values without points": lambda: transport.lipschitz(HALF, torch.ones(3, 3)),
    "potential without points": lambda: transport.extended(HALF, torch.ones(3, 2), torch.ones(2)),
    "masses without points": lambda: transport.on_line(torch.ones(3), HALF, HALF, HALF),
    "samples of two sizes": lambda: transport.of_samples(torch.ones(2), torch.ones(3)),
    "infinite theta": lambda: transport.parallel_lines(math.inf),
    "negative noise": lambda: transport.parallel_lines(1.0, -0.1),
    "no limit": lambda: losses.clip_weights(nn.Linear(1, 1), 0.0),
    "shares of another batch": lambda: losses.between(
        torch.ones(1, 2, 2), torch.ones(1, 2, 2), torch.ones(1, 3)
    ),
    "no weight": lambda: losses.wgan_gp(0.0),
    "unknown norm": lambda: losses.distance(torch.ones(1, 1, 1), torch.ones(1, 1, 1), "l3"),
    "no scale": lambda: losses.gan_qp(-1.0),
    "negative distance": lambda: losses.qp_at_points(-1.0),
    "two equal points": lambda: losses.best_at_points(losses.wgan(), 0.0),
    "no points": lambda: critics.toys(0, seed=0),
    "a table without a stream": lambda: next(
        critics.fit(
            nn.Identity(),
            losses.wgan(),
            torch.ones(2, 3, 2),
            steps=1,
            optimiser=Adam(),
            streams=Streams([0]),
        )
    ),
    "a score without a point": lambda: critics.certify(
        HALF, HALF, torch.ones(3, 2), torch.ones(2, 2)
    ),
    "one layer": lambda: depth.decades_per_layer(torch.ones(1, 1)),
    "no square layer": lambda: depth.hidden_weights(mlp([2, 3, 1], Streams([0]))),
    "one sample": lambda: frechet.moments(torch.ones(1, 3)),
    "no step": lambda: frechet.train_judge(data.digits(), data.digits(), steps=0),
    "series of two lengths": lambda: frechet.rank_correlation(torch.ones(2), torch.ones(3)),
    "no mark": lambda: next(
        contests.compete(
            contests.contests()["GAN"], torch.ones(4, 4), None, (0,), iterations=1, every=0
        )
    ),
}


@pytest.mark.parametrize("broken", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(broken):
    with pytest.raises(ValueError, match="expected") as caught:
        broken()
    assert not isinstance(caught.value, ReceiptError)
