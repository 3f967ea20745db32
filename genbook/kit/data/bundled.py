"""Data that is on every machine: what the scikit-learn and scikit-image wheels carry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from genbook.kit.data._checks import one_of, random_source, whole
from genbook.kit.data.images import ImageSet
from genbook.kit.device import Device, pick

DIGITS_TRAIN = 1437
"""The first 1,437 of the 1,797 digits are for training, the last 360 for testing."""

PHOTOGRAPHS: dict[str, tuple[str, str]] = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "brick": ("skimage", "data/brick.png"),
    "camera": ("skimage", "data/camera.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
"""The photographs inside the two wheels: name → (package, file). Five are grey: brick, camera,
coins, grass, gravel."""

COLOUR = ("astronaut", "chelsea", "china", "coffee", "flower", "motorcycle", "rocket")
"""The photographs in colour."""

TEST_STRIP = 5
"""Split by region: the rightmost fifth of each photograph is for testing."""


def digits(
    split: str = "train",
    *,
    device: str | torch.device | Device | None = None,
    dtype: torch.dtype | None = None,
    notice: str = "",
) -> ImageSet:
    r"""The 8×8 handwritten digits that scikit-learn carries.

    The set has 1,797 digits; their writers come in order, so the split by position (the first 1,437
    to train, the last 360 to test) mostly keeps the writers of the two parts apart.

    Args:
        split: ``"train"``, ``"test"`` or ``"all"``.
        device: As in :func:`genbook.kit.device.pick`.
        dtype: Floating dtype of the images.
        notice: One line to show the reader; it says what the set is by default.

    Returns:
        Images **[N, 1, 8, 8]** in [0, 1] (sixteenths) and labels **[N]**.

    Raises:
        ValueError: If the split is unknown.

    Example:
        >>> train = digits("train", device="cpu")
        >>> train.name, list(train.images.shape), float(train.images.max())
        ('digits', [1437, 1, 8, 8], 1.0)
    """
    one_of("split", split, ("train", "test", "all"))
    where = pick(device, dtype)
    images, labels = _bundled_digits()
    part = {
        "train": slice(DIGITS_TRAIN),
        "test": slice(DIGITS_TRAIN, None),
        "all": slice(None),
    }[split]
    return ImageSet(
        name="digits",
        images=torch.tensor(images[part, None] / 16, dtype=where.dtype, device=where.device),
        labels=torch.tensor(labels[part], dtype=torch.int64, device=where.device),
        notice=notice
        or "digits: 1,797 handwritten digits of 8×8 pixels, bundled with scikit-learn.",
    )


def photos(
    size: int = 16,
    split: str = "train",
    *,
    stride: int | None = None,
    count: int | None = None,
    generator: torch.Generator | None = None,
    channels: int = 3,
    shrink: int = 1,
    names: Sequence[str] | None = None,
    by: str = "region",
    device: str | torch.device | Device | None = None,
    dtype: torch.dtype | None = None,
) -> ImageSet:
    r"""Square patches of the real photographs that scikit-learn and scikit-image carry.

    Give ``stride`` for all patches on a regular lattice, or ``count`` and ``generator`` for patches
    at random places. The two splits share no pixel.

    Args:
        size: Side of a patch in pixels.
        split: ``"train"``, ``"test"`` or ``"all"``.
        stride: Distance between neighbouring patches; ``size`` (no overlap) if neither it nor
            ``count`` is given.
        count: Number of random patches.
        generator: Draws the places; a CPU generator.
        channels: 3 for colour, 1 for grey (luma, ITU-R BT.601).
        shrink: Average over ``shrink × shrink`` blocks first, so that a small patch holds more.
        names: Keys of :data:`PHOTOGRAPHS`; all in colour for three channels, all for one.
        by: ``"region"``: the rightmost fifth of each photograph is for testing. ``"photograph"``:
            each fifth name, counted from the last, is for testing.
        device: As in :func:`genbook.kit.device.pick`.
        dtype: Floating dtype of the images.

    Returns:
        Images **[N, channels, size, size]** in [0, 1]; a label is the photograph's place in
        ``names``.

    Raises:
        ValueError: If an argument is out of range, a photograph is unknown or too small for the
            patch, or both ``stride`` and ``count`` are given.

    Example:
        >>> patches = photos(8, stride=64, channels=1, names=["camera", "coins"], device="cpu")
        >>> patches.size, patches.labels.unique().tolist()
        ((1, 8, 8), [0, 1])
    """
    whole("size", size, 1)
    whole("shrink", shrink, 1)
    one_of("split", split, ("train", "test", "all"))
    one_of("by", by, ("region", "photograph"))
    if channels not in (1, 3):
        raise ValueError(f"channels: expected 1 (grey) or 3 (colour), got {channels!r}.")
    if stride is not None and count is not None:
        raise ValueError("photos: expected stride (a lattice) or count (random places), got both.")
    names = tuple(names) if names is not None else (COLOUR if channels == 3 else tuple(PHOTOGRAPHS))
    pictures = _regions(names, channels, shrink, split, by)
    _refuse_small(pictures, names, size)
    if count is None:
        step = size if stride is None else whole("stride", stride, 1)
        cuts = {place: _lattice(picture, size, step) for place, picture in pictures.items()}
    else:
        if generator is None:
            raise ValueError("photos: random places need generator=, a CPU torch.Generator.")
        cuts = _scatter(pictures, size, whole("count", count, 1), random_source(generator))
    where = pick(device, dtype)
    labels = [torch.full((len(cut),), place) for place, cut in cuts.items()]
    return ImageSet(
        name="photos",
        images=torch.cat(list(cuts.values())).to(where.device, where.dtype),
        labels=torch.cat(labels).to(where.device),
        notice="photos: patches of photographs bundled with scikit-learn and scikit-image.",
    )


@lru_cache(maxsize=1)
def _bundled_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Images [1797, 8, 8] in 0..16 and labels [1797]."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _photograph(name: str) -> Tensor:
    """A photograph as [C, H, W] in [0, 1], C = 1 or 3."""
    from PIL import Image

    package, file = PHOTOGRAPHS[name]
    spec = find_spec(package)
    path = Path(spec.origin or "").parent / file if spec else None
    if path is None or not path.is_file():
        raise ValueError(
            f"photos: {name!r} is not in the installed {package}; install the version that "
            "requirements.txt names, or leave it out of names=."
        )
    with Image.open(path) as picture:
        pixels = np.array(picture.convert("L" if picture.mode == "L" else "RGB"), dtype=np.float32)
    return torch.from_numpy(np.atleast_3d(pixels) / 255).permute(2, 0, 1).contiguous()


def _coloured(picture: Tensor, channels: int) -> Tensor:
    """``picture`` [C, H, W] with the number of channels asked for."""
    if channels == len(picture):
        return picture
    if channels == 3:
        return picture.expand(3, -1, -1)
    return torch.einsum("chw,c->hw", picture, torch.tensor([0.299, 0.587, 0.114]))[None]


def _regions(
    names: tuple[str, ...], channels: int, shrink: int, split: str, by: str
) -> dict[int, Tensor]:
    """The parts of the photographs that belong to the split, by place in ``names``."""
    if not names:
        raise ValueError("names: expected at least one photograph, got none.")
    regions = {}
    for place, name in enumerate(names):
        one_of("names", name, tuple(PHOTOGRAPHS))
        testing = (len(names) - 1 - place) % TEST_STRIP == 0
        if by == "photograph" and split != "all" and testing != (split == "test"):
            continue
        picture = avg_pool2d(_coloured(_photograph(name), channels)[None], shrink)[0]
        if by == "region" and split != "all":
            edge = picture.shape[-1] - picture.shape[-1] // TEST_STRIP
            picture = picture[..., :edge] if split == "train" else picture[..., edge:]
        regions[place] = picture
    if not regions:
        raise ValueError(
            f"photos: no photograph is left for {split!r} of {list(names)}; give more names."
        )
    return regions


def _refuse_small(pictures: dict[int, Tensor], names: tuple[str, ...], size: int) -> None:
    """Raise if a patch does not fit."""
    for place, picture in pictures.items():
        height, width = picture.shape[-2:]
        if min(height, width) < size:
            raise ValueError(
                f"photos: a patch of {size}×{size} does not fit {names[place]!r}, whose part for "
                f"this split is {height}×{width}; use a smaller size or shrink, or leave it out."
            )


def _lattice(picture: Tensor, size: int, stride: int) -> Tensor:
    """All patches [N, C, size, size] on a lattice."""
    patches = picture.unfold(1, size, stride).unfold(2, size, stride)
    return patches.permute(1, 2, 0, 3, 4).flatten(0, 1).clamp(0, 1)


def _scatter(
    pictures: dict[int, Tensor], size: int, count: int, generator: torch.Generator
) -> dict[int, Tensor]:
    """``count`` patches at random places, each photograph as often as its area asks."""
    places = list(pictures)
    room = [(p.shape[1] - size + 1, p.shape[2] - size + 1) for p in pictures.values()]
    areas = torch.tensor([float(height * width) for height, width in room])
    chosen = torch.multinomial(areas, count, replacement=True, generator=generator)
    where = torch.rand(count, 2, generator=generator, dtype=torch.float64)
    cuts = {}
    for which, place in enumerate(places):
        corners = (where[chosen == which] * torch.tensor(room[which])).long()
        if len(corners):
            picture = pictures[place]
            cut = [picture[:, y : y + size, x : x + size] for y, x in corners.tolist()]
            cuts[place] = torch.stack(cut).clamp(0, 1)
    return cuts
