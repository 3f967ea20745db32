"""Pixel models: masks, exact zeros, sums to one, equal samples."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook import pixel_likelihood, pixel_masks, pixel_reach, pixel_sampling, pixelcnn, row_lstm
from genbook.exercises import pixelcnn as exercises
from tests.chapters import assert_breaks, assert_holds

NETS = (pixelcnn.PixelCNN, pixelcnn.GatedPixelCNN)
few = settings(max_examples=15, deadline=None)


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("build", NETS)
@few
@given(
    kernel=st.sampled_from([3, 5]),
    depth=st.integers(0, 2),
    colours=st.sampled_from([1, 3]),
    size=st.tuples(st.integers(2, 5), st.integers(2, 5)),
    seed=st.integers(0, 99),
)
def test_the_jacobian_is_exactly_zero_on_and_after_the_pixel(
    build, kernel, depth, colours, size, seed
):
    net = build(6 * colours, depth, colours=colours, first=3, kernel=kernel, generator=drawn(seed))
    x = torch.rand(3, colours, *size, generator=drawn(seed))
    at = (seed % size[0], seed % size[1])
    past = pixel_reach.before(size, at)
    for colour in range(colours):
        felt = pixel_reach.sensitivity(net, x, at, colour)
        assert felt[:, ~past].sum() == felt[:colour, at[0], at[1]].sum()


def test_green_sees_red_and_red_sees_no_green():
    net = pixelcnn.GatedPixelCNN(36, 1, colours=3, first=3, generator=drawn())
    x = torch.rand(16, 3, 3, 3, generator=drawn())
    seen = [pixel_reach.sensitivity(net, x, (1, 1), g)[:, 1, 1] > 0 for g in range(3)]
    assert torch.stack(seen).int().tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]


@pytest.mark.parametrize(
    "build",
    [
        lambda g: pixelcnn.PixelCNN(6, 2, first=3, generator=g),
        lambda g: pixelcnn.GatedPixelCNN(6, 2, first=3, generator=g),
        lambda g: row_lstm.RowLSTM(6, 1, first=3, generator=g),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_probabilities_of_all_512_images_sum_to_one(build, seed):
    net = build(drawn(seed)).double()
    costs = pixel_likelihood.nll(net, pixel_likelihood.every_image(3, 3).double())
    assert abs(torch.exp(-costs).sum() - 1) < 1e-12


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("build", NETS)
def test_the_receptive_field_is_that_of_the_theorem(build, layers):
    at, size = (6, 5), (8, 12)
    field = pixel_reach.plain_field if build is pixelcnn.PixelCNN else pixel_reach.gated_field
    net = build(12, layers - 1, first=3, generator=drawn())
    felt = pixel_reach.sensitivity(net, torch.rand(24, 1, *size, generator=drawn()), at)[0]
    assert torch.equal(felt > 0, field(size, at, 3, layers))


def test_a_quarter_of_the_box_is_blind_in_the_limit():
    spot = pixel_reach.blind_spot((20, 41), (19, 20), 3, 12).sum()
    box = pixel_reach.gated_field((20, 41), (19, 20), 3, 12).sum()
    assert spot / box == pytest.approx(pixel_reach.blind_share(12))
    assert pixel_reach.blind_share(10**9) == pytest.approx(1 / 4)


@pytest.mark.parametrize("build", NETS)
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_cached_samples_are_the_naive_ones(build, colours, seed):
    net = build(6 * colours, 2, colours=colours, levels=4, first=5, generator=drawn(seed))
    canvas = torch.zeros(3, colours, 6, 5)
    known = torch.zeros(6, 5, dtype=torch.bool)
    known[2] = True
    pairs = [
        pixel_sampling.sample(net, canvas, known=known, generator=drawn(seed), cached=cached)
        for cached in (True, False)
    ]
    assert torch.equal(*pairs)


def test_a_conditional_cache_paints_the_same_classes():
    net = pixelcnn.GatedPixelCNN(8, 2, classes=10, first=3, generator=drawn())
    labels = torch.arange(10)
    pairs = [
        pixel_sampling.sample(
            net, torch.zeros(10, 1, 6, 6), labels=labels, generator=drawn(), cached=cached
        )
        for cached in (True, False)
    ]
    assert torch.equal(*pairs)


def test_diagonals_compute_what_the_double_loop_computes():
    net = row_lstm.GridRecurrence(4, generator=drawn()).double()
    x = torch.rand(2, 1, 4, 6, generator=drawn()).double()
    assert torch.allclose(net(x), net.one_by_one(x), atol=1e-14, rtol=0)


def test_a_row_lstm_sees_nothing_on_or_after_its_pixel():
    net = row_lstm.RowLSTM(6, 1, first=3, generator=drawn())
    felt = pixel_reach.sensitivity(net, torch.rand(4, 1, 5, 6, generator=drawn()), (3, 2))[0]
    assert felt[~pixel_reach.before((5, 6), (3, 2))].sum() == 0
    assert felt.sum() > 0


def test_gradients_of_a_masked_convolution():
    conv = pixel_masks.MaskedConv(3, 6, 3, kind="A", colours=3, generator=drawn()).double()
    x = torch.rand(1, 3, 3, 4, generator=drawn()).double().requires_grad_()
    assert torch.autograd.gradcheck(conv, x)


def test_sampling_finds_the_entropy_of_coins():
    x, _ = pixel_reach.sheared_coins(2, (4, 5), drawn())
    net = pixelcnn.PixelCNN(4, 0, first=3, generator=drawn())
    for p in net.head.out.parameters():
        torch.nn.init.zeros_(p)
    assert pixel_likelihood.nll(net, x).tolist() == pytest.approx([20 * math.log(2)] * 2)


def test_training_lowers_the_surprise():
    x = torch.zeros(8, 1, 4, 4)
    net = pixelcnn.PixelCNN(4, 1, first=3, generator=drawn())
    losses = list(pixel_likelihood.train(net, x, steps=60, rate=0.03, generator=drawn()))
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    "call",
    [
        lambda: pixel_masks.causal_mask(2, kind="A"),
        lambda: pixel_masks.causal_mask(3, kind="C"),
        lambda: pixel_masks.causal_mask(3, 2, 3, kind="A", colours=3),
        lambda: pixel_masks.check_labels(None, 2, 10),
        lambda: pixelcnn.PixelCNN(3, 1, generator=drawn()),
        lambda: pixelcnn.PixelCNN(4, 1, levels=1, generator=drawn()),
        lambda: pixel_reach.plain_field((3, 3), (1, 1), 2, 1),
        lambda: pixel_reach.blind_share(0),
        lambda: pixel_reach.sheared_coins(0, (2, 2), drawn()),
        lambda: pixel_reach.sheared(torch.zeros(3)),
        lambda: pixel_reach.sensitivity(lambda x: x, torch.zeros(1, 1, 2, 2), (2, 0)),
        lambda: pixel_likelihood.binarised(torch.zeros(2), "coin"),
        lambda: pixel_likelihood.binarised(torch.zeros(2), "stochastic"),
        lambda: pixel_likelihood.binarised(torch.full((2,), 7.0), "threshold"),
        lambda: pixel_likelihood.bits_per_dim(torch.ones(1), 0),
        lambda: pixel_likelihood.every_image(5, 5),
        lambda: row_lstm.skew(torch.zeros(3)),
        lambda: row_lstm.GridRecurrence(0, generator=drawn()),
        lambda: row_lstm.RowLSTM(0, generator=drawn()),
        lambda: pixel_sampling.sample(
            row_lstm.RowLSTM(2, generator=drawn()), torch.zeros(1, 1, 2, 2), generator=drawn()
        ),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match=r"expected|no cache"):
        call()


def test_receipt_sum(monkeypatch):
    monkeypatch.setattr(pixel_likelihood, "nll", lambda net, x: torch.ones(len(x)))
    assert_breaks("pixelcnn", "test_receipt_sum", monkeypatch)


def test_receipt_grid(monkeypatch):
    monkeypatch.setattr(row_lstm, "unskew", lambda x: x[..., : x.shape[-1] + 1 - x.shape[-2]])
    assert_breaks("pixelcnn", "test_receipt_grid", monkeypatch)


def test_receipt_leak(monkeypatch):
    honest = pixel_reach.sensitivity
    monkeypatch.setattr(
        pixel_reach, "sensitivity", lambda net, x, at, colour: honest(lambda y: y, x, at)
    )
    assert_breaks("pixelcnn", "test_receipt_leak", monkeypatch)


def test_receipt_blind(monkeypatch):
    monkeypatch.setattr(pixel_reach, "plain_field", pixel_reach.gated_field)
    assert_breaks("pixelcnn", "test_receipt_blind", monkeypatch)


def net_of_zeros(net):
    """A cache that never hears what was painted."""
    return lambda x, row, column: net(torch.zeros_like(x))[..., row, column]


def test_receipt_cache(monkeypatch):
    monkeypatch.setattr(pixel_sampling, "_cache", lambda net, x, _: net_of_zeros(net))
    monkeypatch.setattr(pixel_likelihood, "train", lambda *_, **__: iter([1.0]))
    assert_breaks("pixelcnn", "test_receipt_cache", monkeypatch)


def test_receipts_hold_as_the_chapter_stands(monkeypatch):
    assert_holds("pixelcnn", "test_receipt_blind", monkeypatch)


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_exercises_know_right_from_wrong(exercise):
    assert exercise.check(exercise.reference) is None
    for wrong in exercise.wrong:
        assert wrong.hint in exercise.check(wrong.answer)
