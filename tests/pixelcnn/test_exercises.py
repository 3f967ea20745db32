"""Laws of `genbook.pixelcnn.exercises`."""

from __future__ import annotations

import pytest

from genbook.pixelcnn import (
    exercises,
)


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_exercises_know_right_from_wrong(exercise):
    assert exercise.verdict(exercise.reference).startswith("✓")
    for wrong in exercise.wrong:
        verdict = exercise.verdict(wrong.answer)
        assert verdict.startswith("✗")
        assert wrong.hint in verdict
