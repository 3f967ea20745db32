"""Games on larger images: the same recipes, the images as told, rows that a chapter can read."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from genbook.dcgan import larger, studies
from genbook.dcgan.training import Recipe
from genbook.kit.data import ImageSet, digits
from genbook.kit.packing import unpack_images


def test_a_halved_pixel_is_the_mean_of_four_and_the_margin_is_even():
    images = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    small = larger.halved(ImageSet("x", images, torch.zeros(2).long())).images
    for row, column in ((0, 0), (3, 9), (13, 13)):
        square = images[:, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        torch.testing.assert_close(small[:, 0, row + 1, column + 1], square.mean((1, 2)))
    assert small[:, 0, [0, 15]].abs().max() == small[..., [0, 15]].abs().max() == 0
    with pytest.raises(ValueError, match="28×28"):
        larger.halved(digits("test", device="cpu"))


def test_without_mnist_the_small_digits_stand_in(monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    learn, test = larger.numbers()
    assert (learn.name, len(learn), len(test)) == ("digits", 1437, 360)


def test_mnist_comes_at_sixteen_pixels(monkeypatch):
    made_up = {"train": 3, "test": 2}

    def mnist(split):
        count = made_up[split]
        return ImageSet("mnist", torch.ones(count, 1, 28, 28), torch.zeros(count).long())

    monkeypatch.setattr(larger, "mnist", mnist)
    assert [(len(s), s.size) for s in larger.numbers()] == [(3, (1, 16, 16)), (2, (1, 16, 16))]


def test_patches_are_the_same_each_time_and_those_to_judge_by_are_others():
    one, again = larger.patches(30, 20), larger.patches(30, 20)
    assert [(len(s), s.size) for s in one] == [(30, (3, 16, 16)), (20, (3, 16, 16))]
    assert all(torch.equal(a.images, b.images) for a, b in zip(one, again, strict=True))
    away = (one[0].images[:, None] - one[1].images).abs().amax((2, 3, 4))
    assert away.min() > 0


def test_an_enlarged_recipe_differs_in_the_images_size_alone():
    for name in larger.SETTINGS:
        small = studies.RECIPES[name]
        large = larger.enlarged(small, torch.zeros(2, 3, 16, 16))
        assert (large.design.side, large.design.channels) == (16, 3)
        design = dataclasses.replace(large.design, side=8, channels=1)
        assert large.batch == 32
        assert dataclasses.replace(large, design=design, batch=64) == small
    assert larger.enlarged(Recipe(), torch.zeros(2, 1, 12, 12)).design.channels == 1


def test_the_first_images_can_be_unpacked():
    images = torch.rand(9, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    row = larger.packed(images)
    assert (row["side"], row["channels"]) == (4, 3)
    found = unpack_images(row["pictures"], 3, 4, 4)
    torch.testing.assert_close(found, images[:8], rtol=0, atol=1 / 30 + 1e-6)
    grey = larger.packed(images[:, 0])
    assert (grey["side"], grey["channels"]) == (4, 1)


@pytest.fixture(scope="module")
def small():
    learn, test = digits("train", device="cpu"), digits("test", device="cpu")
    return learn, studies.scene(learn, test, steps=100)


def test_images_that_are_learned_from_are_nearly_as_near_as_one_half_to_the_other(small):
    learn, given = small
    row = larger.about(given, learn)
    assert row["floor"] == pytest.approx(given.judge.floor, abs=1e-3)
    assert row["accuracy"] == pytest.approx(given.judge.accuracy, abs=1e-3)
    all_of_them = float(given.judge.distance(learn.images.flatten(1)))
    assert row["distance"] == pytest.approx(all_of_them, abs=1e-3), "no more than 2,000 there"
    noise = dataclasses.replace(learn, images=torch.rand(len(learn), 1, 8, 8))
    assert larger.about(given, noise)["distance"] > 5 * row["distance"]
    assert row["board"] == pytest.approx(studies.board(learn.images), abs=1e-4)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    monkeypatch.setattr(larger, "SETTINGS", ("guidelines", "rate 0.001"))


def test_a_slice_on_digits_has_looks_pictures_and_a_probe(quick):
    rows = list(larger.record_numbers(True, 0))
    assert rows[0]["setting"] == "data"
    assert {row["setting"] for row in rows[1:]} == set(larger.SETTINGS)
    assert sum("pictures" in row for row in rows) == 3
    assert [row["labels"] for row in rows if "labels" in row] == [10]
    looks = [row["step"] for row in rows if "step" in row]
    assert looks == 2 * [0, 2, 4]


def test_a_slice_on_photographs_is_in_colour_and_other_seeds_have_no_pictures(quick):
    first, second = (list(larger.record_photos(True, seed)) for seed in (0, 1))
    pictures = [row for row in first if "pictures" in row]
    assert [row["setting"] for row in pictures] == ["data", *larger.SETTINGS]
    assert all(len(row["pictures"]) == larger.SHOWN * 3 * 16 * 16 for row in pictures)
    assert not any("labels" in row or "exemplars" in row for row in first)
    assert all(row["seed"] == 1 and "step" in row for row in second)


def test_what_differs_from_the_small_games_is_told():
    small = studies.STUDIES[0].config["training"]
    for study in larger.STUDIES:
        wanted = small.replace("minibatches of 64", "minibatches of 32")
        assert study.config["training"] == wanted != small
        assert len(study.seeds) >= 3
    assert set(larger.SETTINGS) < set(studies.RECIPES)
