"""The receipts of the chapter `invertible`, broken on purpose."""

from __future__ import annotations

from functools import cache

import torch
from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.collapse import critics
from genbook.invertible import angles, flows, inverses, levels, norms, studies, traces


def test_receipt_power():
    right = critics.spectral_norm

    def of_the_first_vector(weight, u, steps=1):  # u is never replaced
        return right(weight, u, steps)[0], u

    def by_the_sum(values, parts, steps):  # powers of 2k, as for a symmetric matrix
        return formula(values.sqrt(), parts, steps).square()

    formula = norms.expected_estimates

    assert_breaks(
        "invertible",
        "test_receipt_power",
        swap(right, of_the_first_vector),
        altered(norms.estimates, lambda seen: 1.02 * seen),
        altered(norms.estimates, lambda seen: seen.flip(0)),
        swap(norms.expected_estimates, by_the_sum),
        altered(norms.shortened, lambda weight: 0.9 * weight),
        swap(norms.shortened, lambda w, s: w / torch.linalg.matrix_norm(w, 2)[:, None, None]),
    )


def test_receipt_kernel():
    right = norms.convolution_norm

    def padded_to_itself(kernel, height, width):  # not to the size of the image
        return right(kernel, *kernel.shape[2:])

    def by_entries(kernel, height, width):
        return torch.fft.fft2(kernel, s=(height, width)).abs().max()

    def zeros_beyond(images, kernel):
        return torch.nn.functional.conv2d(images, kernel, padding=kernel.shape[-1] // 2)

    assert_breaks(
        "invertible",
        "test_receipt_kernel",
        swap(right, by_entries),
        swap(right, lambda kernel, height, width: norms.reshaped_norm(kernel)),
        swap(norms.convolve, zeros_beyond),
        altered(norms.reshaped_norm, lambda norm: 1.01 * norm),
        altered(norms.reshaped_norm, lambda norm: norm / 2),
        swap(right, padded_to_itself),
    )


def test_receipt_product():
    def all_open(weights, points):  # without the rectifiers' zeros
        way = weights[0]
        for weight in weights[1:]:
            way = way @ weight
        return torch.linalg.matrix_norm(way, 2).expand(len(points))

    def summed(weights, points):
        return torch.full((len(points),), float(len(weights)))

    assert_breaks(
        "invertible",
        "test_receipt_product",
        altered(norms.steepest, lambda slopes: 2 * slopes),
        altered(norms.normed, lambda stack: [2 * weight for weight in stack]),
        swap(norms.steepest, summed),
        swap(norms.steepest, lambda weights, points: 0.9 * all_open(weights, points)),
    )


def test_receipt_hash():
    def cosine(filters):
        unit = torch.nn.functional.normalize(filters, dim=0)
        return unit.mT @ unit

    def unmoved(filters, inputs, steps, rate):
        return filters

    def soft(outputs, gamma=1.0):
        return right(outputs, 0.5)

    def without_a_bend(outputs, gamma=1.0):
        unit = torch.nn.functional.normalize(outputs, dim=0)
        return unit.mT @ unit

    def without_length(outputs, gamma=10.0):
        steep = torch.tanh(gamma * outputs)
        return steep.mT @ steep / len(outputs)

    right = angles.smooth_agreement

    assert_breaks(
        "invertible",
        "test_receipt_hash",
        swap(angles.from_angles, cosine),
        altered(angles.from_angles, lambda found: (1 + found) / 2),
        altered(angles.agreement, lambda found: found + 0.03),
        swap(right, soft),
        swap(right, without_a_bend),
        swap(right, without_length),
        swap(angles.opened, unmoved),
        altered(angles.self_orthogonality, lambda penalty: -penalty),
    )


def test_receipt_rate():
    right = inverses.way_back

    def late(g, y, steps, share=1.0):  # the first stop twice
        return torch.cat([y[None], right(g, y, steps)[:-1]])

    assert_breaks(
        "invertible",
        "test_receipt_rate",
        swap(inverses.error_bound, lambda lip, n, first: lip**n * first),
        swap(inverses.error_bound, lambda lip, n, first: lip ** (n + 1) / (1 - lip) * first),
        swap(inverses.error_bound, lambda lip, n, first: 1.001 * lip**n / (1 - lip) * first),
        swap(right, late),
        altered(inverses.bent, lambda g: lambda x: 1.1 * g(x)),
    )


def test_receipt_lost():
    right = inverses.bend

    def shorter(x, c, kind):
        return right(x, min(c, 0.99), kind)

    def by_newton(g, y, steps, share=1.0):  # another search, which does not circle
        x = y.clone().requires_grad_()
        for _ in range(100):
            (slope,) = torch.autograd.grad((x + g(x)).sum(), x)
            x = (x - (x + g(x) - y) / slope).detach().requires_grad_()
        return x.detach().expand(steps + 1, *y.shape)

    assert_breaks(
        "invertible",
        "test_receipt_lost",
        swap(right, shorter),
        swap(inverses.twins, lambda c: (-0.5, 0.5)),
        swap(inverses.way_back, by_newton),
        altered(inverses.bent, lambda g: lambda x: 1.2 * g(x)),
    )


def test_receipt_images():
    def flat(kernel, height, width):
        return norms.reshaped_norm(kernel)

    assert_breaks(
        "invertible",
        "test_receipt_images",
        swap(norms.convolution_norm, flat),
        altered(norms.reshaped_norm, lambda norm: 2.7 * norm),
        swap(norms.shortened, lambda weight, sigma, c: weight / sigma),
    )


def test_receipt_half():
    right = inverses.way_back

    def in_full(g, y, steps, share=1.0):
        return right(g, y, steps)

    assert_breaks(
        "invertible",
        "test_receipt_half",
        swap(right, in_full),
        altered(inverses.soft_brush, lambda brush: -brush),  # what pushed pulls
        swap(inverses.on_images, lambda kernel: lambda images: norms.convolve(images, kernel)),
        altered(inverses.on_images, lambda g: lambda images: 0.4 * g(images)),
    )


def test_receipt_trace():
    assert_breaks(
        "invertible",
        "test_receipt_trace",
        altered(traces.log_det, lambda found: -found),
        altered(traces.log_det, lambda found: found + 1e-6),
    )


def test_receipt_series():
    right = traces.log_det_series

    def all_added(push, probes, terms):  # ln(1 − x), with the signs forgotten
        return -right(lambda v: -push(v), probes, terms)

    def one_more_power(push, probes, terms):
        return right(lambda v: push(push(v)), probes, terms)

    assert_breaks(
        "invertible",
        "test_receipt_series",
        swap(right, all_added),
        swap(right, one_more_power),
        altered(traces.truncation_bound, lambda bound: bound / 1e4),
        altered(right, lambda found: found - 1e-4),
        altered(traces.every, lambda probes: probes / 2),
    )


def test_receipt_hutchinson():
    right = traces.estimate_variance

    def uneven(matrix, gaussian):  # A in place of its even part
        whole = matrix.square().sum()
        return 2 * (whole if gaussian else whole - matrix.diagonal().square().sum())

    assert_breaks(
        "invertible",
        "test_receipt_hutchinson",
        swap(right, uneven),
        swap(right, lambda matrix, gaussian: right(matrix, not gaussian)),
        altered(right, lambda found: found / 2),
    )


rolls = cache(flows.on_a_roll)


def remembered(rule, seed, steps):
    """Training once for all runs that leave it as it is."""
    return rolls(rule, seed, steps)


fifth = flows.truncated(5)


def test_receipt_mass():
    right = flows.truncated

    def always(terms, generator=None):
        return fifth if terms == 5 else right(terms, generator)

    def both(monkeypatch):
        swap(flows.on_a_roll, remembered)(monkeypatch)
        swap(flows.truncated, always)(monkeypatch)

    def undone(rule, seed, steps):  # whoever asks, the exact volume is trained
        return remembered(flows.exact, seed, steps)

    def unpaid(net, x, rule=flows.exact):  # the volume is left out
        z, _ = net(x, rule)
        return -0.5 * (z.square().sum(-1) + 2 * 1.8378770664093453)

    assert_breaks(
        "invertible",
        "test_receipt_mass",
        swap(remembered, undone),
        method(flows.IResNet, "log_prob", unpaid),
        altered(flows.mass, lambda found: 1.01 * found),
        altered(flows.folds, lambda found: -found),
        given=both,
    )


def test_receipt_plane():
    def hurried(net, z, steps):
        return flows_inverse(net, z, 5)

    def first_block_first(net, z, steps):
        weights = net.weights()
        for block in range(net.blocks):
            x = z
            for _ in range(steps):
                x = z - net.straight(x, block, weights).value
            z = x
        return z

    flows_inverse = flows.IResNet.inverse
    assert_breaks(
        "invertible",
        "test_receipt_plane",
        method(flows.IResNet, "inverse", hurried),
        method(flows.IResNet, "inverse", first_block_first),
        given=lambda monkeypatch: swap(
            flows.on_a_roll, lambda rule, seed, steps: rolls(flows.exact, 0, 30)
        )(monkeypatch),
    )


def test_receipt_kept():
    right = flows.IResNet.weights

    def cold(net):
        for layer in range(flows.LAYERS):
            u = getattr(net, f"u{layer}")
            first = torch.zeros_like(u)
            first[:, 0] = 1
            setattr(net, f"u{layer}", first)
        return right(net)

    assert_breaks(
        "invertible",
        "test_receipt_kept",
        method(flows.IResNet, "weights", cold),
        altered(flows.behind, lambda found: 1.02 * found),
        altered(flows.behind, lambda found: found.clamp(max=1.02)),
    )


def test_receipt_digits():
    assert_breaks(
        "invertible",
        "test_receipt_digits",
        rewritten("invertible_digits", lambda row: {"exact": row["exact"] + 0.1}),
        rewritten("invertible_digits", lambda row: {"back": 1e-3}),
        altered(levels.pixel_table, lambda bits: bits - 0.1),
    )


def test_receipt_live():
    fitted = cache(lambda: real(studies.data.digits("train", device="cpu").flat, 0, studies.SHORT))
    real = studies.fitted

    def short(images, seed, steps):
        return fitted()

    assert_breaks(
        "invertible",
        "test_receipt_live",
        altered(levels.bits, lambda found: found + 0.05),
        method(flows.IResNet, "forward", lambda net, x, rule=None: (x, 0 * x[:, 0])),
        altered(traces.log_det, lambda found: 0.5 * found),
        given=swap(real, short),
    )
