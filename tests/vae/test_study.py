"""Laws of `genbook.vae.study`."""

from __future__ import annotations

import pytest

from genbook.kit import data
from genbook.kit.device import pick
from genbook.vae import exact as vae_exact
from genbook.vae import study
from tests.vae.given import tiny


def test_the_schedule_is_the_papers():
    recipe = study.RECIPES["mnist"]
    assert sum(recipe.passes(index) for index in range(study.LONGEST)) == 3280
    assert recipe.config(0, 60_000, 1).steps == 3_000
    assert recipe.config(7, 60_000, 1).lr == pytest.approx(1e-4)


def test_judging_many_loosely_and_few_tightly_is_judging_all_tightly_when_k_agrees():
    model, x = tiny(), vae_exact.all_binary(6)
    wide = study.Judge(samples=4_000)(model, x)
    narrow = study.Judge(samples=4, tight=4_000, few=len(x))(model, x)
    assert narrow["nll"] == pytest.approx(wide["nll"], abs=0.02)
    assert narrow["nll_k"] > wide["nll_k"]


def test_a_learning_curve_has_one_row_a_stage_and_falls():
    digits, recipe = data.digits("train", device="cpu").flat, study.RECIPES["digits"]
    rows = list(
        study.learning_curve(
            digits[:200],
            digits[200:300],
            dataset="digits",
            samples=2,
            seed=0,
            stages=2,
            judge=study.Judge(samples=20),
            device=pick("cpu"),
        )
    )
    assert [row["passes"] for row in rows] == [recipe.unit, 4 * recipe.unit]
    assert rows[1]["nll"] < rows[0]["nll"]
    assert {row["objective"] for row in rows} == {"IWAE"}
