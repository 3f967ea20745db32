"""Operations with shapes of their own: the page computes what torch computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from browser.conftest import Visits
from browser.programs import WHOLE, run_on_page
from playwright.sync_api import Page
from torch.utils._pytree import tree_leaves

from genbook.kit.machine import trace


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
