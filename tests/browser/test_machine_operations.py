"""Operations with shapes of their own, and packed weights: the page has what torch has."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from browser.conftest import Visits
from browser.programs import WHOLE, run_on_page
from playwright.sync_api import Page
from torch.utils._pytree import tree_leaves

from genbook.kit.machine import trace, weights


@pytest.fixture(scope="module")
def blank(visits: Visits) -> Iterator[Page]:
    page = visits.open("about:blank")
    yield page
    page.context.close()


@pytest.mark.parametrize("name", WHOLE)
def test_an_operation_computes_what_torch_computes(blank: Page, name: str) -> None:
    function, shapes = WHOLE[name]
    torch.manual_seed(0)
    example = [torch.randn(shape) for shape in shapes]
    program = trace(function, *example)
    wanted = tree_leaves(function(*example))
    found = run_on_page(blank, program, example)
    assert len(found) == len(wanted)
    for shown, leaf in zip(found, wanted, strict=True):
        torch.testing.assert_close(shown, leaf.detach().float().flatten(), atol=2e-5, rtol=2e-5)


def test_a_page_unpacks_weights_as_python_does_bit_for_bit(blank: Page) -> None:
    torch.manual_seed(0)
    shapes = [(5, 7), (7,), (), (3, 2, 2, 2), (1, 1), (0, 4), (4, 0)]
    tensors = [torch.randn(shape) * 10.0 ** (place - 3) for place, shape in enumerate(shapes)]
    tensors[0][2] = 0
    rows = [[s[0], math.prod(s[1:])] if len(s) > 1 else [math.prod(s)] for s in shapes]
    found = blank.evaluate(
        f"([text, rows]) => {{{weights.SCRIPT}; return unpack(text, rows).map(leaf => [...leaf])}}",
        [weights.pack(tensors), rows],
    )
    for shown, ours in zip(found, weights.rounded(tensors), strict=True):
        assert torch.equal(torch.tensor(shown), ours.flatten())
