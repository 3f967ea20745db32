"""The machine that walks and adds: what it draws is the generator's, where it goes is a code."""

from __future__ import annotations

import pytest
import torch

from genbook.dcgan import concepts, latent, machines
from genbook.dcgan.networks import Design, Generator
from genbook.dcgan.training import codes
from genbook.kit.device import seeded
from genbook.kit.machine import weights
from genbook.kit.machine.parts import Twin


@pytest.fixture(scope="module")
def generator():
    return Generator(Design(spread=None), seeded(0)).settle(codes(500, 16, seeded(1)))


@pytest.fixture(scope="module")
def ways():
    draw = seeded(2)
    return {
        name: (torch.randn(2, 16, generator=draw), 0.2 * torch.randn(2, 8, 8, generator=draw))
        for name in ("one", "many")
    }


@pytest.fixture(scope="module")
def machine(generator, ways):
    return machines.walking(generator, ways)


def played(machine, steps, data="nothing added", **settings):
    twin = Twin(machine, 1, {**machine.beginning(), **settings}, machine.data[data])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def test_what_is_carried_draws_what_the_net_draws(generator):
    z = codes(5, 16, seeded(3))
    torch.testing.assert_close(
        machines.picture(generator, machines.carried(generator), z), concepts.drawn(generator, z)
    )


def test_with_nothing_added_all_three_are_one_image(machine):
    seen = played(machine, 3).targets
    torch.testing.assert_close(seen["here"], seen["summed"])
    torch.testing.assert_close(seen["here"], seen["blended"])
    assert seen["lean"] == seen["lean_blended"]


def test_the_image_here_is_that_of_the_code_between(machine, generator):
    twin = played(machine, 3)
    behind, ahead, far = twin.state["walk"]
    assert far.item() == pytest.approx(0.3)
    assert (behind - ahead).abs().max() > 0.1
    held = weights.rounded(machines.carried(generator))
    z = latent.line(behind, ahead, 0.3)[None]
    image = machines.picture(generator, held, z)
    torch.testing.assert_close(twin.targets["here"], image.flatten(), rtol=0, atol=1e-5)
    assert twin.targets["lean"].item() == pytest.approx(latent.slant(image).item(), abs=1e-3)


@pytest.mark.parametrize("pairs", ["one", "many"])
def test_the_point_adds_its_directions(machine, generator, ways, pairs):
    twin = played(machine, 2, "light, to the left", pairs=pairs)
    held = weights.rounded(machines.carried(generator))
    moves, pixels = weights.rounded([ways[pairs][0], ways[pairs][1].flatten(1)])
    z = latent.line(*twin.state["walk"][:2], twin.state["walk"][2]) - moves.sum(0)
    image = machines.picture(generator, held, z[None]).flatten()
    torch.testing.assert_close(twin.targets["summed"], image, rtol=0, atol=1e-4)
    blended = (twin.targets["here"] - pixels.sum(0)).clamp(0, 1)
    torch.testing.assert_close(twin.targets["blended"], blended, rtol=0, atol=1e-5)
    for end, shown in (("_summed", image), ("_blended", blended)):
        one = shown.view(1, 8, 8)
        lean, ink = latent.slant(one + 1e-6).item(), latent.ink(one).item()
        assert twin.targets["lean" + end].item() == pytest.approx(lean, abs=1e-3)
        assert twin.targets["ink" + end].item() == pytest.approx(ink, abs=1e-4)


def test_the_panels_bear_the_names_of_what_they_show(machine):
    shown = {panel.title: panel.layers[0] for panel in machine.panels if len(panel.layers) == 1}
    for target, title in (("behind", "from"), ("ahead", "to"), ("here", "here"),
                          ("summed", "codes added"), ("blended", "pixels added")):  # fmt: skip
        assert shown[title].of == target


def test_a_leg_ends_at_its_code_and_the_next_begins_there(machine):
    before, after = played(machine, 9), played(machine, 10)
    assert torch.equal(after.state["walk"][0], before.state["walk"][1])
    assert after.state["walk"][2] == 0
    fresh = after.state["walk"][1]
    assert not torch.equal(fresh, before.state["walk"][1])
    assert fresh.abs().max() <= 1
    assert fresh.min() < -0.5
    assert fresh.max() > 0.5


def test_who_still_learns_or_asks_for_a_class_is_refused(generator, ways):
    with pytest.raises(ValueError, match="settled"):
        machines.walking(Generator(Design(), seeded(0)), ways)
    with pytest.raises(ValueError, match="directions"):
        machines.walking(generator, {})
    asked = Generator(Design(norm="class", classes=2), seeded(0)).eval()
    with pytest.raises(ValueError, match="without classes"):
        machines.walking(asked, ways)
