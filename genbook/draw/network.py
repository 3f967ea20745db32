r"""DRAW: a variational autoencoder that writes to a canvas step by step through a window.

.. math::
    \hat x_t=x-\sigma(c_{t-1}),\quad r_t=\mathrm{read}(x,\hat x_t,h^{dec}_{t-1}),\quad
    c_t=c_{t-1}+\mathrm{write}(h^{dec}_t)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.draw.windows import read, window, write


@dataclass(frozen=True)
class Drawing:
    r"""A pass of DRAW.

    Args:
        start: the first canvas, before any stroke, in log-odds, **[A, A]**.
        strokes: what each step adds to the canvas, in log-odds, **[T, B, A, A]**.
        means: of q(z_t), **[T, B, z]**; empty when the prior drew.
        log_variances: of q(z_t), **[T, B, z]**.
        read: the windows that were read, raw, **[T, B, 5]**; empty without attention.
        written: the windows that were written, raw, **[T, B, 5]**; empty without attention.
    """

    start: Tensor
    strokes: Tensor
    means: Tensor
    log_variances: Tensor
    read: Tensor
    written: Tensor

    @property
    def canvases(self) -> Tensor:
        """The canvas after each step, log-odds, **[T, B, A, A]**."""
        return self.start + self.strokes.cumsum(0)


def code_length(drawing: Drawing) -> Tensor:
    r"""The latent cost, summed over steps and units.

    .. math:: L^z=\sum_t\mathrm{KL}\big(q(z_t\,|\,\cdot)\,\|\,\mathcal N(0,I)\big)
        =\tfrac12\sum_t\big(\mu_t^2+\sigma_t^2-\log\sigma_t^2-1\big)

    Args:
        drawing: of images.

    Returns:
        Nats an image, **[B]**.

    Source:
        Gregor et al. (2015), the latent loss; its −T/2 is the −1 here, once a unit.
    """
    means, logs = drawing.means, drawing.log_variances
    return 0.5 * (means.square() + logs.exp() - logs - 1).sum((0, 2))


def negative_bound(drawing: Drawing, image: Tensor) -> Tensor:
    r"""The pixels' cost and the latent cost; its mean over the codes is at least −log p(x).

    .. math:: L=-\log\mathrm{Bernoulli}\big(x\,|\,\sigma(c_T)\big)+L^z

    Args:
        drawing: of these images.
        image: 0 or 1, **[B, A, A]**.

    Returns:
        Nats an image, **[B]**.

    Raises:
        ValueError: if the shapes differ.
    """
    canvas = drawing.start + drawing.strokes.sum(0)
    if canvas.shape != image.shape:
        raise ValueError(f"expected images {list(canvas.shape)}, got {list(image.shape)}")
    pixels = functional.binary_cross_entropy_with_logits(canvas, image, reduction="none").sum(
        (1, 2)
    )
    return pixels + code_length(drawing)


class DRAW(nn.Module):
    r"""Two LSTMs and a canvas.

    Args:
        size: A, of a square image.
        steps: T.
        hidden: units of each LSTM.
        latent: units of each z_t.
        reads: N of the window that reads, or ``None`` to read the whole image and the whole error.
        writes: N of the window that writes, or ``None`` to write the whole canvas.

    The bias of the LSTMs' forget gates begins at 1.

    Raises:
        ValueError: if a number is below 1 or just one of the windows is given.

    Source:
        Gregor et al. (2015).

    Example:
        >>> net = DRAW(8, steps=3, hidden=16, latent=4, reads=2, writes=3)
        >>> net(torch.zeros(5, 8, 8), torch.Generator()).strokes.shape
        torch.Size([3, 5, 8, 8])
    """

    def __init__(
        self,
        size: int,
        *,
        steps: int = 8,
        hidden: int = 128,
        latent: int = 16,
        reads: int | None = None,
        writes: int | None = None,
    ) -> None:
        windows = [side for side in (reads, writes) if side is not None]
        numbers = (size, steps, hidden, latent, *windows)
        if min(numbers) < 1 or len(windows) == 1:
            raise ValueError(
                f"expected numbers ≥ 1 and both windows or neither, got {numbers[:4]}, reads "
                f"{reads} and writes {writes}"
            )
        super().__init__()
        self.size, self.steps, self.latent = size, steps, latent
        self.reads, self.writes = reads, writes
        seen = 2 * (reads or size) ** 2
        self.encoder = nn.LSTMCell(seen + hidden, hidden)
        self.decoder = nn.LSTMCell(latent, hidden)
        self.to_code = nn.Linear(hidden, 2 * latent)
        self.to_patch = nn.Linear(hidden, (writes or size) ** 2)
        self.to_read = nn.Linear(hidden, 5)
        self.to_write = nn.Linear(hidden, 5)
        self.begin = nn.Parameter(torch.zeros(size, size))
        with torch.no_grad():
            for cell in (self.encoder, self.decoder):
                cell.bias_ih[hidden : 2 * hidden] = 1.0

    def _look(self, image: Tensor, error: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        if self.reads is None:
            return torch.cat([image.flatten(1), error.flatten(1)], 1), hidden.new_empty(0)
        raw = self.to_read(hidden)
        seen = read(torch.stack([image, error]), window(raw, self.size, self.reads), self.reads)
        return seen.transpose(0, 1).flatten(1), raw

    def _stroke(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        edge = self.writes or self.size
        patch = self.to_patch(hidden).unflatten(1, (edge, edge))
        if self.writes is None:
            return patch, hidden.new_empty(0)
        raw = self.to_write(hidden)
        return write(patch, window(raw, self.size, edge), self.size), raw

    def _start(self, batch: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        zeros = self.begin.new_zeros(batch, self.decoder.hidden_size)
        return self.begin.expand(batch, -1, -1), (zeros, zeros)

    def _noise(self, count: int, generator: torch.Generator) -> Tensor:
        """A step's at a time, **[T, B, z]**."""
        step = self.begin.new_empty(self.steps, count, self.latent)
        for now in step:
            now.normal_(generator=generator)
        return step

    def forward(self, image: Tensor, generator: torch.Generator) -> Drawing:
        r"""Look at images and draw them.

        Args:
            image: **[B, A, A]**.
            generator: draws the noise of z.

        Returns:
            The drawing.
        """
        return self.redraw(image, self._noise(len(image), generator))

    def redraw(self, image: Tensor, noise: Tensor) -> Drawing:
        r"""The same with noise that is given: :math:`z_t=\mu_t+\sigma_t\varepsilon_t`.

        Args:
            image: **[B, A, A]**.
            noise: ε, **[T, B, z]**.

        Returns:
            The drawing.

        Example:
            >>> net = DRAW(8, steps=3, hidden=16, latent=4)
            >>> net.redraw(torch.zeros(5, 8, 8), torch.zeros(3, 5, 4)).means.shape
            torch.Size([3, 5, 4])
        """
        canvas, decoder = self._start(len(image))
        encoder = decoder
        kept: list[tuple[Tensor, ...]] = []
        for now in noise:
            seen, looked = self._look(image, image - canvas.sigmoid(), decoder[0])
            encoder = self.encoder(torch.cat([seen, decoder[0]], 1), encoder)
            mean, log_variance = self.to_code(encoder[0]).chunk(2, 1)
            decoder = self.decoder(mean + (log_variance / 2).exp() * now, decoder)
            stroke, wrote = self._stroke(decoder[0])
            kept.append((stroke, mean, log_variance, looked, wrote))
            canvas = canvas + stroke
        columns = zip(*kept, strict=True)
        told = (torch.stack(cast("tuple[Tensor, ...]", column)) for column in columns)
        return Drawing(self.begin.clone(), *told)

    def sample(self, count: int, generator: torch.Generator) -> Drawing:
        r"""Draw from the prior: no encoder, nothing to look at.

        Args:
            count: B.
            generator: draws z.

        Returns:
            The drawing.
        """
        return self.paint(self._noise(count, generator))

    def paint(self, codes: Tensor) -> Drawing:
        r"""What the decoder draws from codes that are given.

        Args:
            codes: z, **[T, B, z]**.

        Returns:
            The drawing.

        Example:
            >>> net = DRAW(8, steps=3, hidden=16, latent=4)
            >>> net.paint(torch.zeros(3, 5, 4)).canvases.shape
            torch.Size([3, 5, 8, 8])
        """
        _, decoder = self._start(codes.shape[1])
        none = codes.new_empty(self.steps, 0)
        kept: list[tuple[Tensor, Tensor]] = []
        for code in codes:
            decoder = self.decoder(code, decoder)
            kept.append(self._stroke(decoder[0]))
        strokes, written = (torch.stack(column) for column in zip(*kept, strict=True))
        return Drawing(self.begin.clone(), strokes, none, none, none, written)


