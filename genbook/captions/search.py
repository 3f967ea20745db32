r"""Looking for the likeliest sentence: greedily, with a beam, or through all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from genbook.captions.captioner import Captioner


@dataclass(frozen=True)
class Found:
    r"""A sentence and its log-probability.

    Args:
        words: numbers, the closing 0 included if it was reached.
        score: nats.
    """

    words: tuple[int, ...]
    score: float


def strings(words: int, most: int) -> list[tuple[int, ...]]:
    r"""All strings that end within ``most`` words, then all that have not ended by then.

    Args:
        words: size of the vocabulary, the end included.
        most: words at most.

    Example:
        >>> strings(2, 2)
        [(0,), (1, 0), (1, 1)]
    """
    ended = [(*body, 0) for size in range(most) for body in product(range(1, words), repeat=size)]
    return ended + list(product(range(1, words), repeat=most))


@torch.no_grad()
def every(net: Captioner, picture: Tensor, words: int, most: int) -> list[Found]:
    r"""Every string with its log-probability.

    Args:
        net: gives the chances.
        picture: **[16, 16]**.
        words: size of the vocabulary.
        most: words at most.

    Returns:
        In the order of :func:`strings`.
    """
    found = []
    for string in strings(words, most):
        row = torch.tensor([string], device=picture.device)
        found.append(Found(string, float(net.score(picture[None], row))))
    return found


@torch.no_grad()
def beam(net: Captioner, picture: Tensor, width: int, most: int) -> Found:
    r"""The best string that a beam finds; width 1 is the greedy search.

    Args:
        net: gives the chances.
        picture: **[16, 16]**.
        width: prefixes kept after each word.
        most: words at most.

    Returns:
        The best string, ended or cut at ``most``.

    Raises:
        ValueError: if the width or the number of words is below 1.
    """
    if width < 1 or most < 1:
        raise ValueError(
            f"expected a width and words of at least 1, got {width} and {most}; width 1 is greedy"
        )
    kept = [Found((), 0.0)]
    for _ in range(most):
        grown = [longer for one in kept for longer in _longer(net, picture, one)]
        kept = sorted(grown, key=lambda one: -one.score)[:width]
    return kept[0]


def _longer(net: Captioner, picture: Tensor, one: Found) -> list[Found]:
    """A string with each next word; one that has ended stays alone."""
    if one.words[-1:] == (0,):
        return [one]
    row = torch.tensor([one.words], dtype=torch.long, device=picture.device)
    chances = net(picture[None], row)[0, -1].log_softmax(0).tolist()
    return [Found((*one.words, word), one.score + chance) for word, chance in enumerate(chances)]


def lift(conditional: Tensor, marginal: Tensor) -> Tensor:
    r"""How much likelier a picture makes each sentence, :math:`p(S \mid I) / p(S)`.

    Args:
        conditional: :math:`p(S \mid I)`, **[pictures, sentences]**.
        marginal: :math:`p(S)`, **[sentences]**.

    Returns:
        **[pictures, sentences]**.

    Example:
        >>> lift(torch.tensor([[0.5, 0.5]]), torch.tensor([0.25, 1.0])).tolist()
        [[2.0, 0.5]]
    """
    return conditional / marginal
