r"""The chapter's machine: a point and a lattice go through residual blocks and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genbook.invertible.inverses import bend
from genbook.kit.machine import Program, trace
from genbook.kit.machine.parts import Act, Choice, Group, Hand, Layer, Machine, Panel, Slider

REACH, FAR = 2.0, 4.2
LINES, DOTS = 8, 17
TRAIL = 40
NEAR = 0.05
ULP = 2.0**-23
"""Single precision, in which the page computes."""
LENGTHS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.2, 1.5, 2.0)
CHAINS = {
    "one that pulls": ("pulls",),
    "one that pushes": ("pushes",),
    "one that turns": ("turns",),
    "all three": ("turns", "pushes", "pulls"),
}
"""The networks to choose from: the kinds of their blocks, first block first."""
Kept = list[Tensor]


def lattice() -> Tensor:
    r"""The crossing lines of [−2, 2]², all in one stroke, **[G, 2]**."""
    ticks, along = torch.linspace(-REACH, REACH, LINES), torch.linspace(-REACH, REACH, DOTS)
    rows = []
    for number, tick in enumerate(ticks):
        way = along if number % 2 == 0 else along.flip(0)
        rows.append(torch.stack([way, tick.expand(DOTS)], 1))
    across = torch.cat(rows)
    return torch.cat([across, torch.stack([across[:, 1], -across[:, 0]], 1)])


def through(x: Tensor, c: Tensor, kinds: Sequence[str]) -> Tensor:
    r"""Points behind all blocks.

    Args:
        x: **[N, 2]**.
        c: how long each g is, a scalar.
        kinds: of :func:`genbook.invertible.inverses.bend`, first block first.

    Returns:
        **[N, 2]**.

    Example:
        >>> through(torch.zeros(1, 2), torch.tensor(0.5), ("pulls", "turns")).abs().sum().item()
        0.0
    """
    for kind in kinds:
        x = x + bend(x, c, kind)
    return x


def nearer(guesses: Tensor, y: Tensor, c: Tensor, kinds: Sequence[str]) -> Tensor:
    r"""One step of each block's fixed-point iteration, all blocks at once.

    .. math:: z_{k-1}\leftarrow z_k-g_k(z_{k-1}),\qquad z_K=y

    Args:
        guesses: what went into each block, as far as is known, **[K, N, 2]**.
        y: what came out of the last, **[N, 2]**.
        c: see :func:`through`.
        kinds: of the K blocks.

    Returns:
        **[K, N, 2]**.

    Example:
        >>> y = torch.tensor([[3.0, 0.0]])
        >>> nearer(y[None], y, torch.tensor(0.0), ("pulls",))[0].tolist()
        [[3.0, 0.0]]
    """
    behind = [*guesses[1:].unbind(), y]
    moved = [
        after - bend(guess, c, kind)
        for guess, after, kind in zip(guesses.unbind(), behind, kinds, strict=True)
    ]
    return torch.stack(moved)


def standing(kept: Kept, point: Tensor, c: Tensor, kinds: Sequence[str]) -> Kept:
    r"""What is known of the way back; for another point or another c, it begins anew.

    Args:
        kept: the point and c that the last step saw **[3]**; steps made **[1]**; guesses for the
            lattice and the point **[K, G + 1, 2]**; the point's stops **[TRAIL, 2]**.
        point: the reader's x, **[2]**.
        c: see :func:`through`.
        kinds: see :func:`through`.

    Returns:
        The same, with the point and c of now.

    Example:
        >>> kept = fresh(("pulls",))
        >>> standing(kept, torch.ones(2), torch.tensor(0.5), ("pulls",))[0].tolist()
        [1.0, 1.0, 0.5]
    """
    laid, made, guesses, trail = kept
    now = torch.cat([point, c[None]])
    same = (laid == now).to(laid.dtype).amin(0)
    y = through(torch.cat([lattice().to(point.device), point[None]]), c, kinds)
    return [
        now,
        same * made,
        same * guesses + (1 - same) * y,
        same * trail + (1 - same) * y[-1],
    ]


def fresh(kinds: Sequence[str]) -> Kept:
    r"""What is kept before anything was seen: zeros.

    Args:
        kinds: see :func:`through`.

    Returns:
        See :func:`standing`.

    Example:
        >>> [tuple(leaf.shape) for leaf in fresh(("pulls",))]
        [(3,), (1,), (1, 273, 2), (40, 2)]
    """
    size = len(lattice()) + 1
    shapes = ((3,), (1,), (len(kinds), size, 2), (TRAIL, 2))
    return [torch.zeros(shape) for shape in shapes]


def step(kept: Kept, point: Tensor, c: Tensor, kinds: Sequence[str]) -> Kept:
    r"""One more step on the way back.

    Args:
        kept: see :func:`standing`.
        point: see :func:`standing`.
        c: see :func:`through`.
        kinds: see :func:`through`.

    Returns:
        The same, a step later.

    Example:
        >>> kept, half = fresh(("pushes",)), torch.tensor(0.5)
        >>> for _ in range(30):
        ...     kept = step(kept, torch.ones(2), half, ("pushes",))
        >>> bool((kept[3][-1] - 1).abs().max() < 1e-5)
        True
    """
    laid, made, guesses, trail = standing(kept, point, c, kinds)
    y = through(torch.cat([lattice().to(point.device), point[None]]), c, kinds)
    moved = nearer(guesses, y, c, kinds)
    return [laid, made + 1, moved, torch.cat([trail[1:], moved[0, -1:]])]


def view(kept: Kept, point: Tensor, c: Tensor, kinds: Sequence[str]) -> tuple[Tensor, ...]:
    r"""What the page draws and says.

    .. math:: \|\hat x-x\|\le\frac{\|F(\hat x)-y\|+r}{(1-c)^K}

    where r is what K blocks may have lost by rounding: a misfit of 0 proves no error of 0.

    Args:
        kept: see :func:`standing`.
        point: see :func:`standing`.
        c: see :func:`through`.
        kinds: see :func:`through`.

    Returns:
        The lattice, behind the blocks, and as far as it is back, **[G, 2]** each; the point's y and
        its stops; its last stop; its error; the bound on it, twice in a row as it may be infinite;
        the share of the lattice that is back to 0.05; how many steps were made.
    """
    _, made, guesses, trail = standing(kept, point, c, kinds)
    lines = lattice().to(point.device)
    before = torch.cat([lines, point[None]])
    y = through(before, c, kinds)
    here = guesses[0]
    misfit = (through(here[-1:], c, kinds) - y[-1:]).square().sum().sqrt()
    rounded = len(kinds) * ULP * (2 + y[-1].square().sum().sqrt())
    room = torch.relu(1 - c)
    bound = (misfit + rounded) / room ** len(kinds)
    bound = torch.where(room > 0, bound, torch.full_like(bound, torch.inf))
    far = (here - before).square().sum(1).sqrt()
    return (
        lines, y[:-1], here[:-1], y[-1], trail, here[-1], far[-1], bound + bound.new_zeros(2),
        (far[:-1] < NEAR).to(far.dtype).mean(), made[0],
    )  # fmt: skip


def there_and_back() -> Machine:
    r"""A point that the reader drags, and a lattice, through one block or three, and back.

    Returns:
        The machine: one step is a step of the fixed-point iteration.
    """
    point, c = torch.tensor([0.5, 0.3]), torch.tensor(0.9)
    most = max(CHAINS.values(), key=len)
    shapes = tuple(tuple(leaf.shape) for leaf in fresh(most))

    def of(
        kinds: Sequence[str], what: Callable[..., Sequence[Tensor]]
    ) -> Callable[..., Sequence[Tensor]]:
        def call(kept: Kept, point: Tensor, c: Tensor) -> Sequence[Tensor]:
            laid, made, guesses, trail = kept
            few = [laid, made, guesses[: len(kinds)], trail]
            found = what(few, point, c, kinds)
            if what is not step:
                return found
            return [*found[:2], torch.cat([found[2], guesses[len(kinds) :]]), found[3]]

        return call

    def programs(what: Callable[..., Sequence[Tensor]]) -> dict[str, Program]:
        start = fresh(most)
        return {word: trace(of(kinds, what), start, point, c) for word, kinds in CHAINS.items()}

    near, wide = (-REACH - 0.4, REACH + 0.4), (-FAR, FAR)
    return Machine(
        name="back",
        groups={"kept": Group(shapes, (0.0,) * len(shapes))},
        acts=(
            Act(programs(step), ("kept", "data", "control:c"), ("kept",), chosen="blocks"),
        ),
        view=Act(
            programs(view),
            ("kept", "data", "control:c"),
            ("lattice", "sent", "back", "y", "trail", "here", "error", "bound", "share", "made"),
            chosen="blocks",
        ),
        controls=(
            Choice("blocks", "the blocks", tuple(CHAINS)),
            Slider("c", "how long each g is, c", LENGTHS, 4),
        ),
        data={
            "near the centre": torch.tensor([0.5, 0.3]),
            "off the centre": torch.tensor([1.4, -1.1]),
            "on a line": torch.tensor([0.0, 1.2]),
        },
        most=2,
        panels=(
            Panel(
                near,
                near,
                (
                    Layer("path", "lattice", "--gb-muted"),
                    Layer("points", "data", "--gb-data"),
                ),
                Hand(
                    "place",
                    "The plane of x with a lattice and your point. Drag it, or move it with the "
                    "arrow keys.",
                    many=2,
                ),
                title="x: drag the point",
            ),
            Panel(
                wide,
                wide,
                (Layer("path", "sent", "--gb-muted"), Layer("points", "y", "--gb-data")),
                title="y: behind the blocks",
            ),
            Panel(
                near,
                near,
                (
                    Layer("path", "back", "--gb-muted"),
                    Layer("path", "trail", "--gb-model"),
                    Layer("points", "data", "--gb-data"),
                    Layer("points", "here", "--gb-model"),
                ),
                title="the way back so far",
            ),
        ),
        words="After {made#} steps back {share%} of the lattice is home. The orange point is "
        "{error} from yours; its misfit proves at most {bound}.",
        restarts=False,
        size=(7.6, 2.9),
        preview=6,
    )  # fmt: skip
