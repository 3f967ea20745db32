"""Laws of optimal transport and of critics, and the WGAN chapter's receipts broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import ot
import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import spearmanr, wasserstein_distance
from torch import nn
from torch.distributions import Normal

from genbook import divergences as dv
from genbook import (
    duality,
    seeds,
    transport,
    wgan,
    wgan_critics,
    wgan_depth,
    wgan_judge,
    wgan_mnist,
)
from genbook.adversarial import Adam, Duel, RMSProp, critic_step, from_convex, mlp, scores
from genbook.figures import wgan as figures
from genbook.kit import data, studies
from genbook.kit.receipts import ReceiptError
from genbook.seeds import Streams

FEW = settings(max_examples=10, deadline=None)
any_seed = st.integers(0, 10_000)


def double(*seeds):
    return Streams(seeds or (0,), dtype=torch.float64)


def problem(seed, n=6, m=8, dimension=2):
    streams = double(seed)
    p, q = streams.uniform(n)[0], streams.uniform(m)[0]
    x, y = streams.normal(n, dimension)[0], streams.normal(m, dimension)[0]
    return x, p / p.sum(), y, q / q.sum()


# --- Plans and potentials ---------------------------------------------------------------------


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


# --- On the line ------------------------------------------------------------------------------


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
    noise, rows = 0.3, (dv.JENSEN_SHANNON, dv.TOTAL_VARIATION, dv.KL, dv.REVERSE_KL)

    def values(at):
        places = torch.tensor([[0.0], [at]], dtype=torch.float64)
        log_p, log_q = Normal(places, torch.full_like(places, noise)).log_prob(x)
        return [dv.on_grid(row, log_p, log_q, x).item() for row in rows]

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


# --- Losses and leashes -----------------------------------------------------------------------


@FEW
@given(seed=any_seed)
def test_the_losses_are_the_bound_of_the_spine(seed):
    t_p, t_q = double(seed, seed + 1).normal(9), double(seed + 2, seed + 3).normal(9)
    value = duality.bound(t_p, t_q, duality.TRANSPORT.conjugate)
    torch.testing.assert_close(wgan.wgan().critic_loss(t_p, t_q), -value)
    torch.testing.assert_close(wgan.wgan().generator_loss(t_q), value - t_p.mean(-1))
    for other in (wgan.wgan_gp(), wgan.gan_qp()):
        torch.testing.assert_close(other.critic_loss(t_p, t_q), -value)


def duel(critic, x, y):
    return Duel(critic, x, y, critic(x), critic(y), double(*range(len(x))))


def quadratic(x):
    return 0.5 * x.square().sum(-1)


def test_slopes_of_a_quadratic_are_norms_of_the_points():
    x = double(0, 1).normal(7, 3)
    torch.testing.assert_close(wgan.slopes(quadratic, x), x.norm(dim=-1))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 4.0])
def test_the_penalty_of_a_linear_critic_is_two_sided(slope):
    x, y = double(0, 1).normal(5, 2), double(2, 3).normal(5, 2)

    def critic(z):
        return slope * (0.6 * z[..., 0] - 0.8 * z[..., 1])

    paid = wgan.gradient_penalty(duel(critic, x, y))
    torch.testing.assert_close(paid, torch.full_like(paid, (slope - 1) ** 2))
    above = wgan.gradient_penalty(duel(critic, x, y), one_sided=True)
    torch.testing.assert_close(above, torch.full_like(above, max(0.0, slope - 1) ** 2))


def test_the_penalty_takes_a_norm_a_sample_and_keeps_seeds_apart():
    x = double(0, 1).normal(6, 2)
    exact = (x.norm(dim=-1) - 1).square().mean(-1)
    torch.testing.assert_close(wgan.gradient_penalty(duel(quadratic, x, x)), exact)


def test_points_lie_on_their_segments_with_one_share_a_sample():
    x, y = double(0).normal(50, 3), double(1).normal(50, 3)
    share = double(2).uniform(50)
    x_hat = wgan.between(x, y, share)
    torch.testing.assert_close(x_hat - y, share[..., None] * (x - y))


def test_the_penalty_reaches_the_weights_and_not_the_data():
    critic = mlp([2, 5, 1], double(), nn.Tanh)
    x, y = double(3).normal(4, 2), double(4).normal(4, 2)
    wgan.wgan_gp().penalty(duel(lambda z: scores(critic, z), x, y)).sum().backward()
    assert critic[0].weight.grad.abs().max() > 0
    assert x.grad is None


def test_batch_norm_blinds_the_penalty():
    streams = double()
    critic = nn.Sequential(mlp([2, 8, 1], streams), seeds.SeedBatchNorm(1, streams))
    measured = wgan.slopes(lambda z: scores(critic, z), streams.normal(32, 2))
    assert measured.max() < 1e-10


def test_weights_are_within_the_limit_after_a_step_of_any_size():
    streams = Streams([0])
    critic = mlp([2, 8, 1], streams)
    optimiser = RMSProp(lr=10.0).over(critic.parameters())
    x = streams.normal(16, 2)
    critic_step(critic, optimiser, wgan.wgan(), x, x + 1, streams, clip_weights=0.01)
    assert max(weight.abs().max().item() for weight in critic.parameters()) <= 0.01 + 1e-9


def test_clipping_leaves_small_weights_alone():
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.003]]))
    wgan.clip_weights(layer, 0.01)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.01, -0.003]]))


@FEW
@given(d=st.floats(0.01, 50), scale=st.floats(0.1, 20))
def test_two_points_are_half_lambda_d_apart(d, scale):
    real = torch.full((1, 1, 1), d, dtype=torch.float64)
    fake = torch.zeros_like(real)
    delta = torch.tensor([[scale * d]], dtype=torch.float64, requires_grad=True)
    game = wgan.gan_qp(scale)
    pair = Duel(quadratic, real, fake, delta, 0 * delta, double())
    loss = game.critic_loss(delta, 0 * delta) + game.penalty(pair)
    (slope,) = torch.autograd.grad(loss.sum(), delta)
    assert loss.item() == pytest.approx(-wgan.qp_at_points(d, scale), rel=1e-9)
    assert slope.item() == pytest.approx(0, abs=1e-9)


def test_a_search_finds_the_value_of_two_points_for_each_game():
    assert wgan.best_at_points(wgan.gan_qp(2.0), 3.0) == pytest.approx(3.0)
    assert wgan.best_at_points(wgan.wgan(), 3.0, most=7.0) == pytest.approx(7.0)
    assert wgan.best_at_points(from_convex(duality.GAN), 3.0) == pytest.approx(0.0, abs=1e-9)


def test_both_distances_of_gan_qp_are_means_over_coordinates():
    x = torch.zeros(1, 2, 3, 4)
    y = x + torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1)
    for norm in wgan.NORMS:
        assert wgan.distance(x, y, norm).tolist() == [[1.0, 3.0]]


# --- Critics at their best --------------------------------------------------------------------


def test_the_three_data_sets_have_about_unit_deviation():
    deviation = wgan_critics.toys(4_000, seed=0).std(1)
    assert (deviation - 1).abs().max() < 0.12


@FEW
@given(seed=any_seed, scale=st.floats(0.01, 100))
def test_a_certificate_is_a_bound_and_does_not_see_the_scale(seed, scale):
    x, y = double(seed).normal(12, 2)[0], double(seed + 1).normal(15, 2)[0] + 1
    critic = mlp([2, 8, 1], double(seed))
    with torch.no_grad():
        t_x, t_y = scores(critic, x[None])[0], scores(critic, y[None])[0]
    plain = wgan_critics.certify(t_x, t_y, x, y)
    scaled = wgan_critics.certify(scale * t_x, scale * t_y, x, y)
    assert plain.bound <= plain.exact + 1e-12
    assert scaled.share == pytest.approx(plain.share, rel=1e-6)


def test_a_penalised_critic_finds_the_distance_of_two_heaps():
    streams = Streams([0])
    critic = wgan_critics.shallow(streams, width=16)
    tables = torch.zeros(1, 1, 2)
    settings = {"optimiser": Adam(5e-3, betas=(0.5, 0.9)), "streams": streams, "batch": 128}
    for _ in wgan_critics.fit(critic, wgan.wgan_gp(), tables, steps=250, **settings):
        pass
    fresh = streams.normal(300, 2)[0]
    with torch.no_grad():
        t_fake = scores(critic, fresh[None])[0]
        t_real = scores(critic, torch.zeros(1, 300, 2))[0]
    value = (t_real.mean() - t_fake.mean()).item()
    assert value == pytest.approx(math.sqrt(math.pi / 2), rel=0.15)


def test_surfaces_survive_being_written():
    values = torch.linspace(-3, 5, 25).reshape(5, 5)
    again = wgan_critics.read(wgan_critics.written(values), side=5)
    torch.testing.assert_close(again, (values + 3) / 8, rtol=0, atol=1 / 255)


def test_layer_norms_are_what_autograd_says():
    streams = double(0, 1)
    critic = mlp([2, 6, 6, 1], streams, nn.ReLU)
    real, fake = streams.normal(9, 2), streams.normal(9, 2)
    norms = wgan_depth.layer_norms(critic, wgan.wgan(), real, fake)
    both = torch.cat([real, fake], 1).requires_grad_()
    t = scores(critic, both)
    wgan.wgan().critic_loss(t[:, :9], t[:, 9:]).sum().backward()
    torch.testing.assert_close(norms[:, 0], both.grad.flatten(1).norm(dim=1))


def test_random_signs_lose_the_predicted_factor_a_layer():
    width, clip = 128, 0.01
    critic = mlp([2, *[width] * 8, 1], Streams([0]), nn.ReLU)
    with torch.no_grad():
        for weight in critic.parameters():
            weight.copy_(clip * weight.sign())
    x = Streams([1]).normal(256, 2)
    norms = wgan_depth.layer_norms(critic, wgan.wgan(), x, x + 3)
    lost = wgan_depth.decades_per_layer(norms[:, 1:]).item()
    assert lost == pytest.approx(-math.log10(clip * math.sqrt(width / 2)), abs=0.15)


# --- The judge and the games on images --------------------------------------------------------


@FEW
@given(seed=any_seed)
def test_frechet_agrees_with_the_matrix_root(seed):
    a, b = (wgan_judge.moments(x) for x in double(seed, seed + 1).normal(30, 4) * 2)
    root = sqrtm((a.covariance @ b.covariance).numpy()).real
    trace = (a.covariance + b.covariance).trace() - 2 * root.trace()
    exact = (a.mean - b.mean).square().sum() + trace
    assert wgan_judge.frechet(a, b).item() == pytest.approx(exact.item(), rel=1e-6)
    assert wgan_judge.frechet(a, a).item() == pytest.approx(0, abs=1e-9)


def test_frechet_of_shifted_and_scaled_clouds():
    x = double(0).normal(50, 3)[0]
    one = wgan_judge.moments(x)
    assert wgan_judge.frechet(one, wgan_judge.moments(x + 2)).item() == pytest.approx(12)
    trace = one.covariance.trace().item()
    scaled = wgan_judge.moments(3 * (x - x.mean(0)) + x.mean(0))
    assert wgan_judge.frechet(one, scaled).item() == pytest.approx(4 * trace)


@FEW
@given(seed=any_seed)
def test_rank_correlation_is_spearmans(seed):
    a, b = double(seed, seed + 1).normal(12)
    exact = spearmanr(a, b).statistic
    assert wgan_judge.rank_correlation(a, b).item() == pytest.approx(exact, abs=1e-12)


def test_the_judge_reads_digits_and_prefers_them_to_noise():
    train, test = data.digits("train"), data.digits("test")
    judge = wgan_judge.train_judge(train, test, steps=300)
    assert judge.accuracy > 0.85
    noise = torch.rand(2, 500, 64, generator=torch.Generator().manual_seed(0))
    assert judge.distance(train.flat) * 10 < judge.distance(noise).min()


def test_images_survive_being_packed():
    images = torch.arange(16.0).reshape(2, 2, 4) / 15
    torch.testing.assert_close(wgan_mnist.unpacked(wgan_mnist.packed(images), 2, 4), images)


def test_a_gan_that_cannot_tell_believes_in_no_divergence():
    contest = wgan_mnist.contests()["GAN"]
    assert contest.believed(torch.tensor(2 * math.log(2))).item() == pytest.approx(0, abs=1e-6)
    assert contest.believed(torch.tensor(0.0)).item() == pytest.approx(math.log(2))


def test_games_are_marked_in_time_and_seeds_do_not_meet():
    images = data.digits("train")
    judge = wgan_judge.train_judge(images, images, steps=1)
    for contest in wgan_mnist.contests().values():
        plan = {"iterations": 2, "every": 1, "critic_steps": 1}
        together = list(wgan_mnist.compete(contest, images.flat, judge, (0, 1), **plan))
        alone = list(wgan_mnist.compete(contest, images.flat, judge, (1,), **plan))
        assert [mark.iteration for mark in together] == [1, 2]
        for both, one in zip(together, alone, strict=True):
            torch.testing.assert_close(both.believed[1:], one.believed, rtol=1e-4, atol=1e-4)


def test_every_budget_has_as_many_steps():
    totals = {b.iterations * (b.critic_steps + 1) for b in wgan_mnist.BUDGETS}
    assert len(totals) == 1


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
    "no limit": lambda: wgan.clip_weights(nn.Linear(1, 1), 0.0),
    "shares of another batch": lambda: wgan.between(
        torch.ones(1, 2, 2), torch.ones(1, 2, 2), torch.ones(1, 3)
    ),
    "no weight": lambda: wgan.wgan_gp(0.0),
    "unknown norm": lambda: wgan.distance(torch.ones(1, 1, 1), torch.ones(1, 1, 1), "l3"),
    "no scale": lambda: wgan.gan_qp(-1.0),
    "negative distance": lambda: wgan.qp_at_points(-1.0),
    "two equal points": lambda: wgan.best_at_points(wgan.wgan(), 0.0),
    "no points": lambda: wgan_critics.toys(0, seed=0),
    "a table without a stream": lambda: next(
        wgan_critics.fit(
            nn.Identity(),
            wgan.wgan(),
            torch.ones(2, 3, 2),
            steps=1,
            optimiser=Adam(),
            streams=Streams([0]),
        )
    ),
    "a score without a point": lambda: wgan_critics.certify(
        HALF, HALF, torch.ones(3, 2), torch.ones(2, 2)
    ),
    "half a surface": lambda: wgan_critics.read("00ff", side=2),
    "one layer": lambda: wgan_depth.decades_per_layer(torch.ones(1, 1)),
    "no square layer": lambda: wgan_depth.hidden_weights(mlp([2, 3, 1], Streams([0]))),
    "one sample": lambda: wgan_judge.moments(torch.ones(1, 3)),
    "no step": lambda: wgan_judge.train_judge(data.digits(), data.digits(), steps=0),
    "series of two lengths": lambda: wgan_judge.rank_correlation(torch.ones(2), torch.ones(3)),
    "half an image": lambda: wgan_mnist.unpacked("0f0", 2, 2),
    "no mark": lambda: next(
        wgan_mnist.compete(
            wgan_mnist.contests()["GAN"], torch.ones(4, 4), None, (0,), iterations=1, every=0
        )
    ),
}


@pytest.mark.parametrize("broken", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(broken):
    with pytest.raises(ValueError, match="expected") as caught:
        broken()
    assert not isinstance(caught.value, ReceiptError)


@pytest.mark.parametrize("kind", figures.HEAPS)
def test_histograms_are_distributions(kind):
    for shift in figures.WALK:
        heights = figures.histogram(kind, shift)
        assert heights.sum().item() == pytest.approx(1)
        assert heights.min() >= 0


# --- The chapter's receipts, each broken once -------------------------------------------------


def changed(monkeypatch, module, name, change):
    """Let ``change`` alter whatever a function returns."""
    original = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(original(*a, **k)))


def rewritten(monkeypatch, column, factor, **where):
    """Load studies with a column changed in the rows that fit."""

    def change(result):
        return replace(
            result,
            rows=tuple(
                {**row, column: factor(row[column])}
                if column in row and all(row.get(k) == v for k, v in where.items())
                else row
                for row in result.rows
            ),
        )

    changed(monkeypatch, studies, "load", change)


def test_the_first_receipts_hold(monkeypatch):
    assert_holds("wgan", "test_receipt_gap", monkeypatch)


def test_receipt_gap(monkeypatch):
    changed(monkeypatch, transport, "solve", lambda t: replace(t, dual=t.dual + 0.01))
    assert_breaks("wgan", "test_receipt_gap", monkeypatch)


def test_receipt_offer(monkeypatch):
    def dear(t):
        return replace(t, potential_p=t.potential_p + 0.01)

    changed(monkeypatch, transport, "solve", dear)
    assert_breaks("wgan", "test_receipt_offer", monkeypatch)


def test_receipt_slack(monkeypatch):
    def cheap(t):
        return replace(t, potential_p=t.potential_p - 0.01)

    changed(monkeypatch, transport, "solve", cheap)
    assert_breaks("wgan", "test_receipt_slack", monkeypatch)


def test_receipt_pot(monkeypatch):
    changed(monkeypatch, transport, "solve", lambda t: replace(t, cost=1.001 * t.cost))
    assert_breaks("wgan", "test_receipt_pot", monkeypatch)


def test_receipt_line(monkeypatch):
    changed(monkeypatch, transport, "on_line", lambda area: 1.001 * area)
    assert_breaks("wgan", "test_receipt_line", monkeypatch)


def test_receipt_sorted(monkeypatch):
    monkeypatch.setattr(transport, "of_samples", lambda x, y: (x - y).abs().mean(-1))
    assert_breaks("wgan", "test_receipt_sorted", monkeypatch)


def test_receipt_critic(monkeypatch):
    changed(monkeypatch, transport, "potential", lambda b: replace(b, value=0.99 * b.value))
    assert_breaks("wgan", "test_receipt_critic", monkeypatch)


def test_receipt_lipschitz(monkeypatch):
    changed(monkeypatch, transport, "potential", lambda b: replace(b, f=1.01 * b.f))
    assert_breaks("wgan", "test_receipt_lipschitz", monkeypatch)


def test_receipt_extended(monkeypatch):
    changed(monkeypatch, transport, "extended", lambda f: 0.99 * f)
    assert_breaks("wgan", "test_receipt_extended", monkeypatch)


def test_receipt_lines(monkeypatch):
    original = transport.parallel_lines
    monkeypatch.setattr(transport, "parallel_lines", lambda theta, noise=0.0: original(2 * theta))
    assert_breaks("wgan", "test_receipt_lines", monkeypatch)


def test_receipt_constant(monkeypatch):
    changed(monkeypatch, duality, "divergence", lambda value: value / math.log(2))
    assert_breaks("wgan", "test_receipt_constant", monkeypatch)


def test_receipt_conjugate(monkeypatch):
    doubled = replace(duality.TRANSPORT, conjugate=lambda t: 2 * t)
    monkeypatch.setattr(duality, "TRANSPORT", doubled)
    assert_breaks("wgan", "test_receipt_conjugate", monkeypatch)


def test_receipt_spine(monkeypatch):
    monkeypatch.setattr(wgan, "TRANSPORT", duality.KL)
    assert_breaks("wgan", "test_receipt_spine", monkeypatch)


def test_receipt_pull(monkeypatch):
    changed(monkeypatch, transport, "extended", lambda f: -f)
    assert_breaks("wgan", "test_receipt_pull", monkeypatch)


def test_receipt_slope(monkeypatch):
    changed(monkeypatch, transport, "extended", lambda f: 1.1 * f)
    assert_breaks("wgan", "test_receipt_slope", monkeypatch)


def test_receipt_certificate(monkeypatch):
    changed(monkeypatch, wgan_critics, "lipschitz", lambda steepest: 0.01 * steepest)
    assert_breaks("wgan", "test_receipt_certificate", monkeypatch)


def test_receipt_all(monkeypatch):
    changed(monkeypatch, wgan_critics, "lipschitz", lambda steepest: 1.1 * steepest)
    assert_breaks("wgan", "test_receipt_all", monkeypatch)


def test_receipt_penalty(monkeypatch):
    def over_the_batch(slopes):
        return torch.full_like(slopes, slopes.norm().item())

    changed(monkeypatch, wgan, "slopes", over_the_batch)
    assert_breaks("wgan", "test_receipt_penalty", monkeypatch)


def test_receipt_batch_norm(monkeypatch):
    monkeypatch.setattr(seeds.SeedBatchNorm, "forward", lambda self, x: x)
    assert_breaks("wgan", "test_receipt_batch_norm", monkeypatch)


def test_receipt_surfaces(monkeypatch):
    rewritten(monkeypatch, "share", lambda share: 0.8 * share, clip=0.0, seed=1)
    assert_breaks("wgan", "test_receipt_surfaces", monkeypatch)


def test_receipt_vanish(monkeypatch):
    rewritten(monkeypatch, "decades", lambda decades: decades + 0.05, clip=0.01)
    assert_breaks("wgan", "test_receipt_vanish", monkeypatch)


def test_receipt_explode(monkeypatch):
    rewritten(monkeypatch, "decades", lambda decades: -decades, clip=0.1)
    assert_breaks("wgan", "test_receipt_explode", monkeypatch)


def test_receipt_level(monkeypatch):
    rewritten(monkeypatch, "decades", lambda decades: decades - 0.1, clip=0.0, seed=2)
    assert_breaks("wgan", "test_receipt_level", monkeypatch)


def test_receipt_qp(monkeypatch):
    changed(monkeypatch, wgan, "quadratic_penalty", lambda charge: 2 * charge)
    assert_breaks("wgan", "test_receipt_qp", monkeypatch)


def test_receipt_saturates(monkeypatch):
    changed(monkeypatch, duality, "divergence", lambda value: value / 2)
    assert_breaks("wgan", "test_receipt_saturates", monkeypatch)


@pytest.fixture
def quick(monkeypatch):
    """Games of the live cell that last no time and end where the record is at step 100."""

    def compete(contest, table, judge, seeds, *, iterations, every):
        recorded = studies.load("wgan_mnist")
        for step in range(every, iterations + 1, every):
            where = {"images": "digits", "game": contest.objective.name, "iteration": 100}
            at = recorded.where(**where, seed=1)[0]
            values = (torch.tensor([float(at[key])]) for key in ("believed", "distance"))
            yield wgan_mnist.Mark(step, *values, torch.rand(1, 1_000, 64))

    recorded = studies.load("wgan_critics").where(clip=0.1, seed=1)
    known = [wgan_critics.Certificate(r["value"], r["steepest"], r["exact"]) for r in recorded]
    monkeypatch.setattr(wgan_critics, "optimal", lambda clip, seed: None)
    monkeypatch.setattr(wgan_critics, "certificates", lambda critic, seed: known)
    norms = torch.logspace(0, 11 * 1.1, 12)[None]
    monkeypatch.setattr(wgan_depth, "deep", lambda clip, seed: (None, norms))
    judge = wgan_judge.Judge(None, None, 0.0, 1.0)
    monkeypatch.setattr(wgan_judge, "train_judge", lambda *_: judge)
    monkeypatch.setattr(wgan_mnist, "compete", compete)


@pytest.mark.usefixtures("quick")
def test_receipt_tracks(monkeypatch):
    changed(monkeypatch, wgan_judge, "rank_correlation", lambda rho: 0.9 * rho)
    assert_breaks("wgan", "test_receipt_tracks", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_blind(monkeypatch):
    changed(monkeypatch, wgan_judge, "rank_correlation", lambda rho: rho.abs() + 0.1)
    assert_breaks("wgan", "test_receipt_blind", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_closest(monkeypatch):
    rewritten(monkeypatch, "distance", lambda far: 3 * far, game="WGAN-GP", critic_steps=1)
    assert_breaks("wgan", "test_receipt_closest", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_live_critic(monkeypatch):
    def steeper(found):
        return [replace(c, steepest=2 * c.steepest) for c in found]

    changed(monkeypatch, wgan_critics, "certificates", steeper)
    assert_breaks("wgan", "test_receipt_live_critic", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_live_depth(monkeypatch):
    changed(monkeypatch, wgan_depth, "decades_per_layer", lambda decades: 0.9 * decades)
    assert_breaks("wgan", "test_receipt_live_depth", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_separated(monkeypatch):
    table = data.digits("train").flat[None, :1_000]

    def separated(marks):
        return [
            replace(mark, believed=5 * wgan.distance(table, mark.fakes).mean()[None])
            for mark in marks
        ]

    changed(monkeypatch, wgan_mnist, "compete", separated)
    assert_holds("wgan", "test_receipt_separated", monkeypatch)

    def louder(marks):
        return [replace(mark, believed=1.3 * mark.believed) for mark in marks]

    changed(monkeypatch, wgan_mnist, "compete", louder)
    assert_breaks("wgan", "test_receipt_separated", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_live(monkeypatch):
    assert_holds("wgan", "test_receipt_live", monkeypatch)

    def halved(marks):
        return [replace(mark, distance=mark.distance / 2) for mark in marks]

    changed(monkeypatch, wgan_mnist, "compete", halved)
    assert_breaks("wgan", "test_receipt_live", monkeypatch)
