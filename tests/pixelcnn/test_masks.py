"""Laws of `genbook.pixelcnn.masks`."""

from __future__ import annotations

import pytest
import torch

from genbook.pixelcnn import (
    masks,
)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("stack", ["all", "horizontal"])
def test_b_opens_what_a_opens_and_the_centre(kernel, stack):
    a, b = (masks.causal_mask(kernel, kind=kind, stack=stack)[0, 0] for kind in "AB")
    difference = b - a
    assert difference.sum() == 1
    assert difference[kernel // 2, kernel // 2] == 1


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_stacks_share_out_the_plain_mask(kernel):
    def mask(kind, stack):
        return masks.causal_mask(kernel, kind=kind, stack=stack)

    torch.testing.assert_close(
        mask("A", "vertical") + mask("B", "horizontal"), mask("B", "all"), rtol=0, atol=0
    )


@pytest.mark.parametrize("channels", [3, 6, 9, 12])
def test_colours_of_the_centre_form_a_triangle(channels):
    centre = masks.causal_mask(1, channels, channels, kind="B", colours=3)[:, :, 0, 0]
    colour = torch.arange(channels) // (channels // 3)
    assert torch.equal(centre.bool(), colour[None] <= colour[:, None])
