r"""Fresh judges: discriminators trained from the start against a generator that stands still.

That is a classifier two-sample test: the better a fresh classifier tells held-out images from
samples, the surer are the two distributions different.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbook.gran.battle import mistakes
from genbook.gran.convolutional import Discriminator
from genbook.gran.neighbours import Repeater
from genbook.gran.referee import Net
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream
from genbook.kit.training import linear_decay

JUDGES = Substream("fresh judges", 10_000)


def fresh_judge(
    generator: Net,
    latent: int,
    images: Tensor,
    seed: int,
    *,
    iterations: int = 400,
    batch: int = 64,
    channels: int = 16,
    lr: float = 1e-3,
) -> Discriminator:
    r"""Train a new discriminator against a frozen generator, with the GAN's loss.

    Args:
        generator: from **[B, latent]** to **[B, 1, A, A]**.
        latent: size of z.
        images: real ones, **[N, 1, A, A]**.
        seed: of weights, batches and codes; judges of one seed begin alike.
        iterations: steps.
        batch: images a step, from each side.
        channels: of the judge.
        lr: Adam's learning rate, β = (0.5, 0.999), falling to 0 over the second half.

    Returns:
        The judge, frozen.

    Source:
        Lopez-Paz and Oquab (2017), *Revisiting classifier two-sample tests*.

    Example:
        >>> images = torch.rand(20, 1, 8, 8)
        >>> judge = fresh_judge(lambda z: images[:len(z)], 4, images, 0, iterations=2, batch=4)
        >>> judge(images).shape
        torch.Size([20])
    """
    source = seeded(JUDGES.seed(seed), device=images.device)
    judge = Discriminator(images.shape[-1], source, channels=channels)
    optimiser = torch.optim.Adam(judge.parameters(), lr=lr, betas=(0.5, 0.999), fused=True)
    for step in range(iterations):
        optimiser.param_groups[0]["lr"] = lr * linear_decay(step, iterations, 0.5)
        z = torch.randn(batch, latent, generator=source, device=images.device)
        which = torch.randint(len(images), (batch,), generator=source, device=images.device)
        with torch.no_grad():
            fake = generator(z)
        loss = softplus(-judge(images[which])).mean() + softplus(judge(fake)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return judge.requires_grad_(False)


def errors_about(
    points: Tensor, train: Tensor, test: Tensor, seed: int, *, iterations: int = 200
) -> tuple[float, float]:
    r"""The error rates of a fresh judge of a generator that only returns given points.

    Args:
        points: what it returns, each equally often, **[N, 1, A, A]**.
        train: real images that the judge learns from, **[M, 1, A, A]**.
        test: real images that it has not seen, **[K, 1, A, A]**.
        seed: of the judge.
        iterations: its steps.

    Returns:
        The shares of the test images that it calls fake, and of the points that it calls data.

    Example:
        >>> images, grey = torch.rand(20, 1, 8, 8).round(), torch.full((1, 1, 8, 8), 0.5)
        >>> all(0 <= share <= 1 for share in errors_about(grey, images, images, 0, iterations=2))
        True
    """
    generator = Repeater(points)
    judge = fresh_judge(generator, generator.latent, train, seed, iterations=iterations)
    missed, passed = mistakes(judge(test), real=True), mistakes(judge(points), real=False)
    return float(missed.mean()), float(passed.mean())
