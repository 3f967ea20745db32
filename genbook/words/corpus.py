r"""Words of a text, and how often two of them stand near each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.kit.data import python_source


def words_of(text: str) -> list[str]:
    r"""The words of a text in order: runs of at least two letters, in lower case.

    Names are cut where they have an underscore or a digit; punctuation is dropped.

    Args:
        text: source or prose.

    Returns:
        The words.

    Example:
        >>> words_of("def read_line(self, n=2): '''Return the next line.'''")
        ['def', 'read', 'line', 'self', 'return', 'the', 'next', 'line']
    """
    return re.findall(r"[a-z]{2,}", text.lower())


def vocabulary(words: Sequence[str], size: int) -> tuple[str, ...]:
    r"""The words that occur most often; of two equally frequent ones the earlier in the alphabet.

    Args:
        words: of the text.
        size: how many to keep.

    Returns:
        From the most frequent on.

    Raises:
        ValueError: if the text has fewer different words.

    Example:
        >>> vocabulary(["to", "be", "or", "not", "to", "be"], 2)
        ('be', 'to')
    """
    counted = Counter(words)
    if not 1 <= size <= len(counted):
        raise ValueError(f"expected a size of 1 to {len(counted)} different words, got {size}")
    ordered = sorted(counted, key=lambda word: (-counted[word], word))
    return tuple(ordered[:size])


@dataclass(frozen=True, eq=False)
class Corpus:
    r"""Counts of pairs of words.

    Args:
        vocabulary: V words.
        counts: how often word c stands near word w, symmetric, **[V, V]**.

    Raises:
        ValueError: if the shapes do not fit or no pair was counted.
    """

    vocabulary: tuple[str, ...]
    counts: Tensor

    def __post_init__(self) -> None:
        """Refuse counts that have no distribution."""
        size = len(self.vocabulary)
        if tuple(self.counts.shape) != (size, size) or not bool(self.counts.sum() > 0):
            raise ValueError(
                f"expected counts [{size}, {size}] of at least one pair, got "
                f"{list(self.counts.shape)} with a sum of {float(self.counts.sum()):g}"
            )

    @property
    def joint(self) -> Tensor:
        r"""p(w, c): the share of each pair, **[V, V]**."""
        return self.counts / self.counts.sum()

    @property
    def noise(self) -> Tensor:
        r"""p(w) p(c): the share it would have if words stood anywhere, **[V, V]**."""
        return product(self.joint)

    def place(self, word: str) -> int:
        r"""Where a word stands in the vocabulary.

        Args:
            word: in lower case.

        Returns:
            Its place, from 0.

        Raises:
            ValueError: if it is not in the vocabulary.
        """
        if word not in self.vocabulary:
            raise ValueError(f"expected one of the {len(self.vocabulary)} words, got {word!r}")
        return self.vocabulary.index(word)


def product(joint: Tensor) -> Tensor:
    r"""The independent pairs with the same words and the same contexts.

    .. math:: q(w,c)=p(w)\,p(c)

    Args:
        joint: p(w, c), **[V, C]**.

    Returns:
        **[V, C]**.

    Example:
        >>> product(torch.tensor([[0.5, 0.0], [0.25, 0.25]])).tolist()
        [[0.375, 0.125], [0.375, 0.125]]
    """
    return joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)


def near(
    words: Sequence[str],
    known: Sequence[str],
    window: int,
    *,
    device: str | torch.device | None = None,
) -> Tensor:
    r"""How often each pair of known words stands at most a window apart.

    .. math:: \#(w,c)=\#\{(s,t):0<|s-t|\le m,\ \text{word}_s=w,\ \text{word}_t=c\}

    Args:
        words: of the text, in order.
        known: the vocabulary; other words keep their place in the text but are not counted.
        window: m, at least 1.
        device: where to count.

    Returns:
        Symmetric, double precision, **[V, V]**.

    Raises:
        ValueError: if the window is below 1 or the text is not longer than it.

    Example:
        >>> near(["a", "b", "a"], ["a", "b"], 2).tolist()
        [[2.0, 2.0], [2.0, 0.0]]
    """
    if not 1 <= window < len(words):
        raise ValueError(f"expected a window of 1 to {len(words) - 1} words, got {window}")
    size, places = len(known), {word: place for place, word in enumerate(known)}
    ids = torch.tensor([places.get(word, -1) for word in words], device=device)
    found = torch.zeros(size * size, dtype=torch.float64, device=device)
    for apart in range(1, window + 1):
        left, right = ids[:-apart], ids[apart:]
        both = (left >= 0) & (right >= 0)
        pairs = left[both] * size + right[both]
        found += torch.bincount(pairs, minlength=size * size)
    square = found.view(size, size)
    return square + square.T


def of_python(
    size: int = 600, window: int = 4, *, device: str | torch.device | None = None
) -> tuple[Corpus, Corpus]:
    r"""Sources and documentation of Python's standard library, to learn from and to test on.

    Both parts count the same words, the most frequent of the first part. The text differs a little
    from one version of Python to the next.

    Args:
        size: of the vocabulary.
        window: at most so many words apart.
        device: of the counts.

    Returns:
        Four fifths of the modules, and the other fifth.

    Raises:
        ValueError: if there are not as many different words.

    Example:
        >>> train, test = of_python(20, 2)
        >>> "self" in train.vocabulary, train.counts.shape == test.counts.shape
        (True, True)
    """
    read = [words_of(str(python_source(split=part, device="cpu"))) for part in ("train", "test")]
    known = vocabulary(read[0], size)
    train, test = (Corpus(known, near(words, known, window, device=device)) for words in read)
    return train, test
