"""MNIST from the cache, a folder, or the network; the bundled digits if none has it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import genbook
from genbook.kit.data._checks import one_of
from genbook.kit.data.bundled import digits
from genbook.kit.data.idx import verified
from genbook.kit.data.images import ImageSet
from genbook.kit.device import Device, pick

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""The four files, with the md5 of each when uncompressed."""

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""The images and the labels of each split."""


def mnist(
    split: str = "train",
    *,
    device: str | torch.device | Device | None = None,
    dtype: torch.dtype | None = None,
) -> ImageSet:
    r"""MNIST, or the bundled digits where it can't be had.

    Looks in the cache, then in ``$GENBOOK_DATA``, then downloads (unless ``GENBOOK_DOWNLOAD=0``);
    with ``GENBOOK_DATA=none`` it does none of these. Whatever happened, ``notice`` says it in one
    line; ``name`` is ``"mnist"`` or ``"digits"``.

    Args:
        split: ``"train"`` (60,000) or ``"test"`` (10,000).
        device: As in :func:`genbook.kit.device.pick`.
        dtype: Floating dtype of the images.

    Returns:
        Images **[N, 1, 28, 28]** in [0, 1] and labels **[N]**; **[N, 1, 8, 8]** for the digits.

    Raises:
        ValueError: If the split is unknown, ``GENBOOK_DATA`` names no folder, or a file that is
            there is truncated, corrupt or of another format.

    Example:
        >>> train = mnist("train", device="cpu")
        >>> train.name in ("mnist", "digits"), train.images.ndim
        (True, 4)
    """
    one_of("split", split, tuple(FILES))
    found = _found(split)
    if isinstance(found, str):
        return digits(split, device=device, dtype=dtype, notice=found)
    images, labels = found
    where = pick(device, dtype)
    return ImageSet(
        name="mnist",
        images=torch.tensor(images[:, None], device=where.device).to(where.dtype).div_(255),
        labels=torch.tensor(labels, device=where.device).long(),
        notice=f"MNIST: {len(images):,} handwritten digits of 28×28 pixels ({split}).",
    )


def _found(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | str:
    """Images and labels, or one line that says why there are none."""
    asked = os.environ.get("GENBOOK_DATA", "").strip()
    if asked.lower() == "none":
        return "GENBOOK_DATA=none: using the bundled 8×8 digits instead of MNIST."
    folder = _data_folder(asked)
    paths = [_in_folder(folder, name) for name in FILES[split]] if folder else []
    arrays = [
        verified(path.read_bytes(), str(path), md5=MD5[name])
        for path, name in zip(paths, FILES[split], strict=False)
        if path
    ]
    if len(arrays) == 2:
        return arrays[0], arrays[1]
    return "MNIST is not here: using the bundled 8×8 digits."


def _data_folder(asked: str) -> Path | None:
    """The folder that ``GENBOOK_DATA`` names."""
    if not asked:
        return None
    candidates = [Path(asked).expanduser(), Path(genbook.__file__).parent.parent / asked]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise ValueError(
        f"GENBOOK_DATA: expected a folder or 'none', found no folder at {asked}; unset it, or give "
        "the folder that holds mnist/."
    )


def _in_folder(folder: Path, name: str) -> Path | None:
    """The file called ``name``, gzip or raw."""
    for inside in ("mnist", ".", "MNIST/raw"):
        for ending in ("", ".gz"):
            path = folder / inside / f"{name}{ending}"
            if path.is_file():
                return path
    return None
