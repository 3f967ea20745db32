r"""Ten digits as ten modes: a classifier trained on the spot reads what a generator draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.collapse.critics import MinibatchStd, Packed
from genbook.collapse.remedies import Method, method
from genbook.games.classifier import Reader, learn_to_read
from genbook.games.modes import histogram_kl
from genbook.games.play import Adam, Game, generate, mlp, play, rows
from genbook.kit import data
from genbook.kit.data import ImageSet
from genbook.kit.seeds import Streams
from genbook.kit.studies import Row, Study

LATENT = 32


def image_players(
    chosen: Method, pixels: int, streams: Streams, *, width: int = 128
) -> tuple[nn.Module, nn.Module]:
    r"""A generator of flat images and a critic that sees what the method lets it see.

    Args:
        chosen: its losses are not used here.
        pixels: d.
        streams: draw the weights.
        width: of the two hidden layers of each.

    Returns:
        Maps **[S, B, 32]** → **[S, B, d]** and **[S, B, d]** → **[S, B/m, 1]**.

    Example:
        >>> from genbook.collapse.remedies import method
        >>> generator, critic = image_players(method("PacGAN2"), 64, Streams([0]), width=8)
        >>> critic(generator(torch.zeros(1, 6, LATENT))).shape
        torch.Size([1, 3, 1])
    """
    generator = mlp([LATENT, width, width, pixels], streams, output=nn.Sigmoid)
    inputs = pixels * chosen.packed + int(chosen.spread)
    critic: nn.Module = mlp(
        [inputs, width, width, 1], streams, lambda: nn.LeakyReLU(0.2, inplace=True)
    )
    if chosen.packed > 1:
        critic = Packed(critic, chosen.packed)
    return generator, MinibatchStd(critic) if chosen.spread else critic


@dataclass(frozen=True)
class Drawn:
    r"""What an image game led to.

    Args:
        samples: flat images, **[S, n, d]**.
        classes: how many of them are read as each digit, **[S, 10]**.
    """

    samples: Tensor
    classes: Tensor

    @property
    def captured(self) -> Tensor:
        r"""Digits that at least one sample in a hundred is read as, **[S]**."""
        return (self.classes > self.classes.sum(-1, keepdim=True) / 100).sum(-1)


def draw_digits(
    chosen: Method,
    images: ImageSet,
    reader: Reader,
    seeds: Sequence[int],
    *,
    iterations: int,
    samples: int = 1000,
    rate: float = 1e-3,
) -> Drawn:
    r"""Train a method on images and let the classifier read what it draws.

    Args:
        chosen: the method.
        images: the data.
        reader: reads the samples.
        seeds: trained as one computation.
        iterations: of one critic step and one generator step.
        samples: drawn at the end.
        rate: Adam's learning rate of both.

    Returns:
        Samples and classes.
    """
    streams = Streams(seeds, device=images.images.device)
    generator, critic = image_players(chosen, images.flat.shape[1], streams)
    adam = Adam(rate)
    game = Game(iterations, 64, LATENT, critic_optimiser=adam, generator_optimiser=adam)
    source = rows(images.flat)
    for _ in play(generator, critic, chosen.objective, source, game, streams, keep_going=True):
        pass
    drawn = generate(generator, streams, samples, LATENT)
    return Drawn(drawn, reader.classes(torch.nan_to_num(drawn)))


def digit_rows(
    chosen: Method, images: ImageSet, reader: Reader, seeds: Sequence[int], iterations: int
) -> Iterator[Row]:
    r"""Train a method on images; one row of a study a seed.

    Args:
        chosen: the method.
        images: the data.
        reader: reads the samples.
        seeds: trained as one computation.
        iterations: how many.

    Yields:
        Digits captured, reverse KL of the histogram against the data's, the histogram.
    """
    found = draw_digits(chosen, images, reader, seeds, iterations=iterations)
    weights = torch.bincount(images.labels, minlength=10).double()
    for place, seed in enumerate(seeds):
        counts = found.classes[place]
        yield {
            "images": images.name,
            "method": chosen.name,
            "seed": seed,
            "captured": int(found.captured[place]),
            "reverse_kl": round(float(histogram_kl(counts, weights)), 4),
            "classes": " ".join(str(int(count)) for count in counts),
            "accuracy": round(reader.accuracy, 4),
        }


SEEDS = (0, 1, 2, 3, 4)
NAMES = ("GAN", "PacGAN4", "minibatch std", "WGAN-GP", "GAN-QP")
ITERATIONS = 600


def reading(images: str) -> tuple[ImageSet, Reader]:
    r"""A data set and a classifier of it.

    Args:
        images: ``"digits"`` or ``"mnist"``.

    Returns:
        The training set and the classifier.

    Raises:
        ValueError: if the name is another.

    Example:
        >>> reading("digits")[1].images
        'digits'
    """
    if images not in ("digits", "mnist"):
        raise ValueError(f"expected digits or mnist, got {images!r}")
    load, steps = (data.digits, 400) if images == "digits" else (data.mnist, 1_200)
    train = load("train")
    return train, learn_to_read(train, load("test"), steps=steps)


def record_digits(slice: bool) -> Iterator[Row]:
    r"""The study ``collapse_digits``: five methods, five seeds, two sets of digits.

    Args:
        slice: only the bundled digits and 5 iterations.

    Yields:
        Rows of :func:`digit_rows`.
    """
    for name in ("digits",) if slice else ("digits", "mnist"):
        train, reader = reading(name)
        for chosen in (method(each) for each in NAMES):
            yield from digit_rows(chosen, train, reader, SEEDS, 5 if slice else ITERATIONS)


STUDIES = (
    Study(
        name="collapse_digits",
        topic="collapse",
        run=record_digits,
        seeds=SEEDS,
        config={
            "networks": "32-128-128-P with sigmoid; P-128-128-1, leaky ReLU 0.2",
            "training": "600 iterations of one step each, batch 64, Adam 1e-3, betas 0.5 0.999",
            "measured on": "1000 samples; a digit is captured by more than 1 % of them",
            "classifier": "P-128-10, Adam 2e-3, batch 128, 400 steps (digits) or 1200 (mnist)",
        },
    ),
)
