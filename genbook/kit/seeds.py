r"""Many seeds as one computation: streams of random numbers and networks with a leading seed axis.

Every tensor here is **[S, …]**, one slice a seed. No slice sees another: gradients, optimisers that
work element by element (SGD, RMSProp, Adam) and random numbers stay apart, so slice s is the run
that seed s would have had alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Streams:
    r"""One random generator a seed, drawn from together.

    Args:
        seeds: one whole number a run.
        device: where the numbers are made.
        dtype: floating dtype of what is drawn.

    Raises:
        ValueError: if there is no seed.

    Example:
        >>> Streams([3, 4]).normal(5, 2).shape
        torch.Size([2, 5, 2])
    """

    def __init__(
        self,
        seeds: Sequence[int],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if len(seeds) == 0:
            raise ValueError("expected at least one seed, got none; range(5) makes five")
        self.device, self.dtype = torch.device(device), dtype
        self.generators = [torch.Generator(self.device).manual_seed(seed) for seed in seeds]

    @property
    def count(self) -> int:
        r"""S, the number of seeds."""
        return len(self.generators)

    def normal(self, *shape: int) -> Tensor:
        r"""Standard normal numbers **[S, \*shape]**."""
        drawn = torch.empty(self.count, *shape, device=self.device, dtype=self.dtype)
        for part, generator in zip(drawn, self.generators, strict=True):
            part.normal_(generator=generator)
        return drawn

    def uniform(self, *shape: int) -> Tensor:
        r"""Uniform numbers in [0, 1), **[S, \*shape]**."""
        drawn = torch.empty(self.count, *shape, device=self.device, dtype=self.dtype)
        for part, generator in zip(drawn, self.generators, strict=True):
            part.uniform_(generator=generator)
        return drawn

    def integers(self, high: int, *shape: int) -> Tensor:
        r"""Whole numbers in [0, high), **[S, \*shape]**."""
        drawn = torch.empty(self.count, *shape, device=self.device, dtype=torch.int64)
        for part, generator in zip(drawn, self.generators, strict=True):
            part.random_(high, generator=generator)
        return drawn


Sampler = Callable[[Streams, int], Tensor]


def around(centres: Tensor, std: float) -> Sampler:
    r"""A sampler of equally likely Gaussians.

    Args:
        centres: means **[K, d]**, or one set a seed, **[S, K, d]**.
        std: standard deviation of each coordinate.

    Returns:
        A function of the streams and n that draws **[S, n, d]**.

    Raises:
        ValueError: if the shape or the deviation is not of that kind.

    Example:
        >>> draw = around(torch.tensor([[5.0, 5.0]]), std=0.0)
        >>> draw(Streams([0]), 2).tolist()
        [[[5.0, 5.0], [5.0, 5.0]]]
    """
    if centres.ndim not in (2, 3) or std < 0:
        raise ValueError(
            f"expected centres [K, d] or [S, K, d] and std ≥ 0, got {list(centres.shape)} and {std}"
        )

    def draw(streams: Streams, n: int) -> Tensor:
        places = centres.to(streams.device, streams.dtype)
        which = streams.integers(places.shape[-2], n)
        per_seed = places.expand(streams.count, -1, -1)
        chosen = per_seed.gather(1, which[..., None].expand(-1, -1, places.shape[-1]))
        return chosen + std * streams.normal(n, places.shape[-1])

    return draw


def rows(table: Tensor) -> Sampler:
    r"""A sampler of rows of a data set, with replacement.

    Args:
        table: **[N, d]**, on the device of the streams.

    Returns:
        A function of the streams and n that draws **[S, n, d]**.

    Raises:
        ValueError: if the table is not of that shape.

    Example:
        >>> rows(torch.arange(6.0).reshape(3, 2))(Streams([0, 1]), 4).shape
        torch.Size([2, 4, 2])
    """
    if table.ndim != 2 or len(table) == 0:
        raise ValueError(
            f"expected a table [N, d] with N ≥ 1, got {list(table.shape)}; flatten(1) makes one"
        )
    return lambda streams, n: table[streams.integers(len(table), n)]


class SeedLinear(nn.Module):
    r"""One linear map a seed, :math:`y_s = x_s W_s + b_s`, begun as ``torch.nn.Linear`` begins.

    Args:
        inputs: features in.
        outputs: features out.
        streams: draw the weights, uniform in ±1/√inputs.

    Example:
        >>> SeedLinear(2, 3, Streams([0, 1]))(torch.zeros(2, 7, 2)).shape
        torch.Size([2, 7, 3])
    """

    def __init__(self, inputs: int, outputs: int, streams: Streams) -> None:
        super().__init__()
        limit = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter((2 * streams.uniform(inputs, outputs) - 1) * limit)
        self.bias = nn.Parameter((2 * streams.uniform(1, outputs) - 1) * limit)

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, inputs]** to **[S, B, outputs]**."""
        return torch.bmm(x, self.weight).add_(self.bias)


class SeedBatchNorm(nn.Module):
    r"""Normalise each feature over the batch of its own seed, then scale and shift.

    Statistics are always those of the batch at hand; there is no running average.

    Args:
        features: how many.
        streams: say how many seeds, which device and dtype.
        eps: added to the variance.

    Example:
        >>> x = Streams([0, 1]).normal(100, 3)
        >>> SeedBatchNorm(3, Streams([0, 1]))(x).mean(1).abs().max().item() < 1e-6
        True
    """

    def __init__(self, features: int, streams: Streams, eps: float = 1e-5) -> None:
        super().__init__()
        ones = torch.ones(streams.count, 1, features, device=streams.device, dtype=streams.dtype)
        self.scale = nn.Parameter(ones)
        self.shift = nn.Parameter(torch.zeros_like(ones))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise **[S, B, features]** over B."""
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, correction=0)
        return (x - mean) * torch.rsqrt(variance + self.eps) * self.scale + self.shift


def relu() -> nn.Module:
    r"""A rectifier that overwrites its input, which nothing else needs: no second large tensor."""
    return nn.ReLU(inplace=True)


def mlp(
    sizes: Sequence[int],
    streams: Streams,
    activation: Callable[[], nn.Module] = relu,
    *,
    batch_norm: bool = False,
    output: Callable[[], nn.Module] | None = None,
) -> nn.Sequential:
    r"""A multilayer perceptron for each seed.

    Args:
        sizes: features in, of each hidden layer, out.
        streams: draw the weights.
        activation: makes what follows each hidden layer.
        batch_norm: normalise each hidden layer before its activation.
        output: makes what follows the last layer.

    Returns:
        A module that maps **[S, B, sizes[0]]** to **[S, B, sizes[-1]]**.

    Raises:
        ValueError: if there are fewer than two sizes.

    Example:
        >>> mlp([2, 8, 1], Streams([0, 1, 2]))(torch.zeros(3, 5, 2)).shape
        torch.Size([3, 5, 1])
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"expected at least two sizes, all ≥ 1, got {list(sizes)}")
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers.append(SeedLinear(inputs, outputs, streams))
        if batch_norm:
            layers.append(SeedBatchNorm(outputs, streams))
        layers.append(activation())
    layers.append(SeedLinear(sizes[-2], sizes[-1], streams))
    if output is not None:
        layers.append(output())
    return nn.Sequential(*layers)
