"""The receipts of the chapter `words`, broken on purpose."""

from __future__ import annotations

import math

import torch
from chapters import altered, assert_breaks, method, swap

from genbook import games
from genbook.divergences import measures
from genbook.kit.machine import weights
from genbook.words import corpus, neighbours, pmi, shelf, skipgram

COST, BEST, SEVEN, FRIENDS = shelf.cost, shelf.best, shelf.seven, shelf.with_friends
NEGATIVE, POSITIVE, MIXED = skipgram.negative_loss, pmi.positive, pmi.mixed
CUT, START = pmi.Decomposition.cut, skipgram.SkipGram.__init__


def from_the_door(joint, places):
    return (joint * (places[..., :, None] + places[..., None, :])).sum((-2, -1))


def untrained(net, joint, noise, k, **options):
    yield from ()


def test_receipt_by_hand():
    assert_breaks(
        "words",
        "test_receipt_by_hand",
        swap(shelf.cost, from_the_door),
        altered(shelf.orders, lambda every: every[every[:, 0] == 1]),
    )


def test_receipt_gaps():
    assert_breaks(
        "words",
        "test_receipt_gaps",
        swap(shelf.cost, from_the_door),
        swap(shelf.cost, lambda joint, places: COST(joint.T, places)),
        altered(shelf.gaps, lambda parts: (parts[0], 0.99 * parts[1])),
        altered(shelf.orders, lambda every: every[:5_000]),
        altered(shelf.orders, lambda every: every[:1].expand_as(every)),
    )


def test_receipt_independent():
    assert_breaks(
        "words",
        "test_receipt_independent",
        swap(shelf.cost, from_the_door),
        altered(shelf.independent, lambda joint: torch.diag(joint.sum(1))),
        altered(shelf.popular_first, lambda places: 7 - places),
        altered(shelf.orders, lambda every: every[every[:, 0] == 1]),
    )


def test_receipt_friends():
    assert_breaks(
        "words",
        "test_receipt_friends",
        swap(shelf.seven, lambda kind, loyalty: SEVEN(kind, 0.0)),
        swap(shelf.popular_first, lambda joint: BEST(joint).places),
        swap(
            shelf.with_friends,
            lambda popularity, friends, loyalty: FRIENDS(popularity, friends.roll(1, 1), loyalty),
        ),
        swap(shelf.cost, lambda joint, places: (joint.sum(1) * places).sum(-1)),
    )


def test_receipt_softmax():
    def over_words(joint, logits):
        return -(joint * logits.log_softmax(0).clamp(min=-1e9)).sum()

    assert_breaks(
        "words",
        "test_receipt_softmax",
        swap(skipgram.softmax_loss, over_words),
        swap(skipgram.softmax_loss, lambda joint, logits: -(joint * logits.clamp(min=-99)).sum()),
        altered(skipgram.conditional_entropy, lambda least: least + 1e-6),
        altered(skipgram.conditional_entropy, lambda least: least + 1),
    )


def test_receipt_discriminator():
    def doubled(joint, noise, k, logits):
        return NEGATIVE(joint, noise, 2 * k, logits)

    def flipped(joint, noise, k, logits):
        return NEGATIVE(joint, noise, k, -logits)

    def crossed(joint, noise, k, logits):
        return NEGATIVE(noise, joint, k, logits)

    assert_breaks(
        "words",
        "test_receipt_discriminator",
        *(swap(skipgram.negative_loss, wrong) for wrong in (doubled, flipped, crossed)),
        swap(games.critic_loss, lambda convex: lambda real, fake: real.mean() - fake.mean()),
    )


def test_receipt_optimum():
    def unshifted(joint, noise, k):
        return joint.log() - noise.log()

    assert_breaks(
        "words",
        "test_receipt_optimum",
        swap(skipgram.best_logits, unshifted),
        altered(skipgram.best_logits, lambda star: star + 0.001),
        altered(skipgram.least_loss, lambda least: least + 1e-9),
        altered(measures.on_atoms, lambda js: 1.001 * js),
    )


