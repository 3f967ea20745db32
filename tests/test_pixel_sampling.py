"""Laws of drawing pixel by pixel: the memories of the networks, and exact samples."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook import pixel_likelihood as pl
from genbook import pixel_sampling as ps
from genbook.kit.device import seeded
from genbook.pixel_masks import MaskedConv
from genbook.pixel_memory import Above, Memory, Unit, affine, along, same
from genbook.pixel_reach import before
from genbook.pixel_recall import recall
from genbook.pixelcnn import GatedPixelCNN, PixelCNN
from genbook.row_lstm import RowLSTM

FEW = settings(max_examples=12, deadline=None)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))

NETWORKS = [
    (GatedPixelCNN, {}),
    (GatedPixelCNN, {"colours": 3, "levels": 5}),
    (GatedPixelCNN, {"classes": 2}),
    (GatedPixelCNN, {"first": 5, "kernel": 5}),
    (GatedPixelCNN, {"first": 3, "kernel": 1}),
    (GatedPixelCNN, {"depth": 0}),
    (PixelCNN, {}),
    (PixelCNN, {"colours": 3, "levels": 5}),
    (PixelCNN, {"first": 3, "kernel": 5}),
    (PixelCNN, {"first": 5, "kernel": 1}),
    (PixelCNN, {"depth": 0}),
    (RowLSTM, {}),
    (RowLSTM, {"levels": 4, "first": 3, "kernel": 5}),
    (RowLSTM, {"depth": 0}),
]
each = pytest.mark.parametrize(("kind", "options"), NETWORKS)


def net_of(kind, **options):
    """A network with biases that are not zero, in doubles."""
    net = kind(generator=seeded(0), **{"channels": 6, "depth": 2, **options}).double()
    with torch.no_grad():
        for name, values in net.named_parameters():
            if name.endswith("bias"):
                values += 0.3 * torch.randn(values.shape, generator=seeded(1))
    return net


def labels_of(options, count=2):
    return torch.arange(count) % options["classes"] if "classes" in options else None


# --- The memory says what the network says ----------------------------------------------------


@each
@torch.no_grad()
def test_remembered_logits_are_those_of_a_whole_pass(kind, options):
    net, labels = net_of(kind, **options), labels_of(options)
    x = pl.quantise(torch.rand(2, net.colours, 4, 5, generator=seeded(2)).double(), net.levels)
    memory, whole = recall(net, x.shape, labels), net(x, labels)
    for row in range(4):
        memory.enter_row(row)
        for column in range(5):
            for colour in range(net.colours):
                logits = memory.logits(column, colour)
                torch.testing.assert_close(
                    logits, whole[:, colour, :, row, column], rtol=0, atol=1e-12
                )
                memory.tell(column, colour, x[:, colour, row, column])


@each
def test_cached_samples_equal_naive_ones_bit_by_bit(kind, options):
    net, labels = net_of(kind, **options), labels_of(options)
    for size in ((5, 7), (6, 3), (1, 1)):
        slow, fast = (
            ps.sample(net, 2, size, seeded(2), labels=labels, cached=cached)
            for cached in (False, True)
        )
        assert torch.equal(slow, fast)


@FEW
@given(size=sizes, kernel=st.sampled_from([1, 3, 5, 7]), kind=st.sampled_from([0, 1, 2]))
def test_memories_fit_images_of_any_size(size, kernel, kind):
    net = net_of((GatedPixelCNN, PixelCNN, RowLSTM)[kind], first=max(3, kernel), kernel=kernel)
    both = [ps.sample(net, 2, size, seeded(4), cached=cached) for cached in (False, True)]
    assert torch.equal(*both)


def test_one_image_and_many_are_drawn_alike():
    net = net_of(PixelCNN)
    many = ps.sample(net, 5, (4, 4), seeded(0))
    assert many.shape == (5, 1, 4, 4)
    assert many.requires_grad is False
    pl.pixel_nll(net, many).sum().backward()  # what was drawn is an ordinary tensor


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


# --- Samples ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GatedPixelCNN, PixelCNN, RowLSTM])
def test_samples_follow_the_exact_probabilities(kind):
    net = net_of(kind, first=3, channels=4, depth=1)
    drawn = ps.sample(net, 40_000, (2, 2), seeded(0)).flatten(1)
    counts = torch.bincount((drawn @ drawn.new_tensor([8, 4, 2, 1])).long(), minlength=16)
    exact = pl.nll(net, pl.all_images(2, 2)).neg().exp()
    chi2 = ((counts - 40_000 * exact) ** 2 / (40_000 * exact)).sum()
    assert chi2 < 37.7  # the 0.1 % point with 15 degrees of freedom


def test_known_pixels_are_kept_and_the_rest_is_drawn():
    net = net_of(GatedPixelCNN)
    start = torch.rand(3, 1, 5, 4, generator=seeded(0)).round().double()
    known = before((5, 4), (2, 1))
    both = [
        ps.sample(net, 3, (5, 4), seeded(1), start=start, known=known, cached=cached)
        for cached in (True, False)
    ]
    assert torch.equal(*both)
    assert torch.equal(both[0][..., known], start[..., known])
    assert not torch.equal(both[0], start)


@pytest.mark.parametrize("kind", [GatedPixelCNN, PixelCNN, RowLSTM])
def test_greedy_images_take_the_likelier_level_everywhere(kind):
    net = net_of(kind)
    both = [ps.sample(net, 1, (4, 5), seeded(n), cached=n > 0, greedy=True) for n in (0, 1)]
    assert torch.equal(*both)
    assert torch.equal(net(both[0]).argmax(2).to(both[0]), both[0])


def test_the_largest_noisy_logit_is_a_draw_from_the_softmax():
    share = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    uniform = torch.rand(30_000, 3, generator=seeded(0), dtype=torch.float64)
    levels = ps.pick_level(share.log().expand(30_000, 3), -torch.log(-torch.log(uniform)))
    counts = torch.bincount(levels, minlength=3)
    chi2 = ((counts - 30_000 * share) ** 2 / (30_000 * share)).sum()
    assert chi2 < 13.8  # the 0.1 % point with 2 degrees of freedom


def test_a_constant_added_to_the_logits_changes_no_draw():
    logits, noise = torch.randn(50, 4, generator=seeded(0)), torch.randn(50, 4)
    assert torch.equal(ps.pick_level(logits, noise), ps.pick_level(logits + 2.0, noise))


# --- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: ps.sample(net_of(PixelCNN), 0, (3, 3), seeded(0)), "count"),
        (
            lambda: ps.sample(
                net_of(PixelCNN), 1, (3, 3), seeded(0), known=torch.ones(3, 3).bool()
            ),
            "together",
        ),
        (
            lambda: ps.sample(
                net_of(PixelCNN),
                1,
                (3, 3),
                seeded(0),
                start=torch.ones(1, 1, 3, 3),
                known=torch.ones(2, 3).bool(),
            ),
            "expected start",
        ),
        (lambda: ps.sample(net_of(GatedPixelCNN, classes=2), 1, (3, 3), seeded(0)), "labels"),
        (lambda: recall(torch.nn.Linear(1, 1), (1, 1, 3, 3), None), "cached=False"),
    ],
)
def test_bad_input_is_refused_with_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_every_network_enters_rows_in_its_own_way():
    units = [Unit("image", 1, 1, torch.neg, {"logits": torch.ones(2, 2, 1)})]
    plain = Memory([*units, Unit("logits", 2, 1, torch.neg)], (1, 2, 2), 1, torch.zeros(1))
    with pytest.raises(NotImplementedError):
        plain.enter_row(0)
