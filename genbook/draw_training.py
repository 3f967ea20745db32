r"""Train DRAW on binary images; the recorded study with and without attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.draw import DRAW, code_length, negative_bound
from genbook.kit import data
from genbook.kit.device import pick, seeded
from genbook.kit.studies import Row, Study
from genbook.kit.training import Step, finite


@dataclass(frozen=True)
class Looks:
    r"""How a DRAW of the chapter looks at images.

    Args:
        name: in the tables.
        reads: N of the window that reads, ``None`` for the whole image.
        writes: N of the window that writes.
    """

    name: str
    reads: int | None
    writes: int | None


WHOLE = Looks("whole image", None, None)
WINDOW = Looks("window", 2, 5)
STEPS = 8


def build(looks: Looks, size: int, seed: int, *, hidden: int = 96) -> DRAW:
    r"""A DRAW with weights that depend on the seed alone.

    Args:
        looks: with or without attention; windows are never larger than half the image.
        size: A.
        seed: of the weights.
        hidden: units of each LSTM.

    Returns:
        The model.

    Example:
        >>> build(WINDOW, 8, 0).writes
        4
    """
    edges = [None if edge is None else min(edge, size // 2) for edge in (looks.reads, looks.writes)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DRAW(size, steps=STEPS, hidden=hidden, latent=8, reads=edges[0], writes=edges[1])


def train(
    net: DRAW,
    images: Tensor,
    generator: torch.Generator,
    *,
    steps: int,
    batch: int = 64,
    lr: float = 2e-3,
) -> Iterator[Step]:
    r"""Lower the bound on images that are binarised anew each time they are shown.

    Args:
        net: changed in place.
        images: in [0, 1], **[N, A, A]**, read as probabilities of ink.
        generator: draws batches, coins and noise.
        steps: minibatches.
        batch: images in one.
        lr: Adam's step size; gradients are clipped to norm 5.

    Yields:
        The bound and the share of the latents, in nats an image.

    Raises:
        ValueError: if the images do not fit the model.
        NonFiniteLoss: if the bound is infinite or NaN.

    Example:
        >>> net = build(WINDOW, 8, 0, hidden=8)
        >>> len(list(train(net, torch.rand(20, 8, 8), torch.Generator(), steps=2, batch=4)))
        2
    """
    if images.shape[1:] != (net.size, net.size):
        raise ValueError(f"expected images [N, {net.size}, {net.size}], got {list(images.shape)}")
    optimiser = torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999))
    for index in range(steps):
        which = torch.randint(len(images), (batch,), generator=generator, device=generator.device)
        shown = torch.bernoulli(images[which], generator=generator)
        drawing = net(shown, generator)
        loss = negative_bound(drawing, shown).mean()
        terms = finite(index, bound=loss, latent=code_length(drawing).mean())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        yield Step(index, steps, terms)


def bound(net: DRAW, images: Tensor, generator: torch.Generator) -> float:
    r"""The bound on −log p(x) of held-out images, binarised once.

    Args:
        net: the model.
        images: in [0, 1], **[N, A, A]**.
        generator: draws coins and noise.

    Returns:
        Nats an image.
    """
    with torch.no_grad():
        shown = torch.bernoulli(images, generator=generator)
        parts = [negative_bound(net(part, generator), part) for part in shown.split(500)]
    return float(torch.cat(parts).mean())


MILESTONES = (200, 800)


def record_draw(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``gran_draw``: MNIST with and without attention.

    Args:
        slice: the 8×8 digits and two steps.
        seed: of weights, batches and noise.

    Yields:
        One row a way of looking and milestone.
    """
    device = pick().device
    load = data.digits if slice else data.mnist
    images, held_out = (load(part, device=device) for part in ("train", "test"))
    test = held_out.images[:2_000, 0]
    marks = (1, 2) if slice else MILESTONES
    for looks in (WHOLE, WINDOW):
        net = build(looks, images.size[1], seed).to(device)
        generator = seeded(seed, device)
        for step in train(net, images.images[:, 0], generator, steps=marks[-1]):
            if step.index + 1 in marks:
                yield {
                    "dataset": images.name,
                    "looks": looks.name,
                    "seed": seed,
                    "steps": step.index + 1,
                    "bound": bound(net, test, seeded(1, device)),
                    "parameters": sum(weights.numel() for weights in net.parameters()),
                }


STUDIES = (
    Study(
        name="gran_draw",
        topic="gran",
        run=record_draw,
        seeds=(0, 1, 2),
        config={
            "model": "8 glimpses, LSTMs of 96, z 8 a glimpse; window: read 2x2, write 5x5",
            "training": "Adam 2e-3, betas 0.5 and 0.999, batch 64, gradient norm at most 5",
            "images": "pixels as probabilities of ink, drawn anew each time; 2000 test images",
        },
    ),
)
