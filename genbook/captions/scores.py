r"""BLEU: precision of word groups and a penalty for being short; of a sentence and of a writer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence


def grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    r"""How often each group of n neighbouring words occurs.

    Example:
        >>> grams("a b a b".split(), 2)[("a", "b")]
        2
    """
    return Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1))


def bleu(candidate: str, references: Sequence[str], n: int = 2) -> float:
    r"""BLEU-n of a sentence.

    .. math:: \min(1, e^{1-r/c})\,\Bigl(\prod_{k\le n} p_k\Bigr)^{1/n}

    :math:`p_k` is the share of k-grams that a reference holds, each counted at most as often as in
    the reference that holds most; c is the length, r the nearest reference's (the shorter of two).

    Args:
        candidate: words with spaces.
        references: at least one.
        n: longest group.

    Returns:
        From 0 to 1; 0 where any precision is 0.

    Raises:
        ValueError: without a reference.

    Example:
        >>> round(bleu("a b", ["a b c d"], 1), 4) == round(math.exp(-1), 4)
        True
    """
    if not references or n < 1:
        raise ValueError(
            f"expected a reference and n ≥ 1, got {len(references)} and {n}; give them"
        )
    said, told = candidate.split(), [text.split() for text in references]
    logs = 0.0
    for k in range(1, n + 1):
        own = grams(said, k)
        most: Counter[tuple[str, ...]] = Counter()
        for text in told:
            most |= grams(text, k)
        hits = (own & most).total()
        if hits == 0:
            return 0.0
        logs += math.log(hits / own.total()) / n
    near = min((len(text) for text in told), key=lambda size: (abs(size - len(said)), size))
    return math.exp(min(0.0, 1 - near / len(said)) + logs)


def among(said: Mapping[str, float], told: Mapping[str, float], n: int = 4) -> float:
    r"""BLEU-n, on average, of one writer's sentence against another's.

    .. math:: \sum_{s,t}P(s)\,Q(t)\,\text{BLEU-}n(s,\{t\})

    Args:
        said: sentences of the writer who is judged, with their chances.
        told: those of the writer of the reference, who has not seen the first.
        n: longest group.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: if chances do not sum to 1.

    Example:
        >>> among({"a b": 1.0}, {"a b": 0.5, "b a": 0.5}, 2)
        0.5
    """
    for writer in (said, told):
        if not math.isclose(sum(writer.values()), 1, abs_tol=1e-9):
            raise ValueError(
                f"expected chances that sum to 1, got {sum(writer.values()):g}; divide by the sum"
            )
    return sum(p * q * bleu(s, [t], n) for s, p in said.items() for t, q in told.items())
