"""The probe: maps as the paper pools them, labels dealt fairly, a linear machine and no more."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional

from genbook.dcgan import probe
from genbook.dcgan.networks import Design, Discriminator
from genbook.kit import data
from genbook.kit.device import seeded


@pytest.fixture(scope="module")
def sets():
    return data.digits("train", device="cpu"), data.digits("test", device="cpu")


def test_a_cell_of_the_grid_is_the_maximum_of_its_square():
    design = Design(side=16, channels=3, width=4)
    net = Discriminator(design, seeded(0)).eval()
    x = torch.randn(2, 3, 16, 16, generator=seeded(1))
    near, far = (part.detach() for part in net.maps(x))
    found = probe.pooled(net, x)
    assert found.shape == (2, 16 * (2 + 4))
    first, second = found[:, :32].view(2, 2, 4, 4), found[:, 32:].view(2, 4, 4, 4)
    for i in range(4):
        for j in range(4):
            square = near[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            torch.testing.assert_close(first[:, :, i, j], square.amax((2, 3)))
    torch.testing.assert_close(second, far)


def test_calmed_what_a_map_holds_hangs_on_its_own_image_alone():
    net = Discriminator(Design(norm_input=True), seeded(0))
    x = torch.randn(50, 1, 8, 8, generator=seeded(1))
    net(100 * x)
    calm = probe.calmed(net, x)
    assert not calm.training
    torch.testing.assert_close(calm.features(x[:3])[:1], calm.features(x[:1]))
    fresh = probe.calmed(Discriminator(Design(norm_input=True), seeded(0)), x)
    torch.testing.assert_close(calm.features(x), fresh.features(x))
    both = functional.leaky_relu(calm.train().features(x), 1.0)
    torch.testing.assert_close(fresh.features(x), both, rtol=0, atol=0.05)


def test_every_class_has_as_many_labels_and_the_rest_is_all_others():
    labels = torch.arange(10).repeat(7)
    chosen, rest = probe.some(labels, 3, seeded(0))
    assert labels[chosen].bincount().tolist() == [3] * 10
    assert sorted(torch.cat([chosen, rest]).tolist()) == list(range(70))
    again, other = (probe.some(labels, 3, seeded(k))[0] for k in (0, 1))
    assert torch.equal(chosen, again)
    assert not torch.equal(chosen, other)
    assert chosen.tolist() != sorted(chosen.tolist())
    with pytest.raises(ValueError, match="expected 8 images of class 0, got 7"):
        probe.some(labels, 8, seeded(0))


def test_what_no_line_parts_is_not_learned_and_what_a_line_parts_is():
    x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]).repeat(10, 1)
    apart, either = (x[:, 0] > 0).long(), (x.prod(1) > 0).long()
    assert probe.score([x] * 3, [apart] * 3) == 1
    assert probe.score([x] * 3, [either] * 3) <= 0.75


def test_the_cost_is_chosen_without_the_test_images():
    made_up = seeded(0)
    x = torch.randn(300, 40, generator=made_up)
    y = (x[:, 0] + torch.randn(300, generator=made_up) > 0).long()
    features, labels = list(x.split(100)), list(y.split(100))
    right = probe.score(features, labels)
    labels[2] = 1 - labels[2]
    assert probe.score(features, labels) == pytest.approx(1 - right)
    features, labels = [x[:100]] * 3, [y[:100], 1 - y[:100], y[:100]]
    worst_of_known = probe.score(features, labels)
    labels[1] = y[:100]
    assert worst_of_known < probe.score(features, labels)


def test_features_are_scaled_by_images_without_a_label():
    known = torch.randn(500, 1, 2, 2, generator=seeded(0)) * 3 + 5
    known[:, 0, 0, 0] = 1
    reads = lambda x: x.flatten(1)  # noqa: E731
    same, other = probe.scaled(reads, known, [known, known + 3])
    torch.testing.assert_close(same.mean(0), torch.zeros(4), rtol=0, atol=1e-5)
    deviations = same.std(0, correction=0)
    torch.testing.assert_close(deviations, torch.tensor([0.0, 1, 1, 1]))
    torch.testing.assert_close((other - same)[0, 1:] * reads(known).std(0, correction=0)[1:],
                               torch.full((3,), 3.0))  # fmt: skip
    assert other[:, 0].abs().max() == 0


def test_more_labels_are_read_better_and_all_three_know_something(sets):
    net = Discriminator(Design(spread=None), seeded(0))
    few, many = probe.probe(net, *sets, 0, sizes=(10, 500))
    assert (few["labels"], many["labels"]) == (10, 500)
    for name in ("trained", "untrained", "pixels"):
        assert 0.2 < few[name] < many[name] <= 1
    assert many["pixels"] > 0.8


def test_the_stranger_is_the_same_whatever_was_trained(sets):
    one, other = (
        next(probe.probe(Discriminator(Design(), seeded(k)), *sets, 3, sizes=(50,))) for k in (1, 2)
    )
    assert one["untrained"] == other["untrained"]
    assert one["pixels"] == other["pixels"]
    assert one["trained"] != other["trained"]


def test_the_maps_read_images_as_the_players_see_them(sets, monkeypatch):
    seen = []
    monkeypatch.setattr(probe, "score", lambda *_: 0.0)
    right = probe.pooled
    monkeypatch.setattr(probe, "pooled", lambda net, x: seen.append(x) or right(net, x))
    list(probe.probe(Discriminator(Design(), seeded(0)), *sets, 0, sizes=(10,)))
    assert {float(x.min()) for x in seen} == {-1.0}
    assert {float(x.max()) for x in seen} == {1.0}


def test_the_labelled_are_not_those_the_cost_is_chosen_by(sets, monkeypatch):
    learn, test = sets
    numbered = dataclasses.replace(
        learn, images=torch.arange(len(learn)).view(-1, 1, 1, 1).expand(-1, 1, 8, 8) / 2_000
    )
    seen = []
    monkeypatch.setattr(probe, "scaled", lambda reads, known, parts: parts)
    monkeypatch.setattr(probe, "score", lambda parts, labels: seen.append((parts, labels)) or 0.0)
    list(probe.probe(Discriminator(Design(), seeded(0)), numbered, test, 0, sizes=(100,)))
    for (mine, choose, last), labels in seen:
        places = [(2_000 * part[:, 0, 0, 0]).round().long() for part in (mine, choose)]
        assert len(places[0]) == 100
        assert len(places[1]) == probe.CHOOSING
        assert not set(places[0].tolist()) & set(places[1].tolist())
        assert all(torch.equal(learn.labels[p], y) for p, y in zip(places, labels, strict=False))
        assert torch.equal(last, test.images)
        assert torch.equal(labels[2], test.labels)


def test_another_seed_has_another_stranger(sets, monkeypatch):
    seen = []
    right = probe.calmed
    monkeypatch.setattr(probe, "score", lambda *_: 0.0)
    monkeypatch.setattr(probe, "calmed", lambda net, x: seen.append(net) or right(net, x))
    own = Discriminator(Design(), seeded(5))
    for seed in (0, 0, 1):
        list(probe.probe(own, *sets, seed, sizes=(10,)))
    one, again, other = (net.look.weight for net in seen[1::2])
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert not torch.equal(one, own.look.weight)
