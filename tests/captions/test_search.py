"""Search: counts of strings, and what a beam may miss."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, search


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
