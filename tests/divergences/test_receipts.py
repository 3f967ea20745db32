"""The receipts of the chapter `divergences`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from chapters import Break, altered, assert_breaks, swap

from genbook.divergences import densities, fitting, measures, order, samples, witness
from genbook.games import duality


def penalised(divergence: measures.Divergence, penalty) -> Break:
    """Another pointwise penalty behind a divergence's name, in the tuple of the eight too."""
    wrong = replace(divergence, penalty=penalty)
    eight = tuple(wrong if d is divergence else d for d in measures.DIVERGENCES)

    def break_(monkeypatch):
        swap(divergence, wrong)(monkeypatch)
        swap(measures.DIVERGENCES, eight)(monkeypatch)

    return break_


def scaled(divergence: measures.Divergence, factor: float) -> Break:
    return penalised(divergence, lambda p, q: factor * divergence.penalty(p, q))


def log_ratio_times(factor: float) -> Break:
    return altered(measures._times_log_ratio, lambda penalty: factor * penalty)


def both(*breaks: Break) -> Break:
    def break_(monkeypatch):
        for each in breaks:
            each(monkeypatch)

    return break_


def test_receipt_gibbs():
    def untilted(p, q):  # ∫ q was forgotten
        return measures._times_log_ratio(p, q) - p.exp()

    assert_breaks(
        "divergences",
        "test_receipt_gibbs",
        *(log_ratio_times(factor) for factor in (-1.0, 0.1, 0.0)),
        penalised(measures.KL, untilted),
    )


def test_receipt_closed_form():
    right = densities.gaussian_kl

    def widths_unsquared(mu_1, sigma_1, mu_2, sigma_2):
        return right(mu_1, sigma_1.sqrt(), mu_2, sigma_2.sqrt())

    assert_breaks(
        "divergences",
        "test_receipt_closed_form",
        swap(right, widths_unsquared),
        penalised(measures.KL, measures._reverse_kl),
        altered(measures.on_grid, lambda value: 1.001 * value),
    )


def test_receipt_samples():
    def from_p_alone(p, count, generator):
        return torch.randn(count, generator=generator)

    def guess(*_):  # right on average, from too few samples to tell
        return samples.Estimate(0.6, 0.1)

    assert_breaks(
        "divergences",
        "test_receipt_samples",
        swap(samples.draw, from_p_alone),
        swap(samples.from_samples, guess),
    )


def test_receipt_mle():
    assert_breaks(
        "divergences",
        "test_receipt_mle",
        altered(measures.entropy, lambda nats: nats / math.log(2)),  # bits
        penalised(measures.KL, measures._reverse_kl),
    )


def test_receipt_moments():
    assert_breaks(
        "divergences",
        "test_receipt_moments",
        penalised(measures.KL, measures._reverse_kl),
        altered(densities.moments, lambda found: (found[0], found[1] ** 2)),
    )


def test_receipt_parting():
    def narrower(fit):
        return replace(fit, sigma=0.9 * fit.sigma)

    assert_breaks(
        "divergences",
        "test_receipt_parting",
        altered(fitting.best_gaussian, narrower),
        penalised(measures.REVERSE_KL, measures._kl),
    )


def test_receipt_mode():
    def first(divergence, log_p, x, *, starts):  # not the best of them
        return fitting.fit_gaussian(divergence, log_p, x, start=starts[0])

    assert_breaks(
        "divergences",
        "test_receipt_mode",
        swap(fitting.best_gaussian, first),
        penalised(measures.REVERSE_KL, measures._kl),
    )


def test_receipt_starts():
    right = fitting.fit_gaussian

    def always_the_first(divergence, log_p, x, *, start):
        return right(divergence, log_p, x, start=(1.3, 0.4))

    def stays(divergence, log_p, x, *, start):
        return replace(right(divergence, log_p, x, start=start), sigma=start[1])

    assert_breaks(
        "divergences",
        "test_receipt_starts",
        swap(right, always_the_first),
        swap(right, stays),
    )


def test_receipt_zeros():
    def clamped(kl):
        return lambda p, q: kl(p.clamp_min(-30), q.clamp_min(-30))

    assert_breaks(
        "divergences",
        "test_receipt_zeros",
        penalised(measures.KL, clamped(measures._kl)),
        penalised(measures.REVERSE_KL, clamped(measures._reverse_kl)),
        penalised(measures.KL, measures._reverse_kl),
    )


def test_receipt_real_fit():
    right = densities.mixture

    def variances_for_widths(weights, means, sigmas):
        return right(weights, means, sigmas**2 if len(means) == 2 else sigmas)

    assert_breaks(
        "divergences",
        "test_receipt_real_fit",
        both(
            swap(right, variances_for_widths),
            penalised(measures.REVERSE_KL, measures._kl),
        ),
        altered(samples.nll, lambda nats: -nats),
    )


