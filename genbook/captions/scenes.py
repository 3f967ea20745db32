r"""Rendered scenes: one shape of two sizes and two shades, left or right on a small page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

SIDE = 16
SIZES, SHADES = ("big", "small"), ("dark", "pale")
SHAPES, PLACES = ("square", "disc", "cross"), ("left", "right")


@dataclass(frozen=True)
class Scene:
    r"""What a picture shows.

    Args:
        size: one of :data:`SIZES`.
        shade: one of :data:`SHADES`.
        shape: one of :data:`SHAPES`.
        place: one of :data:`PLACES`.
    """

    size: str
    shade: str
    shape: str
    place: str


SCENES = tuple(Scene(*parts) for parts in product(SIZES, SHADES, SHAPES, PLACES))
HELD_OUT = (
    Scene("big", "dark", "disc", "left"),
    Scene("small", "pale", "square", "right"),
    Scene("big", "pale", "cross", "right"),
    Scene("small", "dark", "cross", "left"),
)
SEEN = tuple(scene for scene in SCENES if scene not in HELD_OUT)


def render(scene: Scene, *, generator: torch.Generator) -> Tensor:
    r"""Draw a scene, its centre moved by up to one pixel along both axes.

    Args:
        scene: what to show.
        generator: of the shift.

    Returns:
        Ink from 0 to 1, **[16, 16]**.

    Example:
        >>> page = render(SCENES[0], generator=torch.Generator().manual_seed(0))
        >>> page.shape, page.max().item()
        (torch.Size([16, 16]), 1.0)
    """
    home = generator.device
    shift = torch.randint(-1, 2, (2,), generator=generator, device=home)
    line = torch.arange(SIDE, device=home)
    across = line[None] - (4 if scene.place == "left" else 11) - shift[0]
    down = line[:, None] - 8 - shift[1]
    reach = 3 if scene.size == "big" else 2
    inside = {
        "square": (across.abs() <= reach) & (down.abs() <= reach),
        "disc": across**2 + down**2 <= reach**2 + 1,
        "cross": ((across == 0) & (down.abs() <= reach)) | ((down == 0) & (across.abs() <= reach)),
    }[scene.shape]
    return inside.float() * (1.0 if scene.shade == "dark" else 0.5)
