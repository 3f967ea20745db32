r"""Networks that turn a picture into a picture, and those that judge them.

A U-Net whose skips can be cut, critics that look at patches, the generator of a CycleGAN. Images
are **[B, C, H, W]** in [0, 1]; height and width are multiples of 4.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

Layer = tuple[int, int]
"""Kernel and stride of a convolution."""

PATCHES: dict[int, tuple[Layer, ...]] = {
    1: ((1, 1), (1, 1)),
    4: ((4, 2), (1, 1)),
    10: ((4, 2), (4, 2), (1, 1)),
    16: ((4, 2), (4, 1), (4, 1)),
    22: ((4, 2), (4, 2), (4, 2), (1, 1)),
    34: ((4, 2), (4, 2), (4, 1), (4, 1)),
    70: ((4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
    286: ((4, 2), (4, 2), (4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
}
"""Layers of a critic by the side of its patch; 1, 16, 70 and 286 are those of the paper."""


PALE = 0.05
"""A copier keeps this far from 0 and 1, where logits are infinite."""


def receptive_field(layers: Sequence[Layer]) -> int:
    r"""The side of the patch that one output of a stack of convolutions sees.

    .. math:: r = 1 + \sum_l (k_l - 1) \prod_{j<l} s_j

    Args:
        layers: kernel and stride of each layer, the first first.

    Returns:
        r, in pixels.

    Raises:
        ValueError: if there is no layer, or a kernel or stride is below 1.

    Source:
        Isola et al. (2017), appendix 6.1, for the patches 1, 16, 70 and 286.

    Example:
        >>> [receptive_field(PATCHES[side]) for side in (1, 16, 70, 286)]
        [1, 16, 70, 286]
    """
    if not layers or min(min(layer) for layer in layers) < 1:
        raise ValueError(f"expected layers (kernel ≥ 1, stride ≥ 1), got {layers!r}; try ((4, 2),)")
    side, jump = 1, 1
    for kernel, stride in layers:
        side += (kernel - 1) * jump
        jump *= stride
    return side


def initialise(module: nn.Module, generator: torch.Generator) -> nn.Module:
    r"""Draw every convolution's weights from N(0, 1/fan-in) and set its bias to zero.

    Args:
        module: changed in place, and moved to where the generator is.
        generator: where the weights come from.

    Returns:
        The same module.
    """
    module.to(generator.device)
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            weight = layer.weight.data
            fan_in = weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                fan_in = weight.shape[0] * max(1, weight[0, 0].numel() // layer.stride[0] ** 2)
            weight.normal_(0, 1 / math.sqrt(fan_in), generator=generator)
            if layer.bias is not None:
                layer.bias.data.zero_()
    return module


class Noise(nn.Module):
    r"""Dropout that never sleeps: it is the noise z of Pix2Pix, in training and after it.

    Args:
        share: of the values that are set to zero.
        generator: where the masks come from.

    Raises:
        ValueError: if the share is not in [0, 1).
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        if not 0 <= share < 1:
            raise ValueError(f"expected a share in [0, 1), got {share}; the paper's is 0.5")
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        """Zero a random share of the values, scale the others so that the mean stays."""
        if self.share == 0:
            return x
        draw = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        return x * (draw >= self.share) / (1 - self.share)


def changed(x: Tensor, change: Tensor) -> Tensor:
    r"""What a copier paints: its input, moved by a change that it adds to the logit.

    Args:
        x: inputs in [0, 1], **[B, C, H, W]**.
        change: **[B, C', H, W]**; C' is C, or C is 1.

    Returns:
        **[B, C', H, W]** in (0, 1); without a change, x up to :data:`PALE`.

    Example:
        >>> changed(torch.tensor([0.0, 0.5]), torch.zeros(2)).round(decimals=4).tolist()
        [0.05000000074505806, 0.5]
    """
    return torch.sigmoid(torch.logit(x.clamp(PALE, 1 - PALE)) + change)


