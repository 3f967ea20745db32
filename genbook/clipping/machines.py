r"""The chapter's machine: two walks over the cliff from one start, one of them clipped."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbook.clipping import cliff
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel, Slider

ACROSS, UP = (3.0, 7.0), (-4.0, 0.0)
STARTS = {
    "below the wall": (5.0, -3.2),
    "above the wall": (5.0, -1.5),
    "on a gentle slope": (3.4, -2.6),
}
"""(w, b) to begin with."""
TRAIL = 200
SIDE = 72
RATES = (0.03, 0.1, 0.3, 1.0)
THRESHOLDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
LOWEST = -6.0
Kept = list[Tensor]


def opened(start: Tensor) -> Kept:
    r"""What both walks keep before their first step.

    Args:
        start: (w, b), **[2]**.

    Returns:
        Trails **[2, TRAIL, 2]**, all at the start; log₁₀ of the gradient's lengths **[2, TRAIL]**;
        the longest so far **[2]**; how many steps were made **[1]**.

    Example:
        >>> [tuple(leaf.shape) for leaf in opened(torch.tensor([5.0, -3.0]))]
        [(2, 200, 2), (2, 200), (2,), (1,)]
    """
    length = cliff.gradient(start)[1].norm()
    here = torch.log10(length.clamp(min=10**LOWEST))
    return [
        start.expand(2, TRAIL, 2) * 1,
        here.expand(2, TRAIL) * 1,
        length.expand(2) * 1,
        torch.zeros_like(start[:1]),
    ]


def walked(kept: Kept, rate: Tensor, threshold: Tensor) -> Kept:
    r"""One step of both walks: the first as it is, the second clipped by norm.

    Args:
        kept: see :func:`opened`.
        rate: learning rate, a scalar.
        threshold: of the second, a scalar.

    Returns:
        The same, a step later; after as many steps as the trail holds, both stand.

    Example:
        >>> kept = opened(torch.tensor([4.0, -1.0]))
        >>> trails = walked(kept, torch.tensor(0.1), torch.tensor(9.0))[0]
        >>> torch.equal(trails[0], trails[1])  # nothing to clip
        True
    """
    trails, lengths, longest, made = kept
    limits = torch.cat([torch.full((1,), math.inf), threshold[None]])
    points, _, long = cliff.step(trails[:, -1], rate, limits)
    logs = torch.log10(long.clamp(min=10**LOWEST))
    after = [
        torch.cat([trails[:, 1:], points[:, None]], 1),
        torch.cat([lengths[:, 1:], logs[:, None]], 1),
        torch.maximum(longest, long),
        made + 1,
    ]
    going = made < TRAIL - 1
    return [torch.where(going, new, old) for new, old in zip(after, kept, strict=True)]


def looked_at(kept: Kept, threshold: Tensor) -> tuple[Tensor, ...]:
    r"""What the page draws.

    Args:
        kept: see :func:`opened`.
        threshold: of the clipped walk, a scalar.

    Returns:
        The surface as shares **[SIDE²]**; both trails; both ends; both rows of lengths; the
        threshold as a flat line; both errors; both greatest lengths.
    """
    trails, lengths, longest, _ = kept
    w = torch.linspace(*ACROSS, SIDE)[None, :].expand(SIDE, SIDE)
    b = torch.linspace(*UP, SIDE)[:, None].expand(SIDE, SIDE)
    surface = 0.5 + cliff.error(w, b).flatten()
    errors = cliff.gradient(trails[:, -1])[0]
    flat = torch.log10(threshold).expand(2) * 1
    return (
        surface, trails[0], trails[1], trails[0, -1], trails[1, -1], lengths[0], lengths[1], flat,
        errors[0], errors[1], longest[0], longest[1],
    )  # fmt: skip


def descent() -> Machine:
    r"""Two walks over the cliff from a start that the reader chooses."""
    start, rate, threshold = torch.tensor([5.0, -3.0]), torch.tensor(0.3), torch.tensor(1.0)
    kept = opened(start)
    return Machine(
        name="cliff",
        groups={"walks": Group(tuple(tuple(leaf.shape) for leaf in kept), (0.0,) * len(kept))},
        opening=(Act({"": trace(opened, start)}, ("data",), ("walks",)),),
        acts=(
            Act(
                {"": trace(walked, kept, rate, threshold)},
                ("walks", "control:rate", "control:threshold"),
                ("walks",),
            ),
        ),
        view=Act(
            {"": trace(looked_at, kept, threshold)},
            ("walks", "control:threshold"),
            ("surface", "plain", "clipped", "plain_end", "clipped_end", "plain_lengths",
             "clipped_lengths", "limit", "plain_error", "clipped_error", "plain_longest",
             "clipped_longest"),
        ),
        controls=(
            Slider("rate", "learning rate", RATES, 2),
            Slider("threshold", "threshold", THRESHOLDS, 4),
        ),
        data={name: torch.tensor(place) for name, place in STARTS.items()},
        most=2,
        panels=(
            Panel(
                ACROSS,
                UP,
                (
                    Layer("field", "surface", "--gb-data", "--gb-data"),
                    Layer("path", "plain", "--gb-muted"),
                    Layer("path", "clipped", "--gb-model"),
                    Layer("points", "plain_end", "--gb-muted"),
                    Layer("points", "clipped_end", "--gb-model"),
                ),
                Hand("place", "The error over w and b. The arrow keys move the start."),
                title="orange: clipped; grey: not",
                xlabel="w",
                ylabel="b",
            ),
            Panel(
                (-float(TRAIL), 0.0),
                (-5.0, 4.0),
                (
                    Layer("line", "limit", "--gb-ink"),
                    Layer("line", "plain_lengths", "--gb-muted"),
                    Layer("line", "clipped_lengths", "--gb-model"),
                ),
                title="log₁₀ of the gradient; the threshold",
                xlabel="steps ago",
            ),
        ),
        words="Without clipping: error {plain_error}, longest gradient {plain_longest}. "
        "Clipped: error {clipped_error}, longest gradient {clipped_longest}.",
        size=(7.6, 3.3),
        preview=80,
    )  # fmt: skip
