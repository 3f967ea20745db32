"""Laws of `genbook.invertible.studies`."""

from __future__ import annotations

import pytest
import torch
from invertible.given import seeded

from genbook.invertible import flows, studies
from genbook.kit import data
from genbook.kit import studies as records


@pytest.fixture
def asked(monkeypatch):
    """What `fitted` asks of the training, which is left out."""
    found = {}

    def keep(net, draw, **settings):
        found.update(settings, net=net, draw=draw)
        return iter(())

    def rule(terms, generator=None):
        found.update(terms=terms, probes=generator)
        return flows.exact

    monkeypatch.setattr(studies, "train", keep)
    monkeypatch.setattr(studies, "truncated", rule)
    return found


def test_the_run_is_the_one_that_the_record_describes(asked):
    images = torch.rand(60, 64, generator=seeded())
    studies.fitted(images, seed=1, steps=7)
    said = studies.STUDIES[0].config
    assert (asked["steps"], asked["rate"], asked["batch"], asked["terms"]) == (7, 3e-3, 128, 5)
    assert {"Adam 3e-3", "batch 128", "series of 5 terms"} <= set(said["training"].split(", "))
    assert asked["probes"] is not None
    net = asked["net"]
    assert said["network"].startswith(f"{net.blocks} blocks 64-{net.maps[0].shape[-1]}-128-64")
    assert f"{net.c} ** (1/3)" in said["network"]


def test_batches_are_drawn_from_all_images_with_fresh_noise(asked):
    images = torch.arange(17.0).div(16).repeat_interleave(64).reshape(17, 64)
    _, scales = studies.fitted(images, seed=0, steps=1)
    drawn = asked["draw"](500)
    share = torch.sigmoid(drawn * scales.std + scales.mean)
    grey = ((share - 0.05) / 0.9 * 17).clamp(0, 17)
    assert grey.floor().mean(1).round().unique().numel() == 17
    assert grey.frac().std() > 0.25
    assert not torch.equal(drawn, asked["draw"](500))


def test_another_seed_begins_with_other_weights(asked):
    images = torch.rand(20, 64, generator=seeded())
    one, again, other = (studies.fitted(images, seed=s, steps=1)[0].maps[0] for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_digits_have_as_many_levels_as_are_counted():
    grey = data.digits("train", device="cpu").flat * (studies.LEVELS - 1)
    assert torch.equal(grey, grey.round())
    assert grey.unique().numel() == studies.LEVELS


def test_a_way_back_that_goes_astray_is_seen(monkeypatch):
    images = torch.rand(40, 64, generator=seeded())
    net, scales = studies.fitted(images, seed=0, steps=1)
    right, asked = flows.IResNet.inverse, []

    def astray(net, z, steps):
        asked.append((len(z), z.dtype, steps))
        return right(net, z, steps) - 0.25 * (torch.arange(len(z)) == 7)[:, None]

    monkeypatch.setattr(flows.IResNet, "inverse", astray)
    assert studies.judged(net, scales, images, seed=0)["back"] == pytest.approx(0.25)
    assert asked == [(32, torch.float64, 100)]


def test_a_row_holds_both_splits_under_their_names(monkeypatch):
    sizes = {"train": 1_437, "test": 360}
    monkeypatch.setattr(studies, "fitted", lambda images, seed, steps: (len(images), steps))
    monkeypatch.setattr(
        studies,
        "judged",
        lambda net, scales, images, seed: {"exact": (net, scales, len(images), seed)},
    )
    rows = list(studies.record_digits(slice=False, seed=5))
    assert [row["steps"] for row in rows] == [studies.SHORT, studies.LONG]
    for row in rows:
        for name, split in (("train", "train"), ("exact", "test")):
            assert row[name] == (sizes["train"], row["steps"], sizes[split], 5)


def test_a_run_is_made_again_by_its_seed_and_judged_on_its_own_noise():
    images = torch.rand(60, 64, generator=seeded())
    runs = [studies.fitted(images, seed=seed, steps=2) for seed in (1, 1, 2)]
    first, again, other = (studies.judged(*run, images, seed=1) for run in runs)
    assert first == again
    assert first["exact"] != other["exact"]
    assert first["back"] < 1e-9


def test_what_is_judged_is_the_likelihood_in_bits():
    images = torch.rand(20, 64, generator=seeded())
    net, scales = studies.fitted(images, seed=0, steps=1)
    said = studies.judged(net, scales, images, seed=0)
    noise = torch.Generator().manual_seed(studies.JUDGING.seed(0))
    x, volume = scales(studies.dequantise(images, studies.LEVELS, noise))
    with torch.no_grad():
        nats = -(net.log_prob(x, flows.exact) + volume).mean()
        five = -(net.log_prob(x, flows.truncated(5)) + volume).mean()
    assert said["exact"] - said["five"] == pytest.approx(
        ((nats - five) / 64 / 0.693147).item(), abs=1e-5
    )
    by_hand = (nats / 64 / torch.log(torch.tensor(2.0)) + torch.log2(torch.tensor(17.0))).item()
    assert abs(said["exact"] - by_hand) < 1e-4


def test_a_slice_has_the_short_run_only(monkeypatch):
    monkeypatch.setattr(studies, "SHORT", 1)
    rows = list(studies.record_digits(slice=True, seed=0))
    assert [row["steps"] for row in rows] == [1]


def test_the_record_has_both_lengths_of_every_seed():
    kept = records.load("invertible_digits")
    assert len(kept.rows) == 2 * len(studies.STUDIES[0].seeds)
    assert kept.config == studies.STUDIES[0].config
    for steps in (studies.SHORT, studies.LONG):
        assert kept.column("seed", steps=steps) == list(studies.STUDIES[0].seeds)
