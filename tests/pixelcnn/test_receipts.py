"""The receipts of the chapter `pixelcnn`, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import torch
from chapters import assert_breaks, assert_holds

from genbook.kit import data, studies
from genbook.pixelcnn import (
    figures,
    likelihood,
    masks,
    networks,
    receptive_field,
    row_cache,
    row_lstm,
    sampling,
)
from genbook.pixelcnn import studies as pixel_studies


def breaks(name, monkeypatch):
    assert_breaks("pixelcnn", name, monkeypatch)


def open_masks(monkeypatch):
    original = masks.causal_mask
    monkeypatch.setattr(masks, "causal_mask", lambda *a, **k: torch.ones_like(original(*a, **k)))


def test_receipt_sum(monkeypatch):
    open_masks(monkeypatch)
    breaks("test_receipt_sum", monkeypatch)


def test_receipt_jacobian(monkeypatch):
    open_masks(monkeypatch)
    breaks("test_receipt_jacobian", monkeypatch)


def test_receipt_left(monkeypatch):
    original = masks.causal_mask

    def shut(kernel, *sizes, **words):
        mask = original(kernel, *sizes, **words)
        mask[:, :, kernel // 2, : kernel // 2] = 0
        return mask

    monkeypatch.setattr(masks, "causal_mask", shut)
    breaks("test_receipt_left", monkeypatch)


def test_receipt_colours(monkeypatch):
    monkeypatch.setattr(
        masks, "_colour_of", lambda channels, _: torch.zeros(channels, dtype=torch.int64)
    )
    breaks("test_receipt_colours", monkeypatch)


def test_receipt_field(monkeypatch):
    original = receptive_field.field
    monkeypatch.setattr(
        receptive_field, "field", lambda s, a, k, n, stacks: original(s, a, k, n, stacks=2)
    )
    breaks("test_receipt_field", monkeypatch)


def test_receipt_share(monkeypatch):
    monkeypatch.setattr(receptive_field, "blind_share", lambda layers: layers / (4 * (layers + 1)))
    breaks("test_receipt_share", monkeypatch)


def short(monkeypatch, steps=3):
    """Training that stops early; after three steps, for receipts that it does not concern."""
    original = likelihood.train
    monkeypatch.setattr(
        likelihood,
        "train",
        lambda n, x, how, *rest: original(n, x, replace(how, steps=steps), *rest),
    )


def test_receipt_coins_one(monkeypatch):
    """Copied from one column to the right, a pixel lies in the view of one stack."""
    short(monkeypatch, 80)
    original = receptive_field.sheared_coins
    monkeypatch.setattr(receptive_field, "sheared_coins", lambda *rest: original(*rest, shift=1))
    breaks("test_receipt_coins_one", monkeypatch)


def test_receipt_coins_two(monkeypatch):
    """Without what the vertical stack says, two stacks are blind; else 80 steps would do."""
    short(monkeypatch, 80)

    def deaf(layer, v, h, labels=None):
        new = layer.out(networks.gate(layer.horizontal(h)))
        return networks.gate(layer.vertical(v)), h + new if layer.residual else new

    monkeypatch.setattr(networks.GatedLayer, "forward", deaf)
    breaks("test_receipt_coins_two", monkeypatch)


def test_receipt_diagonal(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(
        row_lstm, "skew", lambda x: torch.nn.functional.pad(x, (0, x.shape[-2] - 1))
    )
    breaks("test_receipt_diagonal", monkeypatch)


def test_receipt_rectangle(monkeypatch):
    """What enters at a pixel must not hold the pixel."""
    short(monkeypatch)
    original = row_lstm.GridRecurrence.inputs
    monkeypatch.setattr(row_lstm.GridRecurrence, "inputs", lambda net, x: original(net, x) + x)
    breaks("test_receipt_rectangle", monkeypatch)


def test_receipt_triangle(monkeypatch):
    """With a kernel of one state for three, the context is a strip."""
    short(monkeypatch)
    original = row_lstm.conv1d
    monkeypatch.setattr(row_lstm, "conv1d", lambda h, w, padding: original(h, w[..., 1:2]))
    breaks("test_receipt_triangle", monkeypatch)


def test_receipt_row_lstm(monkeypatch):
    short(monkeypatch)
    open_masks(monkeypatch)
    breaks("test_receipt_row_lstm", monkeypatch)


def test_receipt_binarisation(monkeypatch):
    short(monkeypatch)
    recorded = studies.load("pixelcnn_nll")
    shift = {"stochastic": 0.0, "fixed": 3.0, "threshold": 30.0}
    rows = [{**r, "nats": r["nats"] + shift[r.get("judged", "fixed")]} for r in recorded.rows]
    monkeypatch.setattr(studies, "load", lambda _: replace(recorded, rows=tuple(rows)))
    breaks("test_receipt_binarisation", monkeypatch)


def test_receipt_live(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(pixel_studies, "probe", lambda *_: {"nats": 300.0})
    breaks("test_receipt_live", monkeypatch)


def quick(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(pixel_studies, "probe", lambda *_: {"nats": 300.0})


def test_receipt_cached(monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr(row_cache.Memory, "tell", lambda *_: None)
    breaks("test_receipt_cached", monkeypatch)


def test_receipt_costs(monkeypatch):
    quick(monkeypatch)
    load = studies.load
    slower = [{**row, "cached": row["naive"]} for row in load("pixelcnn_costs").rows]
    monkeypatch.setattr(
        studies,
        "load",
        lambda name: replace(load(name), rows=tuple(slower)) if "costs" in name else load(name),
    )
    breaks("test_receipt_costs", monkeypatch)


def test_receipt_equal(monkeypatch):
    """A Row LSTM that had less time, and does as well."""
    quick(monkeypatch)
    load = studies.load
    row = {**load("pixelcnn_equal").rows[0], "cpu_seconds": 20.0, "nats": 89.0}
    monkeypatch.setattr(
        studies,
        "load",
        lambda name: replace(load(name), rows=(row,)) if "equal" in name else load(name),
    )
    breaks("test_receipt_equal", monkeypatch)


def test_receipt_longer(monkeypatch):
    """A run that goes on and gains nothing."""
    quick(monkeypatch)
    load = studies.load
    row = {**load("pixelcnn_longer").rows[0], "nats": 87.5}
    monkeypatch.setattr(
        studies,
        "load",
        lambda name: replace(load(name), rows=(row,)) if "longer" in name else load(name),
    )
    breaks("test_receipt_longer", monkeypatch)


def test_receipt_outliers(monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.arange(n))
    breaks("test_receipt_outliers", monkeypatch)


def test_receipt_strokes(monkeypatch):
    """Were it about the inside of strokes and the empty frame, little would be paid there."""
    quick(monkeypatch)
    original = figures.near_strokes
    monkeypatch.setattr(figures, "near_strokes", lambda images: ~original(images))
    breaks("test_receipt_strokes", monkeypatch)


def test_receipt_completions(monkeypatch):
    """A sampler that forgets what is given draws anew, whatever the rows."""
    quick(monkeypatch)
    original = sampling.sample

    def forgetful(*rest, start=None, known=None, **options):
        return original(*rest, **options)

    monkeypatch.setattr(sampling, "sample", forgetful)
    breaks("test_receipt_completions", monkeypatch)


def test_receipt_greedy(monkeypatch):
    """Without noise, take the less likely level."""
    quick(monkeypatch)
    original = sampling.pick_level

    def contrary(logits, noise):
        return original(logits, noise) if noise.any() else logits.argmin(1)

    monkeypatch.setattr(sampling, "pick_level", contrary)
    breaks("test_receipt_greedy", monkeypatch)


def test_receipt_sheared(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(receptive_field, "sheared", lambda images, *_: images)
    breaks("test_receipt_sheared", monkeypatch)


def test_receipt_bayes(monkeypatch):
    quick(monkeypatch)
    breaks("test_receipt_bayes", monkeypatch)


def test_receipt_bits(monkeypatch):
    quick(monkeypatch)
    breaks("test_receipt_bits", monkeypatch)


def test_receipts_hold_as_the_chapter_stands(monkeypatch):
    assert_holds("pixelcnn", "test_receipt_share", monkeypatch)
    assert data.mnist("test").name == "digits"
    assert networks.gate(torch.zeros(1, 2)).item() == 0
