r"""Pix2Pix: a picture into a picture, learned from pairs.

.. math::
    \min_G\max_D\; \mathcal L_{\mathrm{cGAN}}(G, D) + \lambda\,\mathbb E\lVert y - G(x)\rVert_1
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from genbook.kit.data import batches
from genbook.kit.training import Step, finite
from genbook.translation.networks import PATCHES, PatchCritic, UNet
from genbook.translation.pairs import Pairs


@dataclass(frozen=True)
class Recipe:
    r"""What a Pix2Pix is trained with.

    Args:
        critic: ``"none"``, ``"y"`` (sees the output alone) or ``"xy"`` (sees the input too).
        weight: λ, of the L1 term.
        patch: side of the critic's patch, a key of :data:`~genbook.translation.networks.PATCHES`.
        skips: whether the U-Net keeps its skips.
        noise: share that dropout zeroes.
        copies: whether the U-Net begins by handing on its input.

    Raises:
        ValueError: if the critic or the patch is unknown, the weight is negative, or nothing is
            left to learn from.
    """

    critic: str = "xy"
    weight: float = 100.0
    patch: int = 16
    skips: bool = True
    noise: float = 0.5
    copies: bool = False

    def __post_init__(self) -> None:
        """Refuse a recipe that cannot be cooked."""
        if self.critic not in ("none", "y", "xy") or self.patch not in PATCHES:
            raise ValueError(
                f"expected a critic none, y or xy and a patch of {list(PATCHES)}, got "
                f"{self.critic!r} and {self.patch!r}"
            )
        if self.weight < 0 or (self.weight == 0 and self.critic == "none"):
            raise ValueError(f"expected λ > 0, or a critic and λ ≥ 0; got {self.weight}")


ABLATION: dict[str, Recipe] = {
    "L1": Recipe(critic="none"),
    "GAN": Recipe(critic="y", weight=0.0),
    "cGAN": Recipe(critic="xy", weight=0.0),
    "L1+GAN": Recipe(critic="y"),
    "L1+cGAN": Recipe(critic="xy"),
}
"""The five losses of table 1 in Isola et al. (2017)."""


def critic_view(critic: str, x: Tensor, y: Tensor) -> Tensor:
    r"""What a critic is shown.

    Args:
        critic: ``"y"`` or ``"xy"``.
        x: inputs, **[B, C, H, W]**.
        y: answers or translations, **[B, C', H, W]**.

    Returns:
        y alone, or x and y stacked as channels.
    """
    return torch.cat([x, y], 1) if critic == "xy" else y


def critic_loss(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    r"""Half the usual cross-entropy, as in the paper, so that the critic learns more slowly.

    .. math:: -\tfrac12\,\mathbb E\log D(\text{real}) - \tfrac12\,\mathbb E\log(1 - D(\text{fake}))

    Args:
        critic: gives logits per patch.
        real: what it is shown, **[B, C, H, W]**.
        fake: likewise.

    Returns:
        The mean over images and patches, in nats.
    """
    return (softplus(-critic(real)).mean() + softplus(critic(fake)).mean()) / 2


def fooling_loss(critic: nn.Module, fake: Tensor) -> Tensor:
    r"""The generator's step that does not saturate, :math:`-\mathbb E\log D(\text{fake})`.

    Args:
        critic: gives logits per patch.
        fake: what it is shown, **[B, C, H, W]**.

    Returns:
        The mean over images and patches, in nats.
    """
    return softplus(-critic(fake)).mean()


@dataclass(frozen=True)
class PairStep(Step):
    r"""A step of :func:`train_pairs`; terms: critic (nats), fool (nats), l1.

    Args:
        generator: as it is after the step; training goes on with it.
        critic: likewise; ``None`` if there is none.
    """

    generator: nn.Module
    critic: nn.Module | None


def train_pairs(
    pairs: Pairs,
    recipe: Recipe,
    *,
    seed: int,
    iterations: int,
    batch: int = 32,
    rate: float = 1e-3,
) -> Iterator[PairStep]:
    r"""Train a Pix2Pix.

    Args:
        pairs: what to learn from.
        recipe: losses and networks.
        seed: of weights, noise and batches.
        iterations: a step of the critic and one of the generator each.
        batch: pairs in a step.
        rate: of Adam with β = (0.5, 0.999); the same for both players.

    Yields:
        A step each iteration.

    Raises:
        ValueError: if ``iterations`` is below 1.
        NonFiniteLoss: if a loss is infinite or NaN.
    """
    at_least_one(iterations)
    source = torch.Generator(pairs.x.device).manual_seed(seed)
    channels = (pairs.x.shape[1], pairs.y.shape[1])
    net = UNet(
        source,
        side=pairs.side,
        channels=channels,
        skips=recipe.skips,
        noise=recipe.noise,
        copies=recipe.copies,
    )
    seen = channels[1] + (channels[0] if recipe.critic == "xy" else 0)
    critic = PatchCritic(source, PATCHES[recipe.patch], channels=seen)
    ours, theirs = adam(net.parameters(), rate), adam(critic.parameters(), rate)
    judged = None if recipe.critic == "none" else critic
    stream = batches((pairs.x, pairs.y), batch, source, steps=iterations)
    for index, (x, y) in enumerate(stream):
        fake = net(x)
        terms = {}
        if judged is not None:
            real, shown = critic_view(recipe.critic, x, y), critic_view(recipe.critic, x, fake)
            terms["critic"] = descend(theirs, critic_loss(judged, real, shown.detach()))
            terms["fool"] = fooling_loss(judged, shown)
        terms["l1"] = (y - fake).abs().mean()
        ours_loss = recipe.weight * terms["l1"] + terms.get("fool", 0.0)
        descend(ours, ours_loss)
        yield PairStep(index, iterations, finite(index, **terms), generator=net, critic=judged)


def at_least_one(iterations: int) -> None:
    r"""Refuse a training of no steps.

    Args:
        iterations: how many steps there are to be.

    Raises:
        ValueError: if there is none.
    """
    if iterations < 1:
        raise ValueError(f"expected iterations ≥ 1, got {iterations}")


def adam(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    r"""Adam as both papers set it, β = (0.5, 0.999).

    Args:
        parameters: what it moves.
        rate: of learning.

    Returns:
        The optimiser.
    """
    return torch.optim.Adam(parameters, rate, (0.5, 0.999), fused=True)


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    r"""One step down the slope of a loss.

    Args:
        optimiser: of the player that moves.
        loss: one number with a gradient.

    Returns:
        The loss, without its gradient.
    """
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach()


def best_constant(draws: Tensor) -> Tensor:
    r"""The draw that is nearest to all draws in the mean, found by trying each.

    Args:
        draws: of a real number, **[n]**.

    Returns:
        :math:`\arg\min_v \sum_i \lvert d_i - v\rvert` over the draws; one number.

    Raises:
        ValueError: if there is no draw.

    Example:
        >>> best_constant(torch.tensor([0.0, 0.1, 9.0]))
        tensor(0.1000)
    """
    if draws.ndim != 1 or not len(draws):
        raise ValueError(f"expected draws [n], n ≥ 1, got {list(draws.shape)}")
    return draws[(draws[:, None] - draws).abs().mean(0).argmin()]
