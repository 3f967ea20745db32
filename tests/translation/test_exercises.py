"""Laws of `genbook.translation.exercises`."""

from __future__ import annotations

import pytest

from genbook.translation import (
    exercises,
)


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_exercises_accept_the_reference_and_hint_at_typical_errors(exercise):
    assert exercise.check(exercise.reference) is None
    for wrong in exercise.wrong:
        assert wrong.hint in exercise.check(wrong.answer)
