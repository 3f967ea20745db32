"""The chapter's machine: its data, its batch, and what it says of samples."""

from __future__ import annotations

import pytest
import torch

from genbook.games import plane
from genbook.games.functional import with_weights
from genbook.gan import machines
from genbook.kit.machine.parts import Twin

SETTINGS = {"critic_steps": 1, "critic_rate": 1e-3, "generator_rate": 1e-3}


@pytest.fixture(scope="module")
def gan():
    return machines.gan()


def test_all_games_share_the_groups_and_every_word_has_its_programs(gan):
    words = set(gan.controls[0].words)
    for act in (*gan.acts, gan.view):
        assert set(act.programs) == words


@pytest.mark.parametrize("game", machines.games())
def test_what_the_readout_says_of_samples_is_true(gan, game):
    points = gan.data["ring"]
    twin = Twin(gan, 3, {**SETTINGS, "game": game}, points)
    for _ in range(30):
        twin.step()
    twin.look()
    gaps = torch.cdist(twin.targets["samples"], points)
    near = gaps < plane.NEAR
    assert twin.targets["good"].item() == pytest.approx(near.any(1).float().mean().item(), abs=1e-6)
    assert twin.targets["covered"].item() == pytest.approx(
        near.any(0).float().mean().item(), abs=1e-6
    )
    assert twin.targets["field"].shape == (plane.SIDE**2,)
    assert bool(((twin.targets["field"] >= 0) & (twin.targets["field"] <= 1)).all())


def test_a_push_is_the_way_down_the_generators_own_loss(gan):
    """The arrow at one sample, against a difference quotient of the loss there."""
    word = "GAN, −log D"
    contest = machines.games()[word]
    twin = Twin(gan, 5, {**SETTINGS, "game": word}, gan.data["moons"])
    for _ in range(40):
        twin.step()
    twin.look()
    critic = plane.critics({word: contest}, 32)[1]
    judges = [leaf.double() for leaf in twin.state["critic"][: len(list(critic.parameters()))]]
    critic = critic.double()
    place = twin.targets["samples"][:1].double()[None]

    def loss(x):
        out = with_weights(critic, judges, x).squeeze(-1)
        return contest.objective.generator_loss(out).item()

    for axis in range(2):
        aside = torch.zeros_like(place)
        aside[..., axis] = 1e-5
        quotient = (loss(place + aside) - loss(place - aside)) / 2e-5
        assert -quotient == pytest.approx(twin.targets["pushes"][0, axis].item(), abs=1e-4)


def test_on_the_ring_the_machine_learns_and_its_own_seed_decides(gan):
    """Fifteen hundred rounds bring samples near data that none lay near at the start."""
    twin = Twin(gan, 1, {**SETTINGS, "game": "GAN, −log D"}, gan.data["ring"])
    twin.look()
    before = twin.targets["good"].item()
    for _ in range(1_500):
        twin.step()
    twin.look()
    assert before < 0.1
    assert twin.targets["good"].item() > 0.2
    assert twin.targets["covered"].item() > 0.5