class UNet(nn.Module):
    r"""An encoder and a decoder through a code of a few numbers, with skips around the code.

    .. math:: x \to e_1 \to e_2 \to c \to d_2 \to [d_2, e_2] \to d_1 \to [d_1, e_1] \to y

    Args:
        generator: draws the weights and, later, the noise.
        side: height and width, a multiple of 4.
        channels: of the input and of the output.
        width: channels of :math:`e_1`; :math:`e_2` has twice as many.
        code: how many numbers the code c has.
        skips: without them everything has to pass through c.
        noise: share that dropout zeroes in the decoder.
        copies: as for :class:`ResNetGenerator`; one channel is handed on to each of the output's.

    Raises:
        ValueError: if the side is not a multiple of 4.

    Source:
        Isola et al. (2017), section 3.2; two levels here instead of eight.

    Example:
        >>> net = UNet(torch.Generator().manual_seed(0), side=8)
        >>> net(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self,
        generator: torch.Generator,
        *,
        side: int = 28,
        channels: tuple[int, int] = (1, 1),
        width: int = 16,
        code: int = 32,
        skips: bool = True,
        noise: float = 0.5,
        copies: bool = False,
    ) -> None:
        super().__init__()
        if side < 4 or side % 4:
            raise ValueError(f"expected a side that is a multiple of 4, got {side}; pad the images")
        self.skips, self.copies, double = skips, copies, 2 if skips else 1
        self.first = nn.Conv2d(channels[0], width, 4, 2, 1)
        self.second = nn.Sequential(nn.Conv2d(width, 2 * width, 4, 2, 1), _norm(2 * width))
        self.squeeze = nn.Conv2d(2 * width, code, side // 4)
        self.expand = nn.ConvTranspose2d(code, 2 * width, side // 4)
        self.inner_noise, self.outer_noise = Noise(noise, generator), Noise(noise, generator)
        self.rise = nn.Sequential(
            nn.ConvTranspose2d(double * 2 * width, width, 4, 2, 1), _norm(width)
        )
        self.last = nn.ConvTranspose2d(double * width, channels[1], 4, 2, 1)
        initialise(self, generator)
        if copies:
            self.last.weight.data.zero_()

    def code(self, x: Tensor) -> Tensor:
        """The code c, **[B, code]**: all that a net without skips keeps of x."""
        return self._encode(x)[2].flatten(1)

    def _encode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        outer = nn.functional.leaky_relu(self.first(x), 0.2)
        inner = nn.functional.leaky_relu(self.second(outer), 0.2)
        return outer, inner, self.squeeze(inner)

    def forward(self, x: Tensor) -> Tensor:
        """Translate **[B, C, H, W]**; each call draws new noise."""
        outer, inner, code = self._encode(x)
        y = self.inner_noise(nn.functional.relu(self.expand(code)))
        y = self.rise(torch.cat([y, inner], 1) if self.skips else y)
        y = self.outer_noise(nn.functional.relu(y))
        change = self.last(torch.cat([y, outer], 1) if self.skips else y)
        return changed(x, change) if self.copies else torch.sigmoid(change)


class PatchCritic(nn.Module):
    r"""A critic that gives one verdict per patch and never sees more than the patch.

    Args:
        generator: draws the weights.
        layers: kernel and stride of each layer; see :data:`PATCHES`.
        channels: of what it looks at; the input's and the output's together if it is conditional.
        width: channels of the first layer, doubled in the next ones up to four times.

    Source:
        Isola et al. (2017), section 3.3. Ours has no normalisation: instance normalisation would
        let every verdict depend on the whole image.

    Example:
        >>> critic = PatchCritic(torch.Generator().manual_seed(0), PATCHES[10])
        >>> critic(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 1, 7, 7])
    """

    def __init__(
        self,
        generator: torch.Generator,
        layers: Sequence[Layer],
        *,
        channels: int = 1,
        width: int = 16,
    ) -> None:
        super().__init__()
        self.field = receptive_field(layers)
        stack: list[nn.Module] = []
        for place, (kernel, stride) in enumerate(layers):
            last = place == len(layers) - 1
            out = 1 if last else width * 2 ** min(place, 2)
            stack.append(nn.Conv2d(channels, out, kernel, stride, (kernel - 1) // 2))
            if not last:
                stack.append(nn.LeakyReLU(0.2))
            channels = out
        self.stack = nn.Sequential(*stack)
        initialise(self, generator)

    def forward(self, images: Tensor) -> Tensor:
        """Verdicts (logits) **[B, 1, h, w]**, positive for real."""
        verdicts: Tensor = self.stack(images)
        return verdicts


class ResNetGenerator(nn.Module):
    r"""The generator of a CycleGAN: halve, refine by residual blocks, double.

    Args:
        generator: draws the weights.
        channels: of input and output.
        width: channels at full size, doubled at each halving.
        halvings: 2 in the paper.
        blocks: residual blocks; 6 or 9 in the paper.
        copies: whether it adds what it makes to the logit of its input and begins with adding
            nothing, so that it starts as a copier; in the paper it does not.

    Source:
        Zhu et al. (2017), appendix 7.2.

    Example:
        >>> net = ResNetGenerator(torch.Generator().manual_seed(0), halvings=1)
        >>> net(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 1, 8, 8])
    """

    def __init__(
        self,
        generator: torch.Generator,
        *,
        channels: int = 1,
        width: int = 12,
        halvings: int = 2,
        blocks: int = 2,
        copies: bool = False,
    ) -> None:
        super().__init__()
        self.copies = copies
        stack: list[nn.Module] = [nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU()]
        for level in range(halvings):
            wide = width * 2**level
            stack += [nn.Conv2d(wide, 2 * wide, 4, 2, 1), _norm(2 * wide), nn.ReLU()]
        stack += [Residual(width * 2**halvings) for _ in range(blocks)]
        for level in reversed(range(halvings)):
            wide = width * 2**level
            stack += [nn.ConvTranspose2d(2 * wide, wide, 4, 2, 1), _norm(wide), nn.ReLU()]
        last = nn.Conv2d(width, channels, 3, 1, 1)
        self.stack = nn.Sequential(*stack, last)
        initialise(self, generator)
        if copies:
            last.weight.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Translate **[B, C, H, W]**."""
        change = self.stack(x)
        return changed(x, change) if self.copies else torch.sigmoid(change)


