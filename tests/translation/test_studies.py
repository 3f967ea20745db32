"""Laws of `genbook.translation.studies`."""

from __future__ import annotations

import pytest

from genbook.translation import (
    photographs,
)
from genbook.translation import studies as translation_studies

STUDIES = [*translation_studies.STUDIES, *photographs.STUDIES]


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_slice_of_every_study_has_plain_rows(study, monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    rows = study.run(slice=True, seed=0) if study.by_seed else study.run(slice=True)
    assert all(isinstance(value, (int, float, str)) for row in rows for value in row.values())
