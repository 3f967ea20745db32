"""Laws of `genbook.pixelcnn.row_cache`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.pixelcnn.masks import MaskedConv
from genbook.pixelcnn.row_cache import Above, Memory, Unit, affine, along, same


@torch.no_grad()
@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_kernel_along_the_row_is_the_convolution_of_an_image_with_one_row(kind):
    conv = MaskedConv(2, 4, 5, kind=kind, stack="horizontal", generator=seeded(0)).double()
    x = torch.randn(1, 2, 1, 6, generator=seeded(1)).double()
    kernel = along(conv)[:, 1:]  # the constant is not told
    told = torch.zeros(4, 8).double()
    for column in range(6):
        told[:, column : column + 3] += torch.einsum("oit,i->ot", kernel, x[0, :, 0, column])
    torch.testing.assert_close(told[:, :6], conv(x)[0, :, 0], rtol=0, atol=1e-13)


@torch.no_grad()
def test_affine_maps_compose_with_kernels():
    mix = MaskedConv(3, 2, 1, kind="B", generator=seeded(0)).double()
    mix.bias += 1.0
    conv = MaskedConv(2, 4, 3, kind="B", stack="horizontal", generator=seeded(1)).double()
    value = torch.tensor([1.0, 0.3, -2.0, 0.7]).double()  # the constant, and three values
    inner = affine(mix)[..., 0] @ value
    outer = torch.einsum("omt,m->ot", along(conv)[:, 1:], inner)
    torch.testing.assert_close(torch.einsum("oit,i->ot", along(conv, affine(mix)), value), outer)
    assert torch.equal(same(3, value)[..., 0] @ value, value[1:])


@torch.no_grad()
def test_rows_of_a_convolution_are_the_convolution():
    conv = MaskedConv(2, 3, 5, kind="B", stack="vertical", generator=seeded(0)).double()
    x = torch.randn(2, 2, 6, 4, generator=seeded(1)).double()
    above = Above(conv.open_weight, conv.bias, (2, 6, 4), conv.reach)
    for row in range(6):
        above.put(row, x[:, :, row].transpose(1, 2))
        torch.testing.assert_close(
            above.drive(row).transpose(1, 2), conv(x)[:, :, row], rtol=0, atol=1e-13
        )


def test_every_network_enters_rows_in_its_own_way():
    units = [Unit("image", 1, 1, torch.neg, {"logits": torch.ones(2, 2, 1)})]
    plain = Memory([*units, Unit("logits", 2, 1, torch.neg)], (1, 2, 2), 1, torch.zeros(1))
    with pytest.raises(NotImplementedError):
        plain.enter_row(0)
