r"""Arithmetic coding: a network's probabilities turned into a file, and back, exactly.

An image is narrowed down to an interval, number by number; the file is the shortest binary fraction
of a fixed form inside it. All arithmetic is on Python's integers, which have no last digit.
"""

from __future__ import annotations

import bz2
import io
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genbook.pixelcnn.likelihood import level_of
from genbook.pixelcnn.masks import check_images
from genbook.pixelcnn.network_caches import recall
from genbook.pixelcnn.networks import PixelModel
from genbook.pixelcnn.sampling import Way

PRECISION = 16
"""Probabilities are rounded to multiples of two to this power's inverse."""

Choose = Callable[[Tensor, tuple[int, int, int]], Tensor]
"""``choose(tables, (row, column, colour))``: counts ``[N, L]`` in, levels ``[N]`` out."""


def frequencies(probabilities: Tensor, precision: int = PRECISION) -> Tensor:
    r"""Probabilities as positive integers with a fixed sum.

    .. math:: f_k = 1 + \lfloor (T - L)\,p_k \rfloor, \qquad T = 2^b,

    and what is left of T goes to the largest. Each level keeps at least one count, so that no image
    is impossible, and :math:`f_k / T > (1 - L/T)\,p_k`.

    Args:
        probabilities: each row sums to 1, shape ``[..., L]``.
        precision: b.

    Returns:
        Integers, shape ``[..., L]``; each row sums to T.

    Raises:
        ValueError: if T is not larger than L, or a row is no distribution.

    Example:
        >>> frequencies(torch.tensor([0.75, 0.25, 0.0]), precision=4).tolist()
        [11, 4, 1]
    """
    total, levels = 2**precision, probabilities.shape[-1]
    if total <= levels or precision > 48:
        raise ValueError(
            f"expected a precision with {levels} < 2^precision ≤ 2^48, got {precision}"
        )
    exact = probabilities.double()
    sums = exact.sum(-1)
    if not bool(((exact >= 0).all(-1) & ((sums - 1).abs() < 1e-6)).all()):
        raise ValueError("expected rows of probabilities that sum to 1; apply a softmax first")
    counts = 1 + ((total - levels) * exact / sums[..., None]).floor().long()
    rest = total - counts.sum(-1, keepdim=True)
    return counts.scatter_add(-1, counts.argmax(-1, keepdim=True), rest)


@dataclass(frozen=True)
class Interval:
    r"""A part of [0, 1), with integer ends over a power of two.

    .. math:: \Big[\frac{a}{2^d},\ \frac{a + w}{2^d}\Big)

    Args:
        low: a.
        width: w ≥ 1.
        depth: d.

    Example:
        >>> half = Interval().narrow([1, 3], 1)
        >>> (half.low, half.width, half.depth), half.codeword()
        ((1, 3, 2), '01')
    """

    low: int = 0
    width: int = 1
    depth: int = 0

    def narrow(self, counts: Sequence[int], level: int) -> Interval:
        r"""The share of the interval that belongs to a level.

        .. math:: a' = a\,T + w\,(f_0 + \dots + f_{\ell-1}), \qquad w' = w\,f_\ell,
            \qquad d' = d + \log_2 T

        Args:
            counts: f, integers with a sum T that is a power of two.
            level: ℓ.

        Returns:
            An interval inside this one.
        """
        before, total = sum(counts[:level]), sum(counts)
        return Interval(
            low=self.low * total + self.width * before,
            width=self.width * counts[level],
            depth=self.depth + total.bit_length() - 1,
        )

    def level_at(self, bits: str, counts: Sequence[int]) -> int:
        r"""The level whose share holds the binary fraction 0.bits.

        Args:
            bits: zeros and ones; more may follow those of the codeword.
            counts: as :meth:`narrow` takes them.

        Returns:
            ℓ; of the levels at hand the nearest, if the fraction lies outside the interval.
        """
        code, length = int(bits or "0", 2), len(bits)
        inside = (code << self.depth) - (self.low << length)
        place = inside * sum(counts) // (self.width << length)
        ends = list(accumulate(counts))
        return min(sum(place >= end for end in ends), len(counts) - 1)

    def codeword(self) -> str:
        r"""The shortest code of the Shannon–Fano–Elias form.

        With :math:`w / 2^d` the interval's width,

        .. math:: m = \Big\lceil \log_2 \frac{2^d}{w} \Big\rceil + 1, \qquad
            c = \Big\lceil \frac{2^m a}{2^d} \Big\rceil,

        and the code is c in m binary digits. Whatever follows it, the fraction stays inside.

        Returns:
            A string of zeros and ones, shorter than :math:`\log_2(2^d/w) + 2`.
        """
        length = self.depth - (self.width.bit_length() - 1) + 1
        code = -((-self.low << length) >> self.depth)
        return f"{code:0{length}b}"


