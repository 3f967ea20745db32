"""Exercises that check themselves: right, wrong with a hint, or not answered yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genbook.kit.receipts import encodable


@dataclass(frozen=True)
class Wrong:
    r"""A typical wrong answer and words that the hint for it must hold.

    Args:
        answer: the wrong answer.
        hint: a part of the hint that a reader who gives this answer should see.
    """

    answer: Any
    hint: str


@dataclass(frozen=True)
class Exercise:
    r"""A question with a check, a reference answer and typical wrong answers.

    Args:
        name: the exercise's name, as the chapter calls it.
        check: returns ``None`` for a right answer, a hint for a wrong one.
        reference: an answer that passes.
        wrong: typical wrong answers with the hint each should get.
    """

    name: str
    check: Callable[[Any], str | None]
    reference: Any
    wrong: tuple[Wrong, ...]

    def __post_init__(self) -> None:
        if len(self.wrong) < 2:
            raise ValueError(
                f"expected at least two typical wrong answers for {self.name!r}, "
                f"got {len(self.wrong)}; add the mistakes that readers make"
            )

    def verdict(self, answer: Any) -> str:
        r"""What to tell a reader who gives this answer; never raises.

        Args:
            answer: a value, or a function that the check calls.

        Returns:
            One line: right, not answered yet, or a hint.
        """
        if _blank(answer):
            return f"… {self.name}: not answered yet."
        try:
            hint = self.check(answer)
        except UnansweredError:
            return f"… {self.name}: not answered yet."
        except Exception as error:  # the reader's own code may raise anything
            return f"✗ {self.name}: your code raised {type(error).__name__}: {error}"
        return f"✓ {self.name}: right." if hint is None else f"✗ {self.name}: {hint}"

    def run(self, answer: Any) -> None:
        r"""Print the verdict on an answer.

        Args:
            answer: a value, or a function that the check calls.
        """
        print(encodable(self.verdict(answer)))


class UnansweredError(Exception):
    """A stub that returns nothing yet."""


def call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    r"""Call a reader's function; a stub that returns ``None`` or ``...`` is not answered yet.

    Args:
        function: the reader's function.
        *arguments: handed on.
        **keywords: handed on.

    Returns:
        What the function returns.

    Raises:
        UnansweredError: if it returns ``None`` or ``...``.
        ValueError: if it is no function.

    Example:
        >>> call(lambda x: x + 1, 1)
        2
    """
    if not callable(function):
        raise ValueError(f"expected a function, got {function!r}; pass its name without brackets")
    value = function(*arguments, **keywords)
    if _blank(value):
        raise UnansweredError
    return value


def _blank(value: Any) -> bool:
    return value is None or value is ...
