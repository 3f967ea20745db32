"""The chapter's machine: which modes it says are held, lost and found again."""

from __future__ import annotations

import pytest
import torch

from genbook.collapse import machines
from genbook.games import modes, plane
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin


@pytest.fixture(scope="module")
def machine():
    return machines.forgetting(8, words=("none", "pack four"))


def test_a_sample_counts_for_its_nearest_mode_if_it_is_near():
    centres = plane.presets()["grid"]
    samples = 2 * torch.randn(400, 2, generator=seeded(0))
    counts = machines.held(samples, centres, torch.tensor(25.0))
    gaps, near = modes.nearest(samples[None], centres)
    inside = gaps[0] < plane.NEAR
    wanted = torch.bincount(near[0][inside], minlength=25).float()
    assert torch.equal(counts, wanted)
    padded = torch.cat([centres, torch.zeros(3, 2)])
    assert torch.equal(machines.held(samples, padded, torch.tensor(25.0))[:25], wanted)


def test_a_mode_is_lost_once_held_and_empty_and_found_again():
    memory = [torch.zeros(3), torch.zeros(3), torch.zeros(1)]
    history = [[9, 0, 5], [0, 0, 5], [0, 2, 5], [4, 0, 5]]
    seen = []
    for counts in history:
        memory = machines.remembered(memory, torch.tensor(counts, dtype=torch.float32))
        seen.append(memory[1].tolist())
    assert seen == [[0, 0, 0], [2, 0, 0], [2, 0, 0], [0, 0, 0]]


def test_the_first_of_the_lost_is_told_with_its_place():
    points = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 0.0]])
    memory = [torch.ones(3), torch.tensor([7.0, 4.0, 0.0]), torch.tensor([9.0])]
    counts = torch.tensor([0.0, 0.0, 64.0])
    held, lost, many, first, place, shares = machines.told(
        memory, counts, points, torch.tensor(3.0)
    )
    assert [held.item(), lost.item(), many.item(), first.item()] == [1, 2, 3, 4]
    assert place.tolist() == [[-1.0, 0.5]]
    assert shares.tolist() == [0, 0, 64 / machines.LOOKED]
    nobody = [torch.ones(3), torch.zeros(3), torch.tensor([9.0])]
    _, none, _, when, away, _ = machines.told(nobody, counts, points, torch.tensor(3.0))
    assert none == when == 0
    assert away.abs().min() > plane.REACH


def test_losses_and_returns_are_counted_by_mode():
    source = seeded(3)
    counts = (torch.rand(40, 5, generator=source) * 8).floor()
    lost = found = 0
    for mode in counts.T.tolist():
        state = "never"
        for number in mode:
            if state in ("never", "lost") and number >= machines.LEAST:
                found += state == "lost"
                state = "held"
            elif state == "held" and number < 1:
                lost, state = lost + 1, "lost"
    told = machines.lost_and_found(counts)
    assert [x.item() for x in told] == [lost, found]


@pytest.mark.parametrize("word", ["none", "pack four"])
def test_the_readout_is_true_of_the_samples(machine, word):
    settings = {**machine.beginning(), "game": word, "generator_rate": 5e-3}
    twin = Twin(machine, 1, settings, machine.data["grid"])
    for _ in range(60):
        twin.step()
    twin.look()
    shares = twin.targets["shares"]
    assert twin.targets["held"].item() == (shares * machines.LOOKED >= machines.LEAST).sum().item()
    assert twin.targets["modes"].item() == 25
    assert shares.sum() <= 1 + 1e-6
