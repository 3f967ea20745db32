"""Laws of `genbook.collapse.studies`."""

from __future__ import annotations

from dataclasses import replace

from genbook.collapse import remedies
from genbook.collapse import studies as patience


def test_the_long_run_is_a_row_of_the_table_with_more_iterations():
    flat = remedies.method("flat slopes (R1 + R2)")
    assert replace(patience.PATIENT, name=flat.name) == flat
    more = patience.LONG_BUDGET.iterations
    assert replace(remedies.GRID_BUDGET, iterations=more) == patience.LONG_BUDGET
