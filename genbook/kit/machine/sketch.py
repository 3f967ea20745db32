r"""A prediction drawn by hand: the reader sketches a curve, the page uncovers the true one."""

from __future__ import annotations

import torch
from torch import Tensor

from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel
from genbook.kit.machine.program import trace

__all__ = ["sketch", "uncovered"]


def uncovered(
    truth: Tensor, x: tuple[float, float], y: tuple[float, float], count: Tensor, drawn: Tensor
) -> tuple[Tensor, Tensor]:
    r"""The part of the true curve that is uncovered, and how far a sketch is from it there.

    .. math:: \text{off}=\frac1k\sum_{i<k}|y_i-\hat y_i|

    Args:
        truth: heights y over even places, **[n]**.
        x: the first and the last place.
        y: limits of the panel, from below.
        count: k, a scalar.
        drawn: the sketch's heights :math:`\hat y`, **[n]**.

    Returns:
        Points **[n, 2]**, those still covered on the last one that is not, or below the panel if
        all are; and the mean distance, 0 while all are covered.

    Example:
        >>> truth, level = torch.tensor([0.0, 1.0, 2.0]), torch.ones(3)
        >>> points, off = uncovered(truth, (0, 2), (0, 2), torch.tensor(2.0), level)
        >>> points.tolist(), off.item()
        ([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]], 0.5)
    """
    place = torch.arange(len(truth), device=truth.device).to(truth)
    seen = (place < count).to(truth)
    last = (place == (count - 1).clamp(min=0)).to(truth)
    below = 2 * y[0] - y[1]
    across = torch.linspace(*x, len(truth)).to(truth)
    height = torch.where(count > 0, truth, torch.full_like(truth, below))
    points = torch.stack([across, height], 1)
    corner = (points * last[:, None]).sum(0)
    points = points * seen[:, None] + corner * (1 - seen)[:, None]
    return points, ((truth - drawn).abs() * seen).sum() / count.clamp(min=1)


def sketch(
    name: str,
    truth: Tensor,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    what: str,
    xlabel: str,
    ylabel: str,
    percent: bool = False,
) -> Machine:
    r"""Sketch a curve; each step uncovers the true one at one more place.

    Args:
        name: of the machine, in the page's address.
        truth: the true heights over even places, **[n]**, within ``y``.
        x: the first and the last place.
        y: limits of the panel, from below.
        what: what to sketch, for the screen reader.
        xlabel: below the axis.
        ylabel: beside it.
        percent: whether heights are shares, to be read in percent.

    Returns:
        The machine.

    Raises:
        ValueError: unless there are two heights or more, finite and within ``y``.

    Example:
        >>> square = torch.linspace(0, 1, 11).square()
        >>> sketch("square", square, (0, 1), (0, 1), what="x²", xlabel="x", ylabel="x²").most
        11
    """
    heights = truth.detach().float().cpu()
    n = heights.numel()
    if heights.ndim != 1 or n < 2 or not bool(((heights >= y[0]) & (heights <= y[1])).all()):
        raise ValueError(
            f"expected two or more heights within {y}, got shape {tuple(truth.shape)}; "
            "widen y, or give the curve's heights alone"
        )
    scalar, middle = torch.tensor(0.0), torch.full((n,), (y[0] + y[1]) / 2)

    def step(count: Tensor) -> Tensor:
        return (count + 1).clamp(max=n)

    def look(count: Tensor, drawn: Tensor) -> tuple[Tensor, ...]:
        points, off = uncovered(heights, x, y, count, drawn)
        return points, 1 * count, off

    hand = Hand(
        "curve",
        f"Your sketch of {what}. Draw with the pointer; the left and right keys choose a place, up "
        "and down move the curve there.",
        many=n,
        grain=(y[1] - y[0]) / 200,
    )
    layers = (
        Layer("line", "data", "--gb-muted"),
        Layer("path", "points", "--gb-model"),
        Layer("points", "points", "--gb-model"),
    )
    off = "{off%}" if percent else "{off}"
    return Machine(
        name=name,
        groups={"count": Group(((),), (0.0,))},
        acts=(Act({"": trace(step, scalar)}, ("count",), ("count",)),),
        view=Act(
            {"": trace(look, scalar, middle)}, ("count", "data"), ("points", "places", "off")
        ),
        controls=(),
        data={
            "a level line": middle,
            "a rising line": torch.linspace(*y, n),
            "a falling line": torch.linspace(*y, n).flip(0),
        },
        most=n,
        panels=(
            Panel(
                x, y, layers, hand, "grey: your sketch; orange: the truth", xlabel, ylabel
            ),
        ),
        words=f"{{places#}} of {n} places uncovered. There your sketch is off by {off} on average.",
        called="your sketch",
        restarts=False,
        pace=1,
        size=(4.6, 3.0),
    )  # fmt: skip
