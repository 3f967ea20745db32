"""The receipts of the chapter `draw`, with the code behind each broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import torch
from chapters import altered, assert_breaks, rewritten, swap

from genbook.draw import machines, network, studies, windows
from genbook.kit.machine import weights


def fast(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")


def test_receipt_rows():
    assert_breaks(
        "draw", "test_receipt_rows", altered(windows.filter_bank, lambda bank: 0.99 * bank)
    )


def test_receipt_identity():
    def counted_from_zero(found):
        return windows.Window(found.x - 1, found.y - 1, found.stride, found.variance, found.gain)

    assert_breaks("draw", "test_receipt_identity", altered(windows.window, counted_from_zero))


def drowned(centre, stride, variance, patch, size):
    """The bank of the bug hunt: a small number in the denominator."""
    places = torch.arange(1, patch + 1, dtype=centre.dtype) - patch / 2 - 0.5
    means = centre[..., None] + places * stride[..., None]
    away = (torch.arange(1, size + 1) - means[..., None]).square()
    weights = (-away / (2 * variance[..., None, None])).exp()
    return weights / (weights.sum(-1, keepdim=True) + 1e-8)


def test_receipt_limits():
    """Rows that drown off the page; filters of one width whatever σ is asked."""
    bank = windows.filter_bank
    assert_breaks(
        "draw",
        "test_receipt_limits",
        swap(bank, drowned),
        swap(bank, lambda g, d, v, n, a: bank(g, d, v.clamp(max=1e3), n, a)),
    )


def test_receipt_inverse():
    """Filters that see one pixel each."""
    assert_breaks(
        "draw",
        "test_receipt_inverse",
        altered(windows.filter_bank, lambda f: (f == f.max(-1, keepdim=True).values).double()),
    )


def test_receipt_adjoint():
    read, write = windows.read, windows.write
    assert_breaks(
        "draw",
        "test_receipt_adjoint",
        swap(write, lambda patch, where, size: write(patch.mT, where, size)),
        swap(read, lambda image, where, patch: read(image, where, patch) / where.gain),
    )


def test_receipt_code():
    """The constant −1 of the KL forgotten; a factor ½ forgotten."""
    code_length = network.code_length

    def without_one(drawing):
        return code_length(drawing) + drawing.means.shape[0] * drawing.means.shape[2] / 2

    assert_breaks(
        "draw",
        "test_receipt_code",
        swap(code_length, without_one),
        altered(code_length, lambda nats: 2 * nats),
    )


def test_receipt_single():
    assert_breaks(
        "draw",
        "test_receipt_single",
        altered(network.negative_bound, lambda nats: 1.001 * nats),
        altered(network.code_length, lambda nats: 0 * nats),
    )


def test_receipt_bound():
    """Half the latent cost; the cost of the last step alone; the −1 once a step."""
    code_length = network.code_length

    def last_alone(drawing):
        return code_length(
            replace(drawing, means=drawing.means[-1:], log_variances=drawing.log_variances[-1:])
        )

    assert_breaks(
        "draw",
        "test_receipt_bound",
        altered(code_length, lambda nats: nats / 2),
        swap(code_length, last_alone),
        altered(network.negative_bound, lambda nats: 0.9 * nats),
    )


def slipped(column, kind, by, study="draw_windows"):
    """The record of DRAW's runs of one kind, moved."""
    return rewritten(
        study,
        lambda row: {column: row[column] + by} if row.get("looks") == kind.name else {},
    )


def test_receipt_draw():
    """Shows that the claim is read from the record."""
    assert_breaks("draw", "test_receipt_draw", slipped("bound", studies.WINDOW, 30.0), given=fast)


def test_receipt_blind():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "draw",
        "test_receipt_blind",
        slipped("latent", studies.RIM, 3.0),
        slipped("latent", studies.TWO, -9.0),
        given=fast,
    )


def test_receipt_drift():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "draw",
        "test_receipt_drift",
        slipped("stride", studies.RIM, -20.0, "draw_rim"),
        slipped("spread", studies.RIM, 1e-3, "draw_rim"),
        slipped("spread", studies.TWO, -0.05, "draw_rim"),
        given=fast,
    )


def test_receipt_causes():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "draw",
        "test_receipt_causes",
        slipped("bound", studies.FOUR_GLIMPSES, -30.0),
        given=fast,
    )


def test_receipt_easy():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "draw",
        "test_receipt_easy",
        rewritten(
            "draw_test_set",
            lambda row: {"bound": row["bound"] + 3} if row["images"] == 2_000 else {},
        ),
    )


def test_receipt_rim():
    open_windows = network.open_windows
    assert_breaks(
        "draw", "test_receipt_rim", swap(open_windows, lambda net: open_windows(net, 0.1))
    )


def test_receipt_machine(monkeypatch):
    fast(monkeypatch)
    assert_breaks(
        "draw",
        "test_receipt_machine",
        altered(machines.stroke, lambda found: (1.01 * found[0], found[1])),
        altered(machines.glimpse, lambda found: (0.5 * found[0], found[1])),
        altered(network.code_length, lambda nats: 2 * nats),
    )


def test_receipt_held():
    """One window for all places."""
    assert_breaks("draw", "test_receipt_held", altered(machines.held_window, lambda raw: 0 * raw))


def test_receipt_packed(monkeypatch):
    """One bit a weight, and its sign."""
    fast(monkeypatch)

    def coarse(tensors):
        return [t.sign() * t.abs().mean() for t in tensors]

    assert_breaks("draw", "test_receipt_packed", swap(weights.rounded, coarse))


def test_receipt_opens():
    """Without training no window learns to open."""

    def still(*arguments, **keywords):
        return iter(())

    assert_breaks("draw", "test_receipt_opens", swap(studies.train, still))
