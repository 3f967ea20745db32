"""The receipts of the chapter `translation`, with the code behind each broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import torch
from chapters import assert_breaks, method, rewritten, swap

from genbook.kit.machine import weights
from genbook.translation import cyclegan, figures, machines, networks, pix2pix, studies


def fast(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")


def by_loss(study, other):
    """A recorded study that says something else about some losses."""
    return rewritten(study, lambda row: other.get(row.get("loss"), {}))


def test_receipt_median():
    assert_breaks("translation", "test_receipt_median", swap(pix2pix.best_constant, torch.mean))


def test_receipt_pixel():
    mixed_loss = figures.mixed_loss
    assert_breaks(
        "translation",
        "test_receipt_pixel",
        swap(mixed_loss, lambda p, weight, v: mixed_loss(p, 1.0 - weight, v)[::-1]),
        swap(mixed_loss, lambda p, weight, v: mixed_loss(1 - p, weight, v)),
    )


def test_receipt_root():
    """The game's optimum, whatever the weight; the end that L1 wants."""
    assert_breaks(
        "translation",
        "test_receipt_root",
        swap(figures.one_pixel_optimum, lambda share, _: share),
        swap(figures.one_pixel_optimum, lambda share, _: float(share > 0.5)),
    )


def test_receipt_ends():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "translation",
        "test_receipt_ends",
        rewritten("translation_sweeps", lambda row: {"sharpness": 0.5, "read": 0.5, "noise": 0.5}),
    )


def test_receipt_blind():
    def crossed(critic, x, y):
        return torch.cat([y, y], 1) if critic == "xy" else x + y

    assert_breaks("translation", "test_receipt_blind", swap(pix2pix.critic_view, crossed))


def test_receipt_skips():
    build = networks.UNet.__init__

    def swapped(self, *args, skips, **options):
        build(self, *args, skips=not skips, **options)

    assert_breaks("translation", "test_receipt_skips", method(networks.UNet, "__init__", swapped))


def test_receipt_field():
    def without_strides(layers):
        return 1 + sum(kernel - 1 for kernel, _ in layers)

    assert_breaks(
        "translation", "test_receipt_field", swap(networks.receptive_field, without_strides)
    )


def test_receipt_cycle():
    cycle_loss = cyclegan.cycle_loss
    assert_breaks(
        "translation",
        "test_receipt_cycle",
        swap(cycle_loss, lambda g, f, x: cycle_loss(g, lambda v: v, x)),
    )


def test_receipt_pool():
    """Always the oldest; and a coin that is thrown even before the pool is full."""
    fill = cyclegan.ImagePool.__call__

    def oldest(self, image):
        self.kept.append(image)
        return self.kept[0]

    assert_breaks(
        "translation",
        "test_receipt_pool",
        method(cyclegan.ImagePool, "_exchange", oldest),
        method(cyclegan.ImagePool, "__call__", lambda self, images: fill(self, images).flip(0)),
    )


def test_receipt_sigma():
    turn = cyclegan.turn
    assert_breaks(
        "translation",
        "test_receipt_sigma",
        swap(turn, lambda points, degrees: turn(points, abs(degrees))),
        swap(turn, lambda points, degrees: turn(points, 1.01 * degrees)),
        swap(turn, lambda points, degrees: turn(points, degrees / 2)),
    )


def test_receipt_ignored():
    """Shows that the claims are read from the record."""
    other = {"GAN": {"read": 0.9, "noise": 0.1}}
    assert_breaks("translation", "test_receipt_ignored", by_loss("translation_ablation", other))


def test_receipt_blur():
    """Shows that the claim is read from the record."""
    other = {"L1": {"midtones": 0.01}}
    assert_breaks("translation", "test_receipt_blur", by_loss("translation_ablation", other))


def test_receipt_seen():
    """Shows that the claims are read from the record."""
    other = {"cGAN": {"read": 0.7}, "GAN": {"sharpness": 1.3}}
    assert_breaks("translation", "test_receipt_seen", by_loss("translation_ablation", other))


def test_receipt_cut():
    """Shows that the claim is read from the record."""
    other = {"L1, no skips": {"read": 0.99}}
    assert_breaks("translation", "test_receipt_cut", by_loss("translation_ablation", other))


def test_receipt_sweeps():
    """Shows that one step in the other direction would be seen."""
    assert_breaks(
        "translation",
        "test_receipt_sweeps",
        rewritten(
            "translation_sweeps",
            lambda row: {"sharpness": 0.0, "midtones": 0.0} if row["seed"] == 1 else {},
        ),
    )


def test_receipt_photos():
    """Shows that the claims are read from the record."""
    other = {"L1": {"l1": 0.1, "calm": 0.9}, "L1, from a copy": {"l1": 0.2}}
    assert_breaks("translation", "test_receipt_photos", by_loss("translation_photos", other))


def test_receipt_start():
    build = cyclegan.CycleNets

    def swapped(generator, recipe, **options):
        other = {"noise": "copy", "copy": "noise"}[recipe.start]
        return build(generator, replace(recipe, start=other), **options)

    assert_breaks("translation", "test_receipt_start", swap(build, swapped))


def test_receipt_lost():
    """Shows that the claims are read from the record."""
    other = {"CycleGAN, from noise": {"to_x": 0.3, "cycle_y": 0.1, "as_y": 0.9}}
    assert_breaks("translation", "test_receipt_lost", by_loss("translation_cycles", other))


def test_receipt_found():
    """Shows that the claims are read from the record."""
    other = {
        "CycleGAN": {"to_y": 0.6, "to_x": 0.5},
        "GAN alone": {"to_x": 0.45, "to_y": 0.55},
        "cycle alone": {"as_x": 0.1},
    }
    assert_breaks("translation", "test_receipt_found", by_loss("translation_cycles", other))


def test_receipt_halves():
    """Shows that the claims are read from the record."""
    other = {
        "GAN + forward": {"to_y": 0.5, "to_x": 0.9},
        "CycleGAN + identity, from noise": {"to_y": 0.5},
    }
    assert_breaks("translation", "test_receipt_halves", by_loss("translation_cycles", other))


def test_receipt_hidden():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "translation",
        "test_receipt_hidden",
        by_loss("translation_cycles", {"CycleGAN": {"blocked": 0.03}}),
        rewritten("translation_hidden", lambda row: {"noise_0.02": 2 * row["noise_0"]}),
    )


def test_receipt_live():
    """A training that is over at once."""
    small_scores = studies.small_scores
    assert_breaks(
        "translation",
        "test_receipt_live",
        swap(small_scores, lambda seed: small_scores(seed, 1)),
    )


def test_receipt_painter(monkeypatch):
    """The dropout keeps what it should drop."""
    fast(monkeypatch)
    translated = machines.translated

    def turned(net, held, x, inner, outer):
        return translated(net, held, x, 1 - inner, outer)

    assert_breaks("translation", "test_receipt_painter", swap(translated, turned))


def test_receipt_packed(monkeypatch):
    """One bit a weight, and its sign."""
    fast(monkeypatch)

    def coarse(tensors):
        return [t.sign() * t.abs().mean() for t in tensors]

    assert_breaks("translation", "test_receipt_packed", swap(weights.rounded, coarse))
