r"""The chapter's machine: the reader draws f; the page finds its conjugate and plays its game."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genbook.games import duality
from genbook.games.functional import Player, adam
from genbook.games.play import Adam
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel, Slider

KNOTS, LAST = 33, 4.0
LOW, HIGH = -1.0, 5.6
SLOPES = (-4.0, 4.0)
SHOWN = 81
PLACES, REACH = 241, 6.0
HUMPS = ((0.5, -2.0, 0.6), (0.5, 2.0, 0.8))
"""Weights, means and deviations of the data's two humps."""
RATES = (0.01, 0.03, 0.1)
STEADY = Adam(eps=1e-4)
"""So that a slope of rounding alone moves nothing."""
TILTS = tuple(k / 4 for k in range(-6, 7))


def knots() -> Tensor:
    r"""The places u at which f is drawn, **[KNOTS]**."""
    return torch.linspace(0, LAST, KNOTS)


def envelope(heights: Tensor) -> Tensor:
    r"""The largest convex function below a drawn one, on its knots.

    .. math:: f^{**}(u_k)=\min_{i\le k\le j}\frac{(u_j-u_k)f_i+(u_k-u_i)f_j}{u_j-u_i}

    Args:
        heights: f at evenly spaced knots, **[n]**.

    Returns:
        **[n]**.

    Source:
        A point of the convex hull of points of the plane lies between two of them (Carathéodory),
        seen from below.

    Example:
        >>> envelope(torch.tensor([0.0, 3.0, 2.0])).tolist()
        [0.0, 1.0, 2.0]
    """
    n = len(heights)
    place = torch.arange(n, dtype=heights.dtype)
    left, middle, right = place[:, None, None], place[None, None, :], place[None, :, None]
    span = (right - left).clamp(min=1)
    chord = (
        (right - middle) * heights[:, None, None] + (middle - left) * heights[None, :, None]
    ) / span
    alone = ((left == right) & (middle == left)).to(heights.dtype)
    chord = chord * (1 - alone) + heights[:, None, None] * alone
    between = ((left <= middle) & (middle <= right)).to(heights.dtype)
    return (chord + 1e6 * (1 - between)).amin((0, 1))


def convex(heights: Tensor, tilt: Tensor) -> Tensor:
    r"""What is made of the reader's curve: convex, 0 at 1, and tilted about 1.

    .. math:: f(u)=f^{**}(u)-f^{**}(1)+c\,(u-1)

    Args:
        heights: drawn, **[KNOTS]**.
        tilt: c, a scalar.

    Returns:
        f at the knots, **[KNOTS]**.

    Example:
        >>> f = convex(knots().sub(1).square(), torch.tensor(0.0))
        >>> f[8].item()
        0.0
    """
    below = envelope(heights)
    at_one = below[round((KNOTS - 1) / LAST)]
    return below - at_one + tilt * (knots().to(heights) - 1)


