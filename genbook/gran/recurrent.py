r"""The recurrent generator (GRAN): a canvas that grows by increments, for many seeds at once.

.. math::
    h_z=\tanh(Wz+b),\quad h_{c,1}=0,\quad \Delta C_t=f([h_z,h_{c,t}]),\quad
    h_{c,t+1}=g(\Delta C_t),\quad G(z)=\sigma\Big(\sum_{t=1}^T\Delta C_t\Big)

One z serves all steps, and all steps share the weights: a larger T buys computation, no parameters.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.kit.seeds import SeedLinear, Streams, mlp

STEPS = (1, 3, 5)
"""The numbers of steps that the paper compares."""


def smooth(images: Tensor, width: int) -> Tensor:
    r"""Replace each pixel by the mean of the square around it.

    Args:
        images: flat and square, **[..., A²]**.
        width: of that square, odd; what lies outside the image does not count.

    Returns:
        Images of the same shape; with width 1 the same images.

    Raises:
        ValueError: if the width is not odd or the images are not square.

    Example:
        >>> smooth(torch.tensor([0.0, 0, 0, 0, 9, 0, 0, 0, 0]), 3)[4].item()
        1.0
    """
    side = math.isqrt(images.shape[-1])
    if side * side != images.shape[-1] or width < 1 or width % 2 == 0:
        raise ValueError(
            f"expected flat square images [..., A²] and an odd width, got {list(images.shape)} and "
            f"{width}"
        )
    if width == 1:
        return images
    pages = images.reshape(-1, 1, side, side)
    found = functional.avg_pool2d(pages, width, 1, width // 2, count_include_pad=False)
    return found.reshape(images.shape)


class Recurrent(nn.Module):
    r"""A generator that looks at its last stroke before it draws the next.

    Args:
        pixels: d, of a flat image.
        streams: draw the weights.
        steps: T.
        latent: size of z.
        code: size of h_z and of h_c.
        hidden: hidden units of the decoder f.
        brush: each stroke is smoothed over squares of this odd width; 1 leaves it as it is.

    Raises:
        ValueError: if a size is below 1.

    Source:
        Im, Kim, Jiang and Memisevic (2016), section 3; that z is drawn once, and the zero start,
        from the authors' code.

    Example:
        >>> generator = Recurrent(64, Streams([0, 1]), steps=3)
        >>> generator(torch.zeros(2, 5, 64)).shape
        torch.Size([2, 5, 64])
    """

    def __init__(
        self,
        pixels: int,
        streams: Streams,
        *,
        steps: int = 3,
        latent: int = 64,
        code: int = 64,
        hidden: int = 128,
        brush: int = 1,
    ) -> None:
        sizes = {"pixels": pixels, "steps": steps, "latent": latent, "code": code, "hidden": hidden}
        if least := [name for name, size in sizes.items() if size < 1]:
            raise ValueError(f"expected {', '.join(least)} ≥ 1, got {sizes}")
        super().__init__()
        self.steps, self.latent, self.code, self.brush = steps, latent, code, brush
        self.embed = SeedLinear(latent, code, streams)
        self.decoder = mlp([2 * code, hidden, pixels], streams, batch_norm=True)
        self.encoder = SeedLinear(pixels, code, streams)

    def increments(self, z: Tensor) -> Tensor:
        r"""What each step adds to the canvas.

        Args:
            z: **[S, B, latent]**, used at every step.

        Returns:
            ΔC, in log-odds, **[T, S, B, pixels]**.

        Raises:
            ValueError: if z is not of that shape.
        """
        if z.ndim != 3 or z.shape[-1] != self.latent:
            raise ValueError(f"expected z [S, B, {self.latent}], got {list(z.shape)}")
        h_z = torch.tanh(self.embed(z))
        h_c = torch.zeros_like(h_z)
        strokes: list[Tensor] = []
        for _ in range(self.steps):
            if strokes:
                h_c = torch.tanh(self.encoder(strokes[-1]))
            stroke = self.decoder(torch.cat([h_z, h_c], -1))
            strokes.append(smooth(stroke, self.brush))
        return torch.stack(strokes)

    def forward(self, z: Tensor) -> Tensor:
        """Map **[S, B, latent]** to pixels in (0, 1), **[S, B, pixels]**."""
        return self.increments(z).sum(0).sigmoid()

    def canvases(self, z: Tensor) -> Tensor:
        """The canvas after each step as it would be seen, **[T, S, B, pixels]**."""
        return self.increments(z).cumsum(0).sigmoid()
