"""The IDX format of the MNIST files: a magic number, the shape, the bytes."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genbook.kit.files import replace_file

GZIP_MAGIC = b"\x1f\x8b"


def parse_idx(payload: bytes, name: str, *, ndim: int | None = None) -> NDArray[np.uint8]:
    r"""Decode an IDX file of unsigned bytes.

    The header is two zero bytes, the type (8 for unsigned byte), the number of dimensions, then
    one big-endian 32-bit length per dimension; the values follow in C order.

    Args:
        payload: The whole file, uncompressed.
        name: What to call the file in an error.
        ndim: The number of dimensions it must have; any from 1 to 4 by default.

    Returns:
        The array, read-only.

    Raises:
        ValueError: If the magic number is wrong, or the file is shorter or longer than its header
            says.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]), "three bytes").tolist()
        [7, 8, 9]
    """
    magic, dims = payload[:4], payload[3] if len(payload) > 3 else 0
    wanted = f"{ndim}" if ndim else "1 to 4"
    if (
        len(magic) < 4
        or magic[:3] != b"\x00\x00\x08"
        or dims not in ((ndim,) if ndim else range(1, 5))
    ):
        raise ValueError(
            f"{name}: expected the IDX magic 00 00 08 and {wanted} dimensions, got "
            f"{magic.hex(' ') or 'an empty file'}; fetch the file again or delete it."
        )
    start = 4 + 4 * dims
    shape = tuple(
        int(n) for n in np.frombuffer(payload[4:start].ljust(4 * dims, b"\0"), dtype=">u4")
    )
    expected = start + int(np.prod(shape, dtype=np.int64))
    if len(payload) != expected:
        trouble = "truncated" if len(payload) < expected else "too long"
        raise ValueError(
            f"{name}: {trouble}: expected {expected:,} bytes for shape {list(shape)}, got "
            f"{len(payload):,}; fetch the file again or delete it."
        )
    return np.frombuffer(payload, dtype=np.uint8, offset=start).reshape(shape)


def unpack(stored: bytes, name: str) -> bytes:
    r"""Uncompress bytes if they are gzip; pass them on if not.

    Args:
        stored: What the file holds.
        name: What to call the file in an error.

    Returns:
        The uncompressed bytes.

    Raises:
        ValueError: If the gzip stream is cut short or damaged.

    Example:
        >>> unpack(gzip.compress(b"abc"), "a file"), unpack(b"abc", "a file")
        (b'abc', b'abc')
    """
    if not stored.startswith(GZIP_MAGIC):
        return stored
    try:
        return gzip.decompress(stored)
    except (EOFError, OSError, zlib.error) as trouble:
        raise ValueError(
            f"{name}: expected a whole gzip file, got one that is cut short or damaged "
            f"({trouble}); fetch the file again or delete it."
        ) from trouble


def verified(
    stored: bytes, name: str, *, md5: str | None = None, ndim: int | None = None
) -> NDArray[np.uint8]:
    r"""Decode an IDX file, gzip or raw, and hold it against a checksum.

    Args:
        stored: What the file holds.
        name: What to call the file in an error.
        md5: Checksum of the *uncompressed* file, or ``None`` for no such check.
        ndim: As in :func:`parse_idx`.

    Returns:
        The array, read-only.

    Raises:
        ValueError: If the file is cut short, damaged, of another format, or not the one expected.
    """
    payload = unpack(stored, name)
    array = parse_idx(payload, name, ndim=ndim)
    found = hashlib.md5(payload, usedforsecurity=False).hexdigest()
    if md5 is not None and found != md5:
        raise ValueError(
            f"{name}: expected md5 {md5} (uncompressed), got {found}; the file is damaged or "
            "another one: fetch it again or delete it."
        )
    return array


def read_idx(path: str | os.PathLike[str], *, ndim: int | None = None) -> NDArray[np.uint8]:
    r"""Read an IDX file, gzip or raw.

    Args:
        path: The file.
        ndim: The number of dimensions it must have, if known.

    Returns:
        The array, read-only.

    Raises:
        ValueError: If there is no such file, or it is not a whole IDX file of unsigned bytes.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_idx(Path(folder, "labels.gz"), np.array([1, 2, 3], dtype=np.uint8))
        ...     read_idx(Path(folder, "labels.gz")).tolist()
        [1, 2, 3]
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"read_idx: expected a file, found none at {path}.")
    return verified(path.read_bytes(), str(path), ndim=ndim)


def write_idx(path: str | os.PathLike[str], array: NDArray[np.uint8]) -> None:
    r"""Write an IDX file: gzip if the name ends in ``.gz``, raw otherwise; all of it or nothing.

    Args:
        path: The file.
        array: Unsigned bytes with 1 to 4 dimensions.

    Raises:
        ValueError: If the array has another dtype or more dimensions.
    """
    path, array = Path(path), np.asarray(array)
    if array.dtype != np.uint8 or not 1 <= array.ndim <= 4:
        raise ValueError(
            f"write_idx: expected uint8 with 1 to 4 dimensions, got {array.dtype} with "
            f"{array.ndim}."
        )
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    payload = header + array.tobytes()
    replace_file(path, gzip.compress(payload, mtime=0) if path.suffix == ".gz" else payload)
