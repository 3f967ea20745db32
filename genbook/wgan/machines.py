r"""The chapter's machine: two heaps that the reader shovels, and the critic that judges them."""

from __future__ import annotations

import torch
from torch import Tensor

from genbook.divergences import measures
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel, Slider

BINS = 16
HIGH = 8.0


def presets() -> dict[str, Tensor]:
    r"""Heaps to begin with, **[32]** each: sixteen bars of earth p, sixteen of fakes q."""
    far = [0.0] * BINS + [0.0] * BINS
    far[1:4], far[BINS + 12 : BINS + 15] = [2, 4, 2], [2, 4, 2]
    split = [0.0] * BINS + [0.0] * BINS
    split[1:4], split[12:15], split[BINS + 7 : BINS + 9] = [2, 4, 2], [2, 4, 2], [8, 8]
    ramp = [float(k // 2) for k in range(BINS)] + [float(7 - k // 2) for k in range(BINS)]
    comb = [3.0 * (k % 3 == 0) for k in range(BINS)] + [2.0] * BINS
    return {
        "far apart": torch.tensor(far),
        "two against one": torch.tensor(split),
        "two ramps": torch.tensor(ramp),
        "a comb and a plain": torch.tensor(comb),
    }


def heaps(bars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Both heaps in one unit, such that they weigh the same.

    .. math:: P_i=a_i\sum_jb_j,\qquad Q_j=b_j\sum_ia_i

    Heights are rounded to whole shovelfuls, so in single precision nothing is rounded after that. A
    heap without earth counts as one shovelful everywhere.

    Args:
        bars: heights a and b, **[32]**.

    Returns:
        P and Q, **[16]** each, and the weight of either, a scalar.

    Example:
        >>> bars = torch.zeros(32)
        >>> bars[0], bars[17] = 1.2, 4.0
        >>> earth, fakes, weight = heaps(bars)
        >>> earth[0].item(), fakes[1].item(), weight.item()
        (4.0, 4.0, 4.0)
    """
    whole = torch.floor(bars.clamp(0, HIGH) + 0.5)
    a, b = whole[:BINS], whole[BINS:]
    a, b = a + (a.sum() == 0).float(), b + (b.sum() == 0).float()
    return a * b.sum(), b * a.sum(), a.sum() * b.sum()


def crossing(earth: Tensor, fakes: Tensor) -> Tensor:
    r"""What has to cross each border from left to right, if fakes are to become earth.

    .. math:: c_k=\sum_{j\le k}(Q_j-P_j),\qquad W_1=\sum_k|c_k|

    Args:
        earth: P, **[n]**.
        fakes: Q, **[n]**, of the same weight.

    Returns:
        **[n − 1]**; negative where it has to cross to the left.

    Example:
        >>> crossing(torch.tensor([0.0, 0.0, 2.0]), torch.tensor([1.0, 1.0, 0.0])).tolist()
        [1.0, 2.0]
    """
    return (fakes - earth).cumsum(0)[:-1]


def critic(across: Tensor, weight: Tensor) -> Tensor:
    r"""A best 1-Lipschitz critic: uphill is where the fakes have to go.

    .. math:: f_{k+1}-f_k=\mathrm{sign}\,c_k,\qquad \sum_kf_k(P_k-Q_k)=\sum_k|c_k|

    Where less than a hundred-thousandth of the weight crosses, the critic is level: after some
    steps that is rounding.

    Args:
        across: c of :func:`crossing`, **[n − 1]**.
        weight: of either heap, a scalar.

    Returns:
        f, **[n]**, moved so that its highest and lowest value are equally far from 0.

    Example:
        >>> critic(torch.tensor([1.0, 2.0, -1.0]), torch.tensor(3.0)).tolist()
        [-1.0, 0.0, 1.0, 0.0]
    """
    slope = across.sign() * (across.abs() > 1e-5 * weight).to(across.dtype)
    f = torch.cat([across.new_zeros(1), slope.cumsum(0)])
    return f - (f.amax(0) + f.amin(0)) / 2


def plan(earth: Tensor, fakes: Tensor) -> Tensor:
    r"""The cheapest plan on a line: nothing overtakes.

    .. math:: \gamma_{ij}=\big(\min(F_i,G_j)-\max(F_{i-1},G_{j-1})\big)_+

    Args:
        earth: P, **[n]**.
        fakes: Q, **[n]**, of the same weight.

    Returns:
        γ, **[n, n]**: row sums P, column sums Q.

    Example:
        >>> plan(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 2.0])).tolist()
        [[0.0, 1.0], [0.0, 1.0]]
    """
    up_to, filled = earth.cumsum(0)[:, None], fakes.cumsum(0)[None]
    begun, empty = up_to - earth[:, None], filled - fakes[None]
    return torch.relu(torch.minimum(up_to, filled) - torch.maximum(begun, empty))


def climb(earth: Tensor, fakes: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    r"""One step of the fakes: a share of each bar moves to the next bin, up the critic's slope.

    No more crosses a border than has to. So :math:`W_1` falls by exactly what is moved.

    Args:
        earth: P, **[n]**.
        fakes: Q, **[n]**, of the same weight.
        share: of a bar, at most ½, a scalar.

    Returns:
        The fakes afterwards, and how much moved, a scalar.

    Example:
        >>> earth, fakes = torch.tensor([0.0, 0.0, 4.0]), torch.tensor([4.0, 0.0, 0.0])
        >>> climb(earth, fakes, torch.tensor(0.5))
        (tensor([2., 2., 0.]), tensor(2.))
    """
    across, nothing = crossing(earth, fakes), fakes.new_zeros(1)
    right = torch.minimum(torch.relu(across), share * fakes[:-1])
    left = torch.minimum(torch.relu(-across), share * fakes[1:])
    gone = torch.cat([right, nothing]) + torch.cat([nothing, left])
    come = torch.cat([nothing, right]) + torch.cat([left, nothing])
    return fakes - gone + come, right.sum() + left.sum()


def scores(earth: Tensor, fakes: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
    r"""What three scores and three proofs say of the two heaps.

    Args:
        earth: P, **[n]**.
        fakes: Q, **[n]**.
        weight: of either, a scalar.

    Returns:
        :math:`W_1` as the area between the sums, the cost of :func:`plan`, the lead of
        :func:`critic`, in bins; JS and KL(p‖q) in nats, KL twice in a row, as it may be infinite.

    Example:
        >>> one, two = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
        >>> [round(value.flatten()[0].item(), 4) for value in scores(one, two, torch.tensor(2.0))]
        [1.0, 1.0, 1.0, 0.6931, inf]
    """
    bins = torch.arange(len(earth), device=earth.device)
    far = (bins[:, None] - bins[None]).abs().to(earth.dtype)
    across = crossing(earth, fakes)
    p, q = earth / weight, fakes / weight
    log_p, log_q, log_m = p.log(), q.log(), ((p + q) / 2).log()
    toward = measures.KL.penalty
    kl = toward(log_p, log_q).sum()
    js = (toward(log_p, log_m) + toward(log_q, log_m)).sum() / 2
    return (
        across.abs().sum() / weight,
        (plan(earth, fakes) * far).sum() / weight,
        (critic(across, weight) * (earth - fakes)).sum() / weight,
        js,
        kl + kl.new_zeros(2),
    )


def standing(laid: Tensor, moved: Tensor, bars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""The heaps as they stand: where the reader has shovelled since, the fakes begin anew.

    Args:
        laid: the bars that the last step saw, plus 1, **[32]**; zeros before the first.
        moved: the fakes after that step, **[16]**.
        bars: the reader's, **[32]**.

    Returns:
        P, Q and their weight.

    Example:
        >>> bars = torch.ones(32)
        >>> earth, fakes, _ = standing(torch.zeros(32), torch.zeros(16), bars)
        >>> bool((earth == fakes).all())
        True
    """
    earth, fakes, weight = heaps(bars)
    same = (laid == bars + 1).float().amin(0)
    return earth, same * moved + (1 - same) * fakes, weight


def step(laid: Tensor, moved: Tensor, bars: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""One step of the machine: the fakes climb the critic.

    Args:
        laid: see :func:`standing`.
        moved: see :func:`standing`.
        bars: the reader's, **[32]**.
        share: see :func:`climb`.

    Returns:
        ``laid`` and ``moved`` for the next step; how much of the mass moved, a scalar.

    Example:
        >>> _, _, moved = step(
        ...     torch.zeros(32), torch.zeros(16), presets()["far apart"], torch.tensor(0.5)
        ... )
        >>> moved.item()
        0.5
    """
    earth, fakes, weight = standing(laid, moved, bars)
    after, amount = climb(earth, fakes, share)
    return bars + 1, after, amount / weight


def view(laid: Tensor, moved: Tensor, bars: Tensor) -> tuple[Tensor, ...]:
    r"""What the page draws and says.

    Args:
        laid: see :func:`standing`.
        moved: see :func:`standing`.
        bars: the reader's, **[32]**.

    Returns:
        The fakes in shovelfuls, **[16]**; the critic as a line from 0 upwards, half as steep,
        **[16, 2]**; what :func:`scores` says.

    Example:
        >>> bars = presets()["two ramps"]
        >>> fakes, *_ = view(torch.zeros(32), torch.zeros(16), bars)
        >>> bool((fakes == bars[16:]).all())
        True
    """
    earth, fakes, weight = standing(laid, moved, bars)
    f = critic(crossing(earth, fakes), weight)
    bins = torch.arange(BINS, device=bars.device).to(bars.dtype)
    line = torch.cat([bins[:, None], ((f - f.amin(0)) / 2)[:, None]], 1)
    return fakes / shovelful(bars), line, *scores(earth, fakes, weight)


def shovelful(bars: Tensor) -> Tensor:
    r"""What a shovelful of fakes weighs in the unit of :func:`heaps`: the shovelfuls of earth.

    Args:
        bars: the reader's, **[32]**.

    Returns:
        A scalar.

    Example:
        >>> shovelful(presets()["far apart"]).item()
        8.0
    """
    whole = torch.floor(bars[:BINS].clamp(0, HIGH) + 0.5).sum()
    return whole + BINS * (whole == 0).float()


def two_heaps() -> Machine:
    r"""The two heaps: a step lets the fakes climb the best critic.

    Returns:
        The machine.
    """
    laid, moved = torch.zeros(2 * BINS), torch.zeros(BINS)
    bars, share = torch.zeros(2 * BINS), torch.tensor(0.5)
    across, high = (-0.5, BINS - 0.5), (0.0, HIGH)
    keys = "The left and right keys choose a bar, up and down change it."
    return Machine(
        name="heaps",
        groups={"stand": Group(((2 * BINS,), (BINS,)), (0.0, 0.0))},
        acts=(
            Act(
                {"": trace(step, laid, moved, bars, share)},
                ("stand", "data", "control:share"),
                ("stand", "moved"),
            ),
        ),
        view=Act(
            {"": trace(view, laid, moved, bars)},
            ("stand", "data"),
            ("fakes", "critic", "area", "cost", "lead", "js", "kl"),
        ),
        controls=(
            Slider("share", "share that moves", (0.125, 0.25, 0.5), 2),
        ),
        data=presets(),
        most=2 * BINS,
        panels=(
            Panel(
                across,
                high,
                (Layer("bars", "data", "--gb-data", many=BINS),),
                Hand("bars", f"The data p, sixteen bars. {keys}", many=BINS, grain=1.0),
                "p, the data",
            ),
            Panel(
                across,
                high,
                (
                    Layer("bars", "fakes", "--gb-model"),
                    Layer("path", "critic", "--gb-critic"),
                ),
                Hand(
                    "bars", f"The fakes q, sixteen bars, and the critic's line. {keys}",
                    BINS, BINS, grain=1.0,
                ),
                "q, the fakes, and the critic f",
            ),
        ),
        words="The cheapest plan costs {cost} bins, the critic proves {lead}, the area is {area}. "
        "JS {js} nats, KL(p‖q) {kl}.",
        restarts=False,
        size=(5.2, 2.5),
    )  # fmt: skip
