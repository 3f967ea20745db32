r"""An invertible residual network with small blocks, its log-likelihood and its way back.

.. math:: x\mapsto x+g_k(x),\qquad g_k(x)=V_k\,\phi(U_k\,\phi(W_kx+a)+b)+e,
    \qquad \mathrm{Lip}(g_k)\le c
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from genbook.collapse.critics import spectral_norm
from genbook.invertible import traces
from genbook.invertible.norms import shortened
from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream
from genbook.kit.training import Step, finite

LAYERS = 3
"""Matrices of a block."""

ROLL_SCALE = 0.46
"""About the deviation of a coordinate of :func:`genbook.kit.data.swiss_roll`."""

ROLLS = Substream("points of the roll", 3_000)


@dataclass(frozen=True)
class Straight:
    r"""A block at given points: its value, and the linear map that it is nearby.

    Args:
        value: g(x), **[B, d]**.
        weights: of the block's three layers, **[in, out]** each.
        slopes: of the two activations, **[B, 1, h]** each.
    """

    value: Tensor
    weights: tuple[Tensor, Tensor, Tensor]
    slopes: tuple[Tensor, Tensor]

    def push(self, v: Tensor) -> Tensor:
        r"""Rows times the Jacobian: :math:`v\mapsto v\,W D_1 U D_2 V`.

        Args:
            v: **[B, m, d]**, or **[m, d]** for all points alike.

        Returns:
            **[B, m, d]**.
        """
        first, second, third = self.weights
        return ((v @ first * self.slopes[0]) @ second * self.slopes[1]) @ third

    def jacobian(self) -> Tensor:
        r"""J with :math:`J_{ij}=\partial g_j/\partial x_i`, **[B, d, d]**."""
        first, second, third = self.weights
        return ((first * self.slopes[0]) @ second * self.slopes[1]) @ third


Rule = Callable[[Straight], Tensor]


def exact(block: Straight) -> Tensor:
    r"""The exact ln det(I + J) of a block, **[B]**: see :func:`genbook.invertible.traces.log_det`.

    Example:
        >>> net = IResNet(2, 8, 1, torch.Generator().manual_seed(0))
        >>> exact(net.straight(torch.zeros(3, 2), 0, net.weights())).shape
        torch.Size([3])
    """
    return traces.log_det(block.jacobian())


def truncated(terms: int, generator: torch.Generator | None = None) -> Rule:
    r"""The series of n terms, with exact traces or with one sign probe a point.

    Args:
        terms: n ≥ 1.
        generator: draws the probes; without one the traces are exact.

    Returns:
        The rule, as :func:`exact` is one.

    Example:
        >>> net = IResNet(2, 8, 1, torch.Generator().manual_seed(0), c=0.5)
        >>> at = net.straight(torch.zeros(3, 2), 0, net.weights())
        >>> bool((truncated(60)(at) - exact(at)).abs().max() < 1e-5)
        True
    """

    def rule(block: Straight) -> Tensor:
        x = block.value
        if generator is None:
            jacobian = block.jacobian()
            probes = traces.every(x.shape[-1], x).expand(len(x), -1, -1)
            return traces.log_det_series(lambda v: v @ jacobian, probes, terms)
        coins = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        signs = torch.where(coins < 0.5, 1.0, -1.0).to(x.dtype)
        return traces.log_det_series(block.push, signs[:, None], terms)

    return rule


class IResNet(nn.Module):
    r"""Residual blocks whose g is never longer than c.

    Each of the three matrices of a block is divided by :math:`\max(1,\hat\sigma/c^{1/3})`, so that
    the product of their norms is at most c; the activations (ELU) have slopes in (0, 1]. While it
    trains, :math:`\hat\sigma` is one step of power iteration from the last call's vector. Otherwise
    the norm is exact.

    Args:
        features: d.
        width: h, units of the two hidden layers of a block.
        blocks: K.
        generator: draws the weights.
        c: the most that a g may stretch, > 0; the way back is proven for c < 1.

    Raises:
        ValueError: if a size is below 1 or c is not positive.

    Source:
        Behrmann et al. (2019); there each layer, not each block, is held to c.

    Example:
        >>> net = IResNet(2, 16, 3, torch.Generator().manual_seed(0)).eval()
        >>> x = torch.tensor([[1.0, -2.0]])
        >>> bool((net.inverse(net(x)[0], steps=60) - x).abs().max() < 1e-4)
        True
    """

    def __init__(
        self,
        features: int,
        width: int,
        blocks: int,
        generator: torch.Generator,
        c: float = 0.9,
    ) -> None:
        super().__init__()
        if min(features, width, blocks) < 1 or not c > 0:
            raise ValueError(
                f"expected sizes ≥ 1 and c > 0, got {features}, {width}, {blocks} and c = {c}"
            )
        self.features, self.blocks, self.c = features, blocks, c
        sizes = (features, width, width, features)

        def drawn(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, device=generator.device)

        self.maps = nn.ParameterList(drawn(blocks, a, b) / math.sqrt(a) for a, b in pairwise(sizes))
        self.shifts = nn.ParameterList(0.1 * drawn(blocks, 1, b) for b in sizes[1:])
        for layer, b in enumerate(sizes[1:]):
            start = nn.functional.normalize(drawn(blocks, b, 1), dim=1)
            begun = spectral_norm(self.maps[layer].detach(), start, 20)[1]
            self.register_buffer(f"u{layer}", begun)

    def weights(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        r"""The matrices of each block, shortened where they are too long."""
        short = []
        for layer, weight in enumerate(self.maps):
            if self.training:
                sigma, u = spectral_norm(weight, getattr(self, f"u{layer}"))
                setattr(self, f"u{layer}", u)
            else:
                sigma = torch.linalg.matrix_norm(weight, 2)[:, None, None]
            short.append(shortened(weight, sigma, self.c ** (1 / LAYERS)))
        return list(zip(*(weight.unbind() for weight in short), strict=True))

    def straight(
        self, x: Tensor, block: int, weights: Sequence[tuple[Tensor, Tensor, Tensor]]
    ) -> Straight:
        r"""A block at points.

        Args:
            x: **[B, d]**.
            block: k, from 0.
            weights: of :meth:`weights`.

        Returns:
            Its value and its Jacobian, as a product.
        """
        first, second, third = weights[block]
        a = x @ first + self.shifts[0][block]
        b = nn.functional.elu(a) @ second + self.shifts[1][block]
        slopes = tuple(torch.exp(t.clamp(max=0))[:, None] for t in (a, b))
        value = nn.functional.elu(b) @ third + self.shifts[2][block]
        return Straight(value, (first, second, third), (slopes[0], slopes[1]))

    def forward(self, x: Tensor, rule: Rule = exact) -> tuple[Tensor, Tensor]:
        r"""All blocks, and the logarithm of the volume that they stretch.

        Args:
            x: **[B, d]**.
            rule: the ln det of a block: :func:`exact` or :func:`truncated`.

        Returns:
            z, **[B, d]**, and ln det, **[B]**, in nats.
        """
        weights, volume = self.weights(), torch.zeros_like(x[:, 0])
        for block in range(self.blocks):
            at = self.straight(x, block, weights)
            x, volume = x + at.value, volume + rule(at)
        return x, volume

    def inverse(self, z: Tensor, steps: int) -> Tensor:
        r"""The way back: each block by the fixed-point iteration, the last one first.

        Args:
            z: **[B, d]**.
            steps: of each block.

        Returns:
            x, **[B, d]**.
        """
        weights = self.weights()
        for block in reversed(range(self.blocks)):
            x = z
            for _ in range(steps):
                x = z - self.straight(x, block, weights).value
            z = x
        return z

    def log_prob(self, x: Tensor, rule: Rule = exact) -> Tensor:
        r"""The log-density of points under a standard normal z.

        .. math:: \ln p(x)=\ln\mathcal N(z;0,I)
            +\sum_k\ln\det\Big(I+\frac{\partial g_k}{\partial x}\Big)

        Args:
            x: **[B, d]**.
            rule: as in :meth:`forward`.

        Returns:
            **[B]**, in nats.
        """
        z, volume = self(x, rule)
        return volume - 0.5 * (z.square().sum(-1) + self.features * math.log(2 * math.pi))


def train(
    net: IResNet,
    draw: Callable[[int], Tensor],
    *,
    steps: int,
    rule: Rule = exact,
    rate: float = 5e-3,
    batch: int = 256,
) -> Iterator[Step]:
    r"""Maximise the likelihood of what is drawn, with Adam; the step size falls along a cosine.

    Args:
        net: changed in place; it must be in training mode.
        draw: gives n points **[n, d]**.
        steps: how many.
        rule: the ln det that is differentiated.
        rate: Adam's step size at the beginning.
        batch: points a step.

    Yields:
        One record a step, with the mean negative log-likelihood ``nll`` in nats.

    Raises:
        NonFiniteLoss: if the loss is infinite or NaN.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> net = IResNet(2, 8, 1, generator)
        >>> cloud = lambda n: torch.randn(n, 2, generator=generator)
        >>> [step.index for step in train(net, cloud, steps=2)]
        [0, 1]
    """
    optimiser = torch.optim.Adam(net.parameters(), rate)
    for index in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * index / steps))
        loss = -net.log_prob(draw(batch), rule).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield Step(index, steps, finite(index, nll=loss.detach()))


def in_double(net: IResNet) -> IResNet:
    r"""A copy of a network in double precision, ready to be judged.

    Args:
        net: stays as it is.

    Returns:
        The copy, in evaluation mode.

    Example:
        >>> net = IResNet(2, 8, 1, seeded(0))
        >>> in_double(net).maps[0].dtype, net.maps[0].dtype
        (torch.float64, torch.float32)
    """
    return copy.deepcopy(net).double().eval()


def on_a_roll(rule: Rule, seed: int, steps: int) -> IResNet:
    r"""Eight blocks trained on a Swiss roll in the plane.

    Args:
        rule: the ln det that is differentiated.
        seed: of the weights and the data.
        steps: of Adam.

    Returns:
        The network, in evaluation mode.

    Example:
        >>> on_a_roll(exact, seed=0, steps=1).blocks
        8
    """
    drawing = seeded(ROLLS.seed(seed))
    net = IResNet(2, 32, 8, seeded(seed))
    for _ in train(net, lambda n: roll(n, drawing), steps=steps, rule=rule):
        pass
    return net.eval()


def roll(n: int, generator: torch.Generator) -> Tensor:
    r"""Points of a Swiss roll, scaled to about unit deviation.

    Args:
        n: how many.
        generator: draws them.

    Returns:
        **[n, 2]**.

    Example:
        >>> roll(5, torch.Generator().manual_seed(0)).shape
        torch.Size([5, 2])
    """
    return data.swiss_roll(n, generator) / ROLL_SCALE


@torch.no_grad()
def folds(net: IResNet, x: Tensor) -> Tensor:
    r"""How near a fold the blocks come on the way of each point.

    .. math:: \min_k\min_i\mathrm{Re}\,\lambda_i(J_k)

    Args:
        net: in evaluation mode.
        x: **[B, d]**.

    Returns:
        **[B]**, above −c; at −1 a block would fold.

    Example:
        >>> found = folds(IResNet(2, 8, 2, seeded(0)).eval(), torch.zeros(3, 2))
        >>> bool((found > -0.9).all())
        True
    """
    weights, lowest = net.weights(), torch.zeros_like(x[:, 0])
    for block in range(net.blocks):
        at = net.straight(x, block, weights)
        values = torch.linalg.eigvals(at.jacobian()).real
        lowest = torch.minimum(lowest, values.amin(1))
        x = x + at.value
    return lowest


@torch.no_grad()
def behind(net: IResNet) -> Tensor:
    r"""How far the vectors kept in training fall short of the norms.

    .. math:: \|W\|_2/\hat\sigma\ge1

    Args:
        net: stays as it is.

    Returns:
        **[layers, K]**: by what a layer is longer than its next training step takes it to be.

    Example:
        >>> behind(IResNet(2, 8, 4, seeded(0))).shape
        torch.Size([3, 4])
    """
    found = []
    for layer, weight in enumerate(net.maps):
        sigma, _ = spectral_norm(weight, getattr(net, f"u{layer}"))
        found.append(torch.linalg.matrix_norm(weight, 2) / sigma[:, 0, 0])
    return torch.stack(found)


@torch.no_grad()
def mass(net: IResNet, rule: Rule, *, edge: float = 6.0, side: int = 241) -> float:
    r"""The sum of a density over a square of the plane; 1 if it is one.

    .. math:: \int_{[-e,e]^2}p(x)\,dx

    Args:
        net: of two features.
        rule: the ln det that the density is computed with.
        edge: e.
        side: points along an edge.

    Returns:
        The integral, as a sum over a lattice that the edges belong to.

    Example:
        >>> 0.99 < mass(IResNet(2, 8, 1, seeded(0)).eval(), exact) < 1.01
        True
    """
    ticks = torch.linspace(-edge, edge, side, device=net.maps[0].device)
    up, across = torch.meshgrid(ticks, ticks, indexing="ij")
    density = net.log_prob(torch.stack([across, up], -1).reshape(-1, 2), rule).exp()
    return float(density.double().sum()) * (2 * edge / (side - 1)) ** 2
