"""Exercises that check themselves: right, wrong with a hint, or not answered yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genbook.kit.answers import Hint, ReaderError, UnansweredError, call, is_blank, listed
from genbook.kit.console import encodable

__all__ = ["Exercise", "Hint", "ReaderError", "UnansweredError", "call"]


@dataclass(frozen=True)
class Exercise:
    r"""A question with a check and a reference answer.

    Args:
        name: the exercise's name, as the chapter calls it.
        check: returns ``None`` for a right answer, a hint for a wrong one; it may raise
            :class:`~genbook.kit.answers.Hint` instead. It calls a reader's function through
            :func:`~genbook.kit.answers.call` only.
        reference: an answer that passes.
    """

    name: str
    check: Callable[[Any], str | None]
    reference: Any

    def verdict(self, answer: Any) -> str:
        r"""What to tell a reader who gives this answer.

        Args:
            answer: a value, or a function that the check calls.

        Returns:
            One line: right, not answered yet, or a hint.

        Raises:
            Exception: whatever goes wrong in the check itself; that is the book's fault and not
                the reader's.
        """
        if is_blank(answer):
            return f"… {self.name}: not answered yet."
        try:
            hint = self.check(listed(answer))
        except UnansweredError:
            return f"… {self.name}: not answered yet."
        except Hint as found:
            hint = str(found)
        except ReaderError as error:
            return f"✗ {self.name}: your code raised {error}"
        return f"✓ {self.name}: right." if hint is None else f"✗ {self.name}: {hint}"

    def run(self, answer: Any) -> None:
        r"""Print the verdict on an answer.

        Args:
            answer: a value, or a function that the check calls.
        """
        print(encodable(self.verdict(answer)))
