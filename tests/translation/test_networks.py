"""Laws of `genbook.translation.networks`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.translation import (
    networks,
)
from genbook.translation.networks import PATCHES, Noise, PatchCritic, ResNetGenerator, UNet
from tests.translation.given import FEW, source


@FEW
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2)), min_size=1, max_size=3))
def test_the_patch_that_the_gradient_touches_has_the_side_of_the_formula(layers):
    critic = PatchCritic(source(), layers, width=2)
    formula = networks.receptive_field(layers)
    assert networks.seen_by_gradient(critic, side=2 * formula + 12) == formula


@pytest.mark.parametrize("side", PATCHES)
def test_patches_are_called_by_their_side(side):
    assert networks.receptive_field(PATCHES[side]) == side


def test_a_patch_that_is_cut_off_is_refused():
    with pytest.raises(ValueError, match="larger side"):
        networks.seen_by_gradient(PatchCritic(source(), PATCHES[34]), side=28)


@pytest.mark.parametrize("layers", [(), ((0, 1),), ((3, 0),)])
def test_layers_without_a_kernel_or_a_stride_are_refused(layers):
    with pytest.raises(ValueError, match="kernel ≥ 1"):
        networks.receptive_field(layers)


@pytest.mark.parametrize("code", [3, 7])
def test_without_skips_the_output_follows_no_more_directions_than_the_code_has(code):
    image = torch.rand(1, 8, 8, generator=source())
    narrow = UNet(source(), side=8, code=code, skips=False)
    assert networks.sensitivity_rank(narrow, image) == code
    skipping = UNet(source(), side=8, code=code, skips=True)
    assert networks.sensitivity_rank(skipping, image) == 64


@pytest.mark.parametrize("cut", ["inner", "outer"])
def test_either_skip_alone_lets_more_through_than_the_code(cut):
    net = UNet(source(), side=8, code=4)
    layer = net.rise[0] if cut == "inner" else net.last
    layer.weight.data[len(layer.weight) // 2 :] = 0
    assert networks.sensitivity_rank(net, torch.rand(1, 8, 8, generator=source())) > 4


def test_the_code_is_all_that_a_net_without_skips_keeps():
    net = networks.silenced(UNet(source(), side=8, code=4, skips=False)).double()
    x = torch.rand(1, 1, 8, 8, generator=source(), dtype=torch.float64)
    slopes = torch.func.jacrev(lambda image: net.code(image)[0])(x).reshape(4, 64)
    blind = torch.linalg.svd(slopes).Vh[4:].sum(0).reshape(1, 1, 8, 8)
    step = 1e-6 * blind
    assert (net(x + step) - net(x)).abs().max() < 1e-10


def test_the_noise_stays_on_after_training_and_keeps_the_mean():
    noise, ones = Noise(0.5, source()).eval(), torch.ones(200, 200)
    once, again = noise(ones), noise(ones)
    assert set(once.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(once, again)
    assert once.mean().item() == pytest.approx(1, abs=5 / 200)
    assert torch.equal(Noise(0.0, source())(ones), ones)


def test_a_silenced_copy_is_deterministic_and_leaves_the_net_alone():
    net, x = UNet(source(), side=8), torch.rand(2, 1, 8, 8, generator=source(1))
    quiet = networks.silenced(net)
    assert torch.equal(quiet(x), quiet(x))
    assert not torch.equal(net(x), net(x))


def test_translators_treat_each_image_by_itself():
    x = torch.rand(3, 1, 8, 8, generator=source(1), dtype=torch.float64)
    for net in (
        networks.silenced(UNet(source(), side=8)),
        ResNetGenerator(source(), halvings=1),
    ):
        net = net.double()
        torch.testing.assert_close(net(x)[1:2], net(x[1:2]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_noise_of_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        Noise(share, source())


def test_a_copying_net_starts_by_handing_on_a_channel_to_each_of_three():
    x = torch.rand(2, 1, 8, 8, generator=source(1))
    made = UNet(source(), side=8, channels=(1, 3), copies=True)(x)
    torch.testing.assert_close(made, x.clamp(0.05, 0.95).expand(-1, 3, -1, -1))


def test_sides_that_cannot_be_halved_twice_are_refused():
    with pytest.raises(ValueError, match="multiple of 4"):
        UNet(source(), side=10)
    with pytest.raises(ValueError, match="one image"):
        networks.sensitivity_rank(UNet(source(), side=8), torch.zeros(1, 1, 8, 8))


def test_a_copier_starts_by_handing_on_what_it_gets():
    x = torch.rand(3, 1, 8, 8, generator=source(1))
    made = ResNetGenerator(source(), halvings=1, copies=True)(x)
    torch.testing.assert_close(made, x.clamp(0.05, 0.95))
