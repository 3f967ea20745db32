r"""The paper's networks, small: a decoder and an encoder of convolutions, and a discriminator.

.. math::
    h_z=\tanh(Wz+b),\quad h_{c,1}=0,\quad \Delta C_t=f([h_z,h_{c,t}]),\quad
    h_{c,t+1}=g(\Delta C_t),\quad G(z)=\sigma\Big(\sum_{t=1}^T\Delta C_t\Big)

One z serves all steps, and all steps share the weights: a larger T buys computation, no parameters.
Batch normalisation takes its statistics from the batch at hand while the net learns. Afterwards
:meth:`GRAN.settle` fixes them, those of each step apart, and G is a function of z.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = (1, 3, 5)
"""The numbers of steps that the paper compares."""

LEAK = 0.2
"""Slope of the leaky rectifiers on the negative side."""


class StepNorm(nn.Module):
    r"""Batch normalisation whose weights all steps share and whose statistics each step has.

    .. math:: y=\gamma\,\frac{x-\mu_t}{\sqrt{\sigma_t^2+\epsilon}}+\beta

    In training mode the mean and the variance are those of the batch; in evaluation mode those that
    :meth:`keep` was last given for that step, so that one sample does not see another.

    Args:
        channels: of the input.
        steps: T.
        eps: added to the variance.

    Source:
        Statistics for each step: Cooijmans et al. (2017), *Recurrent batch normalization*.

    Example:
        >>> norm = StepNorm(1, steps=2)
        >>> norm.keep(torch.tensor([[1.0], [3.0]]), 1)
        >>> norm.eval()(torch.tensor([[3.0]]), 1).round(decimals=3).item()
        1.0
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, steps: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.eps = eps
        self.register_buffer("mean", torch.zeros(steps, channels))
        self.register_buffer("variance", torch.ones(steps, channels))

    def keep(self, x: Tensor, step: int) -> None:
        """Take the statistics of a large batch **[B, channels, ...]** for a step."""
        dims = [0, *range(2, x.ndim)]
        variance, mean = torch.var_mean(x.detach(), dims, correction=0)
        self.mean[step], self.variance[step] = mean, variance

    def forward(self, x: Tensor, step: int) -> Tensor:
        """Normalise **[B, channels, ...]** as step number ``step``, counted from 0."""
        if self.training:
            return functional.batch_norm(
                x, None, None, self.scale, self.shift, training=True, eps=self.eps
            )
        mean, variance = self.mean[step], self.variance[step]
        return functional.batch_norm(x, mean, variance, self.scale, self.shift, eps=self.eps)


def _up(inputs: int, outputs: int) -> nn.Module:
    """A 5×5 transposed convolution that doubles the side."""
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def _down(inputs: int, outputs: int) -> nn.Module:
    """A 5×5 convolution that halves the side."""
    return nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)


def _paint(inputs: int) -> nn.Module:
    """A 6×6 transposed convolution to one map of twice the side, as 3×3 to four maps: quicker."""
    return nn.Sequential(nn.Conv2d(inputs, 4, 3, padding=1), nn.PixelShuffle(2))


def _look(outputs: int) -> nn.Module:
    """A 6×6 convolution of one map to half the side, as 3×3 of its four quarters: quicker."""
    return nn.Sequential(nn.PixelUnshuffle(2), _Last(), nn.Conv2d(4, outputs, 3, padding=1))


class _Last(nn.Module):
    """Lay the channels of an image side by side in memory, which convolutions like."""

    def forward(self, x: Tensor) -> Tensor:
        """Map **[B, C, H, W]** to the same numbers."""
        return x.contiguous(memory_format=torch.channels_last)


