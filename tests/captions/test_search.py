"""Search: counts of strings, and what a beam may miss."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, search
from genbook.kit.device import seeded


@pytest.mark.parametrize(("words", "most"), [(2, 3), (4, 4), (3, 1)])
def test_strings_are_as_many_as_the_sum_says(words, most):
    found = search.strings(words, most)
    assert len(found) == sum((words - 1) ** k for k in range(most)) + (words - 1) ** most
    assert len(set(found)) == len(found)


def test_a_beam_s_score_is_its_string_s():
    net = captioner.Captioner("once", 0)
    page = torch.zeros(16, 16)
    for width in (1, 3):
        found = search.beam(net, page, width, 4)
        own = net.score(page[None], torch.tensor([found.words]))
        assert found.score == pytest.approx(own.item(), abs=1e-4)
    for width, most in ((0, 4), (1, 0)):
        with pytest.raises(ValueError, match="expected a width"):
            search.beam(net, page, width, most)


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_with_room_for_all_finds_the_likeliest_string(seed):
    net = captioner.Captioner("every", seed, words=3, hidden=6)
    with torch.no_grad():
        net.out.weight.mul_(4)
    page = torch.rand(16, 16, generator=seeded(seed))
    likeliest = max(search.every(net, page, 3, 3), key=lambda one: one.score)
    found = search.beam(net, page, 27, 3)
    assert found.words == likeliest.words
    assert found.score == pytest.approx(likeliest.score, abs=1e-4)


def test_a_beam_weighs_whole_strings_not_their_words():
    net = captioner.Captioner("every", 0, words=3, hidden=4)
    with torch.no_grad():
        net.out.weight.zero_()
        net.out.bias.copy_(torch.tensor([0.2, 0.7, 0.1]).log())
    assert search.beam(net, torch.zeros(16, 16), 1, 3).words == (1, 1, 1)
    assert search.beam(net, torch.zeros(16, 16), 2, 6).words == (0,)  # 0.2 > 0.7 ** 6
