r"""Loops that are generators: one :class:`Step` at a time, watched, checked, saved.

A training loop is written as ``for step in wgan.train(...)``. The loop prints nothing and calls
nothing back; a notebook, an explorable, a study and a test all consume the same one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from torch import Tensor
from tqdm.auto import tqdm

from genbook.kit.checkpoints import Checkpoint, Part, load_checkpoint, save_checkpoint
from genbook.kit.environment import watched

__all__ = [
    "Checkpoint",
    "NonFiniteLoss",
    "Step",
    "checkpointed",
    "finite",
    "linear_decay",
    "load_checkpoint",
    "one_by_one",
    "progress",
    "save_checkpoint",
]

T = TypeVar("T")


class NonFiniteLoss(ArithmeticError):  # noqa: N818 (the name says what it is)
    r"""A loss became infinite or NaN.

    Attributes:
        index: The step at which it happened.
        term: The name of the term.
        value: What it was.
    """

    def __init__(self, index: int, term: str, value: float) -> None:
        self.index, self.term, self.value = index, term, value
        super().__init__(
            f"step {index}: the term {term!r} is {value}; lower the learning rate, clip the "
            "gradient, or look for a logarithm or a division by zero in this term."
        )


@dataclass(frozen=True)
class Step:
    r"""What one step of a training loop tells.

    Attributes:
        index: The step, counted from 0.
        total: How many steps there will be.
        terms: The loss and its parts by name, in nats where they are likelihoods; read-only.

    Raises:
        ValueError: If ``index`` is not in [0, total).
    """

    index: int
    total: int
    terms: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check the count; freeze the terms."""
        if not 0 <= self.index < self.total:
            raise ValueError(f"Step: expected 0 ≤ index < {self.total}, got {self.index}.")
        terms = {name: float(value) for name, value in self.terms.items()}
        object.__setattr__(self, "terms", MappingProxyType(terms))

    @property
    def last(self) -> bool:
        """Whether no step follows."""
        return self.index == self.total - 1


def finite(index: int, **terms: Tensor | float) -> dict[str, float]:
    r"""The terms as plain numbers, if all of them are finite.

    Args:
        index: The step, for the error.
        **terms: Numbers, or tensors with one element.

    Returns:
        The same terms as floats, ready for :class:`Step`.

    Raises:
        NonFiniteLoss: If a term is infinite or NaN; it names the step and the term.
        ValueError: If a term has more than one element.

    Example:
        >>> finite(3, loss=0.5, kl=2.0)
        {'loss': 0.5, 'kl': 2.0}
        >>> finite(4, loss=float("nan"))
        Traceback (most recent call last):
            ...
        genbook.kit.training.NonFiniteLoss: step 4: the term 'loss' is nan; lower the ...
    """
    numbers = {}
    for name, value in terms.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(
                f"finite: expected one number for {name!r}, got a tensor {list(value.shape)}; "
                "reduce it with mean() or sum()."
            )
        numbers[name] = value.item() if isinstance(value, Tensor) else float(value)
        if not math.isfinite(numbers[name]):
            raise NonFiniteLoss(index, name, numbers[name])
    return numbers


def linear_decay(index: int, total: int, share: float = 1.0) -> float:
    r"""The factor on a learning rate that falls linearly to 0 over the last share of a run.

    .. math:: \min\Big(1, \frac{1 - i/n}{s}\Big)

    Args:
        index: i, the step, counted from 0.
        total: n, how many steps there are.
        share: s, in [0, 1]; 0 leaves the rate as it is.

    Returns:
        A number in [0, 1].

    Example:
        >>> [linear_decay(index, 4, 0.5) for index in range(5)]
        [1.0, 1.0, 1.0, 0.5, 0.0]
    """
    left = (total - index) / total
    return 1.0 if left >= share else left / share


def progress(steps: Iterable[Step], *, description: str = "") -> Iterator[Step]:
    r"""Pass steps on and show a bar with the time left and the latest terms.

    The bar is for people: it goes to stderr or the notebook, vanishes when the loop ends, is left
    or interrupted, and is silent where nobody watches (:func:`genbook.kit.environment.watched`).

    Args:
        steps: A training loop.
        description: A word in front of the bar.

    Yields:
        The same steps.

    Example:
        >>> [step.index for step in progress(Step(i, 3, {}) for i in range(3))]
        [0, 1, 2]
    """
    with _bar(description) as bar:
        for step in steps:
            if bar.total is None:  # only reset tells a notebook's bar how long it is
                bar.reset(total=step.total)
            bar.set_postfix({k: f"{v:.4g}" for k, v in step.terms.items()}, refresh=False)
            bar.update(step.index + 1 - bar.n)
            yield step


def one_by_one(runs: Sequence[T], *, description: str = "") -> Iterator[T]:
    r"""Pass runs on, one by one, and show a bar with the time left, as :func:`progress` does.

    Args:
        runs: What is to be done, a piece at a time: seeds, methods, settings.
        description: A word in front of the bar.

    Yields:
        The same runs.

    Example:
        >>> [name for name in one_by_one(["KL", "reverse KL"])]
        ['KL', 'reverse KL']
    """
    with _bar(description) as bar:
        bar.reset(total=len(runs))
        for run in runs:
            yield run
            bar.update()


@contextmanager
def _bar(description: str) -> Iterator[tqdm[Any]]:
    bar = tqdm(desc=description or None, leave=False, disable=not watched(), mininterval=0.2)
    try:
        yield bar
    finally:
        bar.close()
        if (shown := getattr(bar, "container", None)) is not None:
            shown.close()  # in a notebook, a bar that did not reach its end would stay, in red


def checkpointed(
    steps: Iterable[Step],
    path: str | os.PathLike[str],
    *,
    every: int,
    notes: Mapping[str, Any] | None = None,
    **parts: Part,
) -> Iterator[Step]:
    r"""Pass steps on and save the run every so many of them, and after the last.

    The loop stands still while it is saved, right after the update of the step, so a run that loads
    the checkpoint and goes on with the following step repeats what this one does.

    Args:
        steps: A training loop.
        path: As in :func:`save_checkpoint`.
        every: Save when at least so many steps have been made since the last time.
        notes: As in :func:`save_checkpoint`.
        **parts: As in :func:`save_checkpoint`: all that the loop changes, random generators and
            :class:`~genbook.kit.data.Batches` included.

    Yields:
        The same steps.

    Raises:
        ValueError: If ``every`` is below 1, or a part can't be saved.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"every: expected a whole number ≥ 1, got {every!r}.")
    saved: int | None = None
    for step in steps:
        saved = step.index if saved is None else saved
        if step.last or step.index + 1 - saved >= every:
            saved = step.index + 1
            save_checkpoint(path, step=saved, notes=notes, **parts)
        yield step
