"""PMI: its identities, its repairs, and Eckart and Young."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.kit.device import seeded
from genbook.words import corpus, pmi


@pytest.fixture
def pair():
    p = torch.rand(6, 5, generator=seeded(0), dtype=torch.float64)
    p[0, 0] = 0
    p = p / p.sum()
    return p, corpus.product(p)


def test_the_mean_of_pmi_is_the_mutual_information(pair):
    p, q = pair
    alone = [torch.special.entr(p.sum(axis)).sum() for axis in (0, 1)]
    information = alone[0] + alone[1] - torch.special.entr(p).sum()
    seen = p > 0
    torch.testing.assert_close((p * pmi.pmi(p, q))[seen].sum(), information)


def test_independent_pairs_have_no_pmi(pair):
    _, q = pair
    assert pmi.pmi(corpus.product(q), q).abs().max() < 1e-14


def test_the_positive_part_is_shifted_first(pair):
    p, q = pair
    found = pmi.positive(pmi.pmi(p, q), 1.5)
    wanted = [[max(0.0, v - math.log(1.5)) for v in row] for row in pmi.pmi(p, q).tolist()]
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float64))


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_mixing_keeps_a_distribution_its_margins_and_a_floor(pair, share):
    p, q = pair
    found = pmi.mixed(p, q, share)
    torch.testing.assert_close(found.sum(), p.new_tensor(1.0))
    torch.testing.assert_close(found.sum(1), p.sum(1))
    if share:
        assert pmi.pmi(found, q).min() >= math.log(share) - 1e-12


def test_a_cut_is_nearer_than_other_matrices_of_its_rank():
    matrix = torch.randn(7, 6, generator=seeded(1), dtype=torch.float64)
    parts = pmi.decomposed(matrix)
    for rank in (1, 3, 6):
        found = parts.cut(rank)
        error = (matrix - found.product).square().sum()
        torch.testing.assert_close(error, parts.values[rank:].square().sum(), atol=1e-10, rtol=0)
        assert torch.linalg.matrix_rank(found.product) == rank
        basis = torch.randn(7, rank, generator=seeded(2), dtype=torch.float64)
        other = basis @ torch.linalg.lstsq(basis, matrix).solution
        assert (matrix - other).square().sum() >= error - 1e-12


def test_the_two_sides_share_the_singular_values():
    parts = pmi.decomposed(torch.randn(5, 4, generator=seeded(3), dtype=torch.float64))
    words, contexts = parts.cut(2).both
    for side in (words, contexts):
        torch.testing.assert_close(side.T @ side, torch.diag(parts.values[:2]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pmi.positive(torch.zeros(1), 0), "k > 0"),
        (lambda: pmi.mixed(torch.ones(1), torch.ones(1), 1.1), r"share in \[0, 1\]"),
        (lambda: pmi.decomposed(torch.tensor([[-math.inf]])), "finite matrix"),
        (lambda: pmi.decomposed(torch.eye(2)).cut(3), "rank of 1 to 2"),
        (lambda: pmi.decomposed(torch.eye(2)).cut(0), "rank of 1 to 2"),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
