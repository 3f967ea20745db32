"""The machine that asks real or drawn: what it shows, whom it counts, what D says."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.gran import machines
from genbook.gran.training import Recipe, new_pair
from genbook.kit.device import seeded
from genbook.kit.machine import noise, weights
from genbook.kit.machine.parts import Twin

ASKED = 200


@pytest.fixture(scope="module")
def pair():
    return new_pair(Recipe(steps=3, channels=4), 8, seeded(0)).settled(0)


@pytest.fixture(scope="module")
def images():
    return torch.rand(7, 1, 8, 8, generator=seeded(1))


@pytest.fixture(scope="module")
def machine(pair, images):
    return machines.real_or_drawn(pair, images)


def played(machine, answer, steps=ASKED, seed=1):
    twin = Twin(machine, seed, machine.beginning(), machine.data[answer])
    shown = []
    for _ in range(steps):
        shown.append([leaf.clone() for leaf in twin.state["game"][:2]])
        twin.step()
    twin.look()
    return twin, shown


def rounded(net):
    held = weights.rounded(machines.carried(net))
    return lambda x: machines.applied(net, held, x)


@pytest.mark.parametrize("which", ["generator", "critic"])
def test_what_is_carried_computes_what_the_net_does(pair, images, which):
    net = getattr(pair, which)
    x = images if which == "critic" else torch.randn(5, 64, generator=seeded(2))
    found = machines.applied(net, machines.carried(net), x)
    torch.testing.assert_close(found, net(x))


def test_an_image_is_one_of_the_real_ones_or_none_of_them(machine, images):
    real = weights.rounded([images.flatten(1)])[0]
    _, shown = played(machine, "real")
    kinds = [bool(is_real) for _, is_real in shown]
    for image, is_real in shown:
        assert bool((real == image).all(1).any()) == bool(is_real)
    assert abs(sum(kinds) / ASKED - 0.5) < 4 * math.sqrt(0.25 / ASKED)
    seen = {int((real == image).all(1).nonzero()) for image, is_real in shown if is_real}
    assert seen == set(range(len(images)))


def test_who_always_says_real_is_right_on_the_real_ones_and_who_says_drawn_on_the_others(machine):
    (yes, shown), (no, _) = (played(machine, answer) for answer in ("real", "drawn"))
    real = sum(bool(is_real) for _, is_real in shown)
    assert yes.targets["yours"] == real
    assert yes.targets["yours"] + no.targets["yours"] == yes.targets["asked"] == ASKED
    assert yes.targets["theirs"] == no.targets["theirs"]


def test_d_is_counted_on_the_same_images_at_its_threshold(machine, pair):
    twin, shown = played(machine, "real")
    critic = rounded(pair.critic)
    said = critic(torch.stack([image for image, _ in shown]).view(-1, 1, 8, 8)) > 0
    wanted = sum(bool(a) == bool(b) for a, (_, b) in zip(said, shown, strict=True))
    assert twin.targets["theirs"] == wanted
    last = critic(twin.targets["last"].view(1, 1, 8, 8)).sigmoid()
    torch.testing.assert_close(twin.targets["belief"][1:], last)
    torch.testing.assert_close(
        twin.targets["shares"], torch.tensor([twin.targets["yours"], wanted]) / ASKED
    )


def test_what_is_drawn_is_the_generators(machine, pair):
    _, shown = played(machine, "real", 20)
    draw = rounded(pair.generator)
    for moment, (image, is_real) in enumerate(shown):
        if not is_real:
            z = torch.from_numpy(noise.normal(64, key=1, stream=2, step=moment))
            torch.testing.assert_close(image, draw(z[None]).flatten(), rtol=1e-5, atol=1e-6)


def test_the_answer_is_kept_back_until_it_is_given(machine):
    seen = played(machine, "real", 0)[0].targets
    for name in ("last", "truth", "belief", "shares", "asked"):
        assert not seen[name].any(), name
    assert seen["says"].tolist() == [0, 1]
    assert played(machine, "drawn", 0)[0].targets["says"].tolist() == [1, 0]


def test_no_images_another_size_and_a_generator_that_still_learns_are_refused(pair, images):
    for wrong in (images[:0], torch.zeros(2, 1, 12, 12)):
        with pytest.raises(ValueError, match="expected images"):
            machines.real_or_drawn(pair, wrong)
    with pytest.raises(ValueError, match="settle"):
        machines.real_or_drawn(new_pair(Recipe(steps=1, channels=4), 8, seeded(0)), images)
