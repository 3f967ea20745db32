"""The machine that translates thumbnails: its pictures are the nets', its noise moves on."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.kit.machine import weights
from genbook.kit.machine.parts import Twin
from genbook.translation import machines
from genbook.translation.networks import UNet
from genbook.translation.pairs import coarse

SIDE, BLOCK = 8, 2


def net(seed, **options):
    made = UNet(seeded(seed), side=SIDE, width=4, code=3, **options)
    held = weights.rounded(list(made.parameters()))
    for own, new in zip(made.parameters(), held, strict=True):
        own.data = new
    return made


@pytest.fixture(scope="module")
def nets():
    return {"one": net(0), "other": net(1)}


@pytest.fixture(scope="module")
def digit():
    return torch.rand(SIDE, SIDE, generator=seeded(2))


@pytest.fixture(scope="module")
def machine(nets, digit):
    return machines.translating(nets, BLOCK, {"grey": digit, "ink": torch.ones(SIDE, SIDE)})


def played(machine, steps, data="grey"):
    twin = Twin(machine, 1, machine.beginning(), machine.data[data])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def painted(own, x, seed):
    """By the network itself, with the numbers that it drew."""
    own.inner_noise.generator.manual_seed(seed)
    with torch.no_grad():
        y = own(x)
    same = seeded(seed)
    return y, [torch.rand(1, *shape, generator=same)[0] for shape in machines.noise_shapes(own)]


def test_with_a_nets_own_noise_it_paints_what_the_net_paints(nets, digit):
    for own in nets.values():
        y, dice = painted(own, digit[None, None], 5)
        found = machines.translated(own, list(own.parameters()), digit[None, None], *dice)
        torch.testing.assert_close(found, y)
        assert not torch.equal(painted(own, digit[None, None], 6)[0], y)


def test_a_thumbnail_at_full_size_is_the_coarse_picture(machine, digit):
    assert torch.equal(machine.data["ink"], torch.ones((SIDE // BLOCK) ** 2))
    torch.testing.assert_close(
        machines.spread(machine.data["grey"], BLOCK), coarse(digit[None, None], BLOCK)
    )


def test_both_nets_paint_the_readers_thumbnail_with_the_noise_that_is_kept(machine, nets, digit):
    twin = played(machine, 3)
    dice = twin.state["noise"][2:]
    for name, own in nets.items():
        x = coarse(digit[None, None], BLOCK)
        wanted = machines.translated(own, list(own.parameters()), x, *dice).flatten()
        torch.testing.assert_close(twin.targets[name], wanted)
        greys = ((wanted > 0.2) & (wanted < 0.8)).float().mean()
        torch.testing.assert_close(twin.targets[f"greys_{name}"], greys)


def test_before_the_first_step_nothing_has_moved_and_each_step_draws_other_noise(machine):
    still, first, second = (played(machine, steps) for steps in (0, 1, 2))
    assert not still.targets["moves"].any()
    assert first.targets["moved_one"] > 0
    moved = (second.targets["other"] - first.targets["other"]).abs()
    torch.testing.assert_close(second.targets["moves"], moved)
    torch.testing.assert_close(second.targets["moved_other"], moved.mean())
    assert all(
        torch.equal(a, b)
        for a, b in zip(second.state["noise"][:2], first.state["noise"][2:], strict=True)
    )


def test_another_thumbnail_keeps_the_noise(machine):
    twin = played(machine, 2)
    before = twin.targets["one"]
    twin.data = machine.data["ink"]
    twin.look()
    assert not torch.equal(twin.targets["one"], before)
    assert torch.equal(twin.targets["one"], played(machine, 2, "ink").targets["one"])


def test_nets_of_two_forms_without_skips_or_of_another_size_are_refused(nets, digit):
    one = nets["one"]
    for other in (net(1, skips=False), net(1, copies=True), UNet(seeded(0), side=SIDE)):
        with pytest.raises(ValueError, match="two U-Nets of one form"):
            machines.translating({"one": one, "other": other}, BLOCK, {"grey": digit})
    with pytest.raises(ValueError, match="two U-Nets of one form"):
        machines.translating({"one": one}, BLOCK, {"grey": digit})
    for block, wrong in ((3, digit), (BLOCK, digit[:4, :4])):
        with pytest.raises(ValueError, match="digits of the nets' size"):
            machines.translating(nets, block, {"grey": wrong})
