"""MNIST from the cache, a folder, or the network; the bundled digits if none has it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from genbook.kit.data import places
from genbook.kit.data._checks import one_of
from genbook.kit.data.bundled import digits
from genbook.kit.data.fetch import DownloadError, fetch, is_good, reachable
from genbook.kit.data.idx import parse_idx, unpack, verified
from genbook.kit.data.images import ImageSet
from genbook.kit.device import Device, pick
from genbook.kit.environment import flag

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

    Each file is looked for in the cache, then in ``$GENBOOK_DATA`` under any of its usual spellings
    (:func:`genbook.kit.data.places.candidates`), then downloaded into the cache (unless
    ``GENBOOK_DOWNLOAD=0``); with ``GENBOOK_DATA=none`` none of this happens. A damaged copy is
    passed by if there is a good one. Whatever happened, ``notice`` says it in one line; ``name``
    is ``"mnist"`` or ``"digits"``.

    Args:
        split: ``"train"`` (60,000) or ``"test"`` (10,000).
        device: As in :func:`genbook.kit.device.pick`.
        dtype: Floating dtype of the images.

    Returns:
        Images **[N, 1, 28, 28]** in [0, 1] and labels **[N]**; **[N, 1, 8, 8]** for the digits.

    Raises:
        ValueError: If the split is unknown, ``GENBOOK_DATA`` names no folder, or all copies of a
            file that are there are truncated, corrupt or of another format.

    Example:
        >>> train = mnist("train", device="cpu")
        >>> train.name in ("mnist", "digits"), train.images.ndim
        (True, 4)
    """
    one_of("split", split, tuple(FILES))
    where = pick(device, dtype)
    chosen = sources(split)
    passed = "".join(f" Passed by: {text}" for text in chosen.bad)
    if chosen.reason:
        notice = f"MNIST is out of reach ({chosen.reason}): going on with the bundled 8×8 digits."
        return digits(split, device=where, notice=notice + passed)
    images, labels = _arrays({name: chosen.paths[name] for name in FILES[split]})
    return ImageSet(
        name="mnist",
        images=torch.tensor(images[:, None], device=where.device).to(where.dtype).div_(255),
        labels=torch.tensor(labels, device=where.device).long(),
        notice=f"MNIST: {len(images):,} handwritten digits of 28×28 pixels ({split}).{passed}",
    )


PATIENCE = 20.0
"""Seconds that a build waits for MNIST; what has arrived by then is kept for the next time."""


def before_a_build(*, seconds: float = PATIENCE) -> str:
    r"""Fetch MNIST if it is not here, for a limited time, and say what the book will be built on.

    Args:
        seconds: how long to try.

    Returns:
        One line.

    Raises:
        ValueError: If ``GENBOOK_DATA`` names no folder, or the only copies of a file are bad.
    """
    there = _state(download=False)
    if isinstance(there, Path):
        return f"MNIST: found in {_short(there)}."
    if places.bundled_only() or not flag("GENBOOK_DOWNLOAD", default=True):
        return f"MNIST: {there}. The book will use the bundled 8×8 digits."
    trouble: list[str] = [f"not fetched within {seconds:.0f} s; `make data` goes on with it"]

    def bring() -> None:
        after = _state(download=True)
        trouble[0] = "" if isinstance(after, Path) else after

    worker = threading.Thread(target=bring, daemon=True)
    worker.start()
    worker.join(seconds)
    if trouble[0]:
        return f"MNIST: {trouble[0]}. The book will use the bundled 8×8 digits."
    return f"MNIST: fetched into {_short(places.cached('x').parent)}."


def _state(*, download: bool) -> Path | str:
    """The folder that has both splits, or why it can't be had."""
    both = [sources(split, download=download) for split in FILES]
    reason = next((one.reason for one in both if one.reason), "")
    return reason or next(iter(both[0].paths.values())).parent


