"""The study: its networks differ as it says, and its rows are complete."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from genbook.adversarial import attacks, networks, studies
from genbook.kit import data
from genbook.kit.device import seeded


def test_every_network_meets_every_attack_but_the_twin_its_own():
    train, test = data.digits("train", device="cpu"), data.digits("test", device="cpu")
    rows = list(studies.attacked(studies.trained(train, 0, steps=3), test.take(20), 0))
    found = {(row["net"], row["attack"], row["epsilon"]) for row in rows}
    attacked = {"noise", "sign", "many", "transfer"}
    wanted = {(net, attack, e) for net in studies.KINDS for attack in attacked for e in (0.1, 0.25)}
    wanted |= {(net, "none", 0.0) for net in studies.KINDS}
    assert found == wanted - {("its twin", "transfer", 0.1), ("its twin", "transfer", 0.25)}
    assert len(rows) == len(found)


def test_the_transferred_step_is_the_twins():
    train, test = data.digits("train", device="cpu"), data.digits("test", device="cpu").take(50)
    nets = studies.trained(train, 0, steps=40)
    row = next(
        row
        for row in studies.attacked(nets, test, 0)
        if (row["net"], row["attack"], row["epsilon"]) == ("network", "transfer", 0.25)
    )
    moved = attacks.sign_step(nets["its twin"].loss(test.labels), test.flat, 0.25)
    assert row["error"] == round(networks.score(nets["network"], moved, test.labels).error, 4)


@pytest.mark.parametrize("name", studies.KINDS)
def test_each_network_is_trained_as_its_kind_says(name):
    train, kind = data.digits("train", device="cpu").take(200), studies.KINDS[name]
    found = studies.trained(train, 4, steps=3)[name]
    own = studies.TWINS.seed(4) if name == "its twin" else 4
    net = networks.Classifier([64, *kind.hidden, 10], own)
    options = {"steps": 3, "seed": own, "epsilon": kind.epsilon}
    for _ in networks.train(net, train.flat, train.labels, **options):
        pass
    for ours, theirs in zip(found.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_what_the_kinds_are_called_is_what_they_are_trained_on():
    for name, kind in studies.KINDS.items():
        said = float(name.split(", ")[1]) if ", " in name else 0.0
        assert (kind.epsilon, len(kind.hidden)) == (said, 0 if name == "softmax" else 2)


@pytest.mark.parametrize("epsilon", studies.EPSILONS)
def test_a_row_is_the_score_of_the_attack_it_names(epsilon):
    train, test = data.digits("train", device="cpu"), data.digits("test", device="cpu").take(60)
    nets = studies.trained(train, 0, steps=30)
    x, y, net = test.flat, test.labels, nets["network"]
    coins = seeded(studies.COINS.seed(5))
    moved = {
        "noise": attacks.random_signs(x, epsilon, coins),
        "sign": attacks.sign_step(net.loss(y), x, epsilon),
        "many": attacks.many_steps(net.loss(y), x, epsilon, steps=20, rate=epsilon / 8),
    }
    rows = {
        row["attack"]: row
        for row in studies.attacked(nets, test, 5)
        if (row["net"], row["epsilon"]) == ("network", epsilon)
    }
    for attack, images in moved.items():
        seen = networks.score(net, images, y)
        assert rows[attack]["error"] == round(seen.error, 4)
        assert rows[attack].get("confidence") == (
            None if seen.confidence is None else round(seen.confidence, 4)
        )


def test_a_row_without_mistakes_has_no_confidence():
    test = data.digits("test", device="cpu").take(10)
    nets = {
        name: networks.Classifier([64, 10], seed) for seed, name in enumerate(("a", "its twin"))
    }
    with torch.no_grad():
        for net in nets.values():
            for weights in net.parameters():
                weights.zero_()
    alike = replace(test, labels=torch.zeros_like(test.labels))
    rows = [row for row in studies.attacked(nets, alike, 0) if row["attack"] == "none"]
    assert [(row["error"], "confidence" in row) for row in rows] == [(0.0, False)] * 2


def test_a_slice_is_of_the_small_digits_and_says_its_seed():
    rows = list(studies.record(slice=True, seed=3))
    assert {(row["dataset"], row["seed"]) for row in rows} == {("digits", 3)}


def test_the_twin_has_other_weights():
    train = data.digits("train", device="cpu").take(100)
    nets = studies.trained(train, 3, steps=1)
    own, twin = (next(nets[name].parameters()) for name in ("network", "its twin"))
    assert not torch.allclose(own, twin)
