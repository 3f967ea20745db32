r"""The game: non-saturating, one step of each player in turn, Adam for both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from genbook.dcgan.networks import Design, Discriminator, Generator
from genbook.kit.data import batches
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream
from genbook.kit.training import Step, finite

CODES = Substream("codes to train on", 1_000)
ORDER = Substream("order of the minibatches", 2_000)
SETTLING = Substream("codes that batch statistics are fixed on", 3_000)
JUDGED = Substream("weights of the discriminator", 4_000)
SETTLED = 2_000
"""How many codes fix the statistics."""


@dataclass(frozen=True)
class Recipe:
    r"""How the players are built and trained; the defaults follow the guidelines.

    Args:
        design: of the players.
        rate: Adam's.
        beta: Adam's :math:`\beta_1`; :math:`\beta_2` is 0.999.
        batch: images a step.

    Raises:
        ValueError: if a number is out of range.

    Source:
        Radford, Metz and Chintala (2016).
    """

    design: Design = field(default_factory=Design)
    rate: float = 2e-4
    beta: float = 0.5
    batch: int = 64

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not self.rate > 0 or not 0 <= self.beta < 1 or self.batch < 2:
            raise ValueError(
                f"expected rate > 0, 0 ≤ β₁ < 1 and a batch ≥ 2, got {self.rate}, {self.beta} and "
                f"{self.batch}"
            )

    def adam(self, net: torch.nn.Module) -> torch.optim.Adam:
        """The optimiser of one player."""
        return torch.optim.Adam(net.parameters(), self.rate, (self.beta, 0.999), fused=True)


@dataclass(frozen=True)
class Players:
    r"""A generator and a discriminator.

    Args:
        generator: G.
        discriminator: D.
    """

    generator: Generator
    discriminator: Discriminator


def players(design: Design, seed: int, *, device: torch.device | str = "cpu") -> Players:
    r"""Two players with weights of one seed.

    Args:
        design: how they are built.
        seed: of the weights.
        device: where they are.

    Returns:
        Both, untrained.
    """
    own, other = seeded(seed, device), seeded(JUDGED.seed(seed), device)
    return Players(Generator(design, own), Discriminator(design, other))


def codes(n: int, latent: int, generator: torch.Generator) -> Tensor:
    r"""Codes, uniform in :math:`(-1,1)^d`, as the paper's are.

    Args:
        n: how many.
        latent: d.
        generator: draws them.

    Returns:
        **[n, latent]**.

    Example:
        >>> codes(1000, 2, torch.Generator().manual_seed(0)).abs().max().item() <= 1
        True
    """
    return 2 * torch.rand(n, latent, generator=generator, device=generator.device) - 1


def train(
    pair: Players, recipe: Recipe, images: Tensor, labels: Tensor, *, steps: int, seed: int
) -> Iterator[Step]:
    r"""Both players descend, in turn, from the same fakes.

    .. math:: L_D=\mathbb E\,\zeta(-D(x))+\mathbb E\,\zeta(D(G(z))),\qquad
        L_G=\mathbb E\,\zeta(-D(G(z))),\qquad \zeta(t)=\log(1+e^t)

    Real and drawn images go through D in batches of their own, so that each has its own
    statistics. With classes, a drawn image has the class of a real one.

    Args:
        pair: changed in place.
        recipe: how to train.
        images: **[N, C, A, A]** in [−1, 1].
        labels: **[N]**; read if the design has classes.
        steps: minibatches.
        seed: of codes and order.

    Yields:
        D's and G's loss before the step, nats.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN.

    Source:
        Goodfellow et al. (2014); Radford et al. (2016).
    """
    g, d, classes = pair.generator, pair.discriminator, recipe.design.classes
    g_adam, d_adam = recipe.adam(g), recipe.adam(d)
    source = seeded(CODES.seed(seed), images.device)
    order = seeded(ORDER.seed(seed), images.device)
    size = min(recipe.batch, len(images))
    for index, (real, label) in enumerate(batches([images, labels], size, order, steps=steps)):
        asked = functional.one_hot(label, classes).to(real) if classes else None
        fake = g(codes(size, recipe.design.latent, source), asked)
        seen = asked if recipe.design.project else None
        d_loss = functional.softplus(-d(real, seen)).mean()
        d_loss = d_loss + functional.softplus(d(fake.detach(), seen)).mean()
        d_adam.zero_grad(set_to_none=True)
        d_loss.backward()
        d_adam.step()
        g_loss = functional.softplus(-d(fake, seen)).mean()
        g_adam.zero_grad(set_to_none=True)
        g_loss.backward(inputs=list(g.parameters()))
        g_adam.step()
        yield Step(index, steps, finite(index, discriminator=d_loss, generator=g_loss))


def settled(pair: Players, seed: int) -> Generator:
    r"""The generator with statistics fixed on codes of its own; training may go on afterwards.

    Args:
        pair: its generator is left in evaluation mode.
        seed: of the run.

    Returns:
        The generator.
    """
    g = pair.generator
    source = seeded(SETTLING.seed(seed), next(g.parameters()).device)
    z = codes(SETTLED, g.design.latent, source)
    asked = None
    if g.design.classes:
        kinds = torch.arange(SETTLED, device=z.device) % g.design.classes
        asked = functional.one_hot(kinds, g.design.classes).to(z)
    return g.settle(z, asked)