def _segment(f: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Value and slope of the piecewise linear f; beyond the last knot it goes on straight."""
    scaled = u * ((len(f) - 1) / LAST)
    place = scaled.detach().floor().clamp(0, len(f) - 2)
    rise = (f[1:] - f[:-1])[place.long()]
    return f[:-1][place.long()] + rise * (scaled - place), rise * ((len(f) - 1) / LAST)


def conjugate(f: Tensor, t: Tensor) -> Tensor:
    r"""The conjugate of the piecewise linear f, which goes on straight beyond its last knot.

    .. math:: f^*(t)=\max_k\,(u_kt-f_k)\quad\text{for }t\le f'(\infty)

    Args:
        f: at the knots, **[n]**.
        t: anywhere, **[...]**.

    Returns:
        **[...]**; a million where it is infinite.

    Example:
        >>> conjugate(torch.tensor([0.0, 0.0, 4.0]), torch.tensor([0.0, 1.0])).tolist()
        [0.0, 2.0]
    """
    u = torch.linspace(0, LAST, len(f)).to(f)
    most = (t[..., None] * u - f).amax(-1)
    steepest = (f[-1] - f[-2]) * ((len(f) - 1) / LAST)
    return torch.where(t <= steepest + 1e-6, most, torch.full_like(most, 1e6))


def places() -> Tensor:
    r"""The places x of the densities, **[PLACES]**."""
    return torch.linspace(-REACH, REACH, PLACES)


def data_density() -> Tensor:
    r"""Probabilities of the places under the data, **[PLACES]**."""
    x = places()
    p = sum(w * torch.exp(-(((x - m) / s) ** 2) / 2) / s for w, m, s in HUMPS)
    assert isinstance(p, Tensor)
    return p / p.sum()


def model_density(place: Tensor) -> Tensor:
    r"""Probabilities of the places under the generator's Gaussian.

    Args:
        place: its mean and the logarithm of its deviation, **[2]**.

    Returns:
        **[PLACES]**.
    """
    z = (places().to(place) - place[0]) * torch.exp(-place[1])
    weight = torch.exp((z**2).amin() / 2 - z**2 / 2)
    return weight / weight.sum()


def divergence(f: Tensor, p: Tensor, q: Tensor) -> Tensor:
    r"""The divergence of two distributions on the same places.

    .. math:: D_f(p\|q)=\sum_xq(x)\,f\Big(\frac{p(x)}{q(x)}\Big)

    Args:
        f: at the knots, **[KNOTS]**.
        p: probabilities, **[n]**.
        q: probabilities, **[n]**.

    Returns:
        A scalar.

    Example:
        >>> even = torch.full((4,), 0.25)
        >>> divergence(knots().sub(1).abs(), even, even).item()
        0.0
    """
    q = q.clamp(min=1e-9)
    return (q * _segment(f, p / q)[0]).sum()


def best_bound(f: Tensor, p: Tensor, q: Tensor) -> Tensor:
    r"""What the critic :math:`T=f'(p/q)` reaches.

    .. math:: \mathbb E_p[T]-\mathbb E_q[f^*(T)]

    Args:
        f: at the knots, **[KNOTS]**.
        p: probabilities, **[n]**.
        q: probabilities, **[n]**.

    Returns:
        A scalar.

    Source:
        Nguyen, Wainwright and Jordan (2010); Nowozin, Cseke and Tomioka (2016), eq. 4.
    """
    q = q.clamp(min=1e-9)
    _, critic = _segment(f, p / q)
    return (p * critic).sum() - (q * conjugate(f, critic)).sum()


def played(player: Player, heights: Tensor, tilt: Tensor, rate: Tensor) -> tuple[Player, Tensor]:
    r"""A step of the generator down :math:`D_f(p\|q)`, with Adam, against the best critic.

    Args:
        player: the generator's mean and log deviation, with Adam's averages.
        heights: what the reader drew, **[KNOTS]**.
        tilt: c.
        rate: of Adam.

    Returns:
        The player afterwards; the divergence before.
    """
    place = player[0][0].detach().requires_grad_()
    value = divergence(convex(heights, tilt), data_density(), model_density(place))
    (slope,) = torch.autograd.grad(value, place)
    return adam(([place], *player[1:]), [slope], rate, STEADY), value


def looked_at(player: Player, heights: Tensor, tilt: Tensor) -> tuple[Tensor, ...]:
    r"""What the page draws and says.

    Args:
        player: see :func:`played`.
        heights: what the reader drew, **[KNOTS]**.
        tilt: c.

    Returns:
        f **[KNOTS]**; f* over :data:`SLOPES` **[SHOWN]**; both densities **[PLACES]**; the
        divergence, what the best critic reaches, and the Gaussian's mean and deviation.
    """
    f, place = convex(heights, tilt), player[0][0]
    p, q = data_density(), model_density(place)
    step = 2 * REACH / (PLACES - 1)
    t = torch.linspace(*SLOPES, SHOWN)
    return (
        f, conjugate(f, t), p / step, q / step, divergence(f, p, q), best_bound(f, p, q),
        place[0], torch.exp(place[1]),
    )  # fmt: skip


def presets() -> dict[str, Tensor]:
    r"""Rows of the chapter's table and two that are not convex, at the knots, **[KNOTS]** each."""
    u = knots().double()
    rows: Mapping[str, Tensor] = {
        "forward KL": duality.KL.f(u.clamp(min=1e-12)),
        "reverse KL": duality.REVERSE_KL.f(u.clamp(min=1e-12)),
        "total variation": 0.5 * (u - 1).abs(),
        "Pearson": (u - 1) ** 2,
        "a wave": 0.8 * torch.cos(3 * u) + 0.3 * (u - 1) ** 2,
        "a hill": 2 - (u - 1.5) ** 2 / 2,
    }
    return {name: row.clamp(LOW, HIGH).float() for name, row in rows.items()}


def drawn_game() -> Machine:
    r"""The game of whatever convex function the reader draws."""
    start: Player = (
        [torch.zeros(2)], [torch.zeros(2)], [torch.zeros(2)], torch.zeros(()),
    )  # fmt: skip
    heights, tilt, rate = torch.zeros(KNOTS), torch.tensor(0.0), torch.tensor(0.1)
    return Machine(
        name="drawn-f",
        groups={"player": Group(((2,), (2,), (2,), ()), (2.0, 0.0, 0.0, 0.0))},
        acts=(
            Act(
                {"": trace(played, start, heights, tilt, rate)},
                ("player", "data", "control:tilt", "control:rate"),
                ("player", "value"),
            ),
        ),
        view=Act(
            {"": trace(looked_at, start, heights, tilt)},
            ("player", "data", "control:tilt"),
            ("f", "conjugate", "p", "q", "divergence", "bound", "mean", "deviation"),
        ),
        controls=(
            Slider("tilt", "tilt c", TILTS, TILTS.index(0.0)),
            Slider("rate", "step size", RATES, 1),
        ),
        data=presets(),
        most=KNOTS,
        panels=(
            Panel(
                (0.0, LAST), (LOW, HIGH),
                (Layer("line", "data", "--gb-muted"), Layer("line", "f", "--gb-model")),
                Hand("curve", "A curve over u from 0 to 4. The left and right keys choose a place, "
                     "up and down move the curve there.", many=KNOTS),
                title="grey: drawn; orange: f", xlabel="u",
            ),
            Panel(
                SLOPES, (LOW, HIGH),
                (Layer("line", "conjugate", "--gb-critic"),),
                title="its conjugate f*", xlabel="t",
            ),
            Panel(
                (-REACH, REACH), (0.0, 0.7),
                (Layer("line", "p", "--gb-data"), Layer("line", "q", "--gb-model")),
                title="p, and q that learns", xlabel="x",
            ),
        ),
        words="D_f(p‖q) = {divergence}; the best critic reaches {bound}. q has mean {mean} and "
        "deviation {deviation}.",
        restarts=False,
        size=(7.6, 2.6),
    )  # fmt: skip
