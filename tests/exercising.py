"""Right answers in odd forms and wrong ones that look right, for every exercise of a chapter.

A chapter's ``tests/<stem>/test_exercises.py`` is a table::

    from exercising import Answers, assert_judged, judged

    ANSWERS = {
        "kl": Answers(
            right=(as_numpy, as_list, by_torch),          # at least three, besides the reference
            wrong=((swapped, "swapped"), (in_bits, "bits"), (no_zero_rule, "0 · log 0")),
        ),
    }

    @judged(EXERCISES, ANSWERS)
    def test_every_answer_gets_its_verdict(exercise, answer, hint):
        assert_judged(exercise, answer, hint)

``right`` are other representations (a list, NumPy, float32) or other algorithms; ``wrong`` are
mistakes that readers make, each with words that its hint must hold. A wrong answer's verdict must
not say that the reader's code raised, unless it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from genbook.kit.exercises import Exercise


@dataclass(frozen=True)
class Answers:
    """Answers that must pass, and answers that must not, each with words of its hint."""

    right: tuple[Any, ...]
    wrong: tuple[tuple[Any, str], ...]


def judged(exercises: Iterable[Exercise], answers: Mapping[str, Answers]) -> pytest.MarkDecorator:
    """Every answer of a chapter as a case: the exercise, the answer, and its hint or None."""
    cases = []
    for exercise in exercises:
        table = answers[exercise.name]
        right = (exercise.reference, *table.right)
        cases += [(exercise, a, None, f"{exercise.name}-right-{k}") for k, a in enumerate(right)]
        cases += [
            (exercise, a, hint, f"{exercise.name}-wrong-{k}")
            for k, (a, hint) in enumerate(table.wrong)
        ]
    return pytest.mark.parametrize(
        ("exercise", "answer", "hint"), [c[:3] for c in cases], ids=[c[3] for c in cases]
    )


def assert_judged(exercise: Exercise, answer: Any, hint: str | None) -> None:
    """A right answer is called right, and a wrong one gets its hint."""
    verdict = exercise.verdict(answer)
    if hint is None:
        assert verdict == f"✓ {exercise.name}: right."
        return
    assert verdict.startswith(f"✗ {exercise.name}: "), verdict
    assert hint in verdict
    assert "your code raised" not in verdict or "raised" in hint
