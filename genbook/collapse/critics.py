r"""Critics that resist collapse: they see several samples at once, or may not be steep.

Modules over the seed-batched shape **[S, B, d]** of :mod:`genbook.kit.seeds`; each goes where a
plain critic goes in :func:`genbook.games.play.play`. None of them lets one seed see another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from genbook.kit.seeds import Streams


def _check_batch(x: Tensor, group: int, name: str) -> None:
    if x.ndim != 3 or x.shape[1] % group:
        raise ValueError(
            f"{name}: expected [S, B, d] with B a multiple of {group}, got {list(x.shape)}; "
            "change the batch or the group"
        )


class Packed(nn.Module):
    r"""PacGAN's critic: one verdict on m samples laid side by side.

    .. math:: D(x_1,\dots,x_m)

    Args:
        critic: maps **[S, B/m, m·d]** to **[S, B/m, 1]**.
        packed: m.

    Raises:
        ValueError: if m < 1, or when called, if m does not divide the batch.

    Source:
        Lin, Khetan, Fanti and Oh (2018), section 2.

    Example:
        >>> from genbook.kit.seeds import mlp
        >>> critic = Packed(mlp([4, 8, 1], Streams([0])), packed=2)
        >>> critic(torch.zeros(1, 6, 2)).shape
        torch.Size([1, 3, 1])
    """

    def __init__(self, critic: nn.Module, packed: int) -> None:
        super().__init__()
        if packed < 1:
            raise ValueError(f"expected at least one sample in a pack, got {packed}")
        self.critic, self.packed = critic, packed

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, d]** to **[S, B/m, 1]**."""
        _check_batch(x, self.packed, "Packed")
        return self.critic(x.reshape(x.shape[0], -1, self.packed * x.shape[2]))


class MinibatchStd(nn.Module):
    r"""Give the critic one more number: how far the samples of its group are spread.

    .. math:: s = \frac1d\sum_{j=1}^d\sqrt{\tfrac1g\sum_{i=1}^g (x_{ij}-\bar x_j)^2+\varepsilon}

    Args:
        critic: maps **[S, B, d + 1]** to **[S, B, 1]**.
        group: g samples in a group; 0 makes the whole batch one group.
        eps: ε, keeps the root differentiable where all samples are alike.

    Raises:
        ValueError: if the group is negative, or when called, if it does not divide the batch.

    Source:
        Karras, Aila, Laine and Lehtinen (2018), section 3.

    Example:
        >>> MinibatchStd(nn.Identity(), 2, eps=0.0)(torch.tensor([[[1.0], [3.0]]])).tolist()
        [[[1.0, 1.0], [3.0, 1.0]]]
    """

    def __init__(self, critic: nn.Module, group: int = 0, eps: float = 1e-8) -> None:
        super().__init__()
        if group < 0:
            raise ValueError(f"expected a group of at least one, or 0 for all, got {group}")
        self.critic, self.group, self.eps = critic, group, eps

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, d]** to **[S, B, 1]**."""
        size = self.group or x.shape[1]
        _check_batch(x, size, "MinibatchStd")
        groups = x.unflatten(1, (-1, size))
        spread = (groups.var(2, correction=0, keepdim=True) + self.eps).sqrt().mean(-1, True)
        number = spread.expand(-1, -1, size, -1).flatten(1, 2)
        return self.critic(torch.cat([x, number], -1))


def spectral_norm(weight: Tensor, u: Tensor, steps: int = 1) -> tuple[Tensor, Tensor]:
    r"""The largest singular value of each seed's matrix, by power iteration.

    .. math:: v\leftarrow\frac{Wu}{\|Wu\|},\quad u\leftarrow\frac{W^\top v}{\|W^\top v\|},\quad
        \sigma\approx v^\top W u

    Args:
        weight: W, **[S, in, out]**.
        u: where the iteration begins, **[S, out, 1]**.
        steps: how many.

    Returns:
        σ, **[S, 1, 1]**, differentiable in W with u and v held fixed; and the new u, detached.

    Raises:
        ValueError: if the shapes do not fit or there is no step.

    Source:
        Miyato, Kataoka, Koyama and Yoshida (2018), algorithm 1.

    Example:
        >>> w = torch.diag(torch.tensor([3.0, 1.0]))[None]
        >>> round(spectral_norm(w, torch.ones(1, 2, 1), steps=20)[0].item(), 4)
        3.0
    """
    if weight.ndim != 3 or u.shape != (len(weight), weight.shape[2], 1) or steps < 1:
        raise ValueError(
            "expected W [S, in, out], u [S, out, 1] and at least one step, got "
            f"{list(weight.shape)}, {list(u.shape)} and {steps}"
        )
    with torch.no_grad():
        for _ in range(steps):
            v = nn.functional.normalize(weight @ u, dim=1)
            u = nn.functional.normalize(weight.mT @ v, dim=1)
    return v.mT @ weight @ u, u


class SpectralLinear(nn.Module):
    r"""A linear map a seed whose matrix is divided by its largest singular value.

    Args:
        inputs: features in.
        outputs: features out.
        streams: draw the weights and the first u.

    Example:
        >>> SpectralLinear(2, 3, Streams([0, 1]))(torch.zeros(2, 7, 2)).shape
        torch.Size([2, 7, 3])
    """

    u: Tensor

    def __init__(self, inputs: int, outputs: int, streams: Streams) -> None:
        super().__init__()
        self.weight = nn.Parameter(streams.normal(inputs, outputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros_like(streams.normal(1, outputs)))
        start = nn.functional.normalize(streams.normal(outputs, 1), dim=1)
        self.register_buffer("u", spectral_norm(self.weight.detach(), start, 20)[1])

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, inputs]** to **[S, B, outputs]**."""
        sigma, u = spectral_norm(self.weight, self.u)
        if self.training:
            self.u = u
        return torch.baddbmm(self.bias, x, self.weight / sigma)


