"""The study: its networks differ as it says, and its rows are complete."""

from __future__ import annotations

import torch

from genbook.adversarial import attacks, networks, studies
from genbook.kit import data


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


def test_the_twin_has_other_weights():
    train = data.digits("train", device="cpu").take(100)
    nets = studies.trained(train, 3, steps=1)
    own, twin = (next(nets[name].parameters()) for name in ("network", "its twin"))
    assert not torch.allclose(own, twin)
