"""MNIST from the cache, a folder, or the network; the bundled digits if none has it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import genbook
from genbook.kit.data._checks import one_of
from genbook.kit.data.bundled import digits
from genbook.kit.data.fetch import DownloadError, fetch, is_good, reachable
from genbook.kit.data.idx import verified
from genbook.kit.data.images import ImageSet
from genbook.kit.device import Device, pick
from genbook.kit.environment import cache_folder, flag

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

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
    "https://azureopendatastorage.blob.core.windows.net/mnist/",
)
"""Public copies of the four files, gzip."""


def mnist(
    split: str = "train",
    *,
    device: str | torch.device | Device | None = None,
    dtype: torch.dtype | None = None,
) -> ImageSet:
    r"""MNIST, or the bundled digits where it can't be had.

    Each file is looked for in the cache, then in ``$GENBOOK_DATA``, then downloaded into the cache
    (unless ``GENBOOK_DOWNLOAD=0``); with ``GENBOOK_DATA=none`` none of this happens. Whatever
    happened, ``notice`` says it in one line; ``name`` is ``"mnist"`` or ``"digits"``.

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
    where = pick(device, dtype)
    try:
        images, labels = _arrays(split)
    except _OutOfReachError as reason:
        notice = f"MNIST is out of reach ({reason}): going on with the bundled 8×8 digits."
        return digits(split, device=where, notice=notice)
    return ImageSet(
        name="mnist",
        images=torch.tensor(images[:, None], device=where.device).to(where.dtype).div_(255),
        labels=torch.tensor(labels, device=where.device).long(),
        notice=f"MNIST: {len(images):,} handwritten digits of 28×28 pixels ({split}).",
    )


def fetch_mnist() -> list[Path]:
    r"""Download the four files into the cache; good ones that are there stay, bad ones are mended.

    Returns:
        Where the files are.

    Raises:
        ValueError: If the network or every mirror fails; it says what each of them did.
    """
    try:
        return list(_downloaded(list(MD5)).values())
    except OSError as trouble:
        raise ValueError(
            f"MNIST can't be downloaded: {trouble}. Try again (what has arrived is kept), or put "
            "the four files into a folder and set GENBOOK_DATA to it."
        ) from trouble


class _OutOfReachError(Exception):
    """MNIST can't be had, and why."""


def _arrays(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [N, H, W] and labels [N]."""
    asked = os.environ.get("GENBOOK_DATA", "").strip()
    if asked.lower() == "none":
        raise _OutOfReachError("GENBOOK_DATA=none")
    folder = _data_folder(asked)
    found = {name: _local(name, folder) for name in FILES[split]}
    if missing := [name for name, path in found.items() if path is None]:
        found |= _downloaded_if_allowed(missing)
    images, labels = (_read(name, path) for name, path in found.items() if path)
    if len(images) != len(labels):
        raise ValueError(f"MNIST: {len(images)} images but {len(labels)} labels; fetch it again.")
    return images, labels


def _read(name: str, path: Path) -> NDArray[np.uint8]:
    """The array in the file at ``path``, verified as the one called ``name``."""
    return _verified(name, path.read_bytes(), str(path))


def _verified(name: str, stored: bytes, called: str) -> NDArray[np.uint8]:
    return verified(stored, called, md5=MD5[name], ndim=3 if "images" in name else 1)


def _local(name: str, folder: Path | None) -> Path | None:
    """The file called ``name``, gzip or raw, in the cache or in the folder."""
    candidates = [_cached(name)]
    if folder:
        inside = [folder / "mnist", folder, folder / "MNIST" / "raw"]
        candidates += [where / f"{name}{end}" for where in inside for end in ("", ".gz")]
    return next((path for path in candidates if path.is_file()), None)


def _cached(name: str) -> Path:
    return cache_folder() / "mnist" / f"{name}.gz"


def _data_folder(asked: str) -> Path | None:
    """The folder that ``GENBOOK_DATA`` names; a relative path also counts from the repository."""
    if not asked:
        return None
    repository = Path(genbook.__file__).parent.parent
    for folder in (Path(asked).expanduser(), repository / asked):
        if folder.is_dir():
            return folder
    raise ValueError(
        f"GENBOOK_DATA: expected a folder or 'none', found no folder at {asked}; unset it, or give "
        "the folder that holds mnist/."
    )


def _downloaded_if_allowed(names: list[str]) -> dict[str, Path]:
    """The files, or one line that says why not."""
    if not flag("GENBOOK_DOWNLOAD", default=True):
        raise _OutOfReachError("not on this machine, GENBOOK_DOWNLOAD=0")
    try:
        return _downloaded(names)
    except DownloadError as trouble:
        raise _OutOfReachError(trouble.short) from trouble
    except OSError as trouble:
        raise _OutOfReachError(f"the cache can't be written: {trouble.strerror}") from trouble


def _downloaded(names: list[str]) -> dict[str, Path]:
    """The files, fetched into the cache where they are not there yet, or are bad."""
    wanted = {name: _cached(name) for name in names}
    checks = {name: partial(_check, name) for name in names}
    missing = [name for name, path in wanted.items() if not is_good(path, checks[name])]
    if missing:
        alive = reachable([f"{mirror}{missing[0]}.gz" for mirror in MIRRORS])
        for name in missing:
            urls = [url.replace(missing[0], name) for url in alive]
            fetch(wanted[name], urls, checks[name])
    return wanted


def _check(name: str, stored: bytes) -> None:
    _verified(name, stored, f"{name}.gz")
