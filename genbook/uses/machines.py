r"""The chapter's machine: draw what is no digit, hear four detectors, and make it likelier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from genbook.adversarial.networks import Classifier
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Layer, Machine, Panel, image_panel, painting
from genbook.kit.machine.weights import rounded
from genbook.uses.detectors import Subspace, doubts, share_below, steps_of, told
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
    # a column with as many zeros behind each number, read on in rows one shorter: a diagonal
    changes = torch.nn.functional.pad((1 - 2 * page)[:, None], (0, pixels)).flatten()
    pages = page + changes[: pixels * pixels].view(pixels, pixels)
    costs = prices(logits, pages.view(pixels, *size)).flatten(1).sum(1)
    now = prices(logits, page.view(1, *size)).sum()
    better = (costs.amin() < now).to(page.dtype)
    best = (torch.arange(pixels, device=page.device) == costs.argmin()).to(page.dtype)
    return page + better * best * (1 - 2 * page), better


def oddness(
    held: Sequence[Tensor], net: Classifier, pages: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    r"""What four detectors say of pages, and what they computed on the way.

    Args:
        held: logits of the table of all images and of one a class, **[(1 + K) 256]**; the mean
            **[1, P]** and the basis **[k, P]** of a plane; the classifier's weights.
        net: the classifier's form.
        pages: 0 or 1, **[B, P]**.
        size: height and width, P = H W.

    Returns:
        Scores **[B, 4]** (the table's cost, the cost of the mean of K tables, the squared distance
        from the plane, the classifier's doubt), the classes' costs **[B, K]**, the pages redrawn
        **[B, P]** and the classifier's probabilities **[B, K]**.
    """
    logits, plane = held[0].view(-1, 256), Subspace(held[1][0], held[2])
    grids = pages.view(-1, *size)
    each = torch.stack([prices(own, grids).flatten(1).sum(1) for own in logits], 1)
    apart = each[:, 1:]
    low = apart.amin(1, keepdim=True)
    mixed = low[:, 0] - (low - apart).exp().sum(1).log() + math.log(apart.shape[1])
    chances = told(net, held[3:], pages)
    scores = torch.stack([each[:, 0], mixed, plane.gaps(pages), doubts(chances)], 1)
    return scores, apart, plane.redrawn(pages), chances


def descending(
    table: Table,
    labeller: Labeller,
    plane: Subspace,
    net: Classifier,
    digits: Tensor,
    size: tuple[int, int],
    examples: Mapping[str, Tensor],
) -> Machine:
    r"""Draw a page; four detectors judge it; each step changes the pixel that makes it likeliest.

    Args:
        table: of all images.
        labeller: a table a class.
        plane: of principal components.
        net: a classifier of pages.
        digits: unseen pages that the detectors' scores are compared with, 0 or 1, **[N, P]**.
        size: height and width of an image.
        examples: images **[P]** to begin with, by name.

    Returns:
        The machine.

    Raises:
        ValueError: if an image has another size.
    """
    height, width = size
    pixels = height * width
    for name, image in {**examples, "a digit": digits[0]}.items():
        if image.numel() != pixels:
            raise ValueError(f"expected {pixels} pixels, got {image.numel()} for {name!r}")
    chances = torch.stack([table.ink, *(own.ink for own in labeller.tables)])
    weights = [chances.logit().flatten(), plane.mean[None], plane.basis, *net.parameters()]
    weights = [w.detach().float().cpu() for w in weights]
    with torch.no_grad():
        usual = oddness(rounded(weights), net, digits.float().cpu(), size)[0]
    steps = torch.stack([steps_of(column) for column in usual.T])

    def current(page: Tensor, image: Tensor, data: Tensor) -> tuple[Tensor, Tensor]:
        same = ((image - data).abs().sum() == 0).to(data.dtype)
        return same * page + (1 - same) * (data > 0.5).to(data.dtype), same

    def step(
        held: Sequence[Tensor], page: Tensor, image: Tensor, count: Tensor, data: Tensor
    ) -> tuple[Tensor, ...]:
        now, same = current(page, image, data)
        after, moved = likelier(held[0][:256], now, size)
        return after, 1 * data, same * count + moved

    def look(
        held: Sequence[Tensor], page: Tensor, image: Tensor, count: Tensor, data: Tensor
    ) -> tuple[Tensor, ...]:
        now, same = current(page, image, data)
        both = torch.stack([(data > 0.5).to(data.dtype), now])
        own = prices(held[0][:256], both.view(2, *size))
        scores, apart, copies, read = oddness(held, net, both[1:], size)
        odd = torch.stack([share_below(scores[0, k], steps[k]) for k in range(4)])
        by_tables = (-apart[0]).softmax(0)
        return (
            now, own[1].flatten() / 4, copies[0].clamp(0, 1), by_tables, odd,
            own[0].sum(), own[1].sum(), (same * count)[0].abs(),
            by_tables.argmax(0).float(), by_tables.amax(0),
            read[0].argmax(0).float(), read[0].amax(0),
            prices(held[0][:256], 0 * both[:1].view(1, *size)).sum(),
            odd[0], odd[1], odd[2], odd[3],
        )  # fmt: skip

    blank, count = torch.zeros(pixels), torch.zeros(1)
    given = (blank, torch.ones(pixels), count, torch.full((pixels,), 0.75))
    return Machine(
        name="uses",
        groups={
            "weights": Group.trained(weights),
            "page": Group(((pixels,),), (0.0,)),
            "image": Group(((pixels,),), (0.0,)),
            "count": Group(((1,),), (0.0,)),
        },
        acts=(
            Act({"": trace(step, weights, *given)}, ("weights", "page", "image", "count", "data"),
                ("page", "image", "count")),
        ),
        view=Act(
            {"": trace(look, weights, *given)},
            ("weights", "page", "image", "count", "data"),
            ("now", "costs", "copy", "told", "odd", "yours", "cost", "made", "label", "sure",
             "read", "certain", "empty", "by_table", "by_ten", "by_copy", "by_net"),
        ),
        controls=(),
        data={name: x.detach().float().cpu().flatten() for name, x in examples.items()},
        most=pixels,
        panels=_panels(size, len(labeller.tables)),
        words="Your page costs {yours} nats. After {made#} changed pixels it costs {cost}; an "
        "empty page costs {empty}. Ten tables read it as {label#}, {sure%}; the network as "
        "{read#}, {certain%}. Of unseen digits so many are less odd: to the table {by_table%}, to "
        "ten tables {by_ten%}, by how it is redrawn {by_copy%}, by the network's doubt {by_net%}.",
        restarts=False,
        size=(4.4, 7.0),
        across=2,
    )  # fmt: skip


def _panels(size: tuple[int, int], classes: int) -> tuple[Panel, ...]:
    height, width = size
    pixels = height * width

    return (
        image_panel(
            "data",
            "--gb-data",
            "paint here",
            size,
            painting("A page", pixels, width),
        ),
        image_panel("now", "--gb-model", "made likelier", size),
        image_panel("costs", "--gb-critic", "what its pixels cost", size),
        image_panel("copy", "--gb-muted", "redrawn", size),
        Panel(
            (-0.5, classes - 0.5),
            (0.0, 1.05),
            (Layer("bars", "told", "--gb-model"),),
            title="ten tables read",
            xlabel="digit",
            ylabel="probability",
            ticks=tuple(map(str, range(classes))),
        ),
        Panel(
            (-0.5, 3.5),
            (0.0, 1.05),
            (Layer("bars", "odd", "--gb-critic"),),
            title="digits less odd",
            ylabel="share",
            ticks=("table", "ten", "gap", "doubt"),
        ),
    )
