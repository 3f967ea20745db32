"""The receipts of the chapter `translation`, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds

from genbook.kit import studies
from genbook.translation import (
    cyclegan,
    figures,
    networks,
    pix2pix,
    scores,
)
from genbook.translation import studies as translation_studies
from genbook.translation.cyclegan import ImagePool


@pytest.fixture(autouse=True)
def brief(monkeypatch, request):
    """Leave out of the chapter what no receipt looks at: the long training without pairs."""
    if "receipt" in request.node.name:
        honest = cyclegan.train_cycle
        monkeypatch.setattr(
            cyclegan,
            "train_cycle",
            lambda *a, iterations, **k: honest(*a, iterations=1, **k),
        )
        read = scores.reader
        monkeypatch.setattr(scores, "reader", lambda x, y, **_: read(x, y, steps=1))


def breaks(monkeypatch, test):
    assert_breaks("translation", test, monkeypatch)


def stale_rows(monkeypatch, name, change):
    """Let a recorded study hold other numbers."""
    honest = studies.load

    def load(wanted):
        found = honest(wanted)
        if wanted != name:
            return found
        return replace(found, rows=tuple({**row, **change(row)} for row in found.rows))

    monkeypatch.setattr(studies, "load", load)


def test_receipt_median(monkeypatch):
    monkeypatch.setattr(pix2pix, "best_constant", torch.Tensor.mean)
    breaks(monkeypatch, "test_receipt_median")


def test_receipt_pixel(monkeypatch):
    honest = figures.mixed_loss
    monkeypatch.setattr(figures, "mixed_loss", lambda p, w, v: honest(p, 1.0, v)[::-1])
    breaks(monkeypatch, "test_receipt_pixel")


def test_receipt_blind(monkeypatch):
    def crossed(critic, x, y):
        return torch.cat([y, y], 1) if critic == "xy" else x + y

    monkeypatch.setattr(pix2pix, "critic_view", crossed)
    breaks(monkeypatch, "test_receipt_blind")


def test_receipt_skips(monkeypatch):
    honest = networks.UNet.__init__

    def swapped(self, *args, skips, **options):
        honest(self, *args, skips=not skips, **options)

    monkeypatch.setattr(networks.UNet, "__init__", swapped)
    breaks(monkeypatch, "test_receipt_skips")


def test_receipt_field(monkeypatch):
    def without_strides(layers):
        return 1 + sum(kernel - 1 for kernel, _ in layers)

    monkeypatch.setattr(networks, "receptive_field", without_strides)
    breaks(monkeypatch, "test_receipt_field")


def test_receipt_cycle(monkeypatch):
    honest = cyclegan.cycle_loss
    monkeypatch.setattr(cyclegan, "cycle_loss", lambda g, f, x: honest(g, lambda v: v, x))
    breaks(monkeypatch, "test_receipt_cycle")


def test_receipt_pool(monkeypatch):
    def oldest(self, image):
        self.kept.append(image)
        return self.kept[0]

    monkeypatch.setattr(ImagePool, "_exchange", oldest)
    breaks(monkeypatch, "test_receipt_pool")


def test_receipt_sigma(monkeypatch):
    monkeypatch.setattr(cyclegan, "turn", lambda points, degrees: 1.01 * points)
    breaks(monkeypatch, "test_receipt_sigma")


def test_receipt_ignored(monkeypatch):
    other = {"GAN": {"read": 0.9, "noise": 0.1}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_ignored")


def test_receipt_blur(monkeypatch):
    other = {"L1": {"midtones": 0.01}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_blur")


def test_receipt_seen(monkeypatch):
    other = {"cGAN": {"read": 0.7}, "GAN": {"sharpness": 1.3}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_seen")


def test_receipt_cut(monkeypatch):
    other = {"L1, no skips": {"read": 0.99}}
    stale_rows(monkeypatch, "translation_ablation", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_cut")


def test_receipt_sweeps(monkeypatch):
    falling = {1: 0.9, 34: 0.1}

    def other(row):
        if row["sweep"] == "patch":
            return {"sharpness": falling.get(row["patch"], 0.5)}
        return {"midtones": 1 / (1 + row["weight"])}

    stale_rows(monkeypatch, "translation_sweeps", other)
    breaks(monkeypatch, "test_receipt_sweeps")


def test_receipt_photos(monkeypatch):
    other = {
        "L1": {"l1": 0.1, "calm": 0.9},
        "L1, from a copy": {"l1": 0.2},
    }
    stale_rows(monkeypatch, "translation_photos", lambda row: other.get(row["loss"], {}))
    breaks(monkeypatch, "test_receipt_photos")


def test_receipt_start(monkeypatch):
    honest = cyclegan.CycleNets

    def swapped(generator, recipe, **options):
        other = {"noise": "copy", "copy": "noise"}[recipe.start]
        return honest(generator, replace(recipe, start=other), **options)

    monkeypatch.setattr(cyclegan, "CycleNets", swapped)
    breaks(monkeypatch, "test_receipt_start")


def stale_scores(monkeypatch, other):
    stale_rows(monkeypatch, "translation_cycles", lambda row: other.get(row.get("loss"), {}))


def test_receipt_lost(monkeypatch):
    stale_scores(monkeypatch, {"CycleGAN, from noise": {"to_x": 0.3, "cycle_y": 0.1, "as_y": 0.9}})
    breaks(monkeypatch, "test_receipt_lost")


def test_receipt_found(monkeypatch):
    other = {
        "CycleGAN": {"to_y": 0.6, "to_x": 0.5},
        "GAN alone": {"to_x": 0.45, "to_y": 0.55},
        "cycle alone": {"as_x": 0.1},
    }
    stale_scores(monkeypatch, other)
    breaks(monkeypatch, "test_receipt_found")


def test_receipt_halves(monkeypatch):
    other = {
        "GAN + forward": {"to_y": 0.5, "to_x": 0.9},
        "CycleGAN + identity, from noise": {"to_y": 0.5},
    }
    stale_scores(monkeypatch, other)
    breaks(monkeypatch, "test_receipt_halves")


def test_receipt_hidden(monkeypatch):
    stale_scores(monkeypatch, {"CycleGAN": {"blocked": 0.03}})
    stale_rows(monkeypatch, "translation_hidden", lambda row: {"noise_0.02": 2 * row["noise_0"]})
    breaks(monkeypatch, "test_receipt_hidden")


def test_receipt_brick(monkeypatch):
    other = {"judged": 0.6, "as_y": 0.3, "slopes_y": 0.4, "edges_y": 0.2}
    stale_rows(monkeypatch, "translation_textures", lambda row: other)
    breaks(monkeypatch, "test_receipt_brick")


def test_receipt_live(monkeypatch):
    honest = translation_studies.small_scores
    monkeypatch.setattr(translation_studies, "small_scores", lambda seed: honest(seed, 1))
    breaks(monkeypatch, "test_receipt_live")


@pytest.mark.parametrize("test", ["test_receipt_blind", "test_receipt_sigma"])
def test_receipts_hold_as_the_chapter_stands(test, monkeypatch):
    assert_holds("translation", test, monkeypatch)
