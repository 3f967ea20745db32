"""Scenes: what is drawn where."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import scenes
from genbook.kit.device import seeded


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_ink_lies_on_its_side_in_its_shade(scene):
    page = scenes.render(scene, generator=seeded(0))
    across = (page.sum(0) * torch.arange(16)).sum() / page.sum()
    home = 4 if scene.place == "left" else 11
    assert abs(float(across) - home) <= 1.001
    assert page.max() == (1.0 if scene.shade == "dark" else 0.5)


def test_held_out_combinations_leave_every_word_to_be_seen():
    assert len(scenes.SEEN) == 20
    for part in ("size", "shade", "shape", "place"):
        values = {getattr(scene, part) for scene in scenes.SCENES}
        assert {getattr(scene, part) for scene in scenes.SEEN} == values


def test_a_square_has_its_area():
    page = scenes.render(scenes.Scene("small", "dark", "square", "left"), generator=seeded(3))
    assert page.sum() == 25
