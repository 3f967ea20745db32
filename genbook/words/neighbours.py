r"""Which words lie near a word, and whether its partner is among them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genbook.words.corpus import Corpus

PARTNERS = (
    ("min", "max"), ("start", "end"), ("first", "last"), ("read", "write"), ("true", "false"),
    ("open", "close"), ("input", "output"), ("left", "right"), ("width", "height"),
    ("row", "column"), ("key", "value"), ("keys", "values"), ("host", "port"), ("user", "password"),
    ("getattr", "setattr"), ("enter", "exit"), ("day", "month"), ("days", "seconds"),
    ("hour", "minute"), ("source", "target"), ("parent", "child"), ("valueerror", "typeerror"),
    ("stdin", "stdout"), ("client", "server"), ("encode", "decode"), ("before", "after"),
    ("args", "kwargs"), ("any", "all"), ("get", "set"), ("import", "from"),
)  # fmt: skip
"""Pairs of words that play the same part, or opposite ones."""


def cosines(vectors: Tensor, which: int | Tensor) -> Tensor:
    r"""The cosine between one row and each.

    .. math:: \cos(u,v)=\frac{\langle u,v\rangle}{\|u\|\,\|v\|}

    Args:
        vectors: **[V, d]**.
        which: the row, a number or a tensor of one.

    Returns:
        **[V]**; 0 with a row of zeros.

    Example:
        >>> cosines(torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]), 0).tolist()
        [1.0, 0.0, 0.0]
    """
    lengths = vectors.norm(dim=1)
    unit = vectors / torch.where(lengths > 0, lengths, 1.0)[:, None]
    row = torch.as_tensor(which, device=vectors.device).reshape(1)
    return unit @ unit[row][0]


def nearest(corpus: Corpus, vectors: Tensor, word: str, count: int) -> list[tuple[str, float]]:
    r"""The words with the largest cosine.

    Args:
        corpus: for its vocabulary.
        vectors: a row for each word, **[V, d]**.
        word: of the vocabulary.
        count: how many.

    Returns:
        Words with their cosines, the nearest first, without the word itself.

    Raises:
        ValueError: if the word is unknown.

    Example:
        >>> corpus = Corpus(("a", "b", "c"), torch.ones(3, 3))
        >>> nearest(corpus, torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), "a", 1)[0][0]
        'c'
    """
    place = corpus.place(word)
    near = cosines(vectors, place)
    near[place] = -torch.inf
    values, places = near.topk(count)
    return [
        (corpus.vocabulary[i], v) for i, v in zip(places.tolist(), values.tolist(), strict=True)
    ]


def partners_found(
    corpus: Corpus, vectors: Tensor, count: int, pairs: Sequence[tuple[str, str]] = PARTNERS
) -> tuple[int, int]:
    r"""How often a word's partner is among its nearest, both ways.

    Args:
        corpus: for its vocabulary; pairs with an unknown word are left out.
        vectors: **[V, d]**; a row of zeros has no neighbours.
        count: how many nearest.
        pairs: of words.

    Returns:
        How often it is, and of how many.

    Example:
        >>> corpus = Corpus(("a", "b", "c"), torch.ones(3, 3))
        >>> near = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
        >>> partners_found(corpus, near, 1, [("a", "b"), ("a", "d")])
        (2, 2)
    """
    known = set(corpus.vocabulary)
    asked = [p for a, b in pairs if {a, b} <= known for p in ((a, b), (b, a))]
    hits = 0
    for word, partner in asked:
        if bool(vectors[corpus.place(word)].any()):
            hits += partner in dict(nearest(corpus, vectors, word, count))
    return hits, len(asked)
