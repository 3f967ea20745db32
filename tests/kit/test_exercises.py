"""Every chapter's exercises: the reference passes, blanks are met politely, mistakes get hints."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import genbook
from genbook.kit.exercises import Exercise, UnansweredError, Wrong, call

ALL = [
    pytest.param(exercise, id=f"{module.name}-{exercise.name}")
    for module in pkgutil.walk_packages(genbook.__path__, "genbook.")
    if module.name.endswith(".exercises") and module.name != "genbook.kit.exercises"
    for exercise in importlib.import_module(module.name).EXERCISES
]


def blank(*_arguments, **_keywords):
    """A stub as the notebook hands it out."""


@pytest.mark.parametrize("exercise", ALL)
def test_reference_solution_passes(exercise: Exercise):
    assert exercise.verdict(exercise.reference) == f"✓ {exercise.name}: right."


@pytest.mark.parametrize("exercise", ALL)
@pytest.mark.parametrize("stub", [blank, None, ...], ids=["function", "None", "ellipsis"])
def test_blank_stub_is_met_politely(exercise: Exercise, stub):
    assert exercise.verdict(stub) == f"… {exercise.name}: not answered yet."


@pytest.mark.parametrize("exercise", ALL)
def test_typical_mistakes_get_their_hint(exercise: Exercise):
    for wrong in exercise.wrong:
        verdict = exercise.verdict(wrong.answer)
        assert verdict.startswith(f"✗ {exercise.name}: ")
        assert wrong.hint in verdict


def test_an_answer_that_raises_is_reported_not_raised():
    exercise = Exercise(
        "broken", lambda f: call(f) and None, lambda: 1, (Wrong(1, "a"), Wrong(2, "b"))
    )

    def answer():
        raise ZeroDivisionError("oops")

    assert exercise.verdict(answer) == "✗ broken: your code raised ZeroDivisionError: oops"


def test_a_value_where_a_function_is_expected_is_explained():
    with pytest.raises(ValueError, match="expected a function, got 3"):
        call(3)
    with pytest.raises(UnansweredError):
        call(blank)


def test_an_exercise_needs_two_typical_mistakes():
    with pytest.raises(ValueError, match="at least two"):
        Exercise("lonely", lambda _: None, 1, (Wrong(2, "a"),))


def test_run_prints_the_verdict(capsys):
    Exercise("e", lambda _: None, 1, (Wrong(2, "a"), Wrong(3, "b"))).run(1)
    assert capsys.readouterr().out == "✓ e: right.\n"
