"""Laws of `genbook.fgan.conjugates`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs
from torch.distributions import Normal

from genbook.divergences import measures
from genbook.fgan import conjugates, signals, survival, univariate, windows
from genbook.games import duality
from genbook.games.play import Game
from genbook.gan.images import Split
from genbook.kit.receipts import ReceiptError
from genbook.kit.seeds import Streams
from tests.fgan.given import FEW, each, smooth

GRID = torch.linspace(-40, 40, 8001, dtype=torch.float64)


def slopes_of(convex, count=21):
    low, high = convex.slopes
    return torch.linspace(max(low, -4) + 0.01, min(high, 4) - 0.01, count, dtype=torch.float64)


@each
def test_three_roads_lead_to_one_conjugate(convex):
    t = slopes_of(convex)
    closed = convex.conjugate(t)
    torch.testing.assert_close(
        conjugates.numeric_conjugate(convex, t), closed, rtol=1e-9, atol=1e-9
    )
    torch.testing.assert_close(
        conjugates.autograd_conjugate(convex, t), closed, rtol=1e-9, atol=1e-9
    )


@each
def test_the_supremum_is_infinite_exactly_above_the_domain(convex):
    end = convex.domain[1]
    if math.isfinite(end):
        t = torch.tensor([end - 0.05, end + 0.05], dtype=torch.float64)
        assert conjugates.numeric_conjugate(convex, t).isinf().tolist() == [False, True]
    else:
        assert conjugates.numeric_conjugate(convex, torch.tensor([3.0])).isfinite().all()


def test_below_the_slopes_of_f_the_supremum_sits_at_zero():
    for convex, t in ((duality.PEARSON, -5.0), (duality.TOTAL_VARIATION, -3.0)):
        found = conjugates.numeric_conjugate(convex, torch.tensor([t])).item()
        assert found == pytest.approx(-convex.f(torch.zeros(())).item(), abs=1e-9)


@each
@FEW
@given(u=st.floats(0.05, 20))
def test_the_conjugate_of_the_conjugate_is_f(convex, u):
    ratio = torch.tensor([u], dtype=torch.float64)
    torch.testing.assert_close(
        conjugates.biconjugate(convex, ratio), convex.f(ratio), rtol=1e-6, atol=1e-6
    )


@smooth
def test_fenchel_young_vanishes_at_the_slope_and_nowhere_else(convex):
    u = torch.tensor([0.3, 0.9, 2.5], dtype=torch.float64)
    slope = convex.derivative(u)
    assert conjugates.fenchel_young(convex, u, slope).abs().max() < 1e-12
    shifted = slope - 0.2
    assert conjugates.fenchel_young(convex, u, shifted).min() > 1e-4


def test_total_variation_is_tight_for_every_slope_at_the_kink():
    t = torch.linspace(-0.49, 0.49, 9, dtype=torch.float64)
    gap = conjugates.fenchel_young(duality.TOTAL_VARIATION, torch.ones(9, dtype=torch.float64), t)
    assert gap.abs().max() == 0


@each
def test_the_raw_critic_becomes_the_slope_of_f(convex):
    ell = torch.linspace(-3, 3, 13, dtype=torch.float64)[[0, 3, 5, 8, 12]]
    torch.testing.assert_close(
        conjugates.best_critic(convex, ell), convex.derivative(ell.exp()), rtol=1e-9, atol=1e-9
    )


@each
def test_a_critic_above_its_threshold_votes_for_p(convex):
    ell = torch.tensor([-0.5, 0.5], dtype=torch.float64)
    votes = conjugates.best_critic(convex, ell) > convex.threshold
    assert votes.tolist() == [False, True]


@smooth
@FEW
@given(pair=gaussian_pairs())
def test_grid_divergences_equal_the_closed_forms(convex, pair: GaussianPair):
    exact = pair.exact.get(convex.name, math.inf)
    if math.isfinite(exact) and exact < 1e4:
        log_p, log_q = pair.p.log_prob(GRID), pair.q.log_prob(GRID)
        value = conjugates.divergence_on_grid(convex, log_p, log_q, GRID).item()
        assert value == pytest.approx(exact, rel=1e-5, abs=1e-8)


@each
@FEW
@given(shift=st.floats(-1.5, 1.5), tilt=st.floats(-0.5, 0.5))
def test_no_critic_beats_the_divergence_and_the_sag_is_the_difference(convex, shift, tilt):
    x = torch.linspace(-7, 7, 701, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(0.4, 1.1).log_prob(x)
    raw = conjugates.raw_critic(convex, log_p - log_q).clamp(-15, 15) + shift + tilt * x
    t = convex.activation(raw)
    most = conjugates.divergence_on_grid(convex, log_p, log_q, x)
    value = conjugates.bound_on_grid(convex, t, log_p, log_q, x)
    lost = conjugates.sag_on_grid(convex, t, log_p, log_q, x)
    assert value <= most + 1e-6
    torch.testing.assert_close(most - value, lost, rtol=1e-5, atol=1e-5)


def test_a_shifted_kl_critic_loses_exactly_what_the_formula_says():
    x = torch.linspace(-9, 9, 1801, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(1.0, 1.0).log_prob(x)
    best = conjugates.best_critic(duality.KL, log_p - log_q)
    lost = conjugates.sag_on_grid(duality.KL, best + 0.3, log_p, log_q, x).item()
    assert lost == pytest.approx(math.exp(0.3) - 1 - 0.3, abs=1e-9)


ONE = torch.ones(2)


IMAGES = torch.rand(12, 4, generator=torch.Generator().manual_seed(0))


BAD_INPUT = {
    "unknown row": lambda: conjugates.row("Wasserstein"),
    "slope that f has nowhere": lambda: conjugates.autograd_conjugate(duality.REVERSE_KL, ONE),
    "ratio of zero": lambda: conjugates.biconjugate(duality.KL, 0 * ONE),
    "negative ratio": lambda: signals.signals(duality.KL, -ONE),
    "critic outside the domain": lambda: conjugates.check_domain(duality.REVERSE_KL, ONE),
    "gap outside the domain": lambda: conjugates.fenchel_young(duality.GAN, ONE, ONE),
    "bound outside the domain": lambda: conjugates.bound_on_grid(
        duality.GAN, ONE, -ONE, -ONE, torch.arange(2.0)
    ),
    "NaN critic": lambda: conjugates.check_domain(duality.KL, math.nan * ONE),
    "row of another table": lambda: conjugates.raw_critic(duality.TRANSPORT, ONE),
    "theta of another shape": lambda: signals.expected_gradient(
        duality.KL, ONE, torch.ones(3), ONE, practical=True
    ),
    "nothing to draw": lambda: survival.contest(
        duality.GAN,
        torch.nn.Identity(),
        torch.nn.Identity(),
        univariate.mixture_sampler,
        Game(iterations=1),
        Streams([0]),
        practical=True,
        draws=0,
    ),
    "divergence's theta of another shape": lambda: signals.divergence_gradient(
        measures.KL, ONE, torch.ones(3), ONE
    ),
    "no sample to score": lambda: list(
        windows.scored(duality.KL, Split(IMAGES, IMAGES, IMAGES), (0,), iterations=1, samples=0)
    ),
    "no batch": lambda: signals.batch_gradients(
        duality.KL, 1.0, batches=0, size=1, generator=torch.Generator(), practical=True
    ),
    "a fit too few": lambda: univariate.judge(
        univariate.FIVE, *univariate.grid()[::-1], fits=((0.0, 1.0),)
    ),
    "a game without a stream": lambda: next(
        univariate.single_step(
            univariate.FIVE_CONTESTS,
            univariate.GaussianGenerator(Streams([0])),
            torch.nn.Identity(),
            univariate.mixture_sampler,
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


P_APART = torch.tensor([0.25, 0.25, 0.5, 0.0], dtype=torch.float64)
Q_APART = torch.tensor([0.5, 0.25, 0.0, 0.25], dtype=torch.float64)


@each
def test_mass_that_q_misses_costs_the_steepest_slope(convex):
    pairs = [(P_APART, Q_APART), (Q_APART, P_APART), (*torch.eye(2, dtype=torch.float64),)]
    for p, q in pairs:
        found = measures.on_atoms(conjugates.as_divergence(convex), p, q) + convex.at_one
        torch.testing.assert_close(found, duality.divergence(convex, p, q))


def test_a_missed_half_is_half_of_total_variation_and_infinite_for_kl():
    p, q = torch.tensor([[0.5, 0.5], [1.0, 0.0]], dtype=torch.float64)
    tv, kl = map(conjugates.as_divergence, (duality.TOTAL_VARIATION, duality.KL))
    assert measures.on_atoms(tv, p, q).item() == pytest.approx(0.5, abs=1e-15)
    assert measures.on_atoms(kl, p, q).item() == math.inf


@each
def test_gradients_stay_numbers_where_both_densities_vanish(convex):
    log_p = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64).log().requires_grad_()
    log_q = torch.tensor([0.3, 0.7, 0.0], dtype=torch.float64).log().requires_grad_()
    total = conjugates.as_divergence(convex).penalty(log_p, log_q).sum()
    for gradient in torch.autograd.grad(total, (log_p, log_q)):
        assert bool(gradient.isfinite().all())


@each
def test_the_sag_counts_what_lies_outside_q(convex):
    """Uniform on [0, 1] and on [½, 3/2]: a half of each where the other is not."""
    x = torch.linspace(-1, 2, 3001, dtype=torch.float64)
    log_p, log_q = (
        torch.where((x > low) & (x < low + 1), 0.0, -math.inf).double() for low in (0.0, 0.5)
    )
    t = convex.activation(0.3 + 0.2 * x)
    most = conjugates.divergence_on_grid(convex, log_p, log_q, x)
    lost = most - conjugates.bound_on_grid(convex, t, log_p, log_q, x)
    torch.testing.assert_close(
        conjugates.sag_on_grid(convex, t, log_p, log_q, x), lost, atol=2e-2, rtol=0
    )
    bounded = ("squared Hellinger", "Jensen–Shannon", "GAN", "total variation")
    assert bool(lost.isfinite()) == (convex.name in bounded)
