"""Laws of `genbook.divergences.measures`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs, probability_pairs
from torch.distributions import Normal

from genbook.divergences import densities, fitting, measures, samples
from genbook.kit.receipts import ReceiptError
from tests.divergences.given import FEW

GRID = torch.linspace(-60, 60, 24001, dtype=torch.float64)


def grid_value(divergence: measures.Divergence, pair: GaussianPair) -> float:
    return measures.on_grid(divergence, pair.p.log_prob(GRID), pair.q.log_prob(GRID), GRID).item()


@FEW
@given(gaussian_pairs())
@pytest.mark.parametrize("name", ["KL", "reverse KL", "Jeffrey", "squared Hellinger"])
def test_grid_integral_equals_the_closed_form(name: str, pair: GaussianPair):
    divergence = next(d for d in measures.DIVERGENCES if d.name == name)
    assert grid_value(divergence, pair) == pytest.approx(pair.exact[name], rel=1e-6, abs=1e-9)


@FEW
@given(gaussian_pairs())
def test_pearson_integral_equals_the_closed_form_where_it_is_finite(pair: GaussianPair):
    if math.isfinite(pair.exact["Pearson χ²"]) and pair.exact["Pearson χ²"] < 1e6:
        assert grid_value(measures.PEARSON, pair) == pytest.approx(
            pair.exact["Pearson χ²"], rel=1e-5, abs=1e-9
        )


@FEW
@given(probability_pairs())
@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_every_divergence_is_zero_on_itself_positive_elsewhere_and_bounded(divergence, pair):
    p, q = pair
    assert measures.on_atoms(divergence, p, p).item() == pytest.approx(0, abs=1e-12)
    value = measures.on_atoms(divergence, p, q).item()
    assert -1e-15 <= value <= divergence.bound + 1e-12
    assert not math.isnan(value)


@FEW
@given(probability_pairs())
def test_penalty_is_never_negative_and_sums_to_the_textbook_form(pair):
    p, q = pair
    textbook = {
        "KL": (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(),
        "reverse KL": (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(),
        "Pearson χ²": ((p - q) ** 2 / q).sum(),
        "Neyman χ²": ((p - q) ** 2 / p).sum(),
        "total variation": (p - q).abs().sum() / 2,
        "squared Hellinger": 2 - 2 * (p * q).sqrt().sum(),
    }
    for divergence in measures.DIVERGENCES:
        penalty = divergence.penalty(p.log(), q.log())
        assert (penalty >= -1e-15).all()
        if divergence.name in textbook:
            torch.testing.assert_close(penalty.sum(), textbook[divergence.name])


@FEW
@given(probability_pairs())
def test_js_is_symmetric_and_its_root_is_a_metric_bound_by_tv(pair):
    p, q = pair
    forward, backward = (
        measures.on_atoms(measures.JENSEN_SHANNON, *ordered) for ordered in ((p, q), (q, p))
    )
    torch.testing.assert_close(forward, backward)
    assert forward <= math.log(2) * measures.on_atoms(measures.TOTAL_VARIATION, p, q) + 1e-12


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_disjoint_supports_reach_the_bound(divergence):
    p, q = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    assert measures.on_atoms(divergence, p, q).item() == pytest.approx(divergence.bound)


NOWHERE_AND_ONE_SIDED = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.5, 0.0]]).double()


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_outcomes_that_neither_has_cost_nothing_and_have_no_slope(divergence):
    for p, q in (NOWHERE_AND_ONE_SIDED, NOWHERE_AND_ONE_SIDED.flip(0)):
        log_p, log_q = p.log().requires_grad_(), q.log().requires_grad_()
        penalty = divergence.penalty(log_p, log_q)
        assert penalty[3] == 0
        slopes = torch.autograd.grad(penalty[[0, 1, 3]].sum(), (log_p, log_q))
        assert all(slope[3] == 0 and slope[:2].isfinite().all() for slope in slopes)
        torch.testing.assert_close(
            measures.on_atoms(divergence, p, q), measures.on_atoms(divergence, p[:3], q[:3])
        )


ONE_SIDED = {  # p of the two above against q, and back: q has an outcome that p never shows
    "KL": (math.log(2), math.inf),
    "reverse KL": (math.inf, math.log(2)),
    "Jeffrey": (math.inf, math.inf),
    "Jensen–Shannon": (0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * math.log(2),) * 2,
    "Pearson χ²": (1.0, math.inf),
    "Neyman χ²": (math.inf, 1.0),
    "squared Hellinger": (2 - math.sqrt(2),) * 2,
    "total variation": (0.5, 0.5),
}


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_an_outcome_that_only_one_has(divergence):
    p, q = NOWHERE_AND_ONE_SIDED
    there, back = ONE_SIDED[divergence.name]
    assert measures.on_atoms(divergence, p, q).item() == pytest.approx(there)
    assert measures.on_atoms(divergence, q, p).item() == pytest.approx(back)


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_penalties_of_a_batch_are_those_of_its_rows(divergence):
    p, q = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    rows = [measures.on_atoms(divergence, a, b) for a, b in zip(p, q, strict=True)]
    torch.testing.assert_close(measures.on_atoms(divergence, p, q), torch.stack(rows))


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_penalty_has_the_right_gradient(divergence):
    generator = torch.Generator().manual_seed(3)
    log_p, log_q = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    log_q.requires_grad_()
    assert torch.autograd.gradcheck(lambda lq: divergence.penalty(log_p, lq), (log_q,))


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_penalty_has_a_second_derivative_however_far_one_density_is_below_the_other(divergence):
    log_p = torch.tensor([-1.0, -2000.0, -1.0, -math.inf], dtype=torch.float64)
    log_q = torch.tensor([-1.5, -1.0, -2000.0, -1.0], dtype=torch.float64, requires_grad=True)
    far = divergence.penalty(log_p, log_q)
    within = far.isfinite()
    (slope,) = torch.autograd.grad(far[within].sum(), log_q, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), log_q)
    assert bend[within].isfinite().all()


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_device_and_dtype_are_those_of_the_input(divergence, device):
    p = torch.tensor([0.2, 0.8], dtype=torch.float32, device=device)
    value = measures.on_atoms(divergence, p, p.flip(0))
    assert (value.device.type, value.dtype) == (device.type, torch.float32)


@pytest.mark.parametrize("divergence", measures.DIVERGENCES, ids=lambda d: d.name)
def test_samples_agree_with_the_integral(divergence, generator):
    p, q = Normal(torch.tensor(0.0).double(), 1.0), Normal(torch.tensor(0.7).double(), 1.2)
    estimate = samples.from_samples(divergence, p, q, 40_000, generator)
    exact = measures.on_grid(divergence, p.log_prob(GRID), q.log_prob(GRID), GRID).item()
    assert abs(estimate.value - exact) < 4 * estimate.standard_error


@FEW
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_nll_is_entropy_plus_kl_of_the_empirical_distribution(values):
    observed = torch.tensor(values)
    p_hat = samples.empirical(observed, 5)
    q = torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15], dtype=torch.float64)
    torch.testing.assert_close(
        samples.nll(q.log()[observed]),
        measures.entropy(p_hat) + measures.on_atoms(measures.KL, p_hat, q),
    )


def test_entropy_of_the_uniform_distribution_is_the_logarithm_of_its_size():
    assert measures.entropy(torch.full((8,), 1 / 8).double()).item() == pytest.approx(math.log(8))


def test_entropy_of_a_batch_is_that_of_each_row():
    rows = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    batch = torch.stack([rows, torch.full((2, 3), 1 / 3).double()])
    expected = torch.tensor([[2.0, 1.0], [3.0, 3.0]], dtype=torch.float64).log()
    torch.testing.assert_close(measures.entropy(batch), expected)
    with pytest.raises(ValueError, match="expected probabilities"):
        measures.entropy(torch.tensor([[0.5, 0.5], [0.5, 0.6]]))  # one bad row among good ones


HALF = torch.tensor([0.5, 0.5], dtype=torch.float64)


BAD_INPUT = {
    "grid that falls": lambda: measures.on_grid(
        measures.KL, HALF.log(), HALF.log(), HALF.new_tensor([1, 0])
    ),
    "grid of another length": lambda: measures.on_grid(measures.KL, HALF, HALF, torch.arange(3.0)),
    "grid of one point": lambda: densities.moments(HALF[:1], torch.zeros(1)),
    "atoms that differ": lambda: measures.on_atoms(measures.KL, HALF, torch.ones(3) / 3),
    "probabilities of sum 2": lambda: measures.on_atoms(measures.KL, 2 * HALF, HALF),
    "negative probability": lambda: measures.entropy(torch.tensor([1.5, -0.5])),
    "integer probabilities": lambda: measures.entropy(torch.tensor([1, 0])),
    "NaN probabilities": lambda: measures.entropy(torch.tensor([math.nan, 1.0])),
    "two samples": lambda: samples.from_samples(
        measures.KL, Normal(0.0, 1.0), Normal(0.0, 1.0), 2, torch.Generator()
    ),
    "an odd number of samples": lambda: samples.from_samples(
        measures.KL, Normal(0.0, 1.0), Normal(0.0, 1.0), 7, torch.Generator()
    ),
    "negative count": lambda: samples.draw(Normal(0.0, 1.0), -1, torch.Generator()),
    "negative width": lambda: densities.gaussian_kl(HALF, -HALF, HALF, HALF),
    "zero width": lambda: densities.gaussian_log_density(HALF, HALF, 0 * HALF),
    "mixture of unlike shapes": lambda: densities.mixture(HALF, HALF[:1], HALF),
    "mixture with a zero weight": lambda: densities.mixture(torch.tensor([0.0, 1.0]), HALF, HALF),
    "start without width": lambda: fitting.fit_gaussian(
        measures.KL, HALF, torch.arange(2.0), start=(0, 0)
    ),
    "no start": lambda: fitting.best_gaussian(measures.KL, HALF, torch.arange(2.0), starts=()),
    "equal means": lambda: fitting.fit_two_gaussians(
        measures.KL, HALF, torch.arange(2.0), means=(1, 1), sigma=1
    ),
    "no samples": lambda: samples.nll(torch.empty(0)),
    "impossible sample": lambda: samples.nll(torch.tensor([-math.inf])),
    "no observations": lambda: samples.empirical(torch.empty(0, dtype=torch.int64), 3),
    "observation out of range": lambda: samples.empirical(torch.tensor([3]), 3),
    "more components than samples": lambda: fitting.fit_mixture(HALF, components=3, seed=0),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert not isinstance(caught.value, ReceiptError)
