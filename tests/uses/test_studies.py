"""The study: its rows are complete."""

from __future__ import annotations

import torch

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.ogan.training import Players
from genbook.uses import outliers, probes, samplers, studies, tables


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


def halves():
    return tuple(data.digits(part, device="cpu") for part in ("train", "test"))


def test_the_share_read_is_of_those_read_as_labelled(monkeypatch):
    images, test = halves()
    true = {"true": samplers.cheating(images, 1.0)}
    monkeypatch.setattr(studies, "samplers", lambda *_: true)
    nets = {"discriminator": Players(64, 0)}
    rows = list(studies.schooled(images, test, nets, 0, 300))
    (read,) = [row["read"] for row in rows if row["sampler"] == "true"]
    assert read > 0.9


def test_both_readers_see_the_same_images_and_as_many_real_ones_are_real(monkeypatch):
    images, test = halves()
    nets, seen = probes.featured(images, 0, 2), []

    def taught(made, judged, *, steps, seed, convolutional):
        assert judged is test
        seen.append((made, convolutional))
        return 0.5

    monkeypatch.setattr(studies, "taught", taught)
    rows = list(studies.by_two_readers(images, test, nets, 0, 3))
    names = ["real images", "real images, as many", *studies.samplers(images, nets)]
    assert [(r["sampler"], r["classifier"]) for r in rows] == [
        (name, classifier) for name in names for classifier in ("perceptron", "CNN")
    ]
    for (one, plain), (other, convolutional) in zip(seen[::2], seen[1::2], strict=True):
        assert one is other
        assert (plain, convolutional) == (False, True)
    assert seen[0][0] is images
    sizes = {len(made) for made, _ in seen[2:]}
    assert sizes == {10 * (len(images) // 10)}
    known = {(*x.tolist(), y.item()) for x, y in zip(images.flat, images.labels, strict=True)}
    drawn = seen[2][0]
    assert all(
        (*x.tolist(), y.item()) in known for x, y in zip(drawn.flat, drawn.labels, strict=True)
    )


def test_the_untrained_layer_is_that_of_new_players():
    images, test = halves()
    rows = list(studies.untrained(images, test, 1))
    assert [row["labels"] for row in rows] == list(studies.LABELS)
    places = probes.few_labels(images.labels, 100, seeded(studies.TOLD.seed(1)))
    layer = Players(64, 1).encoder
    with torch.no_grad():
        found = [list(layer)[:-1], images.flat[places][None], test.flat[None]]
        for part in found[0]:
            found[1:] = [part(x) for x in found[1:]]
    wanted = probes.read_linearly(found[1][0], images.labels[places], found[2][0], test.labels)
    assert rows[1]["accuracy"] == round(wanted, 4)


def test_strangers_are_told_apart_by_pairs():
    images, test = halves()
    test = test.take(40)
    rows = {row["strangers"]: row for row in studies.told_apart(images, test, 0)}
    table = tables.fit(tables.binary(images.images[:, 0]))
    seen = tables.binary(test.images[:, 0])
    for name in ("inverted", "mirrored"):  # no chance in these
        other = 1 - seen if name == "inverted" else seen.flip(-1)
        for key, weight in (("cost", 0), ("corrected", 1)):
            own, strange = (table.nats(x) - weight * outliers.compressed(x) for x in (seen, other))
            pairs = (strange > own[:, None]).double() + 0.5 * (strange == own[:, None])
            assert abs(rows[name][key] - pairs.mean().item()) < 1e-4
