"""The swap test: zero where it must be."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import blindness, captioner, scenes
from genbook.kit.device import seeded


def test_a_captioner_without_a_door_has_no_gap():
    net = captioner.Captioner("every", 0)
    with torch.no_grad():
        net.inject.weight.zero_()
    data = captioner.pairs(scenes.SEEN, 20, seeded(0))
    assert torch.equal(blindness.swap_gap(net, data), torch.zeros(20))


def test_two_by_two_by_hand():
    joint = torch.tensor([[0.4, 0.1], [0.1, 0.4]], dtype=torch.float64)
    gap, information = blindness.exact_gap(joint)
    odds = torch.tensor(4.0).double().log()
    assert gap.item() == pytest.approx(0.3 * odds.item(), abs=1e-12)
    entropy = -(0.8 * torch.tensor(0.8).log() + 0.2 * torch.tensor(0.2).log()).item()
    assert information.item() == pytest.approx(0.6931471805599453 - entropy, abs=1e-6)


@pytest.mark.parametrize("shift", [0, 3, -3])
def test_a_swap_that_moves_nothing_is_refused(shift):
    pairs = captioner.pairs(scenes.SEEN, 3, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="expected a shift that moves 3 rows"):
        blindness.swap_gap(captioner.Captioner("every", 0), pairs, shift)


@pytest.mark.parametrize(
    "joint",
    [torch.full((2, 2), 0.5), torch.tensor([[0.5, 0.0], [0.25, 0.25]]), torch.full((4,), 0.25)],
)
def test_chances_that_are_none_are_refused(joint):
    with pytest.raises(ValueError, match="expected positive chances"):
        blindness.exact_gap(joint)


def test_each_row_gets_the_picture_of_the_row_before():
    net = captioner.Captioner("every", 0)
    data = captioner.pairs(scenes.SEEN, 4, seeded(1))
    for row, found in enumerate(blindness.swap_gap(net, data)):
        caption = data.captions[row : row + 1]
        own, other = (net.score(data.pictures[k][None], caption) for k in (row, row - 1))
        torch.testing.assert_close(found[None], own - other, atol=1e-4, rtol=0)


def test_the_gap_is_the_double_sum():
    joint = torch.rand(3, 4, generator=seeded(2), dtype=torch.float64) + 0.1
    joint = joint / joint.sum()
    pictures, captions = joint.sum(1), joint.sum(0)
    given = joint / pictures[:, None]
    wanted = sum(
        joint[i, s] * pictures[other] * (given[i, s] / given[other, s]).log()
        for i in range(3)
        for s in range(4)
        for other in range(3)
    )
    gap, information = blindness.exact_gap(joint)
    torch.testing.assert_close(gap, wanted)
    entropies = [torch.special.entr(part).sum() for part in (pictures, captions, joint)]
    torch.testing.assert_close(information, entropies[0] + entropies[1] - entropies[2])


def test_a_join_on_the_wrong_key_moves_pictures_alone():
    data = captioner.pairs(scenes.SEEN, 50, seeded(0))
    data = captioner.Pairs(torch.arange(50.0)[:, None, None], data.captions)
    mixed = blindness.blinded(data, seeded(1))
    assert torch.equal(mixed.captions, data.captions)
    assert torch.equal(mixed.pictures.sort(0).values, data.pictures)
    assert (mixed.pictures == data.pictures).sum() < 10