class Residual(nn.Module):
    r"""x plus what two convolutions make of it.

    Args:
        channels: kept.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1),
            _norm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
            _norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add once."""
        return x + self.change(x)


def _norm(channels: int) -> nn.Module:
    """One group: mean and variance of a single image, so that no image sees its neighbours."""
    return nn.GroupNorm(1, channels)


def silenced(net: nn.Module) -> nn.Module:
    r"""A copy of a net whose noise is switched off.

    Args:
        net: left as it is.

    Returns:
        A deterministic copy in evaluation mode.
    """
    # a torch.Generator cannot be deep-copied before it is set aside
    keep = {id(m.generator): m.generator for m in net.modules() if isinstance(m, Noise)}
    twin = copy.deepcopy(net, dict(keep))
    for module in twin.modules():
        if isinstance(module, Noise):
            module.share = 0.0
    return twin.eval()


def seen_by_gradient(critic: nn.Module, *, channels: int = 1, side: int = 64) -> int:
    r"""How many pixels wide the gradient of one central verdict is: the patch, measured.

    Args:
        critic: any module on **[1, C, side, side]** with verdicts **[1, 1, h, w]**.
        channels: C.
        side: of a random image; it has to be wider than the patch.

    Returns:
        The longer side of the box around all non-zero gradients.

    Raises:
        ValueError: if the gradient reaches the border, so that the patch may be cut off.
    """
    source = torch.Generator().manual_seed(0)
    image = torch.rand(1, channels, side, side, generator=source, dtype=torch.float64)
    judge = copy.deepcopy(critic).double()
    image = image.to(next(judge.parameters()).device).requires_grad_(True)
    verdicts = judge(image)
    centre = verdicts[0, 0, verdicts.shape[2] // 2, verdicts.shape[3] // 2]
    (slope,) = torch.autograd.grad(centre, image)
    touched = slope[0].abs().sum(0) > 0
    if touched[0].any() or touched[-1].any() or touched[:, 0].any() or touched[:, -1].any():
        raise ValueError(f"the patch reaches the border of {side} pixels; take a larger side")
    rows, columns = touched.any(1).nonzero(), touched.any(0).nonzero()
    return int(max(rows[-1] - rows[0], columns[-1] - columns[0])) + 1


def sensitivity_rank(net: nn.Module, image: Tensor, tolerance: float = 1e-8) -> int:
    r"""The rank of the Jacobian ∂y/∂x: how many directions of the input the output can follow.

    Args:
        net: a translator without noise.
        image: **[C, H, W]**.
        tolerance: singular values below this share of the largest count as zero.

    Returns:
        The rank; without skips it is at most the size of the code.

    Raises:
        ValueError: if the image is not [C, H, W].
    """
    if image.ndim != 3:
        raise ValueError(f"expected one image [C, H, W], got {list(image.shape)}")
    frozen, image = silenced(net).double(), image.double()
    slopes = torch.func.jacrev(lambda x: frozen(x[None])[0].flatten())(image).flatten(1)
    values = torch.linalg.svdvals(slopes)
    return int((values > tolerance * values[0]).sum())
