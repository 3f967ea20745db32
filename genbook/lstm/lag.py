r"""The long-lag study: does a cell remember the first symbol of a sequence?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch

from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.kit.training import Step
from genbook.lstm.readers import Reader, orders, spread_bias, train

SEQUENCES = Substream("sequences to learn from", 1_000)


@dataclass(frozen=True)
class Arm:
    r"""One contender of the study; all have 50 hidden units.

    Attributes:
        name: as the chapter calls it.
        kind: ``"rnn"`` or ``"lstm"``.
        orthogonal: whether the recurrent weights start orthogonal.
        forget_bias: where the forget gate's bias starts; ``None`` draws :func:`spread_bias`.
        quiet: whether the input gate's bias starts at minus the forget gate's.
    """

    name: str
    kind: str
    orthogonal: bool = False
    forget_bias: float | None = None
    quiet: bool = False

    def reader(self, length: int, generator: torch.Generator) -> Reader:
        """A fresh reader for sequences of this length."""
        if self.kind == "rnn":
            return Reader("rnn", 8, 4, hidden=50, orthogonal=self.orthogonal, generator=generator)
        bias = (
            spread_bias(50, length, generator)
            if self.forget_bias is None
            else torch.full((50,), self.forget_bias, device=generator.device)
        )
        return Reader(
            "lstm",
            8,
            4,
            hidden=50,
            forget_bias=bias,
            input_bias=-bias if self.quiet else None,
            generator=generator,
        )


ARMS = (
    Arm("RNN", "rnn"),
    Arm("RNN, orthogonal", "rnn", orthogonal=True),
    Arm("LSTM, bias 0", "lstm", forget_bias=0.0),
    Arm("LSTM, bias 1", "lstm", forget_bias=1.0),
    Arm("LSTM, keep", "lstm"),
    Arm("LSTM, keep and shut", "lstm", quiet=True),
)


@dataclass(frozen=True)
class LagRun:
    r"""One run of the temporal-order task.

    Attributes:
        arm: the contender's name.
        length: T.
        seed: of weights and sequences.
        updates: how many were made; a run stops early once 1,000 fresh sequences in a row are
            answered without a mistake.
        accuracy: on 10,000 fresh sequences.
        solved: whether fewer than 1 % of them are wrong.
        seconds: wall time.
    """

    arm: str
    length: int
    seed: int
    updates: int
    accuracy: float
    solved: bool
    seconds: float


def arm_named(name: str) -> Arm:
    r"""The contender of this name.

    Args:
        name: one of ``ARMS``' names.

    Raises:
        ValueError: if there is none.

    Example:
        >>> arm_named("RNN").kind
        'rnn'
    """
    arms = {arm.name: arm for arm in ARMS}
    if name not in arms:
        raise ValueError(f"expected one of {sorted(arms)}, got {name!r}")
    return arms[name]


def lag_steps(
    reader: Reader, length: int, generator: torch.Generator, *, total: int, rate: float = 3e-3
) -> Iterator[Step]:
    r"""Train on the temporal-order task until 1,000 sequences in a row are right.

    Args:
        reader: changed in place.
        length: T.
        generator: draws the sequences, 20 a batch, each seen once.
        total: the largest number of updates.
        rate: learning rate.

    Yields:
        The steps of :func:`train`.

    Example:
        >>> reader = ARMS[0].reader(20, seeded(0))
        >>> len(list(lag_steps(reader, 20, seeded(1), total=5)))
        5
    """
    right = 0
    for step in train(reader, orders(length, 20, generator), total=total, rate=rate):
        yield step
        right = right + 1 if step.terms["accuracy"] == 1 else 0
        if right == 50:
            return


@torch.no_grad()
def lag_accuracy(
    reader: Reader, length: int, *, sequences: int = 10_000, seed: int = 10**6
) -> float:
    r"""Share of right answers on fresh sequences of the temporal-order task.

    Args:
        reader: trained.
        length: T.
        sequences: how many.
        seed: draws them.

    Returns:
        A number in [0, 1]; a guess gives 1/4.

    Raises:
        ValueError: if there is no sequence to read.

    Example:
        >>> 0 <= lag_accuracy(ARMS[0].reader(20, seeded(0)), 20, sequences=40) <= 1
        True
    """
    if sequences < 1:
        raise ValueError(f"expected at least one sequence, got {sequences}")
    generator, right, device = seeded(seed), 0, next(reader.parameters()).device
    for done in range(0, sequences, 2_000):
        x, y = next(orders(length, min(2_000, sequences - done), generator))
        scores, _ = reader(x.to(device))
        right += int((scores[-1].argmax(-1) == y.to(device)).sum())
    return right / sequences


def lag_run(arm: str, length: int, seed: int, *, total: int = 3_000) -> LagRun:
    r"""One contender, one length, one seed: train, then test on 10,000 fresh sequences.

    Source:
        The task is 6a of Hochreiter & Schmidhuber (1997); 50 hidden units, batches of 20, clipping
        at 1 and success below 1 % error on 10,000 sequences as in Pascanu et al. (2013), who use
        plain SGD at 0.01 and up to 5 million updates where we use Adam at 0.003 and few thousand.

    Args:
        arm: the contender's name.
        length: T.
        seed: of weights and sequences.
        total: the largest number of updates.

    Returns:
        The run's record.

    Example:
        >>> lag_run("RNN", 20, 0, total=2).updates
        2
    """
    began = time.perf_counter()
    reader = arm_named(arm).reader(length, seeded(seed))
    updates = sum(1 for _ in lag_steps(reader, length, seeded(SEQUENCES.seed(seed)), total=total))
    accuracy = lag_accuracy(reader, length)
    seconds = round(time.perf_counter() - began, 2)
    return LagRun(arm, length, seed, updates, round(accuracy, 4), accuracy > 0.99, seconds)


LENGTHS = (20, 50, 100)


def long_lag(slice: bool, seed: int) -> list[Row]:
    r"""One seed of the study: every contender at every length. The slice: three short runs.

    Args:
        slice: run a part that takes seconds.
        seed: of weights and sequences.

    Returns:
        One row a run, the fields of :class:`LagRun`.

    Example:
        >>> len(long_lag(slice=True, seed=0))
        3
    """
    if slice:
        return [asdict(lag_run(arm.name, 20, seed, total=40)) for arm in ARMS[::2]]
    return [asdict(lag_run(arm.name, length, seed)) for length in LENGTHS for arm in ARMS]


STUDIES = (
    Study(
        name="lstm_long_lag",
        topic="lstm",
        run=long_lag,
        seeds=(0, 1, 2, 3, 4),
        config={
            "task": "temporal order, four classes; every sequence is seen once",
            "network": "50 hidden units, one layer, read out after the last step",
            "training": "Adam at 0.003, batches of 20, norm clipped at 1, at most 3000 updates",
            "stop": "1000 training sequences in a row without a mistake",
            "solved": "below 1 % error on 10000 fresh sequences",
        },
    ),
)
