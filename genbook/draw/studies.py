r"""Train DRAW on binary images; the recorded study with and without attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.draw.network import DRAW, code_length, negative_bound, open_windows
from genbook.draw.windows import read, window
from genbook.kit import data
from genbook.kit.device import pick, seeded
from genbook.kit.studies import Row, Study, StudyResult
from genbook.kit.training import Step, finite


@dataclass(frozen=True)
class Looks:
    r"""How a DRAW of the chapter looks at images.

    Args:
        name: in the tables.
        reads: N of the window that reads, ``None`` for the whole image.
        writes: N of the window that writes.
        glimpses: T.
        opened: whether the windows begin by :func:`genbook.draw.network.open_windows`, or where
            weights near zero put them.
    """

    name: str
    reads: int | None
    writes: int | None
    glimpses: int = 8
    opened: bool = True


WHOLE = Looks("whole image", None, None)
WINDOW = Looks("window of 8 × 8", 8, 8)
RIM = Looks("window of 2 × 2, begun on the rim", 2, 5, opened=False)
TWO = Looks("window of 2 × 2", 2, 5)
FIVE = Looks("window of 5 × 5", 5, 5)
FOUR_GLIMPSES = Looks("window of 5 × 5, 4 glimpses", 5, 5, glimpses=4)
SIXTEEN_GLIMPSES = Looks("window of 5 × 5, 16 glimpses", 5, 5, glimpses=16)
ABLATION = (WHOLE, RIM, TWO, FIVE, WINDOW, FOUR_GLIMPSES, SIXTEEN_GLIMPSES)
CAUSES = {
    "start: on the rim → opened": (RIM, TWO),
    "size: 2 × 2 → 5 × 5": (TWO, FIVE),
    "size: 5 × 5 → 8 × 8": (FIVE, WINDOW),
    "glimpses: 4 → 8": (FOUR_GLIMPSES, FIVE),
    "glimpses: 8 → 16": (FIVE, SIXTEEN_GLIMPSES),
    "windows: whole image → 8 × 8": (WHOLE, WINDOW),
}
"""Pairs of runs that differ in one thing."""


def build(
    looks: Looks, size: int, seed: int, *, hidden: int = 96, mean: Tensor | None = None
) -> DRAW:
    r"""A DRAW with weights that depend on the seed alone.

    Args:
        looks: with or without attention; windows are never larger than half the image.
        size: A.
        seed: of the weights.
        hidden: units of each LSTM.
        mean: the mean image, in [0, 1], **[A, A]**: the first canvas begins at its log-odds.

    Returns:
        The model.

    Example:
        >>> build(WINDOW, 8, 0).writes
        4
    """
    edges = [None if edge is None else min(edge, size // 2) for edge in (looks.reads, looks.writes)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = DRAW(
            size, steps=looks.glimpses, hidden=hidden, latent=8, reads=edges[0], writes=edges[1]
        )
    if looks.opened:
        open_windows(net)
    if mean is not None:
        with torch.no_grad():
            net.begin.copy_(mean.clamp(0.01, 0.99).logit())
    return net


def train(
    net: DRAW,
    images: Tensor,
    generator: torch.Generator,
    *,
    steps: int,
    batch: int = 64,
    lr: float = 5e-3,
) -> Iterator[Step]:
    r"""Lower the bound on images that are binarised anew each time they are shown.

    Args:
        net: changed in place.
        images: in [0, 1], **[N, A, A]**, read as probabilities of ink.
        generator: draws batches, coins and noise.
        steps: minibatches.
        batch: images in one.
        lr: Adam's step size, falling to 0 over the second half; gradients are clipped to norm 5.

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
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1.0, 2 * (1 - index / steps))
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


@torch.no_grad()
def bound(net: DRAW, images: Tensor, generator: torch.Generator) -> tuple[float, float]:
    r"""The bound on −log p(x) of held-out images, binarised once, and what it says of the latents.

    Args:
        net: the model.
        images: in [0, 1], **[N, A, A]**.
        generator: draws coins and noise.

    Returns:
        Nats an image: the bound, and the latent cost in it.
    """
    shown = torch.bernoulli(images, generator=generator)
    costs: list[Tensor] = []
    for part in shown.split(500):
        drawing = net(part, generator)
        costs.append(torch.stack([negative_bound(drawing, part), code_length(drawing)]))
    total, latent = torch.cat(costs, 1).mean(1).tolist()
    return total, latent