def visit(
    way: Way, place: tuple[int, int, int], choose: Choose, precision: int = PRECISION
) -> Tensor:
    r"""What encoder and decoder do at a number: a table from the network, a level, and tell it.

    Args:
        way: gives the distribution of each number, and remembers.
        place: row, column and colour.
        choose: knows the levels, or reads them.
        precision: of :func:`frequencies`.

    Returns:
        The number's values, ``[N]``.

    Example:
        >>> from genbook.pixelcnn.networks import GatedPixelCNN
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0))
        >>> way = recall(net, (2, 1, 3, 3), None)
        >>> with torch.inference_mode():
        ...     way.enter_row(0)
        ...     visit(way, (0, 0, 0), lambda tables, place: tables.argmin(1)).shape
        torch.Size([2])
    """
    _, column, colour = place
    logits = way.logits(column, colour)
    tables = frequencies(logits.double().softmax(1), precision)
    levels = choose(tables, place)
    value = levels.to(logits) / (logits.shape[1] - 1)
    way.tell(column, colour, value)
    return value


def walk(
    model: PixelModel,
    shape: tuple[int, ...],
    choose: Choose,
    labels: Tensor | None = None,
    precision: int = PRECISION,
) -> Tensor:
    r"""Go through images number by number: integer tables from the network, levels from ``choose``.

    The encoder and the decoder both call this. They must: were one to compute the tables in
    another order, or with another number of images at a time, a last bit could differ.

    Args:
        model: the network.
        shape: ``(N, C, H, W)``.
        choose: is asked for each number of the N images, in order.
        labels: as the network wants them.
        precision: of :func:`frequencies`.

    Returns:
        The images, ``[N, C, H, W]``.

    Raises:
        ValueError: if there is no memory for this kind of network, or the labels don't fit.

    Example:
        >>> from genbook.pixelcnn.networks import GatedPixelCNN
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0))
        >>> walk(net, (2, 1, 3, 3), lambda tables, place: 0 * tables[:, 0]).sum().item()
        0.0
    """
    weight = next(iter(model.parameters()))  # type: ignore[attr-defined]
    canvas = weight.new_zeros(shape)
    with torch.inference_mode():
        way = recall(model, shape, labels)
        for row in range(shape[2]):
            way.enter_row(row)
            for column, colour in product(range(shape[3]), range(shape[1])):
                value = visit(way, (row, column, colour), choose, precision)
                canvas[:, colour, row, column] = value
    return canvas


def encode(
    model: PixelModel,
    images: Tensor,
    *,
    labels: Tensor | None = None,
    precision: int = PRECISION,
) -> list[str]:
    r"""Images as strings of zeros and ones, one each.

    With b the precision, L the levels, n the numbers of an image and p the network's distribution,
    a code is shorter than

    .. math:: -\log_2 p(x) + 2 + n \log_2\frac{2^b}{2^b - L} \quad\text{bits.}

    Args:
        model: the network.
        images: on the model's levels, shape ``[N, C, H, W]``.
        labels: shape ``[N]``, for a conditional model.
        precision: b.

    Returns:
        N codes; none is the beginning of another.

    Raises:
        ValueError: if the images are not on the model's levels, or of other colours.

    Source:
        Witten, Neal and Cleary, *Arithmetic coding for data compression*, 1987; here the integers
        grow instead of being shifted out, so that nothing is rounded.

    Example:
        >>> from genbook.pixelcnn.networks import GatedPixelCNN
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0))
        >>> x = torch.eye(3)[None, None]
        >>> torch.equal(decode(net, encode(net, x), (3, 3)), x)
        True
    """
    check_images(images, model.colours)
    known = level_of(images, model.levels)
    intervals = [Interval()] * len(images)

    def told(tables: Tensor, place: tuple[int, int, int]) -> Tensor:
        row, column, colour = place
        levels = known[:, colour, row, column]
        for image, (table, level) in enumerate(zip(tables.tolist(), levels.tolist(), strict=True)):
            intervals[image] = intervals[image].narrow(table, level)
        return levels

    walk(model, tuple(images.shape), told, labels, precision)
    return [interval.codeword() for interval in intervals]