def begin(module: nn.Module, generator: torch.Generator) -> None:
    r"""Draw weights from N(0, 1/fan-in), set biases to zero, go where the generator is."""
    module.to(generator.device)
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            weight = layer.weight.data
            fan_in = weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                fan_in = max(1, weight.shape[0] * weight[0, 0].numel() // layer.stride[0] ** 2)
            weight.normal_(0, 1 / math.sqrt(fan_in), generator=generator)
            if layer.bias is not None:
                layer.bias.data.zero_()


def _quarter(side: int) -> int:
    if side < 4 or side % 4:
        raise ValueError(f"expected a side that is a multiple of 4, got {side}; try 28 or 8")
    return side // 4


class Decoder(nn.Module):
    r"""f: a code to a stroke, by a full layer and two transposed convolutions.

    Args:
        code: features in.
        side: A of the image, a multiple of 4.
        channels: maps of side A/4; half as many of side A/2.
        steps: T.
    """

    def __init__(self, code: int, side: int, channels: int, steps: int) -> None:
        super().__init__()
        self.small = _quarter(side)
        self.full = nn.Linear(code, channels * self.small**2)
        self.lay = _Last()
        self.first = StepNorm(channels, steps)
        self.up = _up(channels, channels // 2)
        self.second = StepNorm(channels // 2, steps)
        self.last = _paint(channels // 2)

    def forward(self, code: Tensor, step: int, settle: bool = False) -> Tensor:
        """Map **[B, code]** to log-odds **[B, 1, A, A]**."""
        x = self.lay(self.full(code).unflatten(1, (-1, self.small, self.small)))
        x = functional.relu(_normal(self.first, x, step, settle))
        x = functional.relu(_normal(self.second, self.up(x), step, settle))
        return self.last(x)


class Encoder(nn.Module):
    r"""g: a stroke to a code, the decoder in a mirror.

    Args:
        code: features out.
        side: A of the image, a multiple of 4.
        channels: maps of side A/4; half as many of side A/2.
        steps: T.
    """

    def __init__(self, code: int, side: int, channels: int, steps: int) -> None:
        super().__init__()
        self.first = _look(channels // 2)
        self.norm = StepNorm(channels // 2, steps)
        self.second = _down(channels // 2, channels)
        self.then = StepNorm(channels, steps)
        self.full = nn.Linear(channels * _quarter(side) ** 2, code)

    def forward(self, stroke: Tensor, step: int, settle: bool = False) -> Tensor:
        """Map **[B, 1, A, A]** to **[B, code]** in (−1, 1)."""
        x = functional.leaky_relu(_normal(self.norm, self.first(stroke), step, settle), LEAK)
        x = functional.leaky_relu(_normal(self.then, self.second(x), step, settle), LEAK)
        return torch.tanh(self.full(x.flatten(1)))


def _normal(norm: StepNorm, x: Tensor, step: int, settle: bool) -> Tensor:
    if settle:
        norm.keep(x, step)
    return norm(x, step)


class GRAN(nn.Module):
    r"""A generator that looks at its last stroke before it draws the next.

    Args:
        side: A of the images, a multiple of 4.
        generator: draws the weights.
        steps: T.
        latent: size of z.
        code: size of h_z and of h_c.
        channels: of the decoder and the encoder at side A/4, even.

    Raises:
        ValueError: if a size is not of that kind.

    Source:
        Im, Kim, Jiang and Memisevic (2016), section 3; that z is drawn once, and the zero start,
        from the authors' code.

    Example:
        >>> net = GRAN(8, torch.Generator().manual_seed(0), steps=3, channels=4)
        >>> net(torch.zeros(5, net.latent)).shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(
        self,
        side: int,
        generator: torch.Generator,
        *,
        steps: int = 3,
        latent: int = 64,
        code: int = 64,
        channels: int = 16,
    ) -> None:
        sizes = {"steps": steps, "latent": latent, "code": code, "channels": channels}
        if min(sizes.values()) < 1 or channels % 2:
            raise ValueError(f"expected sizes ≥ 1 and an even number of channels, got {sizes}")
        super().__init__()
        self.side, self.steps, self.latent = side, steps, latent
        self.embed = nn.Linear(latent, code)
        self.decoder = Decoder(2 * code, side, channels, steps)
        self.encoder = Encoder(code, side, channels, steps)
        begin(self, generator)

    def increments(self, z: Tensor, settle: bool = False) -> Tensor:
        r"""What each step adds to the canvas.

        Args:
            z: **[B, latent]**, used at every step.
            settle: keep this batch's statistics for drawing.

        Returns:
            ΔC, in log-odds, **[T, B, 1, A, A]**.

        Raises:
            ValueError: if z is not of that shape.
        """
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise ValueError(f"expected z [B, {self.latent}], got {list(z.shape)}")
        h_z = torch.tanh(self.embed(z))
        h_c = torch.zeros_like(h_z)
        strokes: list[Tensor] = []
        for step in range(self.steps):
            if strokes:
                h_c = self.encoder(strokes[-1], step, settle)
            strokes.append(self.decoder(torch.cat([h_z, h_c], 1), step, settle))
        return torch.stack(strokes)

    def forward(self, z: Tensor) -> Tensor:
        """Map **[B, latent]** to pixels in (0, 1), **[B, 1, A, A]**."""
        return self.increments(z).sum(0).sigmoid()

    def canvases(self, z: Tensor) -> Tensor:
        """The canvas after each step as it would be seen, **[T, B, 1, A, A]**."""
        return self.increments(z).cumsum(0).sigmoid()

    def settle(self, z: Tensor) -> GRAN:
        r"""Fix the statistics of every normalisation at those of one large batch.

        Args:
            z: **[B, latent]**, a thousand or more.

        Returns:
            The net itself, in evaluation mode: from here on a sample depends on its own z alone.
        """
        with torch.no_grad():
            self.eval()
            self.increments(z, settle=True)
        return self


class Discriminator(nn.Module):
    r"""D: two convolutions, a full layer with tanh, one logit; no noise and no batch statistics.

    Args:
        side: A of the images, a multiple of 4.
        generator: draws the weights.
        channels: maps of side A/4; half as many of side A/2.
        hidden: features of the full layer.

    Raises:
        ValueError: if a size is not of that kind.

    Example:
        >>> net = Discriminator(8, torch.Generator().manual_seed(0), channels=4)
        >>> net(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5])
    """

    def __init__(
        self, side: int, generator: torch.Generator, *, channels: int = 16, hidden: int = 64
    ) -> None:
        if channels < 2 or channels % 2 or hidden < 1:
            raise ValueError(
                f"expected an even number of channels and hidden ≥ 1, got {channels} and {hidden}"
            )
        super().__init__()
        self.first = _look(channels // 2)
        self.second = _down(channels // 2, channels)
        self.full = nn.Linear(channels * _quarter(side) ** 2, hidden)
        self.last = nn.Linear(hidden, 1)
        begin(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map **[B, 1, A, A]** to logits **[B]**; above 0 means "data"."""
        x = functional.leaky_relu(self.first(x), LEAK)
        x = functional.leaky_relu(self.second(x), LEAK)
        return self.last(torch.tanh(self.full(x.flatten(1))))[:, 0]
