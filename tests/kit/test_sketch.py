"""Laws of `genbook.kit.machine.sketch`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.machine.parts import Twin
from genbook.kit.machine.sketch import sketch, uncovered

ACROSS, UP = (-1.0, 1.0), (0.0, 4.0)
TRUTH = torch.linspace(*ACROSS, 9).square() * 3


def twin(drawn: torch.Tensor) -> Twin:
    parts = sketch("s", TRUTH, ACROSS, UP, what="a parabola", xlabel="x", ylabel="y")
    return Twin(parts, 1, parts.beginning(), drawn)


def test_before_the_first_step_nothing_of_the_truth_is_on_the_panel():
    page = twin(TRUTH)
    page.look()
    assert bool((page.targets["points"][:, 1] < UP[0]).all())
    assert page.targets["off"].item() == 0


def test_each_step_uncovers_one_place_more_and_the_last_stays():
    page = twin(torch.zeros(9))
    for count in range(1, 12):
        page.step()
        page.look()
        shown = min(count, 9)
        points = page.targets["points"]
        assert torch.equal(points[:shown, 1], TRUTH[:shown])
        assert torch.equal(points[shown:], points[shown - 1].expand(9 - shown, 2))
        assert page.targets["off"].item() == pytest.approx(TRUTH[:shown].mean().item())
    assert points[[0, -1], 0].tolist() == list(ACROSS)


def test_only_a_sketch_of_the_truth_is_never_off():
    for drawn, off in ((TRUTH, 0.0), (TRUTH + 0.25, 0.25), (TRUTH - 0.5, 0.5)):
        page = twin(drawn)
        for _ in range(9):
            page.step()
        page.look()
        assert page.targets["off"].item() == pytest.approx(off, abs=1e-6)


def test_what_is_still_covered_does_not_count():
    drawn = TRUTH + torch.arange(9)
    _, off = uncovered(TRUTH, ACROSS, UP, torch.tensor(3.0), drawn)
    assert off.item() == pytest.approx(1)


@pytest.mark.parametrize(
    "truth",
    [
        torch.tensor([1.0]),
        torch.ones(2, 2),
        torch.tensor([0.0, 4.1]),
        torch.tensor([0.0, -0.1]),
        torch.tensor([0.0, torch.nan]),
    ],
)
def test_heights_off_the_panel_are_refused(truth):
    with pytest.raises(ValueError, match="expected two or more heights within"):
        sketch("s", truth, ACROSS, UP, what="it", xlabel="x", ylabel="y")


def test_shares_are_read_in_percent():
    shares = sketch("s", TRUTH / 4, ACROSS, (0, 1), what="", xlabel="", ylabel="", percent=True)
    assert "{off%}" in shares.words
