"""The source shown is the source that runs."""

from __future__ import annotations

import inspect

import pytest

from genbook.kit import source as module
from genbook.kit.source import show, source


def checked(x):
    """A root."""
    if x < 0:
        raise ValueError(f"expected x of at least 0, got {x}")

    if x == 0:
        return 0
    return x**0.5


class Documented:
    """A class."""

    def method(self):
        """A method."""
        return 1

    def only_words(self):
        """Nothing but a docstring."""


def test_a_method_loses_its_docstring_and_its_indentation():
    assert source(Documented.method) == "def method(self):\n    return 1"


def test_docstrings_can_be_kept():
    assert '"""A method."""' in source(Documented.method, whole=True)


def test_a_body_that_is_only_a_docstring_stays_valid_python():
    assert '"""Nothing but a docstring."""' in source(Documented)
    compile(source(Documented), "shown", "exec")


def test_what_is_shown_still_computes_the_same():
    namespace = dict(vars(module))
    exec(source(source), namespace)
    assert namespace["source"](Documented.method) == source(Documented.method)


def test_every_shown_line_stands_in_the_file():
    lines = inspect.getsource(module).splitlines()
    assert all(line in lines for line in source(show).splitlines())


def test_the_checks_of_arguments_are_left_out_and_said_to_be():
    assert source(checked) == "def checked(x):\n    if x == 0:\n        return 0\n    return x**0.5"
    assert "raise ValueError" in source(checked, whole=True)
    assert module._block(checked, False).splitlines()[1].endswith("checked, arguments checked")
    assert module._block(checked, True).splitlines()[1].endswith(".checked")
    assert module._block(Documented.method, False).splitlines()[1].endswith(".method")


def test_show_names_where_the_source_lives(monkeypatch):
    shown = []
    monkeypatch.setattr(module, "display", shown.append)
    show(source)
    assert shown[0].data.startswith("```python\n# genbook.kit.source.source\ndef source(")


def test_a_thing_without_python_source_is_refused():
    with pytest.raises(ValueError, match="written in Python"):
        source(len)