def open_windows(net: DRAW, share: float = 0.35) -> None:
    r"""Begin with windows that see something, in place.

    At zeros, the paper's formulas put the outermost filters on the rim of the image, with σ = 1
    pixel: a 2 × 2 window reads the four corners and nothing else. Here instead

    .. math::
        \delta=s\,\tfrac{A-1}{N-1},\qquad \sigma=\tfrac\delta2,\qquad
        \gamma_{write}=\tfrac1{\delta^2}

    so that filters overlap and a patch of ones adds about 1 to the log-odds under the window.

    Args:
        net: a DRAW with windows; without, nothing is done.
        share: s, of the image's width that the centres span, in (0, 1].

    Raises:
        ValueError: if the share is out of range.

    Example:
        >>> net = DRAW(28, steps=1, hidden=4, latent=2, reads=2, writes=5)
        >>> open_windows(net)
        >>> round(window(net.to_read.bias, 28, 2).stride.item(), 2)
        9.45
    """
    if not 0 < share <= 1:
        raise ValueError(f"expected a share in (0, 1], got {share}")
    for line, patch in ((net.to_read, net.reads), (net.to_write, net.writes)):
        if patch is None:
            continue
        stride = share * (net.size - 1) / max(patch - 1, 1)
        gain = -2 * math.log(stride) if line is net.to_write else 0.0
        start = [0.0, 0.0, 2 * math.log(stride / 2), math.log(share), gain]
        with torch.no_grad():
            line.weight.mul_(0.1)
            line.bias.copy_(torch.tensor(start))
