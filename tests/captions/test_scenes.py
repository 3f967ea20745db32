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


@pytest.mark.parametrize(
    ("size", "shape", "pixels"),
    [
        ("small", "square", 25), ("big", "square", 49),  # (2r + 1)²
        ("small", "cross", 9), ("big", "cross", 13),  # 4r + 1
        ("small", "disc", 21), ("big", "disc", 37),  # points with x² + y² ≤ 5, ≤ 10
    ],
)  # fmt: skip
def test_a_shape_has_its_area_and_its_symmetries(size, shape, pixels):
    page = scenes.render(scenes.Scene(size, "dark", shape, "left"), generator=seeded(3))
    assert page.sum() == pixels
    rows, columns = (page.sum(axis).nonzero().flatten() for axis in (1, 0))
    own = page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert own.shape[0] == own.shape[1] == (7 if size == "big" else 5)
    for other in (own.flip(0), own.flip(1), own.T):
        assert torch.equal(own, other)


def test_the_centre_moves_along_both_axes_by_itself():
    source, middles = seeded(0), set()
    for _ in range(200):
        page = scenes.render(scenes.SCENES[0], generator=source)
        down, across = page.nonzero().double().mean(0).tolist()
        middles.add((down, across))
    assert middles == {(8.0 + i, 4.0 + j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
