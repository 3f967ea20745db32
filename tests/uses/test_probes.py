"""Linear readers on features: which labels are told, and what hidden layers are."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.ogan.training import Players
from genbook.uses import probes
from genbook.vae.models import VAE


def test_as_many_labels_of_each_class_are_told():
    told = torch.arange(60) % 3
    places = probes.few_labels(told, 12, seeded(0))
    assert len(set(places.tolist())) == 12
    assert told[places].bincount().tolist() == [4, 4, 4]
    assert places.tolist() != probes.few_labels(told, 12, seeded(1)).tolist()


def test_the_last_layer_on_the_hidden_one_is_the_code():
    pair, x = Players(9, 0, code=4, hidden=7), torch.rand(5, 9, generator=seeded(0))
    last = list(pair.encoder)[-1]
    assert torch.allclose(last(probes.hidden(pair, x)[None])[0], pair.encode(x), atol=1e-6)
    assert torch.equal(probes.codes(pair, x), pair.encode(x))


def test_a_vaes_code_is_the_mean_of_its_guess():
    net = VAE(9, 3, hidden=(5,), generator=seeded(0))
    x = torch.rand(5, 9, generator=seeded(1))
    assert torch.equal(probes.codes(net, x), net.encode(x).mean)


def test_a_linear_rule_is_read_and_noise_is_not():
    x = torch.randn(400, 5, generator=seeded(2))
    y = (x[:, 0] > 0).long()
    assert probes.read_linearly(x[:200], y[:200], x[200:], y[200:]) > 0.93
    mixed = torch.randn(200, 5, generator=seeded(3))
    assert probes.read_linearly(mixed, y[:200], x[200:], y[200:]) < 0.75


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match="multiple of 3"):
        probes.few_labels(torch.arange(60) % 3, 10, seeded(0))
    with pytest.raises(ValueError, match="smallest class"):
        probes.few_labels(torch.tensor([0, 0, 1]), 4, seeded(0))


def test_pull_is_the_inverse_strength_of_the_penalty():
    x = torch.randn(90, 2, generator=seeded(4))
    y = (x[:, 0] > 0.8).long()
    judge = (x[y == 1], y[y == 1])
    assert probes.read_linearly(x, y, *judge, pull=1e-4) == 0
    assert probes.read_linearly(x, y, *judge, pull=1e4) == 1


def test_few_labels_are_chosen_at_random_from_the_whole_set():
    told = torch.arange(300) % 3
    places = torch.cat([probes.few_labels(told, 6, seeded(k)) for k in range(40)])
    assert places.min() < 30 < 270 < places.max()
