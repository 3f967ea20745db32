"""Laws of `genbook.invertible.studies`."""

from __future__ import annotations

import torch
from invertible.given import seeded

from genbook.invertible import flows, studies
from genbook.kit import studies as records


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
