"""Every chapter's exercises: the reference passes, and blanks are met politely."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import genbook
from genbook.kit.exercises import Exercise, Hint, call

STEMS = [
    module.name.split(".")[1]
    for module in pkgutil.walk_packages(genbook.__path__, "genbook.")
    if module.name.endswith(".exercises") and module.name != "genbook.kit.exercises"
]


def exercises_of(stem):
    return importlib.import_module(f"genbook.{stem}.exercises").EXERCISES


ALL = [pytest.param(e, id=f"{stem}-{e.name}") for stem in STEMS for e in exercises_of(stem)]


def blank(*_arguments, **_keywords):
    """A stub as the notebook hands it out."""


@pytest.mark.parametrize("exercise", ALL)
def test_reference_solution_passes(exercise: Exercise):
    assert exercise.verdict(exercise.reference) == f"✓ {exercise.name}: right."


@pytest.mark.parametrize("exercise", ALL)
@pytest.mark.parametrize("stub", [blank, None, ...], ids=["function", "None", "ellipsis"])
def test_blank_stub_is_met_politely(exercise: Exercise, stub):
    assert exercise.verdict(stub) == f"… {exercise.name}: not answered yet."


@pytest.mark.parametrize("stem", sorted(STEMS))
def test_every_exercise_is_tried_with_three_right_and_three_wrong_answers(stem):
    table = importlib.import_module(f"tests.{stem}.test_exercises").ANSWERS
    assert set(table) == {exercise.name for exercise in exercises_of(stem)}
    for name, answers in table.items():
        assert len(answers.right) >= 3, name
        assert len(answers.wrong) >= 3, name
        assert all(hint.strip() for _, hint in answers.wrong), name


def test_an_answer_that_raises_is_reported_not_raised():
    exercise = Exercise("broken", lambda f: call(f) and None, lambda: 1)

    def answer():
        raise ZeroDivisionError("oops")

    assert exercise.verdict(answer) == "✗ broken: your code raised ZeroDivisionError: oops"


def test_an_error_of_the_check_is_not_blamed_on_the_reader():
    def check(_answer):
        raise RuntimeError("the book's own mistake")

    with pytest.raises(RuntimeError, match="own mistake"):
        Exercise("odd", check, 1).verdict(2)


def test_a_hint_may_be_raised_as_well_as_returned():
    def check(_answer):
        raise Hint("look again")

    assert Exercise("e", check, 1).verdict(2) == "✗ e: look again"


def test_a_value_where_a_function_is_expected_is_explained():
    exercise = Exercise("e", lambda f: call(f) and None, lambda: 1)
    assert "expected a function, got 3" in exercise.verdict(3)


def test_run_prints_the_verdict(capsys):
    Exercise("e", lambda _: None, 1).run(1)
    assert capsys.readouterr().out == "✓ e: right.\n"
