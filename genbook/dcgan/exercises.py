"""Exercises of the chapter on DCGAN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genbook.dcgan.strides import overlaps
from genbook.kit.answers import agree, known
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise

Case = tuple[Any, ...]


def counted(inputs: int, kernel: int, stride: int, padding: int) -> Tensor:
    """Each input stamps ``kernel`` places, ``stride`` apart; ``padding`` is cut off at each end."""
    counts = torch.zeros((inputs - 1) * stride + kernel)
    for place in range(inputs):
        counts[place * stride : place * stride + kernel] += 1
    return counts[padding : len(counts) - padding]


def _uncut(inputs: int, kernel: int, stride: int, padding: int) -> Tensor:
    return overlaps(inputs, kernel, stride)


def _once_cut(inputs: int, kernel: int, stride: int, padding: int) -> Tensor:
    whole = overlaps(inputs, kernel, stride)
    return whole[: len(whole) - padding]


def _even(inputs: int, kernel: int, stride: int, padding: int) -> Tensor:
    length = len(overlaps(inputs, kernel, stride, padding))
    return torch.full((length,), kernel / stride)


def _swapped(inputs: int, kernel: int, stride: int, padding: int) -> Tensor:
    return counted(inputs, stride, kernel, padding)


def _never_none(inputs: int, kernel: int, stride: int, padding: int) -> Tensor:
    return overlaps(inputs, kernel, stride, padding).clamp(min=1)


def _check_overlap(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = [(4, 3, 2, 0), (5, 4, 2, 1), (4, 5, 2, 2), (3, 5, 3, 1), (1, 4, 2, 0)]
    cases += [(5, 4, 1, 1), (3, 2, 4, 0), (3, 2, 3, 1)]  # four stamps on a place; none
    rivals = (
        (_uncut, "the padding is cut off at each end; these are the counts before that."),
        (_once_cut, "cut at one end only; the padding goes at both."),
        (_even, "that is the mean away from the border; count each place."),
        (_swapped, "kernel and stride are exchanged."),
        (_never_none, "with a stride longer than the kernel some places get no stamp."),
    )
    return known(answer, rivals, cases) or agree(answer, counted, cases, _described_overlap)


def _described_overlap(inputs: int, kernel: int, stride: int, padding: int) -> str:
    return f"for {inputs} inputs, kernel {kernel}, stride {stride}, padding {padding}"


overlap = Exercise(name="overlap", check=_check_overlap, reference=counted)

EPS = 1e-5


def modulated(x: Tensor, z: Tensor, u: Tensor, b: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Batch statistics of each channel; scale 1 + γ(z) and shift β(z) of each sample."""
    mean = x.mean((0, 2, 3), keepdim=True)
    variance = x.var((0, 2, 3), correction=0, keepdim=True)
    hidden = (z @ u + b).clamp(min=0)
    scale, shift = 1 + hidden @ gamma, hidden @ beta
    return (x - mean) / (variance + EPS).sqrt() * scale[..., None, None] + shift[..., None, None]


def _like(
    dims: tuple[int, ...] = (0, 2, 3), correction: int = 0, one: float = 1.0, bent: bool = True,
    blind: bool = False, under: float = EPS, beside: float = 0.0,
) -> Callable[..., Tensor]:  # fmt: skip
    def rival(x: Tensor, z: Tensor, u: Tensor, b: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        mean = x.mean(dims, keepdim=True)
        variance = x.var(dims, correction=correction, keepdim=True)
        hidden = z @ u + b
        hidden = hidden.clamp(min=0) if bent else hidden
        scale, shift = one + hidden @ gamma, hidden @ beta
        if blind:
            scale, shift = (part.mean(0, keepdim=True) for part in (scale, shift))
        normal = (x - mean) / ((variance + under).sqrt() + beside)
        return normal * scale[..., None, None] + shift[..., None, None]

    return rival


def _check_modulate(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = []
    for number, (size, apart) in enumerate([(2, 1), (2, 1), (2, 1), (0.01, 0)]):  # last: ε matters
        source = seeded(number)

        def draw(*shape: int, source: torch.Generator = source) -> Tensor:
            return torch.randn(*shape, generator=source, dtype=torch.float64)

        x = size * draw(4, 3, 2, 2) + apart * torch.arange(3.0).view(3, 1, 1)
        cases.append((x, draw(4, 2), draw(2, 5), draw(5), draw(5, 3), draw(5, 3)))
    hint = agree(answer, modulated, cases, _described_modulate)
    if hint is None:
        return None
    rivals = (
        (_like(dims=(2, 3)), "each image is normalised by itself; the statistics are the batch's."),
        (_like(dims=(0,)), "one mean a pixel; there is one a channel."),
        (_like(correction=1), "the variance is divided by n, not by n − 1."),
        (_like(one=0.0), "the 1 is missing: with γ = 0 the image would be gone."),
        (_like(bent=False), "the hidden layer has a rectifier."),
        (_like(blind=True), "each sample has its own scale and shift."),
        (_like(under=0.0), "ε is missing; it is added to the variance."),
        (_like(under=0.0, beside=EPS), "ε is added to the variance, under the root."),
    )
    return known(answer, rivals, cases) or hint


def _described_modulate(x: Tensor, z: Tensor, *_: Tensor) -> str:
    return f"for x {list(x.shape)} and z {list(z.shape)}, in double precision"


modulate = Exercise(name="modulate", check=_check_modulate, reference=modulated)


def printed_logits(phi: Tensor, classes: Tensor, table: Tensor, psi: Tensor) -> Tensor:
    """Meant to be ψ(φ) plus each image's features projected on its class; it is not."""
    rows = table[classes]
    return phi @ psi + (rows @ phi.T).mean(1)


def mended_logits(phi: Tensor, classes: Tensor, table: Tensor, psi: Tensor) -> Tensor:
    """ψ(φ) plus the inner product of each image's features with the row of its own class."""
    return phi @ psi + (table[classes] * phi).sum(1)


def _check_projected(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = []
    for number, (images, features, kinds) in enumerate(
        [(4, 3, 2), (3, 5, 4), (1, 2, 3), (6, 6, 6)]
    ):
        source = seeded(number)
        phi = torch.randn(images, features, generator=source, dtype=torch.float64)
        classes = torch.randint(0, kinds, (images,), generator=source)
        table = torch.randn(kinds, features, generator=source, dtype=torch.float64)
        cases.append((phi, classes, table, torch.randn(features, generator=source).double()))
    hint = agree(answer, mended_logits, cases, _described_projected)
    if hint is None:
        return None
    rivals = (
        (printed_logits, "as printed: an image's logit hangs on all images of the batch."),
        (
            lambda phi, c, table, psi: phi @ psi + (table[c] @ phi.T).sum(1),
            "the sum still runs over the batch; it should run over the features.",
        ),
        (
            lambda phi, c, table, psi: (table[c] * phi).sum(1),
            "ψ is missing: it says how real the image is, whatever its class.",
        ),
        (
            lambda phi, c, table, psi: phi @ psi + (table[c] * phi).mean(1),
            "an inner product is a sum over the features, not their mean.",
        ),
        (
            lambda phi, c, table, psi: phi @ psi + (phi @ table.T).sum(1),
            "that projects on all classes; take the row of the image's own.",
        ),
    )
    return known(answer, rivals, cases) or hint


def _described_projected(phi: Tensor, classes: Tensor, *_: Tensor) -> str:
    return f"for {len(phi)} images with {phi.shape[1]} features, classes {classes.tolist()}"


projected = Exercise(name="projected", check=_check_projected, reference=mended_logits)

EXERCISES = (overlap, modulate, projected)
