"""Laws of `genbook.pixelcnn.arithmetic_coding`."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.pixelcnn import arithmetic_coding as ac
from genbook.pixelcnn import figures, likelihood
from genbook.pixelcnn.arithmetic_coding import Interval
from genbook.pixelcnn.networks import GatedPixelCNN
from tests.pixelcnn.given import any_net_of, each, labels_of

MANY = settings(max_examples=60, deadline=None)


@st.composite
def tables(draw):
    """A few tables of positive integers with a power of two as their sum, and a level of each."""
    found = []
    for _ in range(draw(st.integers(0, 12))):
        precision = draw(st.integers(3, 20))
        levels = draw(st.integers(2, 6))
        cuts = draw(st.sets(st.integers(1, 2**precision - 1), min_size=levels - 1, max_size=5))
        ends = [0, *sorted(cuts), 2**precision]
        counts = [b - a for a, b in pairwise(ends)]
        found.append((counts, draw(st.integers(0, len(counts) - 1))))
    return found


def narrowed(chosen):
    part = Interval()
    for counts, level in chosen:
        part = part.narrow(counts, level)
    return part


@MANY
@given(tables())
def test_the_width_of_an_interval_is_the_product_of_the_shares(chosen):
    part = narrowed(chosen)
    share = math.prod(Fraction(counts[level], sum(counts)) for counts, level in chosen)
    assert Fraction(part.width, 2**part.depth) == share
    assert 0 <= part.low < part.low + part.width <= 2**part.depth


@MANY
@given(tables())
def test_the_fraction_stays_inside_whatever_follows_the_code(chosen):
    part = narrowed(chosen)
    code = part.codeword()
    low = Fraction(int(code, 2), 2 ** len(code))
    assert Fraction(part.low, 2**part.depth) <= low
    assert low + Fraction(1, 2 ** len(code)) <= Fraction(part.low + part.width, 2**part.depth)


@MANY
@given(tables())
def test_a_code_has_one_to_two_bits_more_than_the_logarithm(chosen):
    part = narrowed(chosen)
    spare = len(part.codeword()) - (part.depth - math.log2(part.width))
    assert 1 - 1e-9 <= spare < 2


@MANY
@given(tables(), st.text("01", max_size=30))
def test_levels_come_back_whatever_follows_the_code(chosen, more):
    bits, part = narrowed(chosen).codeword() + more, Interval()
    for counts, level in chosen:
        assert part.level_at(bits, counts) == level
        part = part.narrow(counts, level)


def test_no_code_is_the_beginning_of_another():
    parts = [([], Interval())]
    for _ in range(4):
        parts = [
            ([*levels, k], part.narrow(figures.copied_counts(levels), k))
            for levels, part in parts
            for k in (0, 1)
        ]
    codes = [part.codeword() for _, part in parts]
    assert len(codes) == 16
    assert not any(a != b and b.startswith(a) for a in codes for b in codes)
    assert sum(Fraction(1, 2 ** len(code)) for code in codes) <= 1


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_integer_tables_are_positive_and_sum_to_the_total(levels):
    chances = torch.randn(500, levels, generator=seeded(0)).double().mul(8).softmax(-1)
    chances[0], chances[0, 1] = 0, 1
    counts = ac.frequencies(chances, precision=6)
    assert (counts > 0).all()
    assert (counts.sum(-1) == 64).all()
    assert (counts / 64 > (1 - levels / 64) * chances).all()


def test_the_cost_of_rounding_is_the_bound_that_the_tables_keep():
    assert ac.rounding_cost(3, 2, 6) == pytest.approx(-3 * math.log2(62 / 64), abs=1e-12)


@each
def test_every_network_codes_its_images_and_reads_them_back(kind, options):
    net, labels = any_net_of(kind, **options), labels_of(options, 3)
    grey = torch.rand(3, net.colours, 4, 5, generator=seeded(3)).double()
    x = likelihood.quantise(grey, net.levels)
    codes = ac.encode(net, x, labels=labels)
    assert torch.equal(ac.decode(net, codes, (4, 5), labels=labels), x)
    bits = likelihood.nll(net, x, labels) / math.log(2)
    cost = ac.rounding_cost(20 * net.colours, net.levels)
    assert all(len(code) < float(b) + 2 + cost for code, b in zip(codes, bits, strict=True))


def test_the_tables_on_the_way_are_those_of_one_pass_up_to_a_count():
    net = any_net_of(GatedPixelCNN)
    x = likelihood.quantise(torch.rand(2, 1, 4, 5, generator=seeded(0)).double(), 2)
    met = []

    def told(counts, place):
        met.append(counts)
        return likelihood.level_of(x, 2)[:, place[2], place[0], place[1]]

    ac.walk(net, (2, 1, 4, 5), told)
    with torch.no_grad():
        whole = ac.frequencies(net(x).softmax(2)[:, 0].permute(0, 2, 3, 1)).flatten(1, 2)
    assert (torch.stack(met, 1) - whole).abs().max() <= 1


def test_ordinary_compressors_are_decodable_and_gain_from_repetition():
    noise = (torch.rand(1, 1, 16, 16, generator=seeded(0)) < 0.5).float()
    same = ac.off_the_shelf(noise.expand(40, 1, 16, 16))
    fresh = ac.off_the_shelf((torch.rand(40, 1, 16, 16, generator=seeded(1)) < 0.5).float())
    assert same["no compression"] == (256.0, 256.0)
    for name in ("deflate (gzip, without its header)", "bzip2", "PNG"):
        assert same[name][1] < 128 < 256 < fresh[name][1]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: ac.frequencies(torch.full((4,), 0.25), precision=2), "precision"),
        (lambda: ac.frequencies(torch.full((2,), 0.5), precision=49), "precision"),
        (lambda: ac.frequencies(torch.tensor([0.5, 0.6])), "softmax"),
        (lambda: ac.frequencies(torch.tensor([1.5, -0.5])), "softmax"),
        (lambda: ac.frequencies(torch.tensor([0.5, math.nan])), "softmax"),
        (lambda: ac.rounding_cost(4, 4, 2), "precision"),
        (lambda: ac.encode(any_net_of(GatedPixelCNN), torch.full((1, 1, 2, 2), 0.3)), "levels"),
        (lambda: ac.encode(any_net_of(GatedPixelCNN), torch.zeros(1, 3, 2, 2)), "images"),
        (lambda: ac.decode(any_net_of(GatedPixelCNN), [], (2, 2)), "zeros and ones"),
        (lambda: ac.decode(any_net_of(GatedPixelCNN), ["012"], (2, 2)), "zeros and ones"),
        (lambda: ac.off_the_shelf(torch.full((1, 1, 2, 2), 0.3)), "levels"),
    ],
)
def test_bad_input_is_refused_with_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
