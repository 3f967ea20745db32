"""Image sets and minibatches that are index slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, overload

import torch
from torch import Tensor

from genbook.kit.data._checks import random_source, whole
from genbook.kit.device import Device, pick

Batch = TypeVar("Batch", Tensor, tuple[Tensor, ...])


@dataclass(frozen=True, eq=False)
class ImageSet:
    r"""Images with their labels, whole, on one device.

    Attributes:
        name: ``"mnist"``, ``"digits"`` or ``"photos"``.
        images: **[N, C, H, W]**, floating, in [0, 1].
        labels: **[N]**, int64.
        notice: One line about where the images come from, to be shown to the reader.

    Raises:
        ValueError: If the shapes or dtypes are others.
    """

    name: str
    images: Tensor
    labels: Tensor
    notice: str = ""

    def __post_init__(self) -> None:
        """Refuse tensors of another shape or dtype."""
        if self.images.ndim != 4 or not self.images.is_floating_point():
            raise ValueError(
                "ImageSet: expected floating images [N, C, H, W], "
                f"got {self.images.dtype} {list(self.images.shape)}."
            )
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype is not torch.int64:
            raise ValueError(
                f"ImageSet: expected int64 labels [{len(self.images)}], "
                f"got {self.labels.dtype} {list(self.labels.shape)}."
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def title(self) -> str:
        """The name as a caption spells it."""
        return {"mnist": "MNIST", "digits": "8×8 digits"}.get(self.name, self.name)

    @property
    def size(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def flat(self) -> Tensor:
        """The images as rows, **[N, C·H·W]** (a view)."""
        return self.images.flatten(1)

    def take(self, which: int | slice | Tensor) -> ImageSet:
        r"""Some of the images.

        Args:
            which: How many from the start, or a slice, or indices or a mask **[K]**.

        Returns:
            The smaller set.

        Raises:
            ValueError: If more images are asked for than there are.

        Example:
            >>> from genbook.kit import data
            >>> len(data.digits("train").take(100))
            100
        """
        if isinstance(which, int):
            if not 1 <= which <= len(self):
                raise ValueError(f"take: expected 1 to {len(self)} images, got {which}.")
            which = slice(which)
        return replace(self, images=self.images[which], labels=self.labels[which])

    def to(self, device: str | torch.device | Device | None) -> ImageSet:
        """The same set on another device (and in its dtype, for a :class:`Device`)."""
        where = pick(device)
        images = self.images.to(where.device, where.dtype if isinstance(device, Device) else None)
        return replace(self, images=images, labels=self.labels.to(where.device))


class Batches(Generic[Batch]):
    r"""An iterator over shuffled minibatches whose place can be saved and restored.

    Made by :func:`batches`. Its state is a pair of tensors, so a checkpoint can hold it.
    """

    def __init__(
        self,
        tensors: tuple[Tensor, ...],
        size: int,
        generator: torch.Generator,
        steps: int | None,
        *,
        alone: bool,
    ) -> None:
        self._tensors, self._alone = tensors, alone
        self._size, self._generator, self._steps = size, generator, steps
        self._order = torch.empty(0, dtype=torch.int64, device=tensors[0].device)
        self._at = 0
        self._given = 0

    def __len__(self) -> int:
        """How many batches are still to come."""
        total = len(self._tensors[0]) // self._size if self._steps is None else self._steps
        return total - self._given

    def __iter__(self) -> Batches[Batch]:
        return self

    def __next__(self) -> Batch:
        if len(self) <= 0:
            raise StopIteration
        if self._at + self._size > len(self._order):
            self._shuffle()
        index = self._order[self._at : self._at + self._size]
        self._at += self._size
        self._given += 1
        taken = tuple(tensor.index_select(0, index) for tensor in self._tensors)
        return taken[0] if self._alone else taken  # type: ignore[return-value]

    def _shuffle(self) -> None:
        """Begin a new epoch."""
        count, device = len(self._tensors[0]), self._generator.device
        order = torch.randperm(count, generator=self._generator, device=device)
        self._order = order.to(self._tensors[0].device)
        self._at = 0

    def state_dict(self) -> dict[str, Tensor]:
        """The epoch's order, and how far it has been used."""
        return {"order": self._order, "place": torch.tensor([self._at, self._given])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved place.

        Raises:
            ValueError: If the state is of a data set of another length.
        """
        order = state["order"]
        if len(order) not in (0, len(self._tensors[0])):
            raise ValueError(
                f"Batches: the saved order is for {len(order)} items, the data has "
                f"{len(self._tensors[0])}; resume on the data the run began with."
            )
        self._order = order.to(self._order.device)
        self._at, self._given = (int(number) for number in state["place"])


@overload
def batches(
    data: Tensor, size: int, generator: torch.Generator, *, steps: int | None = None
) -> Batches[Tensor]: ...
@overload
def batches(
    data: ImageSet | Sequence[Tensor],
    size: int,
    generator: torch.Generator,
    *,
    steps: int | None = None,
) -> Batches[tuple[Tensor, ...]]: ...
def batches(
    data: Tensor | ImageSet | Sequence[Tensor],
    size: int,
    generator: torch.Generator,
    *,
    steps: int | None = None,
) -> Batches[Tensor] | Batches[tuple[Tensor, ...]]:
    r"""Shuffled minibatches: every epoch a new order, every batch one index slice on the device.

    Every batch is full; the few items left at the end of an epoch wait for the next order.

    Args:
        data: A tensor **[N, …]**, or several of the same length, or an :class:`ImageSet` (which
            yields images and labels).
        size: Items in a batch, 1 ≤ size ≤ N.
        generator: Draws the orders.
        steps: How many batches; one epoch (⌊N / size⌋) by default.

    Returns:
        An iterator over tensors **[size, …]**, or over tuples of them. It has ``state_dict`` and
        ``load_state_dict``, for :func:`genbook.kit.training.save_checkpoint`.

    Raises:
        ValueError: If the tensors differ in length or device, or the batch is larger than the data.

    Example:
        >>> from genbook.kit.device import seeded
        >>> [batch.sort().values.tolist() for batch in batches(torch.arange(4), 4, seeded(0))]
        [[0, 1, 2, 3]]
        >>> len(list(batches(torch.arange(10), 4, seeded(0), steps=7)))
        7
    """
    alone = isinstance(data, Tensor)
    if isinstance(data, ImageSet):
        tensors: tuple[Tensor, ...] = (data.images, data.labels)
    else:
        tensors = (data,) if isinstance(data, Tensor) else tuple(data)
    _refuse_ragged(tensors)
    whole("size", size, 1)
    if size > len(tensors[0]):
        raise ValueError(f"size: expected at most {len(tensors[0])} (all the data), got {size}.")
    if steps is not None:
        whole("steps", steps, 0)
    return Batches(tensors, size, random_source(generator), steps, alone=alone)


def _refuse_ragged(tensors: tuple[Tensor, ...]) -> None:
    """Raise unless all are tensors of one length on one device."""
    if not tensors or not all(isinstance(tensor, Tensor) and tensor.ndim for tensor in tensors):
        raise ValueError("batches: expected tensors [N, …], one or several.")
    lengths = sorted({len(tensor) for tensor in tensors})
    devices = sorted({str(tensor.device) for tensor in tensors})
    if len(lengths) > 1 or len(devices) > 1:
        raise ValueError(
            f"batches: expected tensors of one length on one device, got lengths {lengths} on "
            f"{', '.join(devices)}."
        )
