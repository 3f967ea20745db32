"""Laws of `genbook.gran.convolutional`."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from genbook.gran.convolutional import GRAN, Discriminator, StepNorm
from tests.gran.given import number


def net(steps=3, seed=0, side=8):
    made = GRAN(side, torch.Generator().manual_seed(seed), steps=steps, channels=4)
    return made.double()


def codes(count=40, seed=1):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(count, 64, generator=source, dtype=torch.float64)


def test_the_image_is_the_sigmoid_of_the_sum_of_the_strokes():
    made, z = net(5), codes()
    strokes = made.increments(z)
    assert strokes.shape == (5, 40, 1, 8, 8)
    torch.testing.assert_close(made(z), sum(strokes).sigmoid())
    torch.testing.assert_close(made.canvases(z)[-1], made(z))
    torch.testing.assert_close(made.canvases(z)[0], strokes[0].sigmoid())


def test_every_stroke_but_the_first_reads_the_one_before_and_the_same_z():
    made, z = net(3).settle(codes(500)), codes()
    strokes, h_z = made.increments(z), torch.tanh(made.embed(z))
    for step in (1, 2):
        code = torch.cat([h_z, made.encoder(strokes[step - 1], step)], 1)
        torch.testing.assert_close(strokes[step], made.decoder(code, step))
    first = torch.cat([h_z, torch.zeros_like(h_z)], 1)
    torch.testing.assert_close(strokes[0], made.decoder(first, 0))


def test_all_numbers_of_steps_have_the_same_weights_and_a_common_beginning():
    short, long = net(3), net(5)
    for one, two in zip(short.parameters(), long.parameters(), strict=True):
        assert torch.equal(one, two)
    torch.testing.assert_close(long.increments(codes())[:3], short.increments(codes()))


def test_a_settled_generator_is_a_function_of_z():
    made = net(5)
    assert not torch.allclose(made(codes())[:7], made(codes()[:7]), atol=1e-3)
    made.settle(codes(500, seed=2))
    torch.testing.assert_close(made(codes())[:7], made(codes()[:7]))


def test_settling_keeps_the_statistics_of_the_large_batch():
    made, z = net(3), codes(200)
    learning = made.increments(z)
    torch.testing.assert_close(made.settle(z).increments(z), learning)


def test_step_statistics_are_those_of_torch_and_stay_apart():
    norm, x = StepNorm(3, steps=2).double(), codes(12).reshape(-1, 3, 4, 4)
    with torch.no_grad():
        norm.scale.copy_(number([1.0, 2.0, 3.0])), norm.shift.copy_(number([0.5, 0.0, -1.0]))
    expected = functional.batch_norm(x, None, None, norm.scale, norm.shift, training=True)
    torch.testing.assert_close(norm(x, 0), expected)
    norm.keep(x, 1)
    norm.eval()
    torch.testing.assert_close(norm(x, 1), expected)
    torch.testing.assert_close(
        norm(x, 0),
        x * norm.scale[:, None, None] / (1 + norm.eps) ** 0.5 + norm.shift[:, None, None],
    )


def test_painting_is_a_transposed_convolution_of_stride_two():
    """A 3×3 convolution to four maps and a shuffle against its 6×6 transposed convolution."""
    paint = net().decoder.last
    x = codes(2)[:, :32].reshape(2, 2, 4, 4)
    whole = nn.ConvTranspose2d(2, 1, 6, stride=2, padding=2).double()
    with torch.no_grad():
        kernel = paint[0].weight.reshape(2, 2, 2, 3, 3)
        for down in range(6):
            for across in range(6):
                tap = kernel[down % 2, across % 2, :, 2 - down // 2, 2 - across // 2]
                whole.weight[:, 0, down, across] = tap
        whole.bias.zero_()
    torch.testing.assert_close(paint(x), whole(x))


def test_a_discriminator_sees_each_image_alone():
    judge = Discriminator(8, torch.Generator().manual_seed(0), channels=4).double()
    images = codes(9).reshape(9, 1, 8, 8)
    assert judge(images).shape == (9,)
    torch.testing.assert_close(judge(images)[2:4], judge(images[2:4]))


def test_weights_begin_with_variance_one_over_fan_in():
    made = GRAN(28, torch.Generator().manual_seed(0), channels=16)
    assert made.embed.weight.std().item() == pytest.approx(1 / 8, rel=0.05)
    assert made.decoder.up.weight.std().item() == pytest.approx((16 * 6) ** -0.5, rel=0.05)
    assert not made.embed.bias.any()


def test_impossible_sizes_are_refused():
    source = torch.Generator()
    with pytest.raises(ValueError, match="multiple of 4"):
        GRAN(10, source)
    with pytest.raises(ValueError, match="even number"):
        GRAN(8, source, channels=3)
    with pytest.raises(ValueError, match="sizes ≥ 1"):
        GRAN(8, source, steps=0)
    with pytest.raises(ValueError, match="multiple of 4"):
        Discriminator(0, source)
    with pytest.raises(ValueError, match="hidden ≥ 1"):
        Discriminator(8, source, hidden=0)
    with pytest.raises(ValueError, match=r"z \[B, 64\]"):
        GRAN(8, source, channels=2)(torch.zeros(3, 5))
