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


def test_a_slice_of_the_study_tells_what_each_player_did():
    rows = {row["mode"]: row for row in gan_runs.record_alone(True, 0)}
    assert tuple(rows) == gan_runs.MODES
    resting = rows["discriminator only"]
    assert (resting["apart_end"], resting["near_end"]) == (
        resting["apart_fork"],
        resting["near_fork"],
    )
    assert rows["generator only"]["apart_end"] != resting["apart_end"]


@pytest.mark.parametrize(
    ("apart", "near", "fate"),
    [
        (0.49, 1.0, "one point"),
        (0.1, 0.0, "one point"),
        (0.5, 0.0, "off the data"),
        (9.0, 0.009, "off the data"),
        (3.0, 0.01, "on the ring"),
    ],
)
def test_a_fate_is_told_by_spread_first_and_nearness_second(apart, near, fate):
    assert gan_runs.fate({"apart_end": apart, "near_end": near}) == fate
