r"""Pix2Pix and CycleGAN: pictures into pictures, with pairs and without.

.. math::
    \min_G\max_D\; \mathcal L_{\mathrm{cGAN}}(G, D) + \lambda\,\mathbb E\lVert y - G(x)\rVert_1,
    \qquad
    \min_{G,F}\max_{D_X,D_Y}\; \mathcal L_{\mathrm{GAN}}(G, D_Y) + \mathcal L_{\mathrm{GAN}}(F, D_X)
    + \lambda\,\mathcal L_{\mathrm{cyc}}(G, F)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from genbook.kit.data import batches
from genbook.kit.training import Step, finite
from genbook.translation_nets import PATCHES, PatchCritic, ResNetGenerator, UNet
from genbook.translation_pairs import Domains, Pairs

Map = Callable[[Tensor], Tensor]


# --- With pairs -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    r"""What a Pix2Pix is trained with.

    Args:
        critic: ``"none"``, ``"y"`` (sees the output alone) or ``"xy"`` (sees the input too).
        weight: λ, of the L1 term.
        patch: side of the critic's patch, a key of :data:`~genbook.translation_nets.PATCHES`.
        skips: whether the U-Net keeps its skips.
        noise: share that dropout zeroes.

    Raises:
        ValueError: if the critic or the patch is unknown, the weight is negative, or nothing is
            left to learn from.
    """

    critic: str = "xy"
    weight: float = 100.0
    patch: int = 16
    skips: bool = True
    noise: float = 0.5

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

    generator: nn.Module | None = None
    critic: nn.Module | None = None


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
    if iterations < 1:
        raise ValueError(f"expected iterations ≥ 1, got {iterations}")
    source = torch.Generator().manual_seed(seed)
    channels = (pairs.x.shape[1], pairs.y.shape[1])
    net = UNet(source, side=pairs.side, channels=channels, skips=recipe.skips, noise=recipe.noise)
    seen = channels[1] + (channels[0] if recipe.critic == "xy" else 0)
    critic = PatchCritic(source, PATCHES[recipe.patch], channels=seen)
    ours, theirs = _adam(net, rate), _adam(critic, rate)
    judged = None if recipe.critic == "none" else critic
    stream = batches((pairs.x, pairs.y), batch, source, steps=iterations)
    for index, (x, y) in enumerate(stream):
        fake = net(x)
        terms = {}
        if judged is not None:
            real, shown = critic_view(recipe.critic, x, y), critic_view(recipe.critic, x, fake)
            terms["critic"] = _descend(theirs, critic_loss(judged, real, shown.detach()))
            terms["fool"] = fooling_loss(judged, shown)
        terms["l1"] = (y - fake).abs().mean()
        ours_loss = recipe.weight * terms["l1"] + terms.get("fool", 0.0)
        _descend(ours, ours_loss)
        yield PairStep(index, iterations, finite(index, **terms), generator=net, critic=judged)


def _adam(module: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), rate, (0.5, 0.999), fused=True)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> Tensor:
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


# --- Without pairs ----------------------------------------------------------------------------


def turn(points: Tensor, degrees: float) -> Tensor:
    r"""Turn points of the plane about the origin: a map with an exact inverse.

    Args:
        points: **[n, 2]**.
        degrees: counter-clockwise.

    Returns:
        **[n, 2]**.

    Example:
        >>> turn(torch.tensor([[1.0, 0.0]]), 90).round(decimals=3).abs().tolist()
        [[0.0, 1.0]]
    """
    angle = torch.deg2rad(torch.as_tensor(degrees, dtype=points.dtype))
    x, y = points.unbind(-1)
    return torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], -1)


def cycle_loss(there: Map, back: Map, x: Tensor) -> Tensor:
    r"""How far a round trip ends from where it began, :math:`\mathbb E\lVert F(G(x)) - x\rVert_1`.

    Args:
        there: G.
        back: F.
        x: **[B, …]**.

    Returns:
        The mean absolute difference per pixel.
    """
    return (back(there(x)) - x).abs().mean()


def square_loss(verdicts: Tensor, target: float) -> Tensor:
    r"""The least-squares GAN's loss, :math:`\mathbb E(D - \text{target})^2`.

    Args:
        verdicts: of a critic.
        target: 1 for "real", 0 for "fake".

    Returns:
        The mean.

    Source:
        Mao et al. (2017); used by Zhu et al. (2017).
    """
    return (verdicts - target).square().mean()


class ImagePool:
    r"""A history of fakes, so that a critic does not forget the generator's old tricks.

    Until it is full it keeps and returns what comes. Then, for each image, a coin: heads, the new
    image is returned and not kept; tails, a stored one is returned and the new one takes its place.

    Args:
        size: images it holds; 50 in the paper, 0 for none.
        generator: tosses the coins.

    Raises:
        ValueError: if the size is negative.

    Source:
        Shrivastava et al. (2017); Zhu et al. (2017), section 4.

    Example:
        >>> pool = ImagePool(50, torch.Generator().manual_seed(0))
        >>> pool(torch.zeros(3, 1, 4, 4)).shape, len(pool.kept)
        (torch.Size([3, 1, 4, 4]), 3)
    """

    def __init__(self, size: int, generator: torch.Generator) -> None:
        if size < 0:
            raise ValueError(f"expected a size ≥ 0, got {size}; the paper's is 50")
        self.size, self.generator, self.kept = size, generator, list[Tensor]()

    def __call__(self, images: Tensor) -> Tensor:
        """Exchange images **[B, …]**; what comes back has no gradient."""
        return torch.stack([self._exchange(image) for image in images.detach()])

    def _exchange(self, image: Tensor) -> Tensor:
        if len(self.kept) < self.size:
            self.kept.append(image)
            return image
        if self.size == 0 or torch.rand((), generator=self.generator) < 0.5:
            return image
        place = int(torch.randint(self.size, (), generator=self.generator))
        old, self.kept[place] = self.kept[place], image
        return old


@dataclass(frozen=True)
class CycleRecipe:
    r"""What a CycleGAN is trained with.

    Args:
        adversarial: whether there are critics.
        forward: whether x → G(x) → F(G(x)) has to return.
        backward: whether y → F(y) → G(F(y)) has to return.
        weight: λ, of both cycles.
        identity: weight of the identity terms, as a share of λ.
        pool: size of each image pool.

    Raises:
        ValueError: if nothing is left to learn from.
    """

    adversarial: bool = True
    forward: bool = True
    backward: bool = True
    weight: float = 10.0
    identity: float = 0.0
    pool: int = 50

    def __post_init__(self) -> None:
        """Refuse an empty recipe."""
        if not (self.adversarial or self.forward or self.backward):
            raise ValueError("expected critics or at least one cycle, got neither")


CYCLE_ABLATION: dict[str, CycleRecipe] = {
    "cycle alone": CycleRecipe(adversarial=False),
    "GAN alone": CycleRecipe(forward=False, backward=False),
    "GAN + forward": CycleRecipe(backward=False),
    "GAN + backward": CycleRecipe(forward=False),
    "CycleGAN": CycleRecipe(),
}
"""The five losses of tables 4 and 5 in Zhu et al. (2017)."""


class CycleNets(nn.Module):
    r"""Two translators and two critics.

    Args:
        generator: draws the weights.
        side: of the images; small ones (8×8) are halved once, others twice.
        channels: of the images.
        patch: of the critics.
    """

    def __init__(
        self, generator: torch.Generator, *, side: int, channels: int = 1, patch: int = 10
    ) -> None:
        super().__init__()
        halvings = 1 if side < 16 else 2
        self.g = ResNetGenerator(generator, channels=channels, halvings=halvings)
        self.f = ResNetGenerator(generator, channels=channels, halvings=halvings)
        self.judge_x = PatchCritic(generator, PATCHES[patch], channels=channels)
        self.judge_y = PatchCritic(generator, PATCHES[patch], channels=channels)


@dataclass(frozen=True)
class CycleStep(Step):
    r"""A step of :func:`train_cycle`; terms: critics, fool, forward, backward, identity.

    Args:
        nets: as they are after the step; training goes on with them.
    """

    nets: CycleNets | None = None


def train_cycle(
    heaps: Domains,
    recipe: CycleRecipe,
    *,
    seed: int,
    iterations: int,
    batch: int = 16,
    rate: float = 1e-3,
) -> Iterator[CycleStep]:
    r"""Train a CycleGAN; the rate falls linearly to 0 over the second half.

    Args:
        heaps: pictures of X and of Y, without pairs.
        recipe: which terms count.
        seed: of weights, batches and pools.
        iterations: a step of both critics and one of both translators each.
        batch: pictures of each domain in a step.
        rate: of Adam with β = (0.5, 0.999).

    Yields:
        A step each iteration.

    Raises:
        ValueError: if ``iterations`` is below 1.
        NonFiniteLoss: if a loss is infinite or NaN.
    """
    if iterations < 1:
        raise ValueError(f"expected iterations ≥ 1, got {iterations}")
    source = torch.Generator().manual_seed(seed)
    nets = CycleNets(source, side=heaps.x.shape[-1], channels=heaps.x.shape[1])
    pools = ImagePool(recipe.pool, source), ImagePool(recipe.pool, source)
    ours = torch.optim.Adam(
        chain(nets.g.parameters(), nets.f.parameters()), rate, (0.5, 0.999), fused=True
    )
    judges = chain(nets.judge_x.parameters(), nets.judge_y.parameters())
    theirs = torch.optim.Adam(judges, rate, (0.5, 0.999), fused=True)
    streams = (batches(heap, batch, source, steps=iterations) for heap in (heaps.x, heaps.y))
    for index, (x, y) in enumerate(zip(*streams, strict=True)):
        for group in chain(ours.param_groups, theirs.param_groups):
            group["lr"] = rate * min(1.0, 2 * (1 - index / iterations))
        fake_y, fake_x = nets.g(x), nets.f(y)
        terms = _translator_terms(nets, recipe, (x, y), (fake_x, fake_y))
        _descend(
            ours,
            torch.stack([recipe_weight(recipe, name) * term for name, term in terms.items()]).sum(),
        )
        if recipe.adversarial:
            terms["critics"] = _descend(theirs, _judging(nets, pools, (x, y), (fake_x, fake_y)))
        yield CycleStep(index, iterations, finite(index, **terms), nets=nets)


def recipe_weight(recipe: CycleRecipe, term: str) -> float:
    r"""The weight of a term in the translators' loss.

    Args:
        recipe: the settings.
        term: ``"fool"``, ``"forward"``, ``"backward"`` or ``"identity"``.

    Returns:
        1, λ, λ, or the identity's share of λ.
    """
    return {"fool": 1.0, "identity": recipe.weight * recipe.identity}.get(term, recipe.weight)


def _translator_terms(
    nets: CycleNets,
    recipe: CycleRecipe,
    real: tuple[Tensor, Tensor],
    fake: tuple[Tensor, Tensor],
) -> dict[str, Tensor]:
    (x, y), (fake_x, fake_y) = real, fake
    terms: dict[str, Tensor] = {}
    if recipe.adversarial:
        terms["fool"] = square_loss(nets.judge_y(fake_y), 1) + square_loss(nets.judge_x(fake_x), 1)
    if recipe.forward:
        terms["forward"] = (nets.f(fake_y) - x).abs().mean()
    if recipe.backward:
        terms["backward"] = (nets.g(fake_x) - y).abs().mean()
    if recipe.identity:
        terms["identity"] = (nets.g(y) - y).abs().mean() + (nets.f(x) - x).abs().mean()
    return terms


def _judging(
    nets: CycleNets,
    pools: tuple[ImagePool, ImagePool],
    real: tuple[Tensor, Tensor],
    fake: tuple[Tensor, Tensor],
) -> Tensor:
    """Half the least-squares loss of both critics, on fakes that went through the pools."""
    loss = torch.zeros((), device=real[0].device)
    for judge, pool, truth, made in zip(
        (nets.judge_x, nets.judge_y), pools, real, fake, strict=True
    ):
        loss = loss + (square_loss(judge(truth), 1) + square_loss(judge(pool(made)), 0)) / 2
    return loss
