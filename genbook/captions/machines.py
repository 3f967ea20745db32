r"""The chapter's machine: paint a scene; a network writes its caption, a word a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from genbook.captions.captioner import Captioner
from genbook.captions.language import LENGTH, WORDS
from genbook.captions.scenes import SIDE
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Layer, Machine, Panel, image_panel, painting

ALPHABET = " abcdefghijklmnopqrstuvwxyz."
LETTERS = 7
"""Letters of the longest word, and a space."""


def patches() -> Tensor:
    r"""Where each of the 64 windows of 5 × 5 finds its pixels on the padded page.

    Returns:
        Places on the flat page of 20 × 20, **[64, 25]**.

    Example:
        >>> patches().shape, patches()[0, :6].tolist()
        (torch.Size([64, 25]), [0, 1, 2, 3, 4, 20])
    """
    corner, inside = torch.arange(SIDE // 2) * 2, torch.arange(5)
    wide = SIDE + 4
    corners = (corner[:, None] * wide + corner).flatten()
    return corners[:, None] + (inside[:, None] * wide + inside).flatten()


def logits(net: Captioner, weights: Sequence[Tensor], x: Tensor, words: Tensor) -> Tensor:
    r"""What the network computes with other weights, its convolution as a matrix product.

    Args:
        net: its form.
        weights: in the order of ``net.parameters()``.
        x: a picture, **[256]**.
        words: the words so far, **[T]**.

    Returns:
        Logits of each next word, **[T + 1, V]**.
    """
    names = [name for name, _ in net.named_parameters()]
    held = dict(zip(names, weights, strict=True))
    page = functional.pad(x.view(SIDE, SIDE), (2, 2, 2, 2)).flatten()
    kernel = held["convolution.weight"].reshape(8, 25)
    windows = page[patches().to(x.device)]
    seen = (windows @ kernel.T + held["convolution.bias"]).T.reshape(1, -1).relu()
    return functional_call(Told(net), {f"net.{k}": v for k, v in held.items()}, (seen, words))


class Told(torch.nn.Module):
    r"""The recurrent part of a captioner, given what its filters saw.

    Args:
        net: the captioner.
    """

    def __init__(self, net: Captioner) -> None:
        super().__init__()
        self.net = net

    def forward(self, seen: Tensor, words: Tensor) -> Tensor:
        r"""Logits **[T + 1, V]** from what was seen, **[1, 512]**, and words **[T]**."""
        return self.net.speak(seen, words[None])[0]


def written(net: Captioner, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""The greedy caption, always six words long.

    Args:
        net: its form.
        weights: its weights.
        x: a picture, **[256]**.

    Returns:
        Numbers of words, **[6]**.
    """
    words = torch.zeros(0, dtype=torch.long, device=x.device)
    for _ in range(LENGTH):
        words = torch.cat([words, logits(net, weights, x, words)[-1:].argmax(1)])
    return words


def seen(
    net: Captioner, weights: Sequence[Tensor], place: Tensor, data: Tensor
) -> tuple[Tensor, ...]:
    r"""The caption, and how strongly each pixel pulls at one of its words.

    .. math:: g = |\nabla_x \log p(w_k \mid w_{<k}, x)| / \max |\cdot|

    Args:
        net: its form.
        weights: its weights.
        place: which word, **[1]**, from 0.
        data: the picture, **[256]**.

    Returns:
        The sizes of the slope **[256]**, chances of the word **[V]**, letters of the caption so
        far **[6 · 7 · 3]**, the word's place from 1, its chance.
    """
    words = written(net, weights, data.detach())
    leaf = data.detach().requires_grad_()
    chances = logits(net, weights, leaf, words[:-1]).log_softmax(1)
    chosen = (torch.arange(LENGTH, device=data.device) == place).float()
    vocabulary = torch.arange(len(WORDS), device=data.device)
    answer = (words[:, None] == vocabulary).float() * chosen[:, None]
    score = (chances * answer).sum()
    slope = torch.autograd.grad(score, leaf)[0].abs()
    spelled = torch.tensor([_spelled(word) for word in WORDS], device=data.device)[words]
    begun = (torch.arange(LENGTH, device=data.device) <= place).float()[:, None]
    letters = torch.stack(
        [spelled * begun, chosen[:, None].expand(-1, LETTERS), 1 + 0 * spelled], 2
    )
    now = (chances * chosen[:, None]).sum(0).exp()
    size = slope / slope.amax().clamp_min(1e-12)
    return size.detach(), now.detach(), letters.flatten(), place[0] + 1, score.exp().detach()


def _spelled(word: str) -> list[float]:
    text = ("." if word == "END" else word).ljust(LETTERS)
    return [1.0 + ALPHABET.index(letter) for letter in text]


def next_word(place: Tensor) -> Tensor:
    r"""The place after this one; after the sixth word, the first.

    Example:
        >>> next_word(torch.tensor([5.0])).item()
        0.0
    """
    return torch.where(place < LENGTH - 1, place + 1, 0 * place)


def describing(net: Captioner, examples: Mapping[str, Tensor]) -> Machine:
    r"""Paint a scene and step through its caption.

    Args:
        net: trained on :mod:`genbook.captions.scenes`.
        examples: pictures **[16, 16]** to begin with, by name.

    Returns:
        The machine.
    """
    own = [w.detach().float().cpu() for w in net.parameters()]
    pixels = SIDE * SIDE
    blank, place = torch.zeros(pixels), torch.zeros(1)

    def look(held: Sequence[Tensor], at: Tensor, data: Tensor) -> tuple[Tensor, ...]:
        return seen(net, held, at, data)

    def step(at: Tensor) -> tuple[Tensor]:
        return (next_word(at),)

    hand = painting("A scene", pixels, SIDE)

    return Machine(
        name="captions",
        groups={"net": Group.trained(own), "place": Group(((1,),), (0.0,))},
        acts=(Act({"": trace(step, place)}, ("place",), ("place",)),),
        view=Act(
            {"": trace(look, own, place, blank)},
            ("net", "place", "data"),
            ("slope", "chances", "letters", "number", "sure"),
        ),
        controls=(),
        data={name: x.detach().float().cpu().flatten() for name, x in examples.items()},
        most=pixels,
        panels=(
            image_panel("data", "--gb-data", "paint here", (SIDE, SIDE), hand),
            image_panel("slope", "--gb-gradient", "pixels that pull at the word", (SIDE, SIDE)),
            Panel(
                (0.0, 2.0 * LETTERS),
                (0.0, 3.0),
                (Layer("letters", "letters", "--gb-model", "--gb-data"),),
                title="the caption so far",
            ),
            Panel(
                (0.0, float(len(WORDS))),
                (0.0, 1.05),
                (Layer("bars", "chances", "--gb-model"),),
                title="chances of the word",
                ylabel=" ",
                ticks=tuple("." if word == "END" else word for word in WORDS),
            ),
        ),
        words="Word {number#} of the caption has a chance of {sure%}.",
        restarts=False,
        size=(4.7, 5.0),
        across=2,
        alphabet=ALPHABET,
        pace=1,
    )
