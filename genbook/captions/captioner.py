r"""A small convolutional network that hands its picture to a plain recurrent network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.captions.language import LENGTH, PLACE_FIRST, encoded, sentence
from genbook.captions.scenes import SIDE, Scene, render
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream

WAYS = ("start", "once", "every")
ORDER = Substream("minibatches of pictures", 1_000)


class Captioner(nn.Module):
    r"""The next word from a picture and the words so far.

    .. math:: h_t = \tanh(W_x e_{w_{t-1}} + W_h h_{t-1} + b + b_t(v)),
        \qquad p(w_t) = \operatorname{softmax}(U h_t + c)

    ``start`` sets :math:`h_0 = Pv`; ``once`` sets :math:`b_1 = Pv`; ``every`` sets all
    :math:`b_t = Pv`. What is not named is 0.

    Args:
        way: one of :data:`WAYS`.
        seed: of the weights.
        words: size of the vocabulary.
        hidden: size of the state.

    Raises:
        ValueError: for an unknown way.
    """

    def __init__(self, way: str, seed: int, *, words: int = 11, hidden: int = 48) -> None:
        super().__init__()
        if way not in WAYS:
            raise ValueError(f"expected a way of {WAYS}, got {way!r}; choose one of them")
        self.way = way
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.convolution = nn.Conv2d(1, 8, 5, stride=2, padding=2)
            self.look = nn.Linear(8 * (SIDE // 2) ** 2, hidden)
            self.inject = nn.Linear(hidden, hidden, bias=False)
            self.word = nn.Embedding(words, hidden)
            self.again = nn.Linear(hidden, hidden)
            self.out = nn.Linear(hidden, words)

    def forward(self, pictures: Tensor, words: Tensor) -> Tensor:
        r"""Logits of every next word.

        Args:
            pictures: **[N, 16, 16]**.
            words: the words so far, the first place being after the start, **[N, T]**.

        Returns:
            **[N, T + 1, V]**.
        """
        seen = self.convolution(pictures[:, None]).relu().flatten(1)
        return self.speak(seen, words)

    def speak(self, seen: Tensor, words: Tensor) -> Tensor:
        r"""Logits of every next word from what the filters saw.

        Args:
            seen: **[N, 512]**.
            words: the words so far, **[N, T]**.

        Returns:
            **[N, T + 1, V]**.
        """
        given = self.inject(self.look(seen).relu())
        state = given if self.way == "start" else torch.zeros_like(given)
        begun = functional.pad(words, (1, 0))
        logits = []
        for step in range(begun.shape[1]):
            told = self.way == "every" or (self.way == "once" and step == 0)
            bias = given if told else torch.zeros_like(given)
            state = torch.tanh(self.word(begun[:, step]) + self.again(state) + bias)
            logits.append(self.out(state))
        return torch.stack(logits, 1)

    def score(self, pictures: Tensor, captions: Tensor) -> Tensor:
        r"""Log-probability of each whole caption, in nats.

        Args:
            pictures: **[N, 16, 16]**.
            captions: **[N, T]**, each closed by 0.

        Returns:
            **[N]**.
        """
        chances = self(pictures, captions[:, :-1]).log_softmax(2)
        return chances.gather(2, captions[:, :, None])[:, :, 0].sum(1)


@dataclass(frozen=True)
class Pairs:
    r"""Pictures with their captions.

    Args:
        pictures: **[N, 16, 16]**.
        captions: word numbers, **[N, 6]**.
    """

    pictures: Tensor
    captions: Tensor


def pairs(scenes: Sequence[Scene], count: int, generator: torch.Generator) -> Pairs:
    r"""Draw scenes with equal chances; three captions of four put the place last.

    Args:
        scenes: to draw from.
        count: of pairs.
        generator: of scenes, shifts and templates.

    Returns:
        The pairs.

    Example:
        >>> from genbook.captions.scenes import SEEN
        >>> pairs(SEEN, 3, torch.Generator().manual_seed(0)).captions.shape
        torch.Size([3, 6])
    """
    home = generator.device
    which = torch.randint(len(scenes), (count,), generator=generator, device=home).tolist()
    first = (torch.rand(count, generator=generator, device=home) < PLACE_FIRST).long().tolist()
    drawn = [render(scenes[k], generator=generator) for k in which]
    said = [encoded(sentence(scenes[k], f)) for k, f in zip(which, first, strict=True)]
    return Pairs(torch.stack(drawn), torch.tensor(said, device=home).reshape(count, LENGTH))


def train(net: Captioner, data: Pairs, *, steps: int, seed: int) -> Iterator[float]:
    r"""Adam on the captions' negative log-probability.

    Args:
        net: is trained in place.
        data: to learn from.
        steps: minibatches of 100.
        seed: of their order.

    Yields:
        The loss of each minibatch, nats a caption.

    Raises:
        ValueError: if a loss is not finite.
    """
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    home = data.pictures.device
    source = seeded(ORDER.seed(seed), home)
    for step in range(steps):
        rows = torch.randint(len(data.pictures), (100,), generator=source, device=home)
        loss = -net.score(data.pictures[rows], data.captions[rows]).mean()
        if not loss.isfinite():
            raise ValueError(f"expected a finite loss, got {loss} at step {step}; lower the rate")
        adam.zero_grad()
        loss.backward()
        adam.step()
        yield float(loss.detach())
