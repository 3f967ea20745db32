"""Norms that listen: what they reduce to, and what they look up."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from genbook.dcgan import norms
from genbook.kit.device import seeded


@pytest.fixture
def x():
    return 3 * torch.randn(9, 4, 2, 3, generator=seeded(0)).double() + 1


def filled(norm, seed=1):
    with torch.no_grad():
        for part in norm.parameters():
            part.normal_(generator=seeded(seed))
    return norm.double()


def test_the_plain_norm_is_torchs(x):
    norm = filled(norms.Norm(4))
    wanted = functional.batch_norm(x, None, None, norm.scale, norm.shift, training=True)
    torch.testing.assert_close(norm(x, x.new_zeros(9, 0)), wanted)


def test_equal_rows_make_the_plain_norm(x):
    plain, table = filled(norms.Norm(4)), norms.ClassNorm(4, 5).double()
    table.scale.data[:], table.shift.data[:] = plain.scale.data, plain.shift.data
    mixed = torch.rand(9, 5, generator=seeded(2)).double()
    mixed /= mixed.sum(1, keepdim=True)
    torch.testing.assert_close(table(x, mixed), plain(x, mixed))


def test_one_hot_looks_up_and_mixtures_mix(x):
    table = filled(norms.ClassNorm(4, 5))
    kinds = torch.tensor([0, 1, 2, 3, 4, 4, 3, 2, 1])
    scale, shift = table.coefficients(functional.one_hot(kinds, 5).double())
    assert torch.equal(scale, table.scale[kinds])
    assert torch.equal(shift, table.shift[kinds])
    half, _ = table.coefficients(torch.tensor([[0.5, 0.5, 0, 0, 0]]).double())
    torch.testing.assert_close(half[0], table.scale[:2].mean(0))


def test_silent_self_modulation_is_the_plain_norm(x):
    plain, own = filled(norms.Norm(4)), norms.SelfNorm(4, 3).double()
    own.scale.data, own.shift.data = plain.scale.data, plain.shift.data
    z = torch.randn(9, 3, generator=seeded(3)).double()
    assert torch.equal(own(x, z), plain(x, z))


def test_self_modulation_by_hand(x):
    norm = filled(norms.SelfNorm(4, 3))
    z = torch.randn(9, 3, generator=seeded(3)).double()
    u, b, v = norm.read.weight, norm.read.bias, norm.write.weight
    out = torch.stack([v @ (u @ one + b).clamp(min=0) for one in z])
    scale, shift = norm.coefficients(z)
    torch.testing.assert_close(scale, norm.scale + out[:, :4])
    torch.testing.assert_close(shift, norm.shift + out[:, 4:])


@pytest.mark.parametrize(("channels", "d", "h"), [(4, 3, 5), (32, 16, 32)])
def test_the_parameters_of_self_modulation(channels, d, h):
    own = norms.SelfNorm(channels, d, h)
    more = sum(p.numel() for p in own.parameters()) - 2 * channels
    assert more == (d + 1) * h + 2 * channels * h


def test_in_evaluation_a_row_does_not_see_another(x):
    norm = filled(norms.Norm(4))
    c = x.new_zeros(9, 0)
    norm(x, c)
    norm.eval()
    torch.testing.assert_close(norm(x, c)[:2], norm(x[:2], c[:2]))


def test_free_is_free(x):
    assert norms.Free(4)(x, x) is x
    assert list(norms.Free(4).parameters()) == []
