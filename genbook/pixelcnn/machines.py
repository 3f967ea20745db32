r"""The chapter's machine: the reader paints the top of an image, the network draws the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Layer, Machine, Panel, Slider, painting
from genbook.pixelcnn.masks import MaskedConv
from genbook.pixelcnn.networks import PixelModel

TINY = 1e-12
Held = list[Tensor]


def open_weights(model: nn.Module) -> Held:
    r"""The parameters of a network, those of masked convolutions times their masks.

    Args:
        model: any network.

    Returns:
        Tensors in the order of ``model.parameters()``, without gradients, on the CPU.

    Example:
        >>> conv = MaskedConv(1, 2, 3, kind="A", generator=torch.Generator().manual_seed(0))
        >>> open_weights(conv)[0][0, 0, 1].count_nonzero().item()
        1
    """
    masks = {
        f"{name}.weight".removeprefix("."): module.mask
        for name, module in model.named_modules()
        if isinstance(module, MaskedConv)
    }
    return [
        (weight.detach() * masks.get(name, 1.0)).float().cpu()
        for name, weight in model.named_parameters()
    ]


def chances(model: nn.Module, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""The probability that each pixel is ink, given those before it.

    Args:
        model: its form; of two levels, without classes.
        weights: see :func:`open_weights`.
        x: a black and white image, **[1, 1, H, W]**.

    Returns:
        **[H · W]**, rows from above.
    """
    names = [name for name, _ in model.named_parameters()]
    given = dict(zip(names, weights, strict=True))
    given |= {name: torch.ones(()) for name, _ in model.named_buffers()}
    logits = functional_call(model, given, (x,))
    return torch.sigmoid(logits[:, 0, 1] - logits[:, 0, 0]).flatten()


def first_free(ink: Tensor, width: int) -> Tensor:
    r"""The first pixel of the first row below all ink.

    Args:
        ink: zeros and ones, **[H · W]**.
        width: W.

    Returns:
        **[1]**; 0 if there is no ink.

    Example:
        >>> first_free(torch.tensor([0.0, 1.0, 0.0, 0.0]), 2).tolist()
        [2.0]
    """
    rows = ink.view(-1, width).amax(1)
    number = torch.arange(1, len(rows) + 1).to(ink)
    return width * (rows * number).amax()[None]


def bits(ink: Tensor, chance: Tensor) -> Tensor:
    r"""What each pixel costs.

    .. math:: -\log_2 p(x_i\mid x_{<i})

    Args:
        ink: zeros and ones, **[P]**.
        chance: of ink, **[P]**.

    Returns:
        **[P]**.

    Example:
        >>> bits(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.75])).tolist()
        [1.0, 2.0]
    """
    said = ink * chance + (1 - ink) * (1 - chance)
    return -torch.log(said.clamp(min=TINY)) / math.log(2)


def completing(model: PixelModel, size: tuple[int, int], tops: Mapping[str, Tensor]) -> Machine:
    r"""A machine that completes images pixel by pixel.

    Args:
        model: a trained network for black and white images, without classes.
        size: height and width.
        tops: images to begin with, **[H, W]** each in [0, 1]; what is below the ink is free.

    Returns:
        The machine; a step draws as many pixels as its slider says.

    Raises:
        ValueError: If the network is not one for black and white images, or a top has another size.
    """
    assert isinstance(model, nn.Module)
    if getattr(model, "levels", 2) != 2 or getattr(model, "classes", 0):
        raise ValueError(
            "expected a network of two levels without classes; the page has no colours"
        )
    for name, top in tops.items():
        if tuple(top.shape) != size:
            raise ValueError(f"expected tops of shape {size}, got {tuple(top.shape)} for {name!r}")
    height, width = size
    pixels = height * width
    weights = open_weights(model)

    def begin(held: Held, data: Tensor) -> tuple[Tensor, ...]:
        ink = (data > 0.5).float()
        start = first_free(ink, width)
        return ink, chances(model, held, ink.view(1, 1, height, width)), start, start * 1

    def draw(
        held: Held, ink: Tensor, chance: Tensor, start: Tensor, place: Tensor, dice: Tensor
    ) -> tuple[Tensor, ...]:
        here = (torch.arange(pixels) == place).float()
        drawn = (dice < (here * chance).sum()).float()
        ink = ink * (1 - here) + here * drawn
        after = chances(model, held, ink.view(1, 1, height, width))
        return ink, after, start, (place + 1).clamp(max=pixels)

    def look(ink: Tensor, chance: Tensor, start: Tensor, place: Tensor) -> tuple[Tensor, ...]:
        number, cost = torch.arange(pixels), bits(ink, chance)
        known, yours = (number < place).float(), (number < start).float()
        here = (number == place).float()
        return (
            ink,
            chance * (1 - known) + 0.5 * here * (1 - chance),
            known * cost / 8,
            (cost * yours).sum(),
            (cost * known * (1 - yours)).sum(),
            (here * chance).sum(),
            (pixels - place)[0],
        )

    blank, one = torch.zeros(pixels), torch.zeros(1)
    canvas = (blank, blank, one, one)
    sheet = (0.0, float(width)), (0.0, float(height))
    return Machine(
        name="pixelcnn",
        groups={
            "weights": Group.trained(weights),
            "canvas": Group(((pixels,), (pixels,), (1,), (1,)), (0.0,) * 4),
        },
        opening=(Act({"": trace(begin, weights, blank)}, ("weights", "data"), ("canvas",)),),
        acts=(
            Act(
                {"": trace(draw, weights, *canvas, one)},
                ("weights", "canvas", "uniform:1"),
                ("canvas",),
                times="pixels",
            ),
        ),
        view=Act(
            {"": trace(look, *canvas)},
            ("canvas",),
            ("ink", "ahead", "costs", "yours", "spent", "next", "left"),
        ),
        controls=(Slider("pixels", "pixels a step", (1, 4, width), 0),),
        data={name: top.detach().float().cpu().flatten() for name, top in tops.items()},
        most=pixels,
        panels=(
            Panel(
                *sheet,
                (Layer("image", "data", "--gb-data", str(width)),),
                painting("The top of a digit", pixels, width),
                title="paint a top",
            ),
            Panel(
                *sheet,
                (Layer("image", "ink", "--gb-model", str(width)),),
                title="drawn so far",
            ),
            Panel(
                *sheet,
                (Layer("image", "ahead", "--gb-critic", str(width)),),
                title="chance of ink to come",
            ),
            Panel(
                *sheet,
                (Layer("image", "costs", "--gb-gradient", str(width)),),
                title="bits paid, up to 8",
            ),
        ),
        words="What you painted costs {yours} bits, the rest so far {spent}. The next pixel is ink "
        "with probability {next%}; {left#} pixels are left.",
        size=(5.4, 5.6),
        across=2,
    )
