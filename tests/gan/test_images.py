"""Laws of `genbook.gan.images`."""

from __future__ import annotations

import torch

from genbook.games import play
from genbook.gan import images
from genbook.kit import data
from tests.gan.given import flat


def test_pixels_lie_between_zero_and_one():
    streams = play.Streams([0, 1])
    generator, critic = images.image_players(9, streams, hidden=5)
    drawn = generator(streams.normal(6, images.LATENT))
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert play.scores(critic, drawn).shape == (2, 6)


def test_validation_images_are_not_trained_on():
    digits = data.digits("train")
    rows = images.split(digits, data.digits("test"))
    assert len(rows.train) + len(rows.validation) == len(digits)
    assert torch.equal(torch.cat([rows.train, rows.validation]), digits.flat)


def test_milestones_hand_out_the_generator_as_it_is_then():
    table = torch.rand(20, 9, generator=torch.Generator().manual_seed(0))
    found = [(at, flat(g)) for at, g, _ in images.trained_on(table, (0,), (2, 3))]
    assert [at for at, _ in found] == [2, 3]
    assert not torch.equal(found[0][1], found[1][1])


def test_a_slice_of_the_study_has_a_row_for_each_seed_and_yardstick():
    rows = list(images.record_parzen(slice=True))
    assert [row["seed"] for row in rows if row["model"] == "GAN"] == list(images.SEEDS)
    assert {row["model"] for row in rows} == {"GAN", "training images", "k-means centres"}
