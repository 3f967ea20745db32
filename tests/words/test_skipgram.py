"""Skip-gram: losses against entropies and divergences, optima against slopes, training."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from genbook.divergences import measures
from genbook.kit.device import seeded
from genbook.words import corpus, skipgram


@pytest.fixture
def pair():
    p = torch.rand(6, 5, generator=seeded(0), dtype=torch.float64)
    p[0, 0] = 0
    p = p / p.sum()
    return p, corpus.product(p)


@pytest.fixture
def logits():
    return torch.randn(6, 5, generator=seeded(1), dtype=torch.float64)


def test_the_softmax_costs_the_entropy_and_a_divergence(pair, logits):
    p, _ = pair
    alone, guessed = p.sum(1), logits.softmax(1)
    apart = sum(
        alone[w] * measures.on_atoms(measures.KL, p[w] / alone[w], guessed[w]) for w in range(6)
    )
    torch.testing.assert_close(
        skipgram.softmax_loss(p, logits), skipgram.conditional_entropy(p) + apart
    )


def test_a_context_ruled_out_is_free_where_it_never_occurs(pair, logits):
    p, _ = pair
    logits[0, 0] = -math.inf
    assert torch.isfinite(skipgram.softmax_loss(p, logits))
    logits[1, 1] = -math.inf
    assert skipgram.softmax_loss(p, logits) == math.inf


@pytest.mark.parametrize("k", [1, 3, 0.5])
def test_negative_sampling_is_a_weighted_cross_entropy(pair, logits, k):
    p, q = pair
    real = binary_cross_entropy_with_logits(
        logits, torch.ones_like(logits), weight=p, reduction="sum"
    )
    fake = binary_cross_entropy_with_logits(
        logits, torch.zeros_like(logits), weight=k * q, reduction="sum"
    )
    torch.testing.assert_close(skipgram.negative_loss(p, q, k, logits), real + fake)


@pytest.mark.parametrize("k", [1, 3, 0.5])
def test_the_optimum_has_the_least_loss_and_the_discriminators_chance(pair, logits, k):
    p, q = pair
    star = skipgram.best_logits(p, q, k)
    torch.testing.assert_close(star.sigmoid(), p / (p + k * q))
    least = skipgram.negative_loss(p, q, k, star)
    torch.testing.assert_close(skipgram.least_loss(p, q, k), least)
    assert skipgram.negative_loss(p, q, k, logits) > least
    assert skipgram.negative_loss(p, q, k, star.clamp(min=-30) + 0.01 * logits) > least


def test_text_like_noise_teaches_nothing(pair):
    _, q = pair
    for k in (1, 5):
        star = skipgram.best_logits(q, q, k)
        torch.testing.assert_close(star, torch.full_like(star, -math.log(k)))
        blind = (1 + k) * math.log(1 + k) - k * math.log(k)
        assert skipgram.least_loss(q, q, k).item() == pytest.approx(blind)


def test_the_weight_of_a_cell_is_the_second_derivative(pair):
    p, q = pair
    k = 4.0

    def at(s):
        return skipgram.negative_loss(p[1:2, :1], q[1:2, :1], k, s.view(1, 1))

    star = skipgram.best_logits(p, q, k)[1, 0]
    found = torch.autograd.functional.hessian(at, star.view(1))
    torch.testing.assert_close(found[0, 0], skipgram.cell_weight(p, q, k)[1, 0])


def test_no_cell_weighs_more_than_its_shares(pair):
    p, q = pair
    for k in (0.5, 1, 20):
        assert (skipgram.cell_weight(p, q, k) <= torch.minimum(p, k * q)).all()


def test_training_at_full_rank_comes_near_the_optimum():
    p = torch.rand(5, 5, generator=seeded(2), dtype=torch.float64) + 0.2
    p = p / p.sum()
    q = corpus.product(p)
    net = skipgram.SkipGram(5, 5, seeded(0))
    steps = list(skipgram.train(net, p, q, 2, steps=1_500, rate=0.03))
    assert [step.index for step in steps] == list(range(1_500))
    least = skipgram.least_loss(p, q, 2).item()
    assert least <= steps[-1].terms["loss"] + 1e-6 < least + 1e-4
    assert (net().detach() - skipgram.best_logits(p, q, 2)).abs().max() < 0.05


def test_the_two_tables_differ_and_a_seed_decides():
    nets = [skipgram.SkipGram(4, 3, seeded(seed)) for seed in (0, 0, 1)]
    assert torch.equal(nets[0].words, nets[1].words)
    assert not torch.equal(nets[0].words, nets[2].words)
    assert not torch.equal(nets[0].words, nets[0].contexts)


def test_the_start_is_small_in_both_tables():
    net = skipgram.SkipGram(300, 20, seeded(0))
    for table in (net.words, net.contexts):
        assert table.std().item() == pytest.approx(0.1, rel=0.05)
        assert abs(table.mean().item()) < 0.01


@pytest.mark.parametrize(
    "call",
    [
        lambda p: skipgram.negative_loss(p, p, 0, p),
        lambda p: skipgram.best_logits(p, p, -1),
        lambda p: skipgram.least_loss(p, p, float("nan")),
        lambda p: skipgram.cell_weight(p, p, 0),
        lambda p: list(skipgram.train(skipgram.SkipGram(2, 1, seeded(0)), p, p, 0, steps=1)),
    ],
)
def test_no_noise_is_refused(call):
    with pytest.raises(ValueError, match="k > 0"):
        call(torch.full((2, 2), 0.25))


def test_no_vector_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        skipgram.SkipGram(3, 0, seeded(0))
