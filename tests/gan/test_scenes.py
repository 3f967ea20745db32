"""Laws of `genbook.gan.scenes`."""

from __future__ import annotations

import pytest
import torch

from genbook.gan import scenes as gan_runs


def test_three_runs_share_their_beginning(forked):
    first = [[scene.points for scene in scenes[:2]] for scenes in forked.values()]
    assert all(torch.equal(a, b) for run in first for a, b in zip(run, first[0], strict=True))


def test_a_player_who_rests_does_not_change(forked):
    resting = forked["discriminator only"], forked["generator only"]
    assert torch.equal(resting[0][1].points, resting[0][-1].points)
    assert torch.equal(resting[1][1].field, resting[1][-1].field)
    assert not torch.equal(resting[0][1].field, resting[0][-1].field)
    assert not torch.equal(resting[1][1].points, resting[1][-1].points)


def test_nearness_counts_samples_and_modes():
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    samples = torch.tensor([[[0.1, 0.0], [0.0, 0.2], [2.5, 0.0]]])
    share, modes = gan_runs.near(samples, centres, 0.5)
    assert (share.item(), modes.item()) == (pytest.approx(2 / 3), 1)
