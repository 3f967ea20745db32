"""Conjugates, bounds and games of the f-GAN chapter, and its receipts broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs
from torch.distributions import Normal

from genbook import divergences as dv
from genbook import duality, fgan, fgan_signals, fgan_training
from genbook.kit.receipts import ReceiptError
from genbook.kit.training import NonFiniteLoss
from genbook.seeds import Streams, mlp

FEW = settings(max_examples=15, deadline=None)
GRID = torch.linspace(-40, 40, 8001, dtype=torch.float64)
SMOOTH = [convex for convex in duality.TABLE if convex.name != "total variation"]
each = pytest.mark.parametrize("convex", duality.TABLE, ids=lambda convex: convex.name)
smooth = pytest.mark.parametrize("convex", SMOOTH, ids=lambda convex: convex.name)


def slopes_of(convex, count=21):
    low, high = convex.slopes
    return torch.linspace(max(low, -4) + 0.01, min(high, 4) - 0.01, count, dtype=torch.float64)


# --- Conjugates -------------------------------------------------------------------------------


@each
def test_three_roads_lead_to_one_conjugate(convex):
    t = slopes_of(convex)
    closed = convex.conjugate(t)
    torch.testing.assert_close(fgan.numeric_conjugate(convex, t), closed, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(fgan.autograd_conjugate(convex, t), closed, rtol=1e-9, atol=1e-9)


@each
def test_the_supremum_is_infinite_exactly_above_the_domain(convex):
    end = convex.domain[1]
    if math.isfinite(end):
        t = torch.tensor([end - 0.05, end + 0.05], dtype=torch.float64)
        assert fgan.numeric_conjugate(convex, t).isinf().tolist() == [False, True]
    else:
        assert fgan.numeric_conjugate(convex, torch.tensor([3.0])).isfinite().all()


def test_below_the_slopes_of_f_the_supremum_sits_at_zero():
    for convex, t in ((duality.PEARSON, -5.0), (duality.TOTAL_VARIATION, -3.0)):
        found = fgan.numeric_conjugate(convex, torch.tensor([t])).item()
        assert found == pytest.approx(-convex.f(torch.zeros(())).item(), abs=1e-9)


@each
@FEW
@given(u=st.floats(0.05, 20))
def test_the_conjugate_of_the_conjugate_is_f(convex, u):
    ratio = torch.tensor([u], dtype=torch.float64)
    torch.testing.assert_close(
        fgan.biconjugate(convex, ratio), convex.f(ratio), rtol=1e-6, atol=1e-6
    )


@smooth
def test_fenchel_young_vanishes_at_the_slope_and_nowhere_else(convex):
    u = torch.tensor([0.3, 0.9, 2.5], dtype=torch.float64)
    slope = convex.derivative(u)
    assert fgan.fenchel_young(convex, u, slope).abs().max() < 1e-12
    shifted = slope - 0.2
    assert fgan.fenchel_young(convex, u, shifted).min() > 1e-4


def test_total_variation_is_tight_for_every_slope_at_the_kink():
    t = torch.linspace(-0.49, 0.49, 9, dtype=torch.float64)
    gap = fgan.fenchel_young(duality.TOTAL_VARIATION, torch.ones(9, dtype=torch.float64), t)
    assert gap.abs().max() == 0


@each
def test_the_raw_critic_becomes_the_slope_of_f(convex):
    ell = torch.linspace(-3, 3, 13, dtype=torch.float64)[[0, 3, 5, 8, 12]]
    torch.testing.assert_close(
        fgan.best_critic(convex, ell), convex.derivative(ell.exp()), rtol=1e-9, atol=1e-9
    )


@each
def test_a_critic_above_its_threshold_votes_for_p(convex):
    ell = torch.tensor([-0.5, 0.5], dtype=torch.float64)
    votes = fgan.best_critic(convex, ell) > convex.threshold
    assert votes.tolist() == [False, True]


# --- The bound --------------------------------------------------------------------------------


@smooth
@FEW
@given(pair=gaussian_pairs())
def test_grid_divergences_equal_the_closed_forms(convex, pair: GaussianPair):
    exact = pair.exact.get(convex.name, math.inf)
    if math.isfinite(exact) and exact < 1e4:
        log_p, log_q = pair.p.log_prob(GRID), pair.q.log_prob(GRID)
        value = fgan.divergence_on_grid(convex, log_p, log_q, GRID).item()
        assert value == pytest.approx(exact, rel=1e-5, abs=1e-8)


@each
@FEW
@given(shift=st.floats(-1.5, 1.5), tilt=st.floats(-0.5, 0.5))
def test_no_critic_beats_the_divergence_and_the_sag_is_the_difference(convex, shift, tilt):
    x = torch.linspace(-7, 7, 701, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(0.4, 1.1).log_prob(x)
    raw = fgan.raw_critic(convex, log_p - log_q).clamp(-15, 15) + shift + tilt * x
    t = convex.activation(raw)
    most = fgan.divergence_on_grid(convex, log_p, log_q, x)
    value = fgan.bound_on_grid(convex, t, log_p, log_q, x)
    lost = fgan.sag_on_grid(convex, t, log_p, log_q, x)
    assert value <= most + 1e-6
    torch.testing.assert_close(most - value, lost, rtol=1e-5, atol=1e-5)


def test_a_shifted_kl_critic_loses_exactly_what_the_formula_says():
    x = torch.linspace(-9, 9, 1801, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(1.0, 1.0).log_prob(x)
    best = fgan.best_critic(duality.KL, log_p - log_q)
    lost = fgan.sag_on_grid(duality.KL, best + 0.3, log_p, log_q, x).item()
    assert lost == pytest.approx(math.exp(0.3) - 1 - 0.3, abs=1e-9)


# --- What the generator feels -----------------------------------------------------------------


@smooth
def test_signals_are_the_curvature_of_f_times_powers_of_u(convex):
    u = torch.tensor([0.05, 0.7, 1.0, 6.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(convex.f(u).sum(), u, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), u)
    pull = fgan_signals.signals(convex, u)
    torch.testing.assert_close(pull.practical, u.detach() * bend, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(pull.minimax, u.detach() ** 2 * bend, rtol=1e-9, atol=1e-9)


def test_total_variation_pulls_nowhere():
    pull = fgan_signals.signals(duality.TOTAL_VARIATION, torch.tensor([0.1, 3.0]))
    assert not pull.minimax.any()
    assert not pull.practical.any()


def gradient(divergence: dv.Divergence, log_p, theta, x):
    theta = theta.clone().requires_grad_()
    log_q = dv.gaussian_log_density(x, theta[0], theta[1].exp())
    return torch.autograd.grad(dv.on_grid(divergence, log_p, log_q, x), theta)[0]


@smooth
@FEW
@given(mu=st.floats(-1, 1), log_sigma=st.floats(-0.1, 0.3))
def test_the_minimax_step_follows_the_divergence_itself(convex, mu, log_sigma):
    x = torch.linspace(-14, 14, 2801, dtype=torch.float64)
    log_p = Normal(0.2, 1.1).log_prob(x)
    theta = torch.tensor([mu, log_sigma], dtype=torch.float64)
    step = fgan_signals.expected_gradient(convex, log_p, theta, x, practical=False)
    exact = gradient(fgan.as_divergence(convex), log_p, theta, x)
    torch.testing.assert_close(step, exact, rtol=1e-4, atol=1e-6)


PRACTICAL = {
    "KL": lambda g: g(dv.REVERSE_KL),
    "reverse KL": lambda g: g(dv.NEYMAN) / 2,
    "Pearson χ²": lambda g: 2 * g(dv.KL),
    "Jeffrey": lambda g: g(dv.REVERSE_KL) + g(dv.NEYMAN) / 2,
    "Jensen–Shannon": lambda g: g(dv.REVERSE_KL) - 2 * g(dv.JENSEN_SHANNON),
    "GAN": lambda g: g(dv.REVERSE_KL) - 2 * g(dv.JENSEN_SHANNON),
}


@pytest.mark.parametrize("name", PRACTICAL)
def test_the_practical_step_follows_another_divergence(name):
    x = torch.linspace(-14, 14, 2801, dtype=torch.float64)
    log_p = Normal(0.2, 1.1).log_prob(x)
    theta = torch.tensor([-0.6, 0.2], dtype=torch.float64)
    step = fgan_signals.expected_gradient(fgan.row(name), log_p, theta, x, practical=True)
    other = PRACTICAL[name](lambda divergence: gradient(divergence, log_p, theta, x))
    torch.testing.assert_close(step, other, rtol=1e-6, atol=1e-8)


@smooth
def test_batches_agree_with_the_expectation_where_the_supports_overlap(convex, generator):
    x = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    theta = torch.tensor([0.5, 0.0], dtype=torch.float64)
    log_p = Normal(0.0, 1.0).log_prob(x)
    for practical in (False, True):
        batches = fgan_signals.batch_gradients(
            convex, 0.5, batches=40, size=2000, generator=generator, practical=practical
        )
        exact = fgan_signals.expected_gradient(convex, log_p, theta, x, practical=practical)[0]
        assert abs(batches.mean() - exact) < 5 * batches.std() / math.sqrt(40) + 1e-9


# --- Algorithm 1 ------------------------------------------------------------------------------


def short_run(contests, seed=0, iterations=4, **options):
    streams = Streams([seed] * len(contests), dtype=torch.float64)
    generator = fgan_training.GaussianGenerator(streams)
    critic = mlp([1, 6, 1], streams, torch.nn.Tanh)
    steps = fgan_training.single_step(
        contests,
        generator,
        critic,
        fgan_training.mixture_sampler,
        streams,
        iterations=iterations,
        batch=32,
        **options,
    )
    return list(steps)


def test_games_trained_together_equal_games_trained_alone():
    contests = fgan_training.CONTESTS
    together = short_run(contests)
    for place, contest in enumerate(contests):
        alone = short_run((contest,))
        for joint, single in zip(together, alone, strict=True):
            torch.testing.assert_close(joint.theta[place : place + 1], single.theta)
            torch.testing.assert_close(joint.bounds[place : place + 1], single.bounds)


def test_the_first_step_is_the_gradient_of_the_bound():
    (step,) = short_run((fgan_training.Contest(duality.PEARSON),), iterations=1)
    streams = Streams([0], dtype=torch.float64)
    generator = fgan_training.GaussianGenerator(streams)
    critic = mlp([1, 6, 1], streams, torch.nn.Tanh)
    z, real = streams.normal(32, 1), fgan_training.mixture_sampler(streams, 32)
    v_p, v_q = critic(real), critic(generator(z))
    value = duality.bound(v_p[..., 0], v_q[..., 0], duality.PEARSON.conjugate).sum()
    mu, log_sigma = torch.autograd.grad(value, list(generator.parameters()))
    torch.testing.assert_close(step.bounds[0], value.detach())
    torch.testing.assert_close(step.theta[0, 0], -0.01 * mu.flatten()[0])
    torch.testing.assert_close(step.theta[0, 1], torch.exp(-0.01 * log_sigma.flatten()[0]))


def test_a_game_that_blows_up_is_named():
    with pytest.raises(NonFiniteLoss, match="KL"):
        short_run((fgan_training.Contest(duality.KL),), iterations=60, rate=1e4)


def test_the_sampler_draws_the_reconstructed_mixture():
    drawn = fgan_training.mixture_sampler(Streams([3], dtype=torch.float64), 200_000)
    p = dv.fgan_mixture()
    assert drawn.mean().item() == pytest.approx(p.mean.item(), abs=0.02)
    assert drawn.std().item() == pytest.approx(p.stddev.item(), abs=0.02)


def test_exact_optima_reproduce_the_published_fifteen():
    x, log_p = fgan_training.grid()
    judged = fgan_training.judge(fgan_training.FIVE, log_p, x)
    for convex, fit in zip(fgan_training.FIVE, judged.fits, strict=True):
        paper = dv.PUBLISHED_FITS[convex.name]
        assert fit.value == pytest.approx(paper.value, abs=4e-4)
        assert fit.mu == pytest.approx(paper.mu, abs=4e-4)
        assert fit.sigma == pytest.approx(paper.sigma, abs=4e-4)


def test_the_fit_under_each_divergence_is_the_best_under_it():
    x, log_p = fgan_training.grid()
    scores = fgan_training.judge(fgan_training.FIVE, log_p, x).scores
    assert (scores >= scores.diagonal()[None, :] - 1e-12).all()


ONE = torch.ones(2)
BAD_INPUT = {
    "unknown row": lambda: fgan.row("Wasserstein"),
    "slope that f has nowhere": lambda: fgan.autograd_conjugate(duality.REVERSE_KL, ONE),
    "ratio of zero": lambda: fgan.biconjugate(duality.KL, 0 * ONE),
    "negative ratio": lambda: fgan_signals.signals(duality.KL, -ONE),
    "critic outside the domain": lambda: fgan.check_domain(duality.REVERSE_KL, ONE),
    "gap outside the domain": lambda: fgan.fenchel_young(duality.GAN, ONE, ONE),
    "bound outside the domain": lambda: fgan.bound_on_grid(
        duality.GAN, ONE, -ONE, -ONE, torch.arange(2.0)
    ),
    "NaN critic": lambda: fgan.check_domain(duality.KL, math.nan * ONE),
    "row of another table": lambda: fgan.raw_critic(duality.TRANSPORT, ONE),
    "theta of another shape": lambda: fgan_signals.expected_gradient(
        duality.KL, ONE, torch.ones(3), ONE, practical=True
    ),
    "no batch": lambda: fgan_signals.batch_gradients(
        duality.KL, 1.0, batches=0, size=1, generator=torch.Generator(), practical=True
    ),
    "a fit too few": lambda: fgan_training.judge(
        fgan_training.FIVE, *fgan_training.grid()[::-1], fits=((0.0, 1.0),)
    ),
    "a game without a stream": lambda: next(
        fgan_training.single_step(
            fgan_training.FIVE_CONTESTS,
            fgan_training.GaussianGenerator(Streams([0])),
            torch.nn.Identity(),
            fgan_training.mixture_sampler,
            Streams([0]),
            iterations=1,
        )
    ),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert not isinstance(caught.value, ReceiptError)
