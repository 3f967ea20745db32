"""Laws of `genbook.pixelcnn.studies`."""

from __future__ import annotations

import math

from genbook.pixelcnn import studies as pixel_studies


def test_the_slice_of_the_study_has_rows_of_both_parts():
    rows = list(pixel_studies.record_nll(slice=True, seed=0))
    assert {row["part"] for row in rows} == {"probe", "binarisation"}
    assert all(math.isfinite(row["nats"]) for row in rows)
    assert len([row for row in rows if row["part"] == "binarisation"]) == 9


def test_the_slice_of_the_costs_has_times_and_equal_images():
    rows = list(pixel_studies.record_costs(slice=True))
    assert {row["family"] for row in rows} == set(pixel_studies.FAMILIES)
    assert all(row["same"] and min(row["step"], row["naive"], row["cached"]) > 0 for row in rows)