def test_receipt_bounds():
    assert_breaks(
        "divergences",
        "test_receipt_bounds",
        scaled(measures.TOTAL_VARIATION, 1.15),  # (a), (b) on the right
        scaled(measures.TOTAL_VARIATION, 0.85),  # (b) on the left, (d)
        scaled(measures.PEARSON, 0.5),  # (c): the other convention
        scaled(measures.JENSEN_SHANNON, 2.0),  # (d): without its half
    )


def test_receipt_js_max():
    def without_the_limit(row):
        low, _ = row.domain
        return replace(row, domain=(low, 0.0))

    rows = tuple(without_the_limit(row) for row in duality.TABLE)
    assert_breaks(
        "divergences",
        "test_receipt_js_max",
        scaled(measures.JENSEN_SHANNON, 2.0),
        penalised(measures.JENSEN_SHANNON, measures._jeffrey),
        penalised(measures.KL, measures._squared_hellinger),
        swap(duality.TABLE, rows),
    )


def test_receipt_stray():
    def as_printed(convex, p, q):  # the integral alone, where q > 0
        there = q > 0
        return (q[there] * convex.f(p[there] / q[there])).sum()

    def where_q_is(penalty):
        return lambda log_p, log_q: torch.where(log_q > -math.inf, penalty(log_p, log_q), 0.0)

    assert_breaks(
        "divergences",
        "test_receipt_stray",
        swap(duality.divergence, as_printed),
        penalised(measures.TOTAL_VARIATION, where_q_is(measures._total_variation)),
        penalised(measures.KL, where_q_is(measures._kl)),
    )


def test_receipt_data_processing():
    assert_breaks(
        "divergences",
        "test_receipt_data_processing",
        penalised(measures.PEARSON, lambda p, q: (p.exp() - q.exp()) ** 2),  # no f-divergence
    )


def test_receipt_slopes():
    right = densities.gaussian_log_density

    def detached(x, mu, sigma):
        return right(x, mu.detach() + 0 * mu, sigma)

    assert_breaks(
        "divergences",
        "test_receipt_slopes",
        swap(right, detached),
        scaled(measures.SQUARED_HELLINGER, 0.5),
        scaled(measures.TOTAL_VARIATION, 2.0),
        penalised(measures.KL, measures._jensen_shannon),
    )


def test_receipt_reverse_covers():
    right = fitting.gaussian_log_density

    def one_width(x, mu, sigma):  # both components get the first one's place and width
        return right(x, mu[:1] + 0 * mu, sigma[:1] + 0 * sigma)

    assert_breaks("divergences", "test_receipt_reverse_covers", swap(right, one_width))


def test_receipt_published_fits():
    assert_breaks(
        "divergences",
        "test_receipt_published_fits",
        penalised(measures.PEARSON, measures._neyman),
        scaled(measures.JENSEN_SHANNON, 2.0),
        altered(fitting.gaussian_log_density, lambda log_q: 1.01 * log_q),
    )


def test_receipt_regret():
    assert_breaks(
        "divergences",
        "test_receipt_regret",
        penalised(measures.REVERSE_KL, measures._kl),
        penalised(measures.PEARSON, measures._neyman),
    )


def test_receipt_both():
    def unbounded(p, q):
        return witness.Found(float((p / q).log().abs().max()), (p / q).log())

    assert_breaks(
        "divergences",
        "test_receipt_both",
        altered(witness.best_bounded, lambda found: replace(found, value=2 * found.value)),
        swap(witness.best_bounded, unbounded),
        altered(witness.closest_pair, lambda found: replace(found, value=1 - found.value)),
        scaled(measures.TOTAL_VARIATION, 2.0),
    )


def test_receipt_walk():
    assert_breaks(
        "divergences",
        "test_receipt_walk",
        penalised(measures.TOTAL_VARIATION, lambda p, q: (p.exp() - q.exp()).square()),
        penalised(measures.SQUARED_HELLINGER, measures._total_variation),
    )


def test_receipt_order():
    assert_breaks(
        "divergences",
        "test_receipt_order",
        scaled(measures.JENSEN_SHANNON, 2.0),
        scaled(measures.JENSEN_SHANNON, 0.4),
        scaled(measures.TOTAL_VARIATION, 0.5),
    )


def test_receipt_no_way_back():
    right = order.misplaced

    def spoilt(name, change):
        return altered(right, lambda found: {**found, name: change(found[name])})

    assert_breaks(
        "divergences",
        "test_receipt_no_way_back",
        spoilt("W₁", lambda value: value**2),
        spoilt("JS", lambda value: value / math.log(2)),
        spoilt("TV", lambda value: 2 * value),
        spoilt("KL(p‖q)", lambda value: 1e300),
        swap(right, lambda share, distance: right(share, 1.0)),
    )
