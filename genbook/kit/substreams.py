r"""Named streams of random numbers beside a run's own: for fresh samples, for judges, for batches.

What a run draws for one purpose must not be what it draws for another, and must not move when
another purpose draws more. So each purpose has a stream of its own, and a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOM = 1_000
"""Seeds of runs are below this."""


@dataclass(frozen=True)
class Substream:
    r"""A stream of random numbers for one purpose of a run.

    .. math:: s_\text{purpose} = \text{start} + s_\text{run},\qquad 0\le s_\text{run}<1000

    Streams whose starts lie 1,000 apart never meet. A smaller start keeps the purposes of one run
    apart, but run s + start then begins with the numbers that run s uses for the purpose.

    Args:
        purpose: what the numbers are for.
        start: where its seeds begin, at least 1.

    Raises:
        ValueError: if the purpose is empty or the start is below 1.

    Example:
        >>> judging = Substream("judging", 10_000)
        >>> judging.seed(3), judging.seeds([0, 1])
        (10003, [10000, 10001])
    """

    purpose: str
    start: int

    def __post_init__(self) -> None:
        """Refuse what would be the run's own stream."""
        if not self.purpose.strip() or self.start < 1:
            raise ValueError(
                f"expected a purpose and a start ≥ 1, got {self.purpose!r} and {self.start}; "
                "a start of 0 is the run's own stream"
            )

    def seed(self, run: int) -> int:
        r"""The seed for one run.

        Args:
            run: the run's own seed, below :data:`ROOM`.

        Returns:
            Start + run.

        Raises:
            ValueError: if the run's seed is negative or has no room.
        """
        if not 0 <= run < ROOM:
            raise ValueError(
                f"{self.purpose}: expected the seed of a run in 0 … {ROOM - 1}, got {run}"
            )
        return self.start + run

    def seeds(self, runs: Sequence[int]) -> list[int]:
        r"""The seeds for several runs; see :meth:`seed`."""
        return [self.seed(run) for run in runs]


def members(run: int, count: int) -> list[int]:
    r"""A seed for each member of a run, such as the generators of one battle.

    .. math:: s_i = 1000\,s_\text{run} + i,\qquad 0\le i<\text{count}\le1000

    Args:
        run: the run's own seed, at least 0.
        count: of members.

    Returns:
        The seeds, in order; those of different runs differ.

    Raises:
        ValueError: if the seed is negative, or there are more members than room.

    Example:
        >>> members(2, 3)
        [2000, 2001, 2002]
    """
    if run < 0 or not 1 <= count <= ROOM:
        raise ValueError(f"expected a seed ≥ 0 and 1 to {ROOM} members, got {run} and {count}")
    return [ROOM * run + index for index in range(count)]
