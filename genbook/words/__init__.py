r"""Word vectors: from books on a shelf to factors of a matrix.

``shelf``
    What it costs to fetch one book and then another, and all orders of seven.
``corpus``
    Words of a text and how often two stand near each other.
``skipgram``
    Softmax and negative sampling, their optima, and training.
``pmi``
    The matrix behind them: pointwise mutual information, repaired and cut to a rank.
``neighbours``
    Which words lie near a word.
"""

from __future__ import annotations

from genbook.words.corpus import Corpus, near, of_python, product, vocabulary, words_of
from genbook.words.neighbours import PARTNERS, cosines, nearest, partners_found
from genbook.words.pmi import Decomposition, Factors, decomposed, mixed, positive
from genbook.words.shelf import (
    Best,
    best,
    better,
    cost,
    gaps,
    independent,
    orders,
    popular_first,
    ranks,
    swaps,
    with_friends,
)
from genbook.words.skipgram import (
    SkipGram,
    best_logits,
    cell_weight,
    conditional_entropy,
    least_loss,
    negative_loss,
    softmax_loss,
    train,
)

__all__ = [
    "PARTNERS",
    "Best",
    "Corpus",
    "Decomposition",
    "Factors",
    "SkipGram",
    "best",
    "best_logits",
    "better",
    "cell_weight",
    "conditional_entropy",
    "cosines",
    "cost",
    "decomposed",
    "gaps",
    "independent",
    "least_loss",
    "mixed",
    "near",
    "nearest",
    "negative_loss",
    "of_python",
    "orders",
    "partners_found",
    "popular_first",
    "positive",
    "product",
    "ranks",
    "softmax_loss",
    "swaps",
    "train",
    "vocabulary",
    "with_friends",
    "words_of",
]
