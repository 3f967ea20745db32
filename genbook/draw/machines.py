r"""The chapter's machine: a trained DRAW looks at a painted digit, or where the reader looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from genbook.draw.network import DRAW
from genbook.draw.windows import Window, gaussians, window
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Choice, Group, Layer, Machine, Panel, Slider, painting

SOURCES = ("your digit", "your digit, your window", "the prior")
"""Whose codes the decoder gets: of what DRAW's window reads, of what the reader's reads, drawn."""

HELD = ("x", "y", "width")
"""The sliders that hold the reader's window."""

PLACES = tuple(quarter / 4 for quarter in range(-4, 5))
"""Of the reader's window: 0 is the middle, ±1 half a pixel beyond the edge."""

WIDTHS = (0.15, 0.25, 0.35, 0.5, 0.75, 1.0)
"""Of the reader's window, from its first filter to its last, in widths of the page."""

NOWHERE = -9.0
"""Where an outline lies that is not to be seen."""

Held = Sequence[Tensor]


def part(net: DRAW, held: Held, name: str, *inputs: object) -> object:
    r"""What a layer of a DRAW gives with other weights.

    Args:
        net: its form.
        held: the weights, in the order of ``net.parameters()``.
        name: of the layer.
        inputs: what it is given.

    Returns:
        What the layer gives.

    Example:
        >>> net = DRAW(8, steps=1, hidden=4, latent=2, reads=2, writes=3)
        >>> zeros = [torch.zeros_like(weight) for weight in net.parameters()]
        >>> part(net, zeros, "to_read", torch.ones(1, 4)).tolist()
        [[0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    names = [own for own, _ in net.named_parameters()]
    given = {
        own.removeprefix(f"{name}."): weight
        for own, weight in zip(names, held, strict=True)
        if own.startswith(f"{name}.")
    }
    return functional_call(getattr(net, name), given, inputs)


def outline(where: Window, patch: int, size: int) -> Tensor:
    r"""The square through the outermost filters, on a page whose pixels have side 1.

    .. math:: \left(g_X-\tfrac12\pm\tfrac{N-1}2\delta,\;
        A-g_Y+\tfrac12\pm\tfrac{N-1}2\delta\right)

    Args:
        where: fields **[]**.
        patch: N.
        size: A.

    Returns:
        Five corners (x, y), y from below, the first again at the end, **[10]**.

    Example:
        >>> outline(window(torch.zeros(5), 4, 4), 4, 4)[:4].tolist()
        [0.5, 0.5, 3.5, 0.5]
    """
    half = (patch - 1) / 2 * where.stride
    x, y = where.x - 0.5, size - where.y + 0.5
    return torch.stack(
        [x - half, y - half, x + half, y - half, x + half, y + half, x - half, y + half,
         x - half, y - half]
    )  # fmt: skip


def glimpse(raw: Tensor, images: Tensor, patch: int) -> tuple[Tensor, Tensor]:
    r"""What a window reads, and its outline.

    Args:
        raw: the five numbers of :func:`genbook.draw.windows.window`, **[5]**.
        images: **[C, A, A]**.
        patch: N.

    Returns:
        :math:`F_YxF_X^\top`, without the gain, **[C, N, N]**; the outline, **[10]**.
    """
    size = images.shape[-1]
    where = window(raw, size, patch)
    down, across = (
        gaussians(place, where.stride, where.variance, patch, size) for place in (where.y, where.x)
    )
    return down @ images @ across.mT, outline(where, patch, size)


def held_window(raw: Tensor, hold: Held, size: int, patch: int) -> Tensor:
    r"""DRAW's window with the reader's place and width, σ at half a stride, and DRAW's own gain.

    Args:
        raw: the five numbers of :func:`genbook.draw.windows.window`, **[5]**.
        hold: :math:`\tilde g_X,\,-\tilde g_Y` and :math:`\tilde\delta>0`, **[]** each.
        size: A.
        patch: N.

    Returns:
        Five such numbers, **[5]**.

    Example:
        >>> hold = torch.tensor([0.5, 0.25, 1.0])
        >>> held_window(torch.ones(5), hold, 9, 5).tolist()
        [0.5, -0.25, 0.0, 0.0, 1.0]
    """
    x, y, width = hold
    stride = width * ((size - 1) / max(patch - 1, 1))
    return torch.stack([x, -y, 2 * (stride / 2).log(), width.log(), raw[4]])


def stroke(raw: Tensor, drawn: Tensor, size: int) -> tuple[Tensor, Tensor]:
    r"""What a window writes, and its outline.

    Args:
        raw: the five numbers of :func:`genbook.draw.windows.window`, **[5]**.
        drawn: the patch w, **[N, N]**.
        size: A.

    Returns:
        :math:`\frac1\gamma F_Y^\top wF_X`, **[A, A]**; the outline, **[10]**.
    """
    patch = drawn.shape[-1]
    where = window(raw, size, patch)
    down, across = (
        gaussians(place, where.stride, where.variance, patch, size) for place in (where.y, where.x)
    )
    return down.mT @ drawn @ across / where.gain, outline(where, patch, size)


def beginning(net: DRAW, held: Held) -> tuple[Tensor, ...]:
    r"""The state before the first step: the learned first canvas, and nothing read or written.

    Args:
        net: the form of the network, with windows.
        held: its weights.

    Returns:
        See :func:`advanced`.
    """
    start = [name for name, _ in net.named_parameters()].index("begin")
    pixels, hidden, seen = net.size**2, net.decoder.hidden_size, (net.reads or net.size) ** 2
    away = torch.full((10,), NOWHERE)
    rest = [torch.zeros(size) for size in (*(hidden,) * 4, 1, 1, seen)]
    return held[start].flatten() * 1, *rest, away, torch.zeros(pixels), away * 1


def advanced(
    net: DRAW, held: Held, state: Held, image: Tensor, noise: Tensor, hold: Held, source: str
) -> tuple[Tensor, ...]:
    r"""One of the T steps; after the last nothing changes.

    Args:
        net: the form of the network, with windows.
        held: its weights.
        state: canvas **[A²]**, in log-odds; states of encoder and decoder, h and c, **[hidden]**
            each; steps so far and nats of the codes so far, **[1]** each; what was read of the
            image, **[N²]**, and where, **[10]**; what was written, **[A²]**, and where, **[10]**.
        image: **[A²]** in [0, 1].
        noise: of z, standard normal, **[latent]**.
        hold: the reader's window, see :func:`held_window`.
        source: one of :data:`SOURCES`.

    Returns:
        The state after it.
    """
    assert net.reads is not None
    assert net.writes is not None
    size = net.size
    canvas, encoder_h, encoder_c, decoder_h, decoder_c, count, nats, seen, reading, *_ = state
    encoder, decoder = (encoder_h[None], encoder_c[None]), (decoder_h[None], decoder_c[None])
    code = noise[None]
    if source != SOURCES[2]:
        raw = _tensor(part(net, held, "to_read", decoder[0]))[0]
        if source == SOURCES[1]:
            raw = held_window(raw, hold, size, net.reads)
        both = torch.stack([image, image - canvas.sigmoid()]).unflatten(1, (size, size))
        views, reading = glimpse(raw, both, net.reads)
        seen = views[0].flatten() * 1
        shown = (raw[4].exp() * views).flatten()[None]
        encoder = _pair(part(net, held, "encoder", torch.cat([shown, decoder[0]], 1), encoder))
        mean, log_variance = _tensor(part(net, held, "to_code", encoder[0])).chunk(2, 1)
        code = mean + (log_variance / 2).exp() * noise
        cost = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum()
        nats = nats + cost
    decoder = _pair(part(net, held, "decoder", code, decoder))
    drawn = _tensor(part(net, held, "to_patch", decoder[0]))[0].unflatten(0, (net.writes,) * 2)
    left, writing = stroke(_tensor(part(net, held, "to_write", decoder[0]))[0], drawn, size)
    added = left.flatten()
    found = (canvas + added, encoder[0][0], encoder[1][0], decoder[0][0], decoder[1][0], count + 1,
             nats, seen, reading, added, writing)  # fmt: skip
    going = count < net.steps
    return tuple(torch.where(going, new, old) for new, old in zip(found, state, strict=True))


def _tensor(found: object) -> Tensor:
    assert isinstance(found, Tensor)
    return found


def _pair(found: object) -> tuple[Tensor, Tensor]:
    assert isinstance(found, tuple)
    return found


def redrawing(net: DRAW, digits: Mapping[str, Tensor]) -> Machine:
    r"""A machine each of whose steps is a step of DRAW.

    Args:
        net: a trained DRAW with windows.
        digits: images to begin with, **[A, A]** each in [0, 1].

    Returns:
        The machine; it does nothing more after the network's T steps.

    Raises:
        ValueError: if the network has no windows or a digit is of another size.

    Example:
        >>> net = DRAW(8, steps=3, hidden=4, latent=2, reads=2, writes=3)
        >>> redrawing(net, {"nothing": torch.zeros(8, 8)}).most
        64
    """
    if net.reads is None or net.writes is None:
        raise ValueError("expected a DRAW with windows, got one that reads and writes everything")
    size, reads = net.size, net.reads
    for name, digit in digits.items():
        if tuple(digit.shape) != (size, size):
            raise ValueError(
                f"expected digits [{size}, {size}], got {list(digit.shape)} for {name!r}"
            )
    weights = [weight.detach().float().cpu() for weight in net.parameters()]
    pixels = size * size
    state, blank = beginning(net, weights), torch.zeros(pixels)
    hold = [torch.tensor(value) for value in (0.0, 0.0, 1.0)]
    shapes = tuple(tuple(leaf.shape) for leaf in state)

    def look(source: str, state: Held, image: Tensor, hold: Held) -> tuple[Tensor, ...]:
        canvas, *_, count, nats, seen, reading, added, writing = state
        if source == SOURCES[1]:
            at = held_window(torch.zeros(5), hold, size, reads)
            views, reading = glimpse(at, image.view(1, size, size), reads)
            seen = views.flatten()
        miss = functional.softplus(canvas) - image * canvas
        return (
            canvas.sigmoid(), reading * 1, writing * 1, seen * 1, added.sigmoid(), count[0] * 1,
            nats[0] * 1, miss.sum(),
        )  # fmt: skip

    def step(
        source: str, held: Held, now: Held, image: Tensor, noise: Tensor, hold: Held
    ) -> tuple[Tensor, ...]:
        return advanced(net, held, now, image, noise, hold, source)

    none = torch.zeros(net.latent)
    steps = {s: trace(partial(step, s), weights, state, blank, none, hold) for s in SOURCES}
    looks = {s: trace(partial(look, s), state, blank, hold) for s in SOURCES}
    sliders = tuple(f"control:{name}" for name in HELD)
    return Machine(
        name="draw",
        groups={
            "weights": Group.trained(weights),
            "state": Group(shapes, (0.0,) * len(shapes)),
        },
        opening=(
            Act({"": trace(lambda held: beginning(net, held), weights)}, ("weights",), ("state",)),
        ),
        acts=(
            Act(steps, ("weights", "state", "data", "normal:1", *sliders), ("state",),
                chosen="source"),
        ),
        view=Act(
            looks,
            ("state", "data", *sliders),
            ("canvas", "reading", "writing", "seen", "added", "count", "nats", "miss"),
            chosen="source",
        ),
        controls=(
            Choice("source", "codes from", SOURCES),
            Slider("x", "your window, across", PLACES, 4),
            Slider("y", "up", PLACES, 4),
            Slider("width", "its width", WIDTHS, 2),
        ),
        data={name: digit.detach().float().cpu().flatten() for name, digit in digits.items()},
        most=pixels,
        panels=_panels(size, net.reads),
        words=f"{{count#}} of {net.steps} strokes. The codes so far cost {{nats}} nats, your digit "
        "under the canvas {miss} nats.",
        size=(5.4, 5.6),
        across=2,
    )  # fmt: skip


def _panels(size: int, reads: int) -> tuple[Panel, ...]:
    page = (0.0, float(size)), (0.0, float(size))
    few = (0.0, float(reads)), (0.0, float(reads))
    hand = painting("A digit", size * size, size)
    return (
        Panel(
            *page,
            (Layer("image", "data", "--gb-data", str(size)),
             Layer("path", "reading", "--gb-critic")),
            hand,
            title="your digit; the window that reads",
        ),
        Panel(
            *few,
            (Layer("image", "seen", "--gb-critic", str(reads)),),
            title=f"what it reads, {reads} × {reads}",
        ),
        Panel(
            *page,
            (Layer("image", "canvas", "--gb-model", str(size)),
             Layer("path", "writing", "--gb-gradient")),
            title="canvas; where it wrote",
        ),
        Panel(
            *page,
            (Layer("image", "added", "--gb-gradient", str(size)),),
            title="what it added",
        ),
    )  # fmt: skip