def mean_image_bound(mean: Tensor, images: Tensor, generator: torch.Generator) -> float:
    r"""−log p of images as independent coins whose odds are the mean image's: nothing is drawn.

    Args:
        mean: in [0, 1], **[A, A]**; moved to at least 0.001 from 0 and 1.
        images: in [0, 1], **[N, A, A]**, binarised once.
        generator: draws the coins, as in :func:`bound`.

    Returns:
        Nats an image.

    Example:
        >>> half = torch.full((2, 2), 0.5)
        >>> round(mean_image_bound(half, half[None], torch.Generator()), 3)
        2.773
    """
    shown = torch.bernoulli(images, generator=generator)
    coins = mean.clamp(0.001, 0.999).expand_as(shown)
    nats = functional.binary_cross_entropy(coins, shown, reduction="none").sum((1, 2))
    return float(nats.mean())


@torch.no_grad()
def sight(net: DRAW, images: Tensor, generator: torch.Generator) -> dict[str, float]:
    r"""Where a DRAW looks, and how much what it reads tells of the image.

    Args:
        net: with windows.
        images: in [0, 1], **[N, A, A]**, binarised once.
        generator: draws coins and noise.

    Returns:
        ``stride``: of the last glimpse, in pixels; ``outside``: the share of its filters centred
        off the page; ``spread``: the standard deviation over images of what is read of the image,
        without the gain, in the mean over glimpses and filters.

    Raises:
        ValueError: if the network has no windows.

    Example:
        >>> found = sight(build(WINDOW, 8, 0), torch.zeros(3, 8, 8), torch.Generator())
        >>> found["spread"], found["outside"]
        (0.0, 0.0)
    """
    if net.reads is None:
        raise ValueError("expected a DRAW with windows, got one that reads the whole image")
    shown = torch.bernoulli(images, generator=generator)
    where = window(net(shown, generator).read, net.size, net.reads)
    seen = read(shown, replace(where, gain=torch.ones_like(where.gain)), net.reads)
    offsets = torch.arange(net.reads, device=shown.device) - (net.reads - 1) / 2
    off = [
        (place[-1, :, None] + offsets * where.stride[-1, :, None] - (net.size + 1) / 2).abs()
        > net.size / 2
        for place in (where.y, where.x)
    ]
    outside = off[0][:, :, None] | off[1][:, None]
    return {
        "stride": float(where.stride[-1].mean()),
        "outside": float(outside.double().mean()),
        "spread": float(seen.std(1).mean()),
    }


MEAN = "mean image, nothing drawn"
MILESTONES = (200, 400, 800)
EARLY = (0, 100, 200)


