"""Laws of `genbook.translation.cyclegan`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit import data
from genbook.translation import (
    cyclegan,
    pairs,
)
from genbook.translation.cyclegan import CYCLE_ABLATION, CycleNets, CycleRecipe, ImagePool
from genbook.translation.pairs import Domains
from tests.translation.given import FEW, last, source


def test_an_exact_inverse_closes_the_cycle_and_a_wrong_one_does_not():
    x = torch.rand(5, 1, 4, 4, generator=source(), dtype=torch.float64)
    assert cyclegan.cycle_loss(lambda v: 1 - v.flip(3), lambda v: (1 - v).flip(3), x) < 1e-15
    assert cyclegan.cycle_loss(lambda v: 1 - v, lambda v: v, x) > 0.1


def test_the_least_squares_loss_is_zero_at_its_target():
    assert cyclegan.square_loss(torch.ones(3), 1).item() == 0
    assert cyclegan.square_loss(torch.ones(3), 0).item() == 1


@pytest.mark.parametrize("name", [*CYCLE_ABLATION, "identity"])
def test_every_loss_of_the_cycle_ablation_trains(name):
    recipe = CYCLE_ABLATION.get(name, CycleRecipe(identity=0.5))
    steps = cyclegan.train_cycle(heaps_of(), recipe, seed=0, iterations=2, batch=4)
    step = last(steps)
    assert ("critics" in step.terms) == recipe.adversarial
    assert ("identity" in step.terms) == bool(recipe.identity)
    assert step.nets.f(step.nets.g(heaps_of().x)).shape == (16, 1, 8, 8)


def heaps_of():
    images = data.digits("train", device="cpu").take(32)
    x, y = images.take(slice(0, 16)), images.take(slice(16, 32))
    small = pairs.coarse(x.images, 2)
    return Domains("small", 2, small, y.images, x.labels, y.labels)


def test_the_cycle_alone_closes():
    recipe = CYCLE_ABLATION["cycle alone"]
    steps = list(cyclegan.train_cycle(heaps_of(), recipe, seed=0, iterations=40, batch=8))
    assert steps[-1].terms["forward"] < 0.75 * steps[0].terms["forward"]


def test_weights_of_the_terms():
    recipe = CycleRecipe(weight=10, identity=0.5)
    names = ("fool", "forward", "backward", "identity")
    assert [cyclegan.recipe_weight(recipe, name) for name in names] == [1, 10, 10, 5]


@FEW
@given(st.floats(-720, 720))
def test_turning_back_undoes_a_turn_and_keeps_lengths(degrees):
    points = torch.randn(5, 2, generator=source(), dtype=torch.float64)
    turned = cyclegan.turn(points, degrees)
    torch.testing.assert_close(turned.norm(dim=1), points.norm(dim=1))
    torch.testing.assert_close(cyclegan.turn(turned, -degrees), points)


def test_a_copier_learns_and_ends_elsewhere():
    recipe = CycleRecipe(start="copy")
    steps = cyclegan.train_cycle(heaps_of(), recipe, seed=0, iterations=5, batch=8)
    x = heaps_of().x
    assert (last(steps).nets.g(x) - x.clamp(0.05, 0.95)).abs().mean() > 1e-4


def test_nets_from_noise_and_copies_differ_in_their_last_layer_only():
    noise, copy = (
        CycleNets(source(), CycleRecipe(start=start), side=8) for start in ("noise", "copy")
    )
    for (name, one), (_, other) in zip(
        noise.g.named_parameters(), copy.g.named_parameters(), strict=True
    ):
        ends = name.startswith(f"stack.{len(noise.g.stack) - 1}.weight")
        assert torch.equal(one, other) != ends, name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CycleRecipe(False, False, False), "neither"),
        (lambda: CycleRecipe(patch=5), "patch"),
        (lambda: CycleRecipe(start="middle"), "noise or copy"),
        (lambda: ImagePool(-1, source()), "size ≥ 0"),
        (
            lambda: next(cyclegan.train_cycle(heaps_of(), CycleRecipe(), seed=0, iterations=0)),
            "≥ 1",
        ),
    ],
)
def test_cycles_that_cannot_be_trained_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def numbered(start, count):
    return torch.arange(start, start + count, dtype=torch.float64).reshape(-1, 1, 1, 1)


def test_a_pool_returns_what_comes_until_it_is_full():
    pool = ImagePool(50, source())
    assert torch.equal(pool(numbered(0, 50)), numbered(0, 50))


def test_a_full_pool_returns_half_stored_and_half_new():
    pool, count = ImagePool(50, source()), 4000
    pool(numbered(0, 50))
    fresh = numbered(50, count)
    share = (pool(fresh) == fresh).double().mean().item()
    assert share == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(count))


def test_a_pool_loses_nothing_and_doubles_nothing():
    pool = ImagePool(10, source())
    out = torch.cat([pool(numbered(10 * k, 10)) for k in range(30)])
    everything = sorted([*out[10:].flatten().tolist(), *(float(kept) for kept in pool.kept)])
    assert everything == [float(k) for k in range(300)]


def test_a_pool_of_size_zero_passes_everything_through_without_a_gradient():
    images = numbered(0, 3).requires_grad_(True)
    out = ImagePool(0, source())(images)
    assert torch.equal(out, images)
    assert not out.requires_grad
