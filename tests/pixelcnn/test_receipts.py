"""The receipts of the chapter `pixelcnn`, with the code behind each broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import torch
from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.kit.machine import weights
from genbook.pixelcnn import (
    arithmetic_coding,
    figures,
    likelihood,
    machines,
    masks,
    networks,
    one_layer,
    receptive_field,
    row_cache,
    row_lstm,
    sampling,
)
from genbook.pixelcnn import studies as pixel_studies


def open_masks(monkeypatch):
    causal_mask = masks.causal_mask
    everything = swap(causal_mask, lambda *a, **k: torch.ones_like(causal_mask(*a, **k)))
    everything(monkeypatch)


def short(steps):
    """Training that stops early."""
    train = likelihood.train

    def stopped(net, images, how, *rest):
        return train(net, images, replace(how, steps=min(steps, how.steps)), *rest)

    return swap(train, stopped)


def test_receipt_sum():
    assert_breaks("pixelcnn", "test_receipt_sum", open_masks)


def test_receipt_jacobian():
    assert_breaks("pixelcnn", "test_receipt_jacobian", open_masks)


def test_receipt_left():
    causal_mask = masks.causal_mask

    def shut(kernel, *sizes, **words):
        mask = causal_mask(kernel, *sizes, **words)
        mask[:, :, kernel // 2, : kernel // 2] = 0
        return mask

    assert_breaks("pixelcnn", "test_receipt_left", swap(causal_mask, shut))


def test_receipt_colours():
    one_colour = swap(
        masks._colour_of, lambda channels, _: torch.zeros(channels, dtype=torch.int64)
    )
    assert_breaks("pixelcnn", "test_receipt_colours", one_colour, open_masks)


def test_receipt_norm():
    """Masks that close nothing; masks that close the centre for every colour."""
    causal_mask = masks.causal_mask

    def shut(kernel, *sizes, kind, colours=1, **words):
        mask = causal_mask(kernel, *sizes, kind=kind, colours=colours, **words)
        if kind == "A":
            mask[:, :, kernel // 2, kernel // 2] = 0
        return mask

    assert_breaks("pixelcnn", "test_receipt_norm", open_masks, swap(causal_mask, shut))


def test_receipt_field():
    field = receptive_field.field
    assert_breaks(
        "pixelcnn",
        "test_receipt_field",
        swap(field, lambda s, a, k, n, stacks: field(s, a, k, n, stacks=2)),
        swap(field, lambda s, a, k, n, stacks: field(s, a, k, n - 1, stacks=stacks)),
    )


def test_receipt_share():
    assert_breaks(
        "pixelcnn",
        "test_receipt_share",
        swap(receptive_field.blind_share, lambda layers: layers / (4 * (layers + 1))),
    )


def test_receipt_coins_one():
    """Copied from one column to the right, a pixel lies in the view of one stack."""
    coins = receptive_field.sheared_coins
    assert_breaks(
        "pixelcnn",
        "test_receipt_coins_one",
        swap(coins, lambda *rest: coins(*rest, shift=1)),
        given=short(80),
    )


def test_receipt_coins_two():
    """Without what the vertical stack says, two stacks are blind."""

    def deaf(layer, v, h, labels=None):
        new = layer.out(networks.gate(layer.horizontal(h)))
        return networks.gate(layer.vertical(v)), h + new if layer.residual else new

    assert_breaks(
        "pixelcnn",
        "test_receipt_coins_two",
        method(networks.GatedLayer, "forward", deaf),
        given=short(120),
    )


def test_receipt_diagonal():
    def unskewed(x):
        return torch.nn.functional.pad(x, (0, x.shape[-2] - 1))

    assert_breaks("pixelcnn", "test_receipt_diagonal", swap(row_lstm.skew, unskewed))


def test_receipt_rectangle():
    """What enters at a pixel must not hold the pixel."""
    inputs = row_lstm.GridRecurrence.inputs
    assert_breaks(
        "pixelcnn",
        "test_receipt_rectangle",
        method(row_lstm.GridRecurrence, "inputs", lambda net, x: inputs(net, x) + x),
    )


def test_receipt_triangle():
    """With a kernel of one state for three, the context is a strip."""
    conv1d = row_lstm.conv1d
    assert_breaks(
        "pixelcnn",
        "test_receipt_triangle",
        swap(conv1d, lambda h, w, padding: conv1d(h, w[..., 1:2])),
    )


def test_receipt_row_lstm():
    assert_breaks("pixelcnn", "test_receipt_row_lstm", open_masks)


def test_receipt_binarisation():
    """Shows that the claims are read from the record."""
    shift = {"stochastic": 0.0, "fixed": 3.0, "threshold": 30.0}
    assert_breaks(
        "pixelcnn",
        "test_receipt_binarisation",
        rewritten("pixelcnn_nll", lambda r: {"nats": r["nats"] + shift[r.get("judged", "fixed")]}),
    )


def test_receipt_live():
    """Another network; a training that stops early."""
    probe = pixel_studies.probe
    assert_breaks(
        "pixelcnn",
        "test_receipt_live",
        swap(probe, lambda _, *rest: probe("Row LSTM", *rest)),
        short(40),
    )


def test_receipt_one_layer():
    """Finished rows that are forgotten; a value that tells only its neighbour."""

    def forgetful(monkeypatch):
        conv2d = one_layer.conv2d
        monkeypatch.setattr(one_layer, "conv2d", lambda x, w, b: conv2d(0 * x, w, b))

    def hasty(monkeypatch):
        def steps(*ends):
            return range(1, 2) if len(ends) == 2 else range(*ends)

        monkeypatch.setattr(one_layer, "range", steps, raising=False)

    assert_breaks("pixelcnn", "test_receipt_one_layer", forgetful, hasty)


def test_receipt_cached():
    """A memory that is told nothing; a row that begins one pixel too late."""
    tell = row_cache.Memory.tell
    assert_breaks(
        "pixelcnn",
        "test_receipt_cached",
        method(row_cache.Memory, "tell", lambda *_: None),
        method(
            row_cache.Memory,
            "tell",
            lambda self, column, colour, value: tell(self, column, colour, 0.999 * value),
        ),
    )


def test_receipt_costs():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "pixelcnn",
        "test_receipt_costs",
        rewritten("pixelcnn_costs", lambda row: {"cached": row["naive"]}),
    )


def test_receipt_equal():
    """Shows that less time, or nats as low, would be seen."""
    assert_breaks(
        "pixelcnn",
        "test_receipt_equal",
        rewritten("pixelcnn_equal", lambda row: {"cpu_seconds": 20.0, "nats": 89.0}),
    )


def test_receipt_longer():
    """Shows that a longer run which gains nothing would be seen."""
    assert_breaks(
        "pixelcnn", "test_receipt_longer", rewritten("pixelcnn_longer", lambda row: {"nats": 87.5})
    )


def test_receipt_outliers():
    """Pixels that stay where they are."""

    def in_order(monkeypatch):
        monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.arange(n))

    assert_breaks("pixelcnn", "test_receipt_outliers", in_order)


def test_receipt_strokes():
    """Were it about the inside of strokes and the empty frame, little would be paid there."""
    near = figures.near_strokes
    assert_breaks("pixelcnn", "test_receipt_strokes", swap(near, lambda images: ~near(images)))


def test_receipt_completions():
    """A sampler that forgets what is given draws anew, whatever the rows."""
    sample = sampling.sample

    def forgetful(*rest, start=None, known=None, **options):
        return sample(*rest, **options)

    assert_breaks("pixelcnn", "test_receipt_completions", swap(sample, forgetful))


def test_receipt_greedy():
    """Without noise, take the less likely level."""
    pick_level = sampling.pick_level

    def contrary(logits, noise):
        return pick_level(logits, noise) if noise.any() else logits.argmin(1)

    assert_breaks("pixelcnn", "test_receipt_greedy", swap(pick_level, contrary))


def test_receipt_sheared():
    assert_breaks(
        "pixelcnn",
        "test_receipt_sheared",
        swap(receptive_field.sheared, lambda images, *_: images),
    )


def test_receipt_bayes():
    """A network that is asked about the wrong class."""
    nll = likelihood.nll

    def beside(net, x, labels=None):
        return nll(net, x, None if labels is None else (labels + 1) % 10)

    assert_breaks("pixelcnn", "test_receipt_bayes", swap(nll, beside))


def test_receipt_bits():
    """Bits a pixel instead of bits a number."""
    per_dim = likelihood.bits_per_dim
    assert_breaks(
        "pixelcnn",
        "test_receipt_bits",
        swap(per_dim, lambda nats, numbers: per_dim(nats, numbers // 3)),
    )


def test_receipt_files():
    """A code one bit shorter; a decoder that takes ends of shares for their beginnings."""
    codeword, level_at = (
        getattr(arithmetic_coding.Interval, name) for name in ("codeword", "level_at")
    )

    def shorter(part):
        return codeword(part)[:-1]

    def late(part, bits, counts):
        return level_at(part, bits, [1, *counts[1:-1], counts[0] + counts[-1] - 1])

    assert_breaks(
        "pixelcnn",
        "test_receipt_files",
        method(arithmetic_coding.Interval, "codeword", shorter),
        method(arithmetic_coding.Interval, "level_at", late),
        given=short(40),
    )


def test_receipt_length():
    """Tables as coarse as eighths; codes with one bit more."""
    frequencies, codeword = arithmetic_coding.frequencies, arithmetic_coding.Interval.codeword
    assert_breaks(
        "pixelcnn",
        "test_receipt_length",
        swap(frequencies, lambda chances, precision: frequencies(chances, 3)),
        method(arithmetic_coding.Interval, "codeword", lambda part: "0" + codeword(part)),
    )


def test_receipt_mean():
    """Codes with one bit more; codes without the bit that keeps them apart."""
    codeword = arithmetic_coding.Interval.codeword
    assert_breaks(
        "pixelcnn",
        "test_receipt_mean",
        method(arithmetic_coding.Interval, "codeword", lambda part: "0" + codeword(part)),
        method(arithmetic_coding.Interval, "codeword", lambda part: codeword(part)[:-1]),
    )


def test_receipt_shelf():
    """A network that is not asked: every level gets the same count."""
    frequencies = arithmetic_coding.frequencies
    assert_breaks(
        "pixelcnn",
        "test_receipt_shelf",
        swap(frequencies, lambda chances, bits: frequencies(torch.full_like(chances, 0.5), bits)),
    )


def test_receipt_twin():
    """Tables too coarse to see the difference."""
    frequencies = arithmetic_coding.frequencies
    assert_breaks(
        "pixelcnn",
        "test_receipt_twin",
        swap(frequencies, lambda chances, precision: frequencies(chances, 4)),
        given=short(60),
    )


def test_receipt_finished():
    def unmasked(model):
        return [weight.detach().float().cpu() for weight in model.parameters()]

    assert_breaks(
        "pixelcnn",
        "test_receipt_finished",
        altered(machines.bits, lambda cost: 1.01 * cost),
        swap(machines.open_weights, unmasked),
        given=short(20),
    )


def test_receipt_rounded():
    def coarse(tensors):
        return [tensor.sign() * tensor.abs().mean() for tensor in tensors]

    assert_breaks(
        "pixelcnn", "test_receipt_rounded", swap(weights.rounded, coarse), given=short(20)
    )
