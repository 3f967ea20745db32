r"""The two players: a generator of transposed convolutions and a discriminator of strided ones.

Two layers each way, for images whose side is a multiple of 4: a code becomes maps of a quarter of
the side, then of half, then the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from genbook.dcgan.norms import NORMS, Free, Norm

SLOPE = 0.2
"""Of the discriminator's leaky rectifiers on the negative side."""

SPREAD = 0.02
"""Standard deviation of the weights at the start."""

CRITICS = ("batch", "none", "spectral")
"""What may hold a discriminator's layers."""


@dataclass(frozen=True)
class Design:
    r"""How the two players are built; the defaults follow the guidelines.

    Args:
        side: of the images, a multiple of 4.
        channels: of the images: 1 for grey, 3 for colour.
        latent: size of z.
        width: maps at a quarter of the side; half as many at half of it.
        kernel: side of all kernels, 4 or 5.
        norm: of the generator's hidden layers, a name of :data:`~genbook.dcgan.norms.NORMS`.
        norm_output: batch normalisation at the generator's output, too.
        critic: of the discriminator's hidden layer, one of :data:`CRITICS`.
        norm_input: batch normalisation of the discriminator's first layer, too.
        classes: how many, for ``norm="class"``.
        project: whether the discriminator projects on the classes; else it does not see them.
        spread: standard deviation of the weights at the start; ``None`` takes 1/√fan-in, with
            which the variance of a signal neither grows nor falls much from layer to layer.
        pool: the discriminator convolves with stride 1 and keeps the largest of each 2×2, in place
            of strides; as many weights.
        repeat: the generator repeats each number on 2×2 places and convolves with stride 1, in
            place of stamps; as many weights.
        full: one full hidden layer more in each player, normalised as the others: after the
            generator's code, before the discriminator's logit.
        slope_g: of the generator's rectifiers on the negative side.
        slope_d: of the discriminator's.
        squash: tanh at the generator's output; else the last layer's numbers are the image.

    Raises:
        ValueError: if a setting is out of range.

    Source:
        Radford, Metz and Chintala (2016), the list of guidelines.
    """

    side: int = 8
    channels: int = 1
    latent: int = 16
    width: int = 32
    kernel: int = 4
    norm: str = "batch"
    norm_output: bool = False
    critic: str = "batch"
    norm_input: bool = False
    classes: int = 0
    project: bool = True
    spread: float | None = SPREAD
    pool: bool = False
    repeat: bool = False
    full: bool = False
    slope_g: float = 0.0
    slope_d: float = SLOPE
    squash: bool = True

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.side < 4 or self.side % 4 or self.width < 2 or self.width % 2:
            raise ValueError(
                f"expected a side that is a multiple of 4 and an even width, got {self.side} and "
                f"{self.width}"
            )
        if self.latent < 1 or self.channels < 1:
            raise ValueError(
                f"expected a latent size and channels ≥ 1, got {self.latent} and {self.channels}"
            )
        if self.kernel not in (4, 5):
            raise ValueError(f"expected kernels of 4 or 5, got {self.kernel}")
        if self.norm not in NORMS or self.critic not in CRITICS:
            raise ValueError(
                f"expected a norm of {sorted(NORMS)} and a critic of {CRITICS}, got "
                f"{self.norm!r} and {self.critic!r}"
            )
        if (self.norm == "class") != (self.classes > 0):
            raise ValueError(
                f"expected classes with norm='class' and none otherwise, got {self.classes} with "
                f"{self.norm!r}"
            )
        if self.spread is not None and not self.spread > 0:
            raise ValueError(f"expected a spread > 0 or None, got {self.spread}")
        if not (0 <= self.slope_g <= 1 and 0 <= self.slope_d <= 1):
            raise ValueError(f"expected slopes in [0, 1], got {self.slope_g} and {self.slope_d}")

    @property
    def condition(self) -> int:
        """The size of what the generator's norms read: the classes, or z."""
        return self.classes or self.latent

    @property
    def deep(self) -> int:
        """How many numbers the smallest maps hold, and a full hidden layer."""
        return self.width * (self.side // 4) ** 2

    def up(self, inputs: int, outputs: int) -> nn.Module:
        """What doubles the side: a transposed convolution, or one after repeating."""
        if self.repeat:
            return nn.Sequential(nn.Upsample(scale_factor=2.0), *self._beside(inputs, outputs))
        odd = self.kernel % 2
        return nn.ConvTranspose2d(
            inputs, outputs, self.kernel, 2, self.kernel // 2 - 1 + odd, output_padding=odd
        )

    def down(self, inputs: int, outputs: int) -> nn.Module:
        """What halves the side: a strided convolution, :meth:`up` reversed, or one and pooling."""
        if self.pool:
            return nn.Sequential(*self._beside(inputs, outputs), nn.MaxPool2d(2))
        return nn.Conv2d(inputs, outputs, self.kernel, 2, self.kernel // 2 - 1 + self.kernel % 2)

    def _beside(self, inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
        """A convolution of stride 1 that keeps the side."""
        before, behind = (self.kernel - 1) // 2, self.kernel // 2
        margin = nn.ZeroPad2d((before, behind, before, behind))
        return margin, nn.Conv2d(inputs, outputs, self.kernel)


def rectified(x: Tensor, slope: float) -> Tensor:
    r"""A rectifier, leaky or not.

    .. math:: \max(x,0)+s\min(x,0)

    Args:
        x: of any shape.
        slope: s, on the negative side.

    Returns:
        As many numbers.

    Example:
        >>> x = torch.tensor([-2.0, 3.0])
        >>> rectified(x, 0.0).tolist(), rectified(x, 0.5).tolist()
        ([0.0, 3.0], [-1.0, 3.0])
    """
    return functional.leaky_relu(x, slope) if slope else functional.relu(x)


def fan_in(layer: nn.Module) -> int:
    r"""How many numbers reach one output of a layer, away from the border.

    Args:
        layer: a full layer, a convolution or a transposed one.

    Returns:
        The count; for a transposed convolution :math:`C k^2/s^2`, on average.

    Raises:
        ValueError: if it is another kind of layer.

    Example:
        >>> fan_in(nn.Conv2d(3, 5, 4)), fan_in(nn.ConvTranspose2d(3, 5, 4, 2))
        (48, 12)
    """
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels * math.prod(layer.kernel_size) // math.prod(layer.stride)
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        return layer.weight[0].numel()
    raise ValueError(f"expected a full layer or a convolution, got {type(layer).__name__}")


def begin(net: nn.Module, generator: torch.Generator, spread: float | None = SPREAD) -> None:
    r"""Draw all weights from N(0, spread²), set biases to zero, go where the generator is.

    A layer that begins at zero on purpose, as a self-modulation's last, stays there.

    Args:
        net: changed in place.
        generator: draws the weights.
        spread: standard deviation; ``None`` takes 1/√fan-in of each layer.

    Source:
        Radford et al. (2016): 0.02.

    Example:
        >>> net = nn.Linear(2, 1)
        >>> begin(net, torch.Generator().manual_seed(0))
        >>> net.weight.abs().max().item() < 0.2, net.bias.item()
        (True, 0.0)
    """
    net.to(generator.device)
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            weight = layer.weight.data
            if bool(weight.any()):
                deviation = fan_in(layer) ** -0.5 if spread is None else spread
                weight.normal_(0, deviation, generator=generator)
            if layer.bias is not None:
                layer.bias.data.zero_()


def _whole(generator: torch.Generator) -> int:
    return int(torch.randint(2**31, (), generator=generator, device=generator.device))


class Generator(nn.Module):
    r"""G: a code to an image with values in (−1, 1); without the tanh, to any values.

    Args:
        design: how it is built.
        generator: draws the weights.

    Example:
        >>> net = Generator(Design(), torch.Generator().manual_seed(0))
        >>> net(torch.zeros(5, 16)).shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(self, design: Design, generator: torch.Generator) -> None:
        super().__init__()
        self.design, wide = design, design.width
        kind, colours = NORMS[design.norm], design.channels
        self.code = nn.Linear(design.latent, design.deep)
        self.up = design.up(wide, wide // 2)
        self.paint = design.up(wide // 2, colours)  # norms come last: their draws move no weight
        self.first = kind(wide, design.condition)
        self.second = kind(wide // 2, design.condition)
        self.last: Norm = Norm(colours) if design.norm_output else Free(colours)
        if design.full:  # after all others, whose weights it leaves as they are
            self.hidden = kind(design.deep, design.condition)
            self.more = nn.Linear(design.deep, design.deep)
        begin(self, generator, design.spread)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map **[B, latent]** to **[B, C, side, side]**; one-hot classes **[B, K]** if asked."""
        design = self.design
        if z.ndim != 2 or z.shape[1] != design.latent:
            raise ValueError(f"expected codes [B, {design.latent}], got {list(z.shape)}")
        if (condition is None) == (design.classes > 0):
            raise ValueError("expected one-hot classes if and only if the design has classes")
        c = z if condition is None else condition
        small, slope = design.side // 4, design.slope_g
        x = self.code(z)
        if design.full:
            x = self.hidden(x[:, :, None, None], c).flatten(1)
            x = self.more(rectified(x, slope))
        x = x.view(-1, design.width, small, small)
        x = self.up(rectified(self.first(x, c), slope))
        x = self.last(self.paint(rectified(self.second(x, c), slope)), c)
        return torch.tanh(x) if design.squash else x

    def settle(self, z: Tensor, condition: Tensor | None = None) -> Generator:
        r"""Fix the statistics of every normalisation at those of one large batch.

        Args:
            z: **[B, latent]**, a thousand or more.
            condition: one-hot classes **[B, K]**, if the design has classes.

        Returns:
            The net itself, in evaluation mode: an image now depends on its own code alone.
        """
        fix_statistics(self, z, condition)
        return self


def fix_statistics(net: nn.Module, *batch: Tensor | None) -> None:
    r"""Fix the statistics of every batch normalisation at those of one batch.

    Args:
        net: left in evaluation mode: what it makes of an input now hangs on that input alone.
        *batch: what the net is called with.

    Example:
        >>> net = nn.BatchNorm2d(1, momentum=None)
        >>> fix_statistics(net, torch.tensor([1.0, 3.0]).view(2, 1, 1, 1))
        >>> net.running_mean.item(), net.training
        (2.0, False)
    """
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
    with torch.no_grad():
        net.train()(*batch)
    net.eval()


class Discriminator(nn.Module):
    r"""D: an image to a logit; above 0 means "data".

    Args:
        design: how it is built.
        generator: draws the weights.

    Example:
        >>> net = Discriminator(Design(), torch.Generator().manual_seed(0))
        >>> net(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5])
    """

    def __init__(self, design: Design, generator: torch.Generator) -> None:
        super().__init__()
        self.design, wide = design, design.width
        batch = design.critic == "batch"
        self.look = design.down(design.channels, wide // 2)
        self.first: Norm = Norm(wide // 2) if design.norm_input else Free(wide // 2)
        self.down = design.down(wide // 2, wide)
        self.second: Norm = Norm(wide) if batch else Free(wide)
        self.judge = nn.Linear(design.deep, 1)
        if design.full:  # after all others, whose weights it leaves as they are
            self.more = nn.Linear(design.deep, design.deep)
            self.hidden: Norm = Norm(design.deep) if batch else Free(design.deep)
        begin(self, generator, design.spread)
        rows = torch.zeros(design.classes, self.judge.in_features, device=generator.device)
        self.classes = nn.Parameter(rows)
        if design.critic == "spectral":
            with torch.random.fork_rng():  # torch draws where it begins to look for the norm
                torch.manual_seed(_whole(generator))
                for layer in [*self.modules()]:
                    if isinstance(layer, (nn.Conv2d, nn.Linear)):
                        spectral_norm(layer)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Both layers: **[B, C, side, side]** to **[B, width/2, side/2, …]**, **[B, width, …]**."""
        nothing, slope = x.new_zeros(len(x), 0), self.design.slope_d
        near = rectified(self.first(self.look(x), nothing), slope)
        return near, rectified(self.second(self.down(near), nothing), slope)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads: **[B, C, side, side]** to **[B, width·(side/4)²]**."""
        phi = self.maps(x)[1].flatten(1)
        if not self.design.full:
            return phi
        x = self.hidden(self.more(phi)[:, :, None, None], x.new_zeros(len(x), 0))
        return rectified(x.flatten(1), self.design.slope_d)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map **[B, C, side, side]** to logits **[B]**; by projection if there are classes."""
        phi = self.features(x)
        logit: Tensor = self.judge(phi)[:, 0]
        if condition is not None:
            logit = logit + ((condition @ self.classes) * phi).sum(1)
        return logit