def fetch_mnist() -> list[Path]:
    r"""Download the four files into the cache; good ones that are there stay, bad ones are mended.

    Returns:
        Where the files are.

    Raises:
        ValueError: If ``GENBOOK_DOWNLOAD=0`` forbids it, before anything is asked for; if the
            network or every mirror fails: it says what each of them did.
    """
    if not flag("GENBOOK_DOWNLOAD", default=True):
        raise ValueError("GENBOOK_DOWNLOAD=0 forbids to download MNIST; unset it and try again")
    try:
        return list(_downloaded(list(MD5)).values())
    except OSError as trouble:
        raise ValueError(
            f"MNIST can't be downloaded: {trouble}. Try again (what has arrived is kept), or put "
            "the four files into a folder and set GENBOOK_DATA to it."
        ) from trouble


@dataclass(frozen=True)
class Sources:
    r"""The files that :func:`mnist` reads, or why it goes on with the bundled digits.

    Args:
        paths: name of a file → the copy of it that is read; empty for the bundled digits.
        reason: why MNIST can't be had, empty if it can.
        bad: what is wrong with copies that were passed by.
    """

    paths: Mapping[str, Path]
    reason: str = ""
    bad: tuple[str, ...] = ()


def sources(split: str, *, download: bool = True) -> Sources:
    r"""Decide what :func:`mnist` reads; the book's build asks the same function.

    Args:
        split: ``"train"`` or ``"test"``.
        download: whether the network may be asked, if ``GENBOOK_DOWNLOAD`` does not forbid it.

    Returns:
        The files.

    Raises:
        ValueError: If ``GENBOOK_DATA`` names no folder, or the only copies of a file are bad.
    """
    if places.bundled_only():
        return Sources({}, "GENBOOK_DATA=none")
    found = {name: places.find(name, _verified) for name in FILES[split]}
    bad = tuple(text for one in found.values() for text in one.bad)
    paths = {name: one.path for name, one in found.items() if one.path is not None}
    missing = [name for name in found if name not in paths]
    if hopeless := [text for name in missing for text in found[name].bad]:
        raise ValueError("; ".join(hopeless))
    try:
        return Sources(paths | _downloaded_if_allowed(missing, download), bad=bad)
    except _OutOfReachError as reason:
        return Sources({}, str(reason), bad)


class _OutOfReachError(Exception):
    """MNIST can't be had, and why."""


def _arrays(paths: Mapping[str, Path]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [N, H, W] and labels [N] from files that were found good."""
    images, labels = (
        parse_idx(unpack(path.read_bytes(), str(path)), str(path)) for path in paths.values()
    )
    if len(images) != len(labels):
        raise ValueError(f"MNIST: {len(images)} images but {len(labels)} labels; fetch it again.")
    return images, labels


def _verified(name: str, stored: bytes, called: str) -> NDArray[np.uint8]:
    return verified(stored, called, md5=MD5[name], ndim=3 if "images" in name else 1)


def _downloaded_if_allowed(names: list[str], download: bool) -> dict[str, Path]:
    """The files, or one line that says why not."""
    if not names:
        return {}
    allowed = flag("GENBOOK_DOWNLOAD", default=True)
    if not (download and allowed):
        looked = ", ".join(map(_short, places.looked_in()[:3]))
        forbidden = "" if allowed else "; GENBOOK_DOWNLOAD=0"
        raise _OutOfReachError(f"no {names[0]} in {looked}{forbidden}")
    try:
        return _downloaded(names)
    except DownloadError as trouble:
        raise _OutOfReachError(trouble.short) from trouble
    except OSError as trouble:
        raise _OutOfReachError(f"the cache can't be written: {trouble.strerror}") from trouble


def _downloaded(names: list[str]) -> dict[str, Path]:
    """The files, fetched into the cache where they are not there yet, or are bad."""
    wanted = {name: places.cached(name) for name in names}
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


def _short(folder: Path) -> str:
    """A folder as people write it."""
    home = os.path.expanduser("~")
    return re.sub(f"^{re.escape(home)}(?=/|$)", "~", str(folder))
