"""Concepts on a generator that can be solved: its code is its image."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genbook.dcgan import concepts, latent
from genbook.kit.device import seeded


class Shear(nn.Module):
    """Draws a bar: the first number is its lean, the second says which of two sides it is on."""

    def forward(self, z):
        rows, columns = torch.arange(8.0), torch.arange(16.0)
        centre = torch.where(z[:, 1] > 0, 11.5, 3.5)[:, None] - z[:, :1] * (rows - 3.5)
        image = (1.5 - (columns - centre[..., None]).abs()).clamp(0, 1)
        return (2 * image - 1)[:, None]


def read(flat):
    """Which side has the ink, as logits of ten digits."""
    image = flat.unflatten(1, (8, 16))
    sides = torch.stack([image[:, :, :8].sum((1, 2)), image[:, :, 8:].sum((1, 2))], 1)
    return torch.cat([sides, sides.new_full((len(flat), 8), -1)], 1)


@pytest.fixture
def bank():
    z = torch.rand(400, 2, generator=seeded(0)) - 0.5
    return concepts.collect(Shear(), read, z)


def test_the_bank_reads_and_measures(bank):
    assert torch.equal(bank.digits, (bank.codes[:, 1] > 0).long())
    torch.testing.assert_close(bank.slants, bank.codes[:, 0], rtol=0, atol=2e-2)


def test_the_outer_quarters_show_the_concept(bank):
    for digit in (0, 1):
        own = bank.codes[bank.digits == digit, 0]
        low, high = own.quantile(0.27), own.quantile(0.73)
        assert (bank.codes[bank.showing(digit, leaning=True), 0] >= high).all()
        assert (bank.codes[bank.showing(digit, leaning=False), 0] <= low).all()
        assert (bank.digits[bank.showing(digit, leaning=True)] == digit).all()


@pytest.mark.parametrize("k", [1, 3, 10])
def test_where_the_code_is_the_concept_every_sum_is_right(bank, k):
    found = concepts.sums(bank, exemplars=k, trials=60, source=seeded(1))
    assert found.members.shape == (60, 3, k)
    kinds = bank.digits[found.members]
    assert (kinds[:, 0] == kinds[:, 1]).all()
    assert (kinds[:, 2] == found.wanted[:, None]).all()
    assert (kinds[:, 0, 0] != found.wanted).all()
    for digit in (0, 1):
        own = bank.codes[bank.digits == digit, 0]
        added = bank.codes[found.members[:, 2][found.wanted == digit], 0]
        assert (added <= own.quantile(0.27)).all()  # upright ones are added
    codes = latent.arithmetic(*bank.codes[found.members].unbind(1))
    assert torch.equal(found.codes, codes)
    images = concepts.drawn(Shear(), torch.stack([codes[:, 0], found.wanted - 0.5], 1))
    assert found.right(images, read).all()


def test_a_sum_that_does_not_lean_or_is_another_digit_is_not_right(bank):
    found = concepts.sums(bank, exemplars=3, trials=40, source=seeded(1))
    upright = torch.stack([found.leans[:, 2], found.wanted - 0.5], 1)
    assert not found.right(concepts.drawn(Shear(), upright), read).any()
    other = torch.stack([found.codes[:, 0], 0.5 - found.wanted], 1)
    assert not found.right(concepts.drawn(Shear(), other), read).any()


@pytest.mark.parametrize(("share", "right"), [(0.45, False), (0.55, True), (1.0, True)])
def test_half_of_the_lean_is_counted_from_the_digit_that_was_added(share, right):
    a, b, c = 0.4, -0.3, 0.1
    none = torch.zeros(1)
    one = concepts.Sums(none, none, torch.tensor([1]), torch.tensor([[a, b, c]]), none)
    image = concepts.drawn(Shear(), torch.tensor([[c + share * (a - b), 0.5]]))
    assert one.right(image, read).tolist() == [right]


def test_the_sum_of_pixels_is_that_of_the_exemplars_clamped(bank):
    found = concepts.sums(bank, exemplars=3, trials=20, source=seeded(1))
    a, b, c = (bank.images[part].sum(1) / 3 for part in found.members.unbind(1))
    torch.testing.assert_close(found.blended, (a - b + c).clamp(0, 1))
    assert found.blended.min() == 0


def test_exemplars_of_one_concept_differ(bank):
    found = concepts.sums(bank, exemplars=10, trials=20, source=seeded(1))
    for part in found.members.flatten(0, 1):
        assert len(set(part.tolist())) == 10


def test_the_way_of_a_trait_moves_that_trait(bank):
    move, pixels = concepts.way(bank, bank.slants, pairs=500, source=seeded(2))
    assert move[0].item() == pytest.approx(0.75, abs=0.05)
    assert move[1].abs() < 0.06
    assert pixels.shape == (8, 16)
    assert pixels.sum().abs() < 0.5


def test_along_the_pixels_of_the_way_a_linear_trait_grows(bank):
    weights = torch.linspace(-1, 1, 8 * 16).view(8, 16).sin()
    trait = (bank.images * weights).sum((1, 2))
    _, pixels = concepts.way(bank, trait, pairs=1, source=seeded(2))
    pairs = [trait[bank.digits == digit].sort().values for digit in (0, 1)]
    least = min(own[-(len(own) // 4)] - own[len(own) // 4] for own in pairs)
    assert (pixels * weights).sum() >= least > 0


def test_too_few_images_are_refused(bank):
    with pytest.raises(ValueError, match="at least four"):
        bank.showing(7, leaning=True)
    with pytest.raises(ValueError, match="two digits"):
        concepts.sums(bank, exemplars=60, trials=1, source=seeded(0))
    with pytest.raises(ValueError, match="two digits"):
        concepts.sums(bank, exemplars=0, trials=1, source=seeded(0))
    with pytest.raises(ValueError, match="a pair"):
        concepts.way(bank, bank.slants, pairs=0, source=seeded(0))
