r"""The chapter's machine: draw what is no digit, and make it likelier a pixel at a time."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel
from genbook.uses.labels import Labeller
from genbook.uses.tables import Table, numbered


def prices(logits: Tensor, pages: Tensor) -> Tensor:
    r"""What each pixel costs under a table, nats.

    .. math:: \log(1+e^{l_c})-x\,l_c,\qquad l_c=\log\frac{\theta_c}{1-\theta_c}

    Args:
        logits: l, **[256]**.
        pages: 0 or 1, **[B, H, W]**.

    Returns:
        **[B, H, W]**.

    Example:
        >>> prices(torch.zeros(256), torch.zeros(1, 1, 2)).exp().tolist()
        [[[2.0, 2.0]]]
    """
    where = numbered(pages).long().flatten()
    found = logits.index_select(0, where).view(pages.shape)
    return torch.nn.functional.softplus(found) - pages * found


def likelier(logits: Tensor, page: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    r"""The page with the one pixel changed that makes it likeliest, if any change does.

    Args:
        logits: of a table, **[256]**.
        page: 0 or 1, **[P]**.
        size: height and width, P = H W.

    Returns:
        The page **[P]**, and whether a pixel was changed, 0 or 1.

    Example:
        >>> one = torch.tensor([0.0, 1.0, 0.0, 0.0])
        >>> [x.tolist() for x in likelier(torch.full((256,), -2.0), one, (2, 2))]
        [[0.0, 0.0, 0.0, 0.0], 1.0]
    """
    pixels = page.shape[0]
    flips = torch.eye(pixels, device=page.device, dtype=page.dtype)
    pages = page + flips * (1 - 2 * page)
    costs = prices(logits, pages.view(pixels, *size)).flatten(1).sum(1)
    now = prices(logits, page.view(1, *size)).sum()
    better = (costs.amin() < now).to(page.dtype)
    best = (torch.arange(pixels, device=page.device) == costs.argmin()).to(page.dtype)
    return page + better * best * (1 - 2 * page), better


def descending(
    table: Table, labeller: Labeller, size: tuple[int, int], examples: Mapping[str, Tensor]
) -> Machine:
    r"""Draw a page; each step changes the one pixel that makes it likelier.

    Args:
        table: of all images.
        labeller: a table a class.
        size: height and width of an image.
        examples: images **[P]** to begin with, by name.

    Returns:
        The machine.

    Raises:
        ValueError: if an image has another size.
    """
    height, width = size
    pixels = height * width
    for name, image in examples.items():
        if image.numel() != pixels:
            raise ValueError(f"expected {pixels} pixels, got {image.numel()} for {name!r}")
    chances = torch.stack([table.ink, *(own.ink for own in labeller.tables)])
    logits = chances.logit().float().cpu()
    classes = len(labeller.tables)

    def current(page: Tensor, image: Tensor, data: Tensor) -> tuple[Tensor, Tensor]:
        same = ((image - data).abs().sum() == 0).to(data.dtype)
        return same * page + (1 - same) * (data > 0.5).to(data.dtype), same

    def step(page: Tensor, image: Tensor, count: Tensor, data: Tensor) -> tuple[Tensor, ...]:
        now, same = current(page, image, data)
        after, moved = likelier(logits[0], now, size)
        return after, 1 * data, same * count + moved

    def look(page: Tensor, image: Tensor, count: Tensor, data: Tensor) -> tuple[Tensor, ...]:
        now, same = current(page, image, data)
        both = torch.stack([(data > 0.5).to(data.dtype), now]).view(2, *size)
        own = prices(logits[0], both)
        costs = torch.stack([prices(logits[1 + k], both[1:])[0].sum() for k in range(classes)])
        told = (-costs).softmax(0)
        return (
            now, own[1].flatten() / 4, told, own[0].sum(), own[1].sum(), (same * count)[0].abs(),
            told.argmax(0).float(), told.amax(0), prices(logits[0], 0 * both[:1]).sum(),
        )  # fmt: skip

    blank, count = torch.zeros(pixels), torch.zeros(1)
    given = (blank, torch.ones(pixels), count, torch.full((pixels,), 0.75))
    return Machine(
        name="uses",
        groups={
            "page": Group(((pixels,),), (0.0,)),
            "image": Group(((pixels,),), (0.0,)),
            "count": Group(((1,),), (0.0,)),
        },
        acts=(
            Act({"": trace(step, *given)}, ("page", "image", "count", "data"),
                ("page", "image", "count")),
        ),
        view=Act(
            {"": trace(look, *given)},
            ("page", "image", "count", "data"),
            ("now", "costs", "told", "yours", "cost", "made", "label", "sure", "empty"),
        ),
        controls=(),
        data={name: x.detach().float().cpu().flatten() for name, x in examples.items()},
        most=pixels,
        panels=_panels(size),
        words="Your page costs {yours} nats. After {made#} changed pixels it costs {cost}; ten "
        "tables read it as {label#}, {sure%}. An empty page costs {empty}.",
        restarts=False,
        size=(5.4, 5.6),
        across=2,
    )  # fmt: skip


def _panels(size: tuple[int, int]) -> tuple[Panel, ...]:
    height, width = size
    pixels = height * width
    across, up = (0.0, float(width)), (0.0, float(height))

    def picture(of: str, colour: str, title: str, hand: Hand | None = None) -> Panel:
        layers = (Layer("image", of, colour, str(width), many=pixels),)
        return Panel(across, up, layers=layers, hand=hand, title=title)

    return (
        picture(
            "data",
            "--gb-data",
            "paint here",
            Hand(
                "paint",
                "A page. Paint with the pointer; with the shift key it rubs out. The arrow keys "
                "move a frame, the space bar darkens a pixel there.",
                many=pixels,
                columns=width,
            ),
        ),
        picture("now", "--gb-model", "made likelier"),
        picture("costs", "--gb-critic", "what its pixels cost"),
        Panel(
            (-0.5, 9.5),
            (0.0, 1.05),
            (Layer("bars", "told", "--gb-model"),),
            title="ten tables read",
            xlabel="digit",
            ylabel="probability",
        ),
    )
