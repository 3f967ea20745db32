"""Laws of `genbook.gran.studies`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran import studies
from genbook.gran.referee import contestants, fight
from genbook.kit.study_runs import record


@pytest.fixture(scope="module")
def found():
    return record(studies.STUDIES[0], slice=True)


def test_a_slice_records_every_kind_of_row(found):
    kinds = {row["kind"] for row in found.rows}
    assert kinds == {"player", "fight", "curve", "moment", "strokes"}
    players = {row["player"] for row in found.where(kind="player")}
    assert players == {"T = 1", "T = 3", studies.REPEATER}
    assert {row["rule"] for row in found.where(kind="fight")} == {
        f"{way}, {rule}" for way in ("last", "snapshots", "average") for rule in ("half", "equal")
    } | {"fresh judges, equal"}


def test_a_recorded_fight_is_the_referees(place, runs):
    row = next(
        row for row in studies.fight_rows(place, runs, {}) if row.get("rule") == "average, equal"
    )
    one, two = (contestants(runs[f"T = {steps}"])["average"] for steps in (3, 1))
    images = place.validation.images, place.test.images
    there = fight(one, two, *images, samples=place.setting.samples)
    assert (row["first"], row["second"]) == ("T = 3", "T = 1")
    assert (row["test_1"], row["sample_2"]) == (
        there.battle.rates.test_1,
        there.battle.rates.sample_2,
    )
    assert (row["low"], row["winner"]) == (max(there.low, -99.0), there.winner)


def test_a_repeater_is_caught(found):
    for row in found.where(kind="player"):
        assert (row["copied"] > 0.9) == (row["player"] == studies.REPEATER)


def test_strokes_survive_being_written_down(found, place, runs):
    kept = studies.recorded_strokes(found, "T = 3", dataset="digits")
    codes = torch.Generator().manual_seed(studies.FIGHTING.seed(2))
    z = torch.randn(9, 64, generator=codes)
    true = runs["T = 3"].average.generator.increments(z)[:, :, 0].clamp(-12, 12)
    assert kept.shape == true.shape == (3, 9, 8, 8)
    torch.testing.assert_close(kept, true, atol=float(true.max() - true.min()) / 200, rtol=0)


def test_validation_images_are_not_learned_from(place):
    assert len(place.train) + len(place.validation) == 1437
    assert not torch.equal(place.train.images[-1], place.validation.images[0])


def test_weights_are_kept_under_their_recipe(place, tmp_path):
    studies.train_all(place, 0, (1,), tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("digits-1-0-")
    assert (folder / "run.safetensors").is_file()
