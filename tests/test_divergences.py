"""Laws of divergences, and the chapter's receipts broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs, probability_pairs
from torch.distributions import Normal, kl_divergence

from genbook import divergences as dv
from genbook.kit.receipts import ReceiptError

FEW = settings(max_examples=25, deadline=None)
GRID = torch.linspace(-60, 60, 24001, dtype=torch.float64)


def grid_value(divergence: dv.Divergence, pair: GaussianPair) -> float:
    return dv.on_grid(divergence, pair.p.log_prob(GRID), pair.q.log_prob(GRID), GRID).item()


@FEW
@given(gaussian_pairs())
@pytest.mark.parametrize("name", ["KL", "reverse KL", "Jeffrey", "squared Hellinger"])
def test_grid_integral_equals_the_closed_form(name: str, pair: GaussianPair):
    divergence = next(d for d in dv.DIVERGENCES if d.name == name)
    assert grid_value(divergence, pair) == pytest.approx(pair.exact[name], rel=1e-6, abs=1e-9)


@FEW
@given(gaussian_pairs())
def test_pearson_integral_equals_the_closed_form_where_it_is_finite(pair: GaussianPair):
    if math.isfinite(pair.exact["Pearson χ²"]) and pair.exact["Pearson χ²"] < 1e6:
        assert grid_value(dv.PEARSON, pair) == pytest.approx(
            pair.exact["Pearson χ²"], rel=1e-5, abs=1e-9
        )


@FEW
@given(gaussian_pairs())
def test_gaussian_kl_equals_torch(pair: GaussianPair):
    ours = dv.gaussian_kl(pair.p.loc, pair.p.scale, pair.q.loc, pair.q.scale)
    torch.testing.assert_close(ours, kl_divergence(pair.p, pair.q))


@FEW
@given(probability_pairs())
@pytest.mark.parametrize("divergence", dv.DIVERGENCES, ids=lambda d: d.name)
def test_every_divergence_is_zero_on_itself_positive_elsewhere_and_bounded(divergence, pair):
    p, q = pair
    assert dv.on_atoms(divergence, p, p).item() == pytest.approx(0, abs=1e-12)
    value = dv.on_atoms(divergence, p, q).item()
    assert 0 <= value <= divergence.bound + 1e-12
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
    for divergence in dv.DIVERGENCES:
        penalty = divergence.penalty(p.log(), q.log())
        assert (penalty >= 0).all()
        if divergence.name in textbook:
            torch.testing.assert_close(penalty.sum(), textbook[divergence.name])


@FEW
@given(probability_pairs())
def test_js_is_symmetric_and_its_root_is_a_metric_bound_by_tv(pair):
    p, q = pair
    forward, backward = (dv.on_atoms(dv.JENSEN_SHANNON, *ordered) for ordered in ((p, q), (q, p)))
    torch.testing.assert_close(forward, backward)
    assert forward <= math.log(2) * dv.on_atoms(dv.TOTAL_VARIATION, p, q) + 1e-12


@pytest.mark.parametrize("divergence", dv.DIVERGENCES, ids=lambda d: d.name)
def test_disjoint_supports_reach_the_bound(divergence):
    p, q = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    assert dv.on_atoms(divergence, p, q).item() == pytest.approx(divergence.bound)


@pytest.mark.parametrize("divergence", dv.DIVERGENCES, ids=lambda d: d.name)
def test_penalty_has_the_right_gradient(divergence):
    generator = torch.Generator().manual_seed(3)
    log_p, log_q = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    log_q.requires_grad_()
    assert torch.autograd.gradcheck(lambda lq: divergence.penalty(log_p, lq), (log_q,))


@pytest.mark.parametrize("divergence", dv.DIVERGENCES, ids=lambda d: d.name)
def test_device_and_dtype_are_those_of_the_input(divergence, device):
    p = torch.tensor([0.2, 0.8], dtype=torch.float32, device=device)
    value = dv.on_atoms(divergence, p, p.flip(0))
    assert (value.device.type, value.dtype) == (device.type, torch.float32)


@pytest.mark.parametrize("divergence", dv.DIVERGENCES, ids=lambda d: d.name)
def test_samples_agree_with_the_integral(divergence, generator):
    p, q = Normal(torch.tensor(0.0).double(), 1.0), Normal(torch.tensor(0.7).double(), 1.2)
    estimate = dv.from_samples(divergence, p, q, 40_000, generator)
    exact = dv.on_grid(divergence, p.log_prob(GRID), q.log_prob(GRID), GRID).item()
    assert abs(estimate.value - exact) < 4 * estimate.standard_error


def test_drawing_depends_on_the_generator_alone():
    first = dv.draw(Normal(0.0, 1.0), 5, torch.Generator().manual_seed(7))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    second = dv.draw(Normal(0.0, 1.0), 5, torch.Generator().manual_seed(7))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_a_generator_moves_on_between_draws(generator):
    first, second = (dv.draw(Normal(0.0, 1.0), 5, generator) for _ in range(2))
    assert not torch.equal(first, second)


@FEW
@given(gaussian_pairs())
@pytest.mark.parametrize("divergence", [dv.KL, dv.REVERSE_KL, dv.JENSEN_SHANNON])
def test_a_gaussian_fitted_to_a_gaussian_is_that_gaussian(divergence, pair):
    grid = torch.linspace(-40, 40, 4001, dtype=torch.float64)
    fit = dv.fit_gaussian(
        divergence, pair.p.log_prob(grid), grid, start=(pair.q.loc.item(), pair.q.scale.item())
    )
    assert fit.mu == pytest.approx(pair.p.loc.item(), abs=2e-3)
    assert fit.sigma == pytest.approx(pair.p.scale.item(), abs=2e-3)
    assert fit.value == pytest.approx(0, abs=1e-5)


@FEW
@given(weight=st.floats(0.1, 0.9), separation=st.floats(0.5, 6))
def test_forward_fit_of_a_mixture_matches_its_exact_moments(weight, separation):
    p = dv.mixture(
        torch.tensor([weight, 1 - weight], dtype=torch.float64),
        torch.tensor([0.0, separation], dtype=torch.float64),
        torch.tensor([0.6, 0.9], dtype=torch.float64),
    )
    grid = torch.linspace(-25, 30, 5001, dtype=torch.float64)
    fit = dv.fit_gaussian(dv.KL, p.log_prob(grid), grid, start=(1.0, 2.0))
    assert fit.mu == pytest.approx(p.mean.item(), abs=1e-5)
    assert fit.sigma == pytest.approx(p.stddev.item(), abs=1e-5)
    mean, deviation = dv.moments(p.log_prob(grid), grid)
    torch.testing.assert_close(torch.stack([mean, deviation]), torch.stack([p.mean, p.stddev]))


def test_reverse_fit_depends_on_its_start_and_the_best_is_kept():
    grid = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    p = dv.mixture(
        torch.tensor([0.4, 0.6]).double(), torch.tensor([-2.0, 2.0]).double(), torch.ones(2) / 2
    )
    left, right = (
        dv.fit_gaussian(dv.REVERSE_KL, p.log_prob(grid), grid, start=(at, 0.5)) for at in (-2, 2)
    )
    assert left.mu < 0 < right.mu
    assert right.value < left.value
    best = dv.best_gaussian(dv.REVERSE_KL, p.log_prob(grid), grid, starts=((-2.0, 0.5), (2.0, 0.5)))
    assert best == right


def test_two_gaussians_recover_a_mixture_of_two_under_every_smooth_divergence():
    grid = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    p = dv.mixture(
        torch.tensor([0.3, 0.7]).double(), torch.tensor([-2.0, 2.0]).double(), torch.ones(2) / 2
    )
    for divergence in (dv.KL, dv.REVERSE_KL, dv.JENSEN_SHANNON):
        fit = dv.fit_two_gaussians(divergence, p.log_prob(grid), grid, means=(-1.0, 1.0), sigma=1.0)
        assert fit.weight == pytest.approx(0.3, abs=1e-3)
        assert fit.means == pytest.approx((-2.0, 2.0), abs=1e-3)
        assert fit.sigmas == pytest.approx((0.5, 0.5), abs=1e-3)


def test_em_beats_one_gaussian_on_two_clumps(generator):
    clumps = torch.cat([torch.randn(200, generator=generator) + at for at in (-4, 4)]).double()
    mixed = dv.fit_mixture(clumps, components=2, seed=0)
    single = Normal(clumps.mean(), clumps.std(correction=0))
    assert dv.nll(mixed.log_prob(clumps)) < dv.nll(single.log_prob(clumps)) - 0.4


@FEW
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_nll_is_entropy_plus_kl_of_the_empirical_distribution(values):
    observed = torch.tensor(values)
    p_hat = dv.empirical(observed, 5)
    q = torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15], dtype=torch.float64)
    torch.testing.assert_close(
        dv.nll(q.log()[observed]), dv.entropy(p_hat) + dv.on_atoms(dv.KL, p_hat, q)
    )


def test_entropy_of_the_uniform_distribution_is_the_logarithm_of_its_size():
    assert dv.entropy(torch.full((8,), 1 / 8).double()).item() == pytest.approx(math.log(8))


HALF = torch.tensor([0.5, 0.5], dtype=torch.float64)
BAD_INPUT = {
    "grid that falls": lambda: dv.on_grid(dv.KL, HALF.log(), HALF.log(), HALF.new_tensor([1, 0])),
    "grid of another length": lambda: dv.on_grid(dv.KL, HALF, HALF, torch.arange(3.0)),
    "grid of one point": lambda: dv.moments(HALF[:1], torch.zeros(1)),
    "atoms that differ": lambda: dv.on_atoms(dv.KL, HALF, torch.ones(3) / 3),
    "probabilities of sum 2": lambda: dv.on_atoms(dv.KL, 2 * HALF, HALF),
    "negative probability": lambda: dv.entropy(torch.tensor([1.5, -0.5])),
    "integer probabilities": lambda: dv.entropy(torch.tensor([1, 0])),
    "NaN probabilities": lambda: dv.entropy(torch.tensor([math.nan, 1.0])),
    "one sample": lambda: dv.from_samples(
        dv.KL, Normal(0.0, 1.0), Normal(0.0, 1.0), 1, torch.Generator()
    ),
    "negative count": lambda: dv.draw(Normal(0.0, 1.0), -1, torch.Generator()),
    "negative width": lambda: dv.gaussian_kl(HALF, -HALF, HALF, HALF),
    "zero width": lambda: dv.gaussian_log_density(HALF, HALF, 0 * HALF),
    "mixture of unlike shapes": lambda: dv.mixture(HALF, HALF[:1], HALF),
    "mixture with a zero weight": lambda: dv.mixture(torch.tensor([0.0, 1.0]), HALF, HALF),
    "start without width": lambda: dv.fit_gaussian(dv.KL, HALF, torch.arange(2.0), start=(0, 0)),
    "no start": lambda: dv.best_gaussian(dv.KL, HALF, torch.arange(2.0), starts=()),
    "equal means": lambda: dv.fit_two_gaussians(
        dv.KL, HALF, torch.arange(2.0), means=(1, 1), sigma=1
    ),
    "no samples": lambda: dv.nll(torch.empty(0)),
    "impossible sample": lambda: dv.nll(torch.tensor([-math.inf])),
    "no observations": lambda: dv.empirical(torch.empty(0, dtype=torch.int64), 3),
    "observation out of range": lambda: dv.empirical(torch.tensor([3]), 3),
    "more components than samples": lambda: dv.fit_mixture(HALF, components=3, seed=0),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert not isinstance(caught.value, ReceiptError)


def test_an_infinite_start_is_refused():
    grid = torch.linspace(-400, 400, 801, dtype=torch.float64)
    log_p = Normal(0.0, 1.0).log_prob(grid)
    with pytest.raises(ValueError, match="expected a finite Neyman"):
        dv.fit_gaussian(dv.NEYMAN, log_p, grid, start=(300.0, 1.0))


# Each receipt of the chapter, with the thing it checks broken once.


def scaled(monkeypatch, name: str, factor: float) -> None:
    original = getattr(dv, name)
    monkeypatch.setattr(dv, name, lambda *a, **k: original(*a, **k) * factor)


def altered(divergence: dv.Divergence, factor: float) -> dv.Divergence:
    return replace(divergence, penalty=lambda p, q: divergence.penalty(p, q) * factor)


def test_receipt_gibbs(monkeypatch):
    monkeypatch.setattr(
        dv, "KL", replace(dv.KL, penalty=lambda p, q: -dv._kl(p, q) - 0.1 * p.exp())
    )
    assert_breaks("divergences", "test_receipt_gibbs", monkeypatch)


def test_receipt_closed_form(monkeypatch):
    scaled(monkeypatch, "on_grid", 1.001)
    assert_breaks("divergences", "test_receipt_closed_form", monkeypatch)


def test_receipt_samples(monkeypatch):
    original = dv.draw
    monkeypatch.setattr(dv, "draw", lambda *a: original(*a) + 0.3)
    assert_breaks("divergences", "test_receipt_samples", monkeypatch)


def test_receipt_mle(monkeypatch):
    scaled(monkeypatch, "entropy", 1 / math.log(2))
    assert_breaks("divergences", "test_receipt_mle", monkeypatch)


def test_receipt_moments(monkeypatch):
    original = dv.fit_gaussian
    monkeypatch.setattr(
        dv,
        "fit_gaussian",
        lambda *a, **k: replace(fit := original(*a, **k), sigma=1.01 * fit.sigma),
    )
    assert_breaks("divergences", "test_receipt_moments", monkeypatch)


def test_receipt_mode(monkeypatch):
    original = dv.best_gaussian
    monkeypatch.setattr(
        dv,
        "best_gaussian",
        lambda *a, **k: replace(fit := original(*a, **k), value=fit.value + 0.01),
    )
    assert_breaks("divergences", "test_receipt_mode", monkeypatch)


def test_receipt_zeros(monkeypatch):
    for name in ("KL", "REVERSE_KL"):
        divergence = getattr(dv, name)
        clamped = replace(
            divergence,
            penalty=lambda p, q, d=divergence: d.penalty(p.clamp_min(-30), q.clamp_min(-30)),
        )
        monkeypatch.setattr(dv, name, clamped)
    assert_breaks("divergences", "test_receipt_zeros", monkeypatch)


def test_receipt_real_fit(monkeypatch):
    scaled(monkeypatch, "nll", -1.0)
    assert_breaks("divergences", "test_receipt_real_fit", monkeypatch)


def test_receipt_bounds(monkeypatch):
    factors = {"total variation": 3.0, "Jensen–Shannon": 10.0, "Pearson χ²": 0.01}
    broken = tuple(altered(d, factors.get(d.name, 1.0)) for d in dv.DIVERGENCES)
    monkeypatch.setattr(dv, "DIVERGENCES", broken)
    assert_breaks("divergences", "test_receipt_bounds", monkeypatch)


def test_receipt_js_max(monkeypatch):
    monkeypatch.setattr(dv, "JENSEN_SHANNON", altered(dv.JENSEN_SHANNON, 2.0))
    assert_breaks("divergences", "test_receipt_js_max", monkeypatch)


def test_receipt_data_processing(monkeypatch):
    squares = tuple(
        replace(d, penalty=lambda p, q: (p.exp() - q.exp()) ** 2) for d in dv.DIVERGENCES
    )
    monkeypatch.setattr(dv, "DIVERGENCES", squares)
    assert_breaks("divergences", "test_receipt_data_processing", monkeypatch)


def test_receipt_slopes(monkeypatch):
    scaled(monkeypatch, "on_grid", 1.01)
    assert_breaks("divergences", "test_receipt_slopes", monkeypatch)


def test_receipt_reverse_covers(monkeypatch):
    original = dv.fit_two_gaussians
    monkeypatch.setattr(
        dv,
        "fit_two_gaussians",
        lambda *a, **k: replace(original(*a, **k), weight=0.5, value=0.1),
    )
    assert_breaks("divergences", "test_receipt_reverse_covers", monkeypatch)


def test_receipt_published_fits(monkeypatch):
    wrong = {**dv.PUBLISHED_FITS, "KL": replace(dv.PUBLISHED_FITS["KL"], mu=1.02)}
    monkeypatch.setattr(dv, "PUBLISHED_FITS", wrong)
    assert_breaks("divergences", "test_receipt_published_fits", monkeypatch)
