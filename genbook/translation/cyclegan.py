r"""CycleGAN: pictures into pictures without a pair.

.. math::
    \min_{G,F}\max_{D_X,D_Y}\; \mathcal L_{\mathrm{GAN}}(G, D_Y) + \mathcal L_{\mathrm{GAN}}(F, D_X)
    + \lambda\,\mathcal L_{\mathrm{cyc}}(G, F)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from genbook.kit.data import batches
from genbook.kit.training import Step, finite, linear_decay
from genbook.translation.networks import PATCHES, PatchCritic, ResNetGenerator
from genbook.translation.pairs import Domains
from genbook.translation.pix2pix import adam, at_least_one, descend

Map = Callable[[Tensor], Tensor]


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
    angle = torch.deg2rad(points.new_tensor(degrees))
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
        source = self.generator
        if self.size == 0 or torch.rand((), generator=source, device=source.device) < 0.5:
            return image
        place = int(torch.randint(self.size, (), generator=source, device=source.device))
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
        patch: side of the critics' patches, a key of :data:`~genbook.translation.networks.PATCHES`.
        start: ``"noise"``, as in the paper, or ``"copy"``: each translator begins by handing on
            its input, and learns what to change.

    Raises:
        ValueError: if nothing is left to learn from, or the patch or the start is unknown.
    """

    adversarial: bool = True
    forward: bool = True
    backward: bool = True
    weight: float = 10.0
    identity: float = 0.0
    pool: int = 50
    patch: int = 22
    start: str = "noise"

    def __post_init__(self) -> None:
        """Refuse an empty recipe."""
        if not (self.adversarial or self.forward or self.backward):
            raise ValueError("expected critics or at least one cycle, got neither")
        if self.patch not in PATCHES or self.start not in ("noise", "copy"):
            raise ValueError(
                f"expected a patch of {list(PATCHES)} and a start from noise or copy, got "
                f"{self.patch!r} and {self.start!r}"
            )


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
        recipe: how the translators start, and the critics' patch.
        side: of the images; small ones (8×8) are halved once, others twice.
        channels: of the images.
    """

    def __init__(
        self, generator: torch.Generator, recipe: CycleRecipe, *, side: int, channels: int = 1
    ) -> None:
        super().__init__()
        halvings, copies = 1 if side < 16 else 2, recipe.start == "copy"
        self.g, self.f = (
            ResNetGenerator(generator, channels=channels, halvings=halvings, copies=copies)
            for _ in range(2)
        )
        self.judge_x, self.judge_y = (
            PatchCritic(generator, PATCHES[recipe.patch], channels=channels) for _ in range(2)
        )


@dataclass(frozen=True)
class CycleStep(Step):
    r"""A step of :func:`train_cycle`; terms: critics, fool, forward, backward, identity.

    Args:
        nets: as they are after the step; training goes on with them.
    """

    nets: CycleNets


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
    at_least_one(iterations)
    source = torch.Generator(heaps.x.device).manual_seed(seed)
    nets = CycleNets(source, recipe, side=heaps.x.shape[-1], channels=heaps.x.shape[1])
    pools = ImagePool(recipe.pool, source), ImagePool(recipe.pool, source)
    ours = adam(chain(nets.g.parameters(), nets.f.parameters()), rate)
    theirs = adam(chain(nets.judge_x.parameters(), nets.judge_y.parameters()), rate)
    streams = (batches(heap, batch, source, steps=iterations) for heap in (heaps.x, heaps.y))
    for index, (x, y) in enumerate(zip(*streams, strict=True)):
        for group in chain(ours.param_groups, theirs.param_groups):
            group["lr"] = rate * linear_decay(index, iterations, 0.5)
        fake_y, fake_x = nets.g(x), nets.f(y)
        terms = _translator_terms(nets, recipe, (x, y), (fake_x, fake_y))
        weighed = [recipe_weight(recipe, name) * term for name, term in terms.items()]
        descend(ours, torch.stack(weighed).sum())
        if recipe.adversarial:
            terms["critics"] = descend(theirs, _judging(nets, pools, (x, y), (fake_x, fake_y)))
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