def decode(
    model: PixelModel,
    codes: Sequence[str],
    size: tuple[int, int],
    *,
    labels: Tensor | None = None,
    precision: int = PRECISION,
) -> Tensor:
    r"""The images that :func:`encode` was given.

    The network, the machine, the number of codes, their order and the precision must be the
    encoder's: the integer tables have to be the same to the last count.

    Args:
        model: the network.
        codes: zeros and ones, one string an image; something else may follow each.
        size: height and width.
        labels: shape ``[N]``, for a conditional model.
        precision: the encoder's.

    Returns:
        Shape ``[N, C, H, W]``, on the model's levels.

    Raises:
        ValueError: if there is no code, or one holds other letters than 0 and 1.

    Example:
        >>> from genbook.pixelcnn.networks import GatedPixelCNN
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0))
        >>> decode(net, ["0110", "1"], (2, 3)).shape
        torch.Size([2, 1, 2, 3])
    """
    if not codes or any(set(code) - set("01") for code in codes):
        raise ValueError(f"expected strings of zeros and ones, got {list(codes)!r:.60}")
    intervals = [Interval()] * len(codes)

    def read(tables: Tensor, _: tuple[int, int, int]) -> Tensor:
        levels = []
        for image, table in enumerate(tables.tolist()):
            levels.append(intervals[image].level_at(codes[image], table))
            intervals[image] = intervals[image].narrow(table, levels[-1])
        return torch.tensor(levels, device=tables.device)

    return walk(model, (len(codes), model.colours, *size), read, labels, precision)


def rounding_cost(numbers: int, levels: int, precision: int = PRECISION) -> float:
    r"""The most that integer tables can add to a code, in bits.

    .. math:: n \log_2\frac{2^b}{2^b - L}

    Args:
        numbers: n, of an image.
        levels: L.
        precision: b.

    Returns:
        Bits.

    Raises:
        ValueError: if :math:`2^b` is not larger than L.

    Example:
        >>> round(rounding_cost(784, 2), 4)
        0.0345
    """
    if 2**precision <= levels:
        raise ValueError(f"expected 2^precision > {levels} levels, got precision {precision}")
    return -numbers * math.log1p(-levels / 2**precision) / math.log(2)


def off_the_shelf(images: Tensor) -> dict[str, tuple[float, float]]:
    r"""What ordinary compressors make of black and white images, eight pixels a byte.

    Args:
        images: zeros and ones, shape ``[N, 1, H, W]``.

    Returns:
        Compressor → bits an image: each in a file of its own, and all in one file.

    Raises:
        ValueError: if the images are not black and white.

    Example:
        >>> found = off_the_shelf(torch.zeros(50, 1, 16, 16))
        >>> found["no compression"], found["bzip2"][1] < found["bzip2"][0]
        ((256.0, 256.0), True)
    """
    check_images(images, 1)
    white = level_of(images, 2).bool().cpu().numpy()[:, 0]
    alone, together = list(white), white.reshape(-1, white.shape[2])
    methods: dict[str, Callable[[np.ndarray], int]] = {
        "no compression": lambda page: len(_packed(page)),
        "deflate (gzip, without its header)": lambda page: len(_deflated(_packed(page))),
        "bzip2": lambda page: len(bz2.compress(_packed(page))),
        "PNG": _png_bytes,
    }
    return {
        name: (8 * sum(map(count, alone)) / len(white), 8 * count(together) / len(white))
        for name, count in methods.items()
    }


def _packed(page: np.ndarray) -> bytes:
    return np.packbits(page).tobytes()


def _deflated(content: bytes) -> bytes:
    work = zlib.compressobj(9, wbits=-15)
    return work.compress(content) + work.flush()


def _png_bytes(page: np.ndarray) -> int:
    file = io.BytesIO()
    Image.fromarray(page).save(file, "png", optimize=True)
    return file.tell()
