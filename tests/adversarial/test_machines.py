"""The machine that attacks a painted digit: when it stops, and what its noise is."""

from __future__ import annotations

import pytest
import torch

from genbook.adversarial import machines, networks
from genbook.kit import data
from genbook.kit.machine.parts import Twin


@pytest.fixture(scope="module")
def machine():
    images = data.digits("train", device="cpu")
    nets = {}
    for name, epsilon in (("plain", 0.0), ("on signs", 0.1)):
        nets[name] = networks.Classifier([64, 16, 10], 0)
        options = {"steps": 200, "seed": 0, "epsilon": epsilon}
        for _ in networks.train(nets[name], images.flat, images.labels, **options):
            pass
    examples = {"first": images.flat[0], "second": images.flat[1]}
    return machines.falling(nets, (8, 8), examples)


def played(machine, steps, **settings):
    twin = Twin(machine, 1, {**machine.beginning(), **settings}, machine.data["first"])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def test_before_the_first_step_nothing_is_changed(machine):
    seen = played(machine, 0).targets
    assert torch.equal(seen["attacked"], machine.data["first"])
    assert torch.equal(seen["noisy"], machine.data["first"])
    assert seen["strength_now"] == 0


def test_it_stops_at_the_first_strength_that_fools(machine):
    long = played(machine, 45)
    steps = round(float(long.targets["strength_now"]) / 0.01)
    assert 0 < steps < 45
    assert long.targets["reads"] != long.targets["read"]
    before = played(machine, steps - 1).targets
    assert before["reads"] == before["read"]


def test_pixels_stay_in_range_and_no_pixel_moves_farther_than_epsilon(machine):
    seen = played(machine, 5).targets
    for name in ("attacked", "noisy"):
        moved = (seen[name] - machine.data["first"]).abs()
        assert seen[name].min() >= 0
        assert seen[name].max() <= 1
        assert moved.max() <= seen["strength_now"] + 1e-6
        assert moved.max() > 0


def test_the_network_trained_on_signs_holds_out_at_least_as_long(machine):
    plain, hardened = (
        float(played(machine, 50, network=name).targets["strength_now"])
        for name in ("plain", "on signs")
    )
    assert hardened >= plain


def test_another_image_begins_at_zero(machine):
    twin = played(machine, 5)
    twin.data = machine.data["second"]
    twin.look()
    assert twin.targets["strength_now"] == 0


def test_the_coins_are_fair():
    net, chances = networks.Classifier([4, 3], 0), torch.tensor([0.0, 0.49, 0.51, 1.0])
    weights, start = list(net.parameters()), (torch.zeros(1), torch.zeros(4), torch.zeros(4))
    *_, coins = machines.stronger(net, weights, *start, torch.tensor(0.1), chances)
    assert coins.tolist() == [-1, -1, 1, 1]


def test_networks_of_two_forms_are_refused():
    nets = {"a": networks.Classifier([4, 2], 0), "b": networks.Classifier([4, 3, 2], 0)}
    with pytest.raises(ValueError, match="of one form"):
        machines.falling(nets, (2, 2), {"x": torch.zeros(4)})
