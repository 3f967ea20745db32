"""Conjugates, bounds and losses of games.duality, against what convex analysis says of them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from genbook.divergences import measures
from genbook.games import duality

each = pytest.mark.parametrize("convex", duality.TABLE, ids=lambda convex: convex.name)
smooth = pytest.mark.parametrize(
    "convex", [row for row in duality.TABLE if row.name != "total variation"], ids=lambda c: c.name
)
U = torch.logspace(-3, 3, 301, dtype=torch.float64)
V = torch.linspace(-6, 6, 241, dtype=torch.float64)


def slopes_of(convex):
    low, high = convex.slopes
    return torch.linspace(max(low, -4) + 1e-3, min(high, 4) - 1e-3, 200, dtype=torch.float64)


@each
def test_fenchel_young_is_tight_where_t_is_the_slope(convex):
    slope = convex.derivative(U)
    gap = convex.f(U) + convex.conjugate(slope) - U * slope
    assert gap.abs().max() < 1e-9 * U.max()


@each
def test_fenchel_young_holds_everywhere(convex):
    t = slopes_of(convex)
    gap = convex.f(U)[:, None] + convex.conjugate(t) - U[:, None] * t
    assert gap.min() > -1e-9


@smooth
def test_the_derivative_is_that_of_f(convex):
    u = U.clone().requires_grad_()
    (slope,) = torch.autograd.grad(convex.f(u).sum(), u)
    torch.testing.assert_close(slope, convex.derivative(U), rtol=1e-8, atol=1e-8)


@smooth
def test_the_slope_of_the_conjugate_inverts_the_slope_of_f(convex):
    t = convex.derivative(U).requires_grad_()
    (u,) = torch.autograd.grad(convex.conjugate(t).sum(), t)
    torch.testing.assert_close(u, U, rtol=1e-6, atol=1e-9)


@each
def test_f_is_convex(convex):
    middle = convex.f((U[1:] + U[:-1]) / 2)
    assert (middle <= (convex.f(U[1:]) + convex.f(U[:-1])) / 2 + 1e-9).all()


@each
def test_the_activation_rises_inside_the_domain(convex):
    t = convex.activation(V)
    low, high = convex.domain
    assert (t > low).all()
    assert (t < high).all()
    assert (t.diff() > 0).all()


@each
def test_composed_is_the_conjugate_after_the_activation(convex):
    torch.testing.assert_close(
        convex.composed(V), convex.conjugate(convex.activation(V)), rtol=1e-9, atol=1e-9
    )


@each
def test_composed_stays_finite_where_the_plain_form_overflows(convex):
    far = torch.tensor([-30.0, 30.0])
    assert torch.isfinite(convex.composed(far)).all()


@each
def test_the_conjugate_is_infinite_outside_its_domain(convex):
    for end, sign in zip(convex.domain, (-1, 1), strict=True):
        if math.isfinite(end):
            assert convex.conjugate(torch.tensor(end + 0.1 * sign)).isinf()


@each
def test_the_value_at_one_is_zero_but_for_the_gan_row(convex):
    expected = -math.log(4) if convex is duality.GAN else 0.0
    assert convex.at_one == pytest.approx(expected, abs=1e-15)


def test_thresholds_are_the_slopes_at_one():
    expected = {"KL": 1.0, "reverse KL": -1.0, "GAN": -math.log(2)}
    for convex in duality.TABLE:
        assert convex.threshold == pytest.approx(expected.get(convex.name, 0.0), abs=1e-15)


def pairs():
    return st.lists(st.floats(0.05, 1.0), min_size=8, max_size=8).map(
        lambda numbers: torch.tensor(numbers, dtype=torch.float64).reshape(2, 4)
    )


@settings(max_examples=25, deadline=None)
@given(pairs())
def test_divergences_agree_with_those_of_the_first_chapter(weights):
    p, q = weights / weights.sum(-1, keepdim=True)
    by_name = {d.name: d for d in measures.DIVERGENCES}
    twice_js = 2 * measures.on_atoms(measures.JENSEN_SHANNON, p, q)
    for convex in duality.TABLE:
        if convex is duality.GAN:
            expected = twice_js - math.log(4)
        elif convex is duality.JENSEN_SHANNON:
            expected = twice_js
        else:
            expected = measures.on_atoms(by_name[convex.name], p, q)
        torch.testing.assert_close(duality.divergence(convex, p, q), expected)


@settings(max_examples=25, deadline=None)
@given(pairs(), st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_no_critic_exceeds_the_divergence_and_the_best_attains_it(weights, values):
    p, q = weights / weights.sum(-1, keepdim=True)
    for convex in duality.TABLE:
        exact = duality.divergence(convex, p, q)
        t = convex.activation(torch.tensor(values, dtype=torch.float64))
        best = convex.derivative(p / q)
        assert (p * t).sum() - (q * convex.conjugate(t)).sum() <= exact + 1e-12
        attained = (p * best).sum() - (q * convex.conjugate(best)).sum()
        torch.testing.assert_close(attained, exact)


def test_disjoint_distributions_have_the_known_limits():
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert duality.divergence(duality.KL, p, q).isinf()
    assert duality.divergence(duality.REVERSE_KL, p, q).isinf()
    assert duality.divergence(duality.TOTAL_VARIATION, p, q).item() == 1
    assert duality.divergence(duality.JENSEN_SHANNON, p, q).item() == pytest.approx(math.log(4))
    assert duality.divergence(duality.GAN, p, q).item() == pytest.approx(0.0)


@each
def test_an_outcome_that_neither_has_changes_nothing(convex):
    p = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=torch.float64)
    q = torch.tensor([0.25, 0.25, 0.5, 0.0], dtype=torch.float64)
    for first, second in ((p, q), (q, p)):
        torch.testing.assert_close(
            duality.divergence(convex, first, second),
            duality.divergence(convex, first[:3], second[:3]),
        )
        assert not duality.divergence(convex, first, second).isnan()


@each
def test_the_slope_of_a_divergence_in_p_is_the_best_critic(convex):
    p = torch.tensor([[0.3, 0.7], [0.6, 0.4]], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([[0.5, 0.5], [0.2, 0.8]], dtype=torch.float64)
    (slope,) = torch.autograd.grad(duality.divergence(convex, p, q).sum(), p)
    torch.testing.assert_close(slope, convex.derivative(p.detach() / q))


@each
def test_where_p_vanishes_the_slope_is_that_of_f_at_zero(convex):
    p = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.5, 0.5], dtype=torch.float64)
    value = duality.divergence(convex, p, q)
    assert not value.isnan()
    (slope,) = torch.autograd.grad(value, p)
    assert not slope.isnan().any()
    assert slope[1].item() == convex.slopes[0]


def test_the_row_of_the_gan_gives_its_losses():
    v_p, v_q = torch.randn(2, 50, dtype=torch.float64)
    ones, zeros = torch.ones_like(v_p), torch.zeros_like(v_q)
    critic = duality.critic_loss(duality.GAN)(v_p, v_q)
    torch.testing.assert_close(critic, cross_entropy(v_p, ones) + cross_entropy(v_q, zeros))
    saturating = duality.generator_loss(duality.GAN)(v_q)
    torch.testing.assert_close(saturating, torch.log(1 - torch.sigmoid(v_q)).mean())
    practical = duality.practical_generator_loss(duality.GAN)(v_q)
    torch.testing.assert_close(practical, cross_entropy(v_q, ones))


def test_transport_is_the_indicator_of_one_and_its_bound_a_difference_of_means():
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
    assert duality.divergence(duality.TRANSPORT, p, p).item() == 0
    assert duality.divergence(duality.TRANSPORT, p, q).isinf()
    t_p, t_q = torch.randn(2, 9, dtype=torch.float64)
    assert duality.critic_loss(duality.TRANSPORT)(t_p, t_q) == t_q.mean() - t_p.mean()
    with pytest.raises(ValueError, match="every slope is a subgradient"):
        duality.TRANSPORT.threshold  # noqa: B018


def test_wright_omega_solves_its_equation_and_has_its_derivatives():
    y = torch.linspace(-8, 800, 50, dtype=torch.float64)
    omega = duality.wright_omega(y)
    torch.testing.assert_close(omega + omega.log(), y)
    y = torch.linspace(-3, 3, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(duality.wright_omega, y)
    assert torch.autograd.gradgradcheck(duality.wright_omega, y)


def test_probabilities_of_another_shape_or_below_zero_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        duality.divergence(duality.KL, torch.ones(2) / 2, torch.ones(3) / 3)
    with pytest.raises(ValueError, match="clamp negative"):
        duality.divergence(duality.KL, torch.tensor([-0.5, 1.5]), torch.tensor([0.5, 0.5]))