def test_receipt_weights():
    assert_breaks(
        "words",
        "test_receipt_weights",
        altered(skipgram.cell_weight, lambda h: 1.01 * h),
        swap(skipgram.cell_weight, lambda joint, noise, k: joint * noise / (joint + noise)),
        swap(skipgram.cell_weight, lambda joint, noise, k: torch.minimum(joint, k * noise)),
        altered(skipgram.best_logits, lambda star: star + 0.1),
    )


def test_receipt_cut():
    assert_breaks(
        "words",
        "test_receipt_cut",
        method(pmi.Decomposition, "cut", lambda self, rank: CUT(self, rank - 1)),
        altered(
            pmi.decomposed,
            lambda parts: pmi.Decomposition(parts.left, 1.001 * parts.values, parts.right),
        ),
        altered(
            pmi.decomposed,
            lambda parts: pmi.Decomposition(parts.left, parts.values, parts.right.flip(1)),
        ),
    )


def test_receipt_rounded():
    def coarse(tensors):
        return [(2 * t / t.abs().max()).round() * t.abs().max() / 2 for t in tensors]

    assert_breaks("words", "test_receipt_rounded", swap(weights.rounded, coarse))


def test_receipt_two_ways():
    def last(self, rank):
        root = self.values[-rank:].sqrt()
        return pmi.Factors(self.left[:, -rank:] * root, self.right[:, -rank:] * root)

    def even(joint, noise, k, logits):
        return (logits - skipgram.best_logits(MIXED(joint, noise, 0.5), noise, k)).square().mean()

    assert_breaks(
        "words",
        "test_receipt_two_ways",
        swap(skipgram.train, untrained),
        method(pmi.Decomposition, "cut", last),
        swap(skipgram.negative_loss, even),
    )


def test_receipt_unseen():
    assert_breaks(
        "words",
        "test_receipt_unseen",
        altered(corpus.near, lambda counts: counts + 1),
        altered(skipgram.best_logits, lambda star: star.clamp(min=-20)),
        swap(corpus.python_source, same_text(corpus.python_source)),
    )


def same_text(source):
    """The other text is the counted one."""
    return lambda split, device: source(split="train", device=device)


def test_receipt_large_k():
    assert_breaks(
        "words",
        "test_receipt_large_k",
        swap(pmi.positive, lambda values, k=1: POSITIVE(values, 1)),
        swap(pmi.positive, lambda values, k=1: POSITIVE(values + 2 * math.log(k), k)),
        altered(pmi.pmi, lambda values: values - 1),
        altered(pmi.pmi, lambda values: values.roll(1, 0)),
    )


def test_receipt_mixed():
    assert_breaks(
        "words",
        "test_receipt_mixed",
        swap(pmi.mixed, lambda joint, noise, share: joint),
        swap(pmi.mixed, lambda joint, noise, share: MIXED(joint, noise, 1 - share)),
        altered(skipgram.best_logits, lambda star: star + 2),
        swap(pmi.mixed, lambda joint, noise, share: noise),
    )


def test_receipt_ranks():
    def flat(self, size, rank, generator):
        START(self, size, 2, generator)

    assert_breaks(
        "words",
        "test_receipt_ranks",
        swap(skipgram.train, untrained),
        method(skipgram.SkipGram, "__init__", flat),
        swap(corpus.python_source, same_text(corpus.python_source)),
    )


def test_receipt_seeds():
    assert_breaks(
        "words",
        "test_receipt_seeds",
        swap(pmi.mixed, lambda joint, noise, share: joint),
        swap(pmi.mixed, lambda joint, noise, share: MIXED(joint, noise, 0.999)),
    )


def test_receipt_gauge():
    assert_breaks(
        "words",
        "test_receipt_gauge",
        altered(neighbours.cosines, lambda found: 0 * found),
        method(pmi.Factors, "product", property(lambda self: self.words @ self.words.T)),
    )


def test_receipt_bad_logits():
    assert_breaks(
        "words",
        "test_receipt_bad_logits",
        swap(pmi.positive, lambda values, k=1: (values - math.log(k)).clamp(min=-9)),
        swap(skipgram.negative_loss, lambda joint, noise, k, s: NEGATIVE(joint, noise, 1, s)),
    )