class SpectralMLP(nn.Sequential):
    r"""A perceptron for each seed that changes by no more than its input does, times a scale.

    Leaky rectifiers and maps of norm 1 are 1-Lipschitz, and so is what they are composed to.

    Args:
        sizes: features in, of each hidden layer, out.
        streams: draw the weights.
        scale: what the output is multiplied with; the Lipschitz constant that is allowed.
        slope: of the leaky rectifiers, at most 1.

    Raises:
        ValueError: if there are fewer than two sizes, or scale or slope is out of range.

    Source:
        Miyato et al. (2018), section 2.1, equation 7.

    Example:
        >>> SpectralMLP([2, 8, 1], Streams([0, 1]))(torch.zeros(2, 5, 2)).shape
        torch.Size([2, 5, 1])
    """

    def __init__(
        self, sizes: Sequence[int], streams: Streams, scale: float = 1.0, slope: float = 0.2
    ) -> None:
        if len(sizes) < 2 or min(sizes) < 1 or not scale > 0 or not 0 <= slope <= 1:
            raise ValueError(
                "expected at least two sizes ≥ 1, a scale > 0 and a slope in [0, 1], got "
                f"{list(sizes)}, {scale} and {slope}"
            )
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [SpectralLinear(inputs, outputs, streams), nn.LeakyReLU(slope)]
        super().__init__(*layers[:-1])
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, sizes[0]]** to **[S, B, sizes[-1]]**."""
        return self.scale * super().forward(x)


class Waves(nn.Module):
    r"""Random sines and cosines of a position, the same for every seed: Fourier features.

    .. math:: x\mapsto(\sin 2\pi Bx,\;\cos 2\pi Bx),\qquad B_{ij}\sim\mathcal N(0,\beta^2)

    A small network on plain coordinates learns coarse shapes long before fine ones. On waves it
    sees a mode of width 0.05 in a field that is 8 wide within a few hundred steps.

    Args:
        inputs: d.
        waves: rows of B.
        pitch: β, cycles per unit of length.
        seed: draws B.

    Raises:
        ValueError: if a number is not positive.

    Source:
        Tancik et al. (2020), section 6.

    Example:
        >>> Waves(2, 16)(torch.zeros(1, 5, 2)).shape
        torch.Size([1, 5, 32])
    """

    rows: Tensor

    def __init__(self, inputs: int, waves: int, pitch: float = 0.5, seed: int = 0) -> None:
        super().__init__()
        if inputs < 1 or waves < 1 or not pitch > 0:
            raise ValueError(
                f"expected inputs ≥ 1, waves ≥ 1 and a pitch > 0, got {inputs}, {waves}, {pitch}"
            )
        source = torch.Generator().manual_seed(seed)
        drawn = torch.randn(inputs, waves, generator=source)
        self.register_buffer("rows", 2 * math.pi * pitch * drawn)

    @property
    def lipschitz(self) -> float:
        r"""The map's Lipschitz constant: the largest singular value of 2πB."""
        return float(torch.linalg.matrix_norm(self.rows, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, d]** to **[S, B, 2·waves]**."""
        angle = x @ self.rows.to(x)
        return torch.cat([angle.sin(), angle.cos()], -1)


class PlacedWaves(nn.Module):
    r"""Waves, and the position itself.

    .. math:: x\mapsto(\sin 2\pi Bx,\;\cos 2\pi Bx,\;x/r)

    Waves look alike everywhere; a sample that leaves the data is told so by x/r alone.

    Args:
        waves: rows of B.
        pitch: cycles per unit of length, as in :class:`Waves`.
        reach: r, the size of the field.

    Raises:
        ValueError: if the reach is not positive.

    Example:
        >>> PlacedWaves(16, 0.3, 4.0)(torch.zeros(1, 5, 2)).shape
        torch.Size([1, 5, 34])
    """

    def __init__(self, waves: int, pitch: float, reach: float) -> None:
        super().__init__()
        if not reach > 0:
            raise ValueError(f"expected a reach > 0, got {reach}")
        self.waves = Waves(2, waves, pitch)
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, 2]** to **[S, B, 2·waves + 2]**."""
        return torch.cat([self.waves(x), x / self.reach], -1)
