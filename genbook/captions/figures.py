"""Drawings of the chapter on captions."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.captions import digit_pages
from genbook.captions.captioner import Captioner
from genbook.captions.language import LENGTH, WORDS, decoded, encoded, sentence
from genbook.captions.scenes import SCENES, Scene, render
from genbook.captions.scores import bleu, grams
from genbook.captions.search import beam
from genbook.kit.device import seeded
from genbook.kit.plotting import DATA, GRADIENT, INK, MODEL, MUTED, place_ticks, subplots
from genbook.kit.schematic import Box, Wire, schematic


def machinery() -> Figure:
    r"""A picture, a convolutional network, and three places to put what it saw."""
    return schematic(
        [
            Box("picture", 0, 1.3, "picture", DATA, 1.2),
            Box("cnn", 2.1, 1.3, "CNN: v", INK, 1.2),
            Box("h0", 0, 0, "h₀", INK, 0.9),
            Box("h1", 2.1, 0, "h₁", INK, 0.9),
            Box("h2", 4.2, 0, "h₂", INK, 0.9),
            Box("words", 6.3, 0, "words", MODEL, 1.1),
        ],
        [
            Wire("picture", "cnn"),
            Wire("cnn", "h0", dashed=True),
            Wire("cnn", "h1"),
            Wire("cnn", "h2", dashed=True),
            Wire("h0", "h1"),
            Wire("h1", "h2"),
            Wire("h2", "words"),
        ],
        width=5.8,
        height=2.0,
    )


def reading(net: Captioner, scene: Scene, word: int) -> Figure:
    r"""A scene, the pull of one word on its pixels, and the chances of that word.

    Args:
        net: writes a greedy caption.
        scene: shown without a shift of its own choice.
        word: which word of the caption, from 1.

    Returns:
        Three panels.
    """
    picture = render(scene, generator=seeded(1))
    said = beam(net, picture, 1, LENGTH).words
    place = min(word, len(said)) - 1
    leaf = picture.clone().requires_grad_()
    before = torch.tensor([said[:place]], device=picture.device).long()
    chances = net(leaf[None], before)[0, -1].log_softmax(0)
    slope = torch.autograd.grad(chances[said[place]], leaf)[0]
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=2.8)
    _pixels(left, picture, "Greys", 0, "the picture")
    bound = max(float(slope.abs().max()), 1e-9)
    _pixels(middle, slope / bound, "RdBu", -1, "what the word asks for")
    right.barh(range(len(WORDS)), chances.exp().tolist(), color=MODEL)
    place_ticks(right.yaxis, range(len(WORDS)), WORDS, fontsize=7)
    right.set(xlim=(0, 1), xlabel=f"chance as word {word}", ylim=(10.6, -0.6))
    text = decoded(said)
    right.set_title(text)
    figure.set_label(f"caption: {text}; word {place + 1} is {WORDS[said[place]]}")
    return figure


def asked(net: Captioner, picture: Tensor) -> Figure:
    r"""A page of two digits, and the pull of each word of its greedy caption on the pixels.

    Args:
        net: writes the caption.
        picture: **[16, 16]**.

    Returns:
        Four panels, the words with their chances in the titles.
    """
    said = beam(net, picture, 1, digit_pages.LENGTH).words
    figure, panels = subplots(1, 4, width=8.4, height=2.4)
    _pixels(panels[0], picture, "Greys", 0, "the page")
    words = []
    for place, (axes, word) in enumerate(zip(panels[1:], (*said, 0, 0, 0), strict=False)):
        leaf = picture.clone().requires_grad_()
        before = torch.tensor([said[:place]], device=picture.device).long()
        chances = net(leaf[None], before)[0, -1].softmax(0)
        slope = torch.autograd.grad(chances[word].log(), leaf)[0]
        bound = max(float(slope.abs().max()), 1e-9)
        words.append(digit_pages.WORDS[word])
        title = f"{words[-1]}: {float(chances[word].detach()):.2f}"
        _pixels(axes, slope / bound, "RdBu", -1, title)
    figure.set_label("caption: " + " ".join(words))
    return figure


def _pixels(axes: Axes, values: Tensor, colours: str, low: float, title: str) -> None:
    show = values.detach().cpu().numpy()
    axes.imshow(show, cmap=colours, vmin=low, vmax=1, interpolation="none")
    axes.set_axis_off()
    axes.set_title(title)


@torch.no_grad()
def swapped(net: Captioner, scene: Scene) -> Figure:
    r"""The log-probability of one caption beside each of the 24 pictures.

    Args:
        net: gives it.
        scene: that the caption describes, place last.

    Returns:
        Bars; the picture of the caption is marked.
    """
    pictures = torch.stack([render(one, generator=seeded(1)) for one in SCENES])
    row = torch.tensor([encoded(sentence(scene, 0))]).expand(len(SCENES), -1)
    scores = net.score(pictures, row)
    figure, axes = subplots(1, 1, width=7.0, height=2.8)
    own = SCENES.index(scene)
    colours = [DATA if k == own else MUTED for k in range(len(SCENES))]
    heights = scores.clamp(min=-30).cpu().numpy() + 30
    axes.bar(range(len(SCENES)), heights, bottom=-30, color=colours)
    axes.set(ylim=(-30, 0), xlabel="which of the 24 pictures", ylabel="log p(S | I), nats")
    axes.set_title(sentence(scene, 0))
    gap = float(scores[own] - scores.mean())
    figure.set_label(f"{sentence(scene, 0)}: own picture {gap:.1f} nats above the mean of all")
    return figure


def precisions(candidate: str, reference: str, n: int) -> Figure:
    r"""The precisions behind BLEU.

    Args:
        candidate: the sentence judged.
        reference: what it is held against.
        n: longest group.

    Returns:
        Bars, and the score in the title.
    """
    shares = []
    for k in range(1, 5):
        own, told = grams(candidate.split(), k), grams(reference.split(), k)
        shares.append((own & told).total() / max(own.total(), 1))
    figure, axes = subplots(1, 1, width=6.0, height=2.6)
    axes.bar(range(1, 5), shares, color=[GRADIENT if k <= n else MUTED for k in range(1, 5)])
    axes.set(ylim=(0, 1.05), xlabel="words in a group", ylabel="share found", xlim=(0.4, 4.6))
    place_ticks(axes.xaxis, np.arange(1, 5))
    score = bleu(candidate, [reference], n)
    axes.set_title(f"BLEU-{n} {score:.2f}")
    figure.set_label(f"{candidate}: BLEU-{n} is {score:.2f}")
    return figure
