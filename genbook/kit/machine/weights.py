r"""Trained weights, packed for a page: 8 bits a number, with a scale a row.

A tensor of at least two axes is cut into rows along the first. A row is kept as whole numbers
:math:`q_j\in\{-127,\dots,127\}` and one scale :math:`s` of single precision:

.. math:: s = \max_j |w_j| / 127, \qquad w_j \approx s\, q_j, \qquad
    |w_j - s\,q_j| \le \tfrac12 s\,(1 + 2^{-15}) .

Vectors (biases, gains) and scalars stay in single precision. What that costs can be measured:
:func:`rounded` gives the tensors as the page will have them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from genbook.kit.machine.scripts import script

__all__ = ["pack", "rounded", "unpack"]

SCRIPT = script("weights")
"""The same unpacking on a page."""


def pack(tensors: Sequence[Tensor]) -> str:
    r"""Tensors as text.

    Leaf after leaf: the scales of its rows (float32, little-endian), then a byte a number; a leaf
    of fewer than two axes as float32.

    Args:
        tensors: of float32, finite.

    Returns:
        Base64.

    Raises:
        ValueError: If a tensor is not of float32, or a number is not finite.

    Example:
        >>> text = pack([torch.tensor([[1.0, -0.5], [0.0, 0.0]])])
        >>> unpack(text, [(2, 2)])[0].round(decimals=2).tolist()
        [[1.0, -0.5], [0.0, 0.0]]
        >>> len(base64.b64decode(text))  # two scales and four numbers
        12
    """
    parts: list[bytes] = []
    for place, tensor in enumerate(tensors):
        if tensor.dtype != torch.float32 or not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"expected finite numbers of float32 as tensor {place}, got {tensor.dtype}; train "
                "longer with smaller steps, or call .float()."
            )
        numbers = tensor.detach().cpu().numpy()
        if numbers.ndim < 2:
            parts.append(numbers.astype("<f4").tobytes())
            continue
        rows = numbers.reshape(numbers.shape[0], math.prod(numbers.shape[1:]))
        most = np.abs(rows).max(1, initial=0)
        scales = (most / np.float32(127)).astype(np.float32)
        safe = np.where(scales > 0, scales, np.float32(1))
        whole = np.rint(rows / safe[:, None]).clip(-127, 127)
        parts += [scales.astype("<f4").tobytes(), whole.astype(np.int8).tobytes()]
    return base64.b64encode(b"".join(parts)).decode()


def unpack(text: str, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    r"""Tensors from :func:`pack`'s text, as the page unpacks them, bit for bit.

    Args:
        text: base64.
        shapes: of the tensors.

    Returns:
        Tensors of float32.

    Raises:
        ValueError: If the text is too short or too long for the shapes.

    Example:
        >>> unpack(pack([torch.tensor([0.5, 2.0])]), [(2,)])[0].tolist() == [0.5, 2.0]
        True
    """
    data, at = base64.b64decode(text), 0
    wanted = sum(map(_bytes, shapes))
    if len(data) != wanted:
        raise ValueError(f"expected {wanted} bytes for shapes {list(shapes)}, got {len(data)}.")
    tensors: list[Tensor] = []
    for shape in shapes:
        size = math.prod(shape)
        if len(shape) < 2:
            numbers = np.frombuffer(data, "<f4", size, at)
        else:
            scales = np.frombuffer(data, "<f4", shape[0], at)
            whole = np.frombuffer(data, np.int8, size, at + 4 * shape[0])
            numbers = (
                whole.reshape(shape[0], math.prod(shape[1:])).astype(np.float32) * scales[:, None]
            )
        tensors.append(torch.from_numpy(numbers.astype(np.float32).reshape(tuple(shape))))
        at += _bytes(shape)
    return tensors


def rounded(tensors: Sequence[Tensor]) -> list[Tensor]:
    r"""What a page has of these tensors: packed and unpacked.

    Args:
        tensors: of float32, finite.

    Returns:
        Tensors of the same shapes; compare a model with these weights to the model itself.

    Example:
        >>> w = torch.linspace(-1, 1, 6).view(2, 3)
        >>> bool((rounded([w])[0] - w).abs().max() <= 0.501 / 127)
        True
    """
    found = unpack(pack(tensors), [tuple(tensor.shape) for tensor in tensors])
    return [ours.to(tensor.device) for ours, tensor in zip(found, tensors, strict=True)]


def _bytes(shape: Sequence[int]) -> int:
    return 4 * math.prod(shape) if len(shape) < 2 else 4 * shape[0] + math.prod(shape)