def record_windows(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``draw_windows``: MNIST without attention, and with windows of several kinds.

    Args:
        slice: the 8×8 digits and two steps.
        seed: of weights, batches and noise.

    Yields:
        One row for the mean image, and one a way of looking and milestone.
    """
    device = pick().device
    load = data.digits if slice else data.mnist
    images, held_out = (load(part, device=device) for part in ("train", "test"))
    table, test = images.images[:, 0], held_out.images[:2_000, 0]
    marks = (1, 2) if slice else MILESTONES
    about: Row = {"dataset": images.name, "looks": MEAN, "seed": seed, "steps": marks[-1]}
    alone = mean_image_bound(table.mean(0), test, seeded(1, device))
    yield {**about, "bound": alone, "latent": 0.0, "parameters": table[0].numel()}
    for looks in ABLATION:
        net = build(looks, images.size[1], seed, mean=table.mean(0).cpu()).to(device)
        generator = seeded(seed, device)
        for step in train(net, table, generator, steps=marks[-1]):
            if step.index + 1 in marks:
                nats, latent = bound(net, test, seeded(1, device))
                yield {
                    "dataset": images.name,
                    "looks": looks.name,
                    "seed": seed,
                    "steps": step.index + 1,
                    "bound": nats,
                    "latent": latent,
                    "parameters": sum(weights.numel() for weights in net.parameters()),
                }


def record_rim(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``draw_rim``: what windows of 2 × 2 see while the first study's runs begin.

    Args:
        slice: the 8×8 digits and one step.
        seed: of weights, batches and noise.

    Yields:
        One row a start and milestone; ``slope`` is the gradient's norm at the reading window's
        weights over that at the writing window's.
    """
    device = pick().device
    load = data.digits if slice else data.mnist
    images, held_out = (load(part, device=device) for part in ("train", "test"))
    table, test = images.images[:, 0], held_out.images[:500, 0]
    marks = (0, 1) if slice else EARLY
    for looks in (RIM, TWO):
        net = build(looks, images.size[1], seed, mean=table.mean(0).cpu()).to(device)
        about: Row = {"dataset": images.name, "looks": looks.name, "seed": seed}
        yield {**about, "steps": 0, **sight(net, test, seeded(1, device))}
        for step in train(net, table, seeded(seed, device), steps=MILESTONES[-1]):
            done = step.index + 1
            if done in marks:
                slopes = [_slope(line) for line in (net.to_read, net.to_write)]
                found = sight(net, test, seeded(1, device))
                yield {**about, "steps": done, **found, "slope": slopes[0] / slopes[1]}
            if done == marks[-1]:
                break


def _slope(line: nn.Linear) -> float:
    assert line.weight.grad is not None
    return float(line.weight.grad.norm())


def record_test_set(slice: bool) -> Iterator[Row]:
    r"""The study ``draw_test_set``: how easy the first 2,000 test images are, by the mean image.

    Args:
        slice: the 8×8 digits.

    Yields:
        One row a number of test images.
    """
    device = pick().device
    load = data.digits if slice else data.mnist
    images, held_out = (load(part, device=device) for part in ("train", "test"))
    mean, test = images.images[:, 0].mean(0), held_out.images[:, 0]
    for part in (test[:2_000], test):
        alone = mean_image_bound(mean, part, seeded(1, device))
        yield {"dataset": images.name, "looks": MEAN, "images": len(part), "bound": alone}


def gains(found: StudyResult) -> dict[str, Tensor]:
    r"""What each single change of :data:`CAUSES` buys, and twice the training.

    Args:
        found: the study ``draw_windows``.

    Returns:
        Nats by which the bound falls, **[seeds]**, by the name of the change.
    """
    half, last = sorted(set(found.column("steps")))[-2:]

    def bounds(looks: Looks, steps: int) -> Tensor:
        return torch.tensor(found.column("bound", looks=looks.name, steps=steps))

    bought = {
        name: bounds(before, last) - bounds(after, last) for name, (before, after) in CAUSES.items()
    }
    longer = bounds(WINDOW, half) - bounds(WINDOW, last)
    return {**bought, f"training: {half} → {last} minibatches (8 × 8)": longer}


STUDIES = (
    Study(
        name="draw_windows",
        topic="draw",
        run=record_windows,
        seeds=(0, 1, 2),
        config={
            "model": "LSTMs of 96, z 8 a glimpse, 8 glimpses where not said; windows of 2x2 "
            "write 5x5, the others what they read",
            "start": "first canvas: log-odds of the mean image; forget bias 1",
            "training": "Adam 5e-3 falling to 0 over the second half, betas 0.5 and 0.999, batch "
            "64, gradient norm at most 5",
            "images": "pixels as probabilities of ink, drawn anew each time; 2000 test images",
        },
    ),
    Study(
        name="draw_rim",
        topic="draw",
        run=record_rim,
        seeds=(0, 1, 2),
        config={
            "runs": "as draw_windows, windows of 2x2 on the rim and opened, its first 200 of 800 "
            "minibatches",
            "images": "500 test images, binarised once",
        },
    ),
    Study(
        name="draw_test_set",
        topic="draw",
        run=record_test_set,
        config={"images": "the first 2000 test images, and all 10000, binarised once"},
    ),
)
