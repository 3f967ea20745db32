"""Laws of `genbook.gran.exercises`."""

from __future__ import annotations

import pytest

from genbook.gran import (
    exercises,
)


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_an_exercise_accepts_its_reference_and_explains_its_wrong_answers(exercise):
    assert exercise.verdict(exercise.reference).startswith("✓")
    for wrong in exercise.wrong:
        assert wrong.hint in exercise.verdict(wrong.answer)
