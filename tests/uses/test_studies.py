"""The study: its rows are complete."""

from __future__ import annotations

from genbook.kit import data
from genbook.uses import probes, studies


def test_every_sampler_teaches_and_every_feature_is_read():
    images, test = (data.digits(part, device="cpu") for part in ("train", "test"))
    nets = probes.featured(images, 0, 3)
    taught = list(studies.schooled(images, test, nets, 0, 3))
    names = {row["sampler"] for row in taught}
    assert names == {"real images", *studies.samplers(images, nets)}
    spreads = {row["spread"] for row in taught if row["sampler"] == "O-GAN's codes"}
    assert spreads == set(studies.SPREADS)
    read = list(studies.probed(images, test.take(50), nets, 0))
    assert len({row["features"] for row in read}) == 6
    assert {row["labels"] for row in read} == set(studies.LABELS)


def test_real_images_teach_best_of_few_steps():
    images, test = (data.digits(part, device="cpu") for part in ("train", "test"))
    nets = probes.featured(images, 0, 3)
    found = {r["sampler"]: r["taught"] for r in studies.schooled(images, test, nets, 0, 200)}
    assert found["real images"] == max(found.values())
    assert found["table of patterns"] < 0.7
