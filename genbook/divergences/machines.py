r"""The chapter's machine: one Gaussian and two descend a divergence from a curve that is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from genbook.divergences import measures
from genbook.games.functional import Player, adam
from genbook.games.play import Adam
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Choice, Group, Hand, Layer, Machine, Panel, Slider

PLACES = 64
REACH = 4.0
WIDTH = 2 * REACH / PLACES
DUST = 1e-3
NARROW = 0.5
RATES = (0.01, 0.03, 0.1)
RULE = Adam(betas=(0.5, 0.95))
Score = Callable[[Tensor, Tensor], Tensor]


def places() -> Tensor:
    r"""The middles of 64 even bins of [−4, 4], **[64]**."""
    return (torch.arange(PLACES) + 0.5) * WIDTH - REACH


def presets() -> dict[str, Tensor]:
    r"""Curves to begin with, **[64]** each, at most 1 high."""
    x = places()

    def hill(at: float, width: float) -> Tensor:
        return torch.exp(-0.5 * ((x - at) / width) ** 2)

    return {
        "two hills": 0.6 * hill(-1.3, 0.35) + 0.9 * hill(1.3, 0.35),
        "a hill and a spike": 0.45 * hill(0.6, 0.8) + 0.6 * hill(-1.6, 0.15),
        "a slope": torch.relu((x + 2) / 4) * (x < 2),
        "a plain": 0.5 * (x.abs() < 1.6).float(),
    }


def log_data(heights: Tensor) -> Tensor:
    r"""The logarithm of the distribution over places that a drawn curve is.

    A dust of a thousandth lies on each place: without it reverse KL would be infinite wherever
    nothing is drawn.

    Args:
        heights: **[64]**, at least 0.

    Returns:
        **[64]**; its exponentials have sum 1.

    Example:
        >>> round(log_data(torch.zeros(64)).exp().sum().item(), 5)
        1.0
    """
    dusted = torch.relu(heights) + DUST
    return dusted.log() - dusted.sum().log()


def log_sum(a: Tensor, b: Tensor) -> Tensor:
    r"""log(eᵃ + eᵇ), without an overflow.

    Args:
        a: any shape.
        b: the same.

    Returns:
        That shape.

    Example:
        >>> round(log_sum(torch.tensor(100.0), torch.tensor(100.0)).item(), 4)
        100.6931
    """
    top = torch.maximum(a, b).detach()
    return top + ((a - top).exp() + (b - top).exp()).log()


def log_gaussian(mean: Tensor, log_width: Tensor, x: Tensor) -> Tensor:
    r"""A Gaussian over the places.

    .. math:: \log q_k=-\tfrac12\Big(\frac{x_k-\mu}\sigma\Big)^2-\log\sum_j e^{\dots}

    Args:
        mean: μ, **[1]**.
        log_width: log 2σ, **[1]**: a machine that begins with zeros begins narrow.
        x: places, **[n]**.

    Returns:
        **[n]**.

    Example:
        >>> flat = log_gaussian(torch.zeros(1), torch.full((1,), 9.0), places())
        >>> round(flat.exp().max().item() * PLACES, 3)
        1.0
    """
    return (-0.5 * ((x - mean) * (-log_width).exp() / NARROW) ** 2).log_softmax(0)


def log_one(weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""One Gaussian from its weights.

    Args:
        weights: μ and log 2σ, **[1]** each.
        x: places, **[n]**.

    Returns:
        **[n]**.

    Example:
        >>> round(log_one([torch.zeros(1), torch.zeros(1)], places()).exp().sum().item(), 5)
        1.0
    """
    return log_gaussian(weights[0], weights[1], x)


def log_two(weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""A mixture of two Gaussians from its weights.

    Args:
        weights: the log-odds of the first, two means, two log 2σ: shapes **[1]**, **[2]**, **[2]**.
        x: places, **[n]**.

    Returns:
        **[n]**.

    Example:
        >>> weights = [torch.zeros(1), torch.tensor([-1.0, 1.0]), torch.zeros(2)]
        >>> round(log_two(weights, places()).exp().sum().item(), 5)
        1.0
    """
    odds, means, log_widths = weights
    shares = torch.cat([odds, torch.zeros_like(odds)]).log_softmax(0)
    first, second = (
        shares[k : k + 1] + log_gaussian(means[k : k + 1], log_widths[k : k + 1], x)
        for k in range(2)
    )
    return log_sum(first, second)


def scores() -> Mapping[str, Score]:
    r"""Six scores of two distributions over the places, from their logarithms.

    Five are those of :mod:`genbook.divergences.measures`, summed over the places; W₁ is the area
    between the sums, in units of x.
    """

    def summed(divergence: measures.Divergence) -> Score:
        return lambda log_p, log_q: divergence.penalty(log_p, log_q).sum()

    def jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
        log_m = log_sum(log_p, log_q) - math.log(2)
        toward = measures.KL.penalty
        return (toward(log_p, log_m) + toward(log_q, log_m)).sum() / 2

    def wasserstein(log_p: Tensor, log_q: Tensor) -> Tensor:
        return WIDTH * (log_p.exp() - log_q.exp()).cumsum(0).abs().sum()

    return {
        "KL(p‖q), forward": summed(measures.KL),
        "KL(q‖p), reverse": summed(measures.REVERSE_KL),
        "Jensen–Shannon": jensen_shannon,
        "squared Hellinger": summed(measures.SQUARED_HELLINGER),
        "total variation": summed(measures.TOTAL_VARIATION),
        "W₁": wasserstein,
    }


def descend(
    score: Score,
    model: Callable[[Sequence[Tensor], Tensor], Tensor],
    player: Player,
    heights: Tensor,
    rate: Tensor,
) -> tuple[Player, Tensor, Tensor]:
    r"""One step of Adam down a score of the drawn curve and a model.

    Args:
        score: of the two logarithms.
        model: :func:`log_one` or :func:`log_two`.
        player: the model's weights and Adam's averages.
        heights: of the curve, **[64]**.
        rate: η, a scalar.

    Returns:
        The player afterwards; the score before, and how steep it was: the length of its gradient.

    Example:
        >>> start = [torch.zeros(1), torch.zeros(1)]
        >>> player = (start, [torch.zeros(1)] * 2, [torch.zeros(1)] * 2, torch.tensor(0.0))
        >>> kl = scores()["KL(p‖q), forward"]
        >>> hill = presets()["two hills"]
        >>> after, _, _ = descend(kl, log_one, player, hill, torch.tensor(0.1))
        >>> 0.09 < after[0][0].item() < 0.11  # the heavier hill is on the right
        True
    """
    weights = [weight.detach().requires_grad_() for weight in player[0]]
    x = places().to(heights.device, heights.dtype)
    value = score(log_data(heights), model(weights, x))
    slopes = torch.autograd.grad(value, weights)
    steep = (torch.cat(list(slopes)) ** 2).sum().sqrt()
    return adam((weights, *player[1:]), slopes, rate, RULE), value, steep


def curve(log_q: Tensor, heights: Tensor) -> Tensor:
    r"""A model as a line at the scale of the drawn curve.

    Args:
        log_q: of the model, **[64]**.
        heights: of the curve, **[64]**.

    Returns:
        Pairs of x and height, **[64, 2]**; the heights have the sum that the curve has, dusted.

    Example:
        >>> hill = presets()["two hills"]
        >>> line = curve(log_data(hill), hill)
        >>> bool((line[:, 1] - hill - 0.001).abs().max() < 1e-6)
        True
    """
    x = places().to(heights.device, heights.dtype)
    total = (torch.relu(heights) + DUST).sum()
    return torch.cat([x[:, None], (log_q.exp() * total)[:, None]], 1)


def drawn_curve() -> Machine:
    r"""One Gaussian and a mixture of two descend the same score of the reader's curve.

    Returns:
        The machine: one step is a step of Adam of either.
    """
    one, two = beginning((1,), (1,)), beginning((1,), (2,), (2,))
    heights, rate = torch.zeros(PLACES), torch.tensor(0.03)

    def act(score: Score) -> Callable[..., tuple[Player, Player]]:
        def step(one: Player, two: Player, heights: Tensor, rate: Tensor) -> tuple[Player, Player]:
            first, _, _ = descend(score, log_one, one, heights, rate)
            second, _, _ = descend(score, log_two, two, heights, rate)
            return first, second

        return step

    def view(score: Score) -> Callable[..., tuple[Tensor, ...]]:
        def look(one: Player, two: Player, heights: Tensor) -> tuple[Tensor, ...]:
            still = torch.zeros_like(heights[0])
            _, first, steep = descend(score, log_one, one, heights, still)
            _, second, _ = descend(score, log_two, two, heights, still)
            x = places()
            return (
                curve(log_one(one[0], x), heights),
                curve(log_two(two[0], x), heights),
                first,
                second,
                steep,
            )

        return look

    across, high = (-REACH, REACH), (0.0, 1.0)
    hand = Hand(
        "bars",
        "The data's curve p as 64 bars, and the model q as a line. The left and right keys choose "
        "a bar, up and down change it.",
        many=PLACES,
    )
    drawn = Layer("bars", "data", "--gb-data")
    return Machine(
        name="curve",
        groups={"one": group(one, (3.0, 0.0)), "two": group(two, (0.0, 3.0, 0.0))},
        acts=(
            Act(
                {name: trace(act(score), one, two, heights, rate)
                 for name, score in scores().items()},
                ("one", "two", "data", "control:rate"),
                ("one", "two"),
                chosen="score",
            ),
        ),
        view=Act(
            {name: trace(view(score), one, two, heights) for name, score in scores().items()},
            ("one", "two", "data"),
            ("line", "lines", "first", "second", "steep"),
            chosen="score",
        ),
        controls=(
            Choice("score", "both descend", tuple(scores()), restarts=False),
            Slider("rate", "step size", RATES, 1),
        ),
        data=presets(),
        most=PLACES,
        panels=(
            *(
                Panel(across, high, (drawn, Layer("path", line, "--gb-model")), hand, title)
                for line, title in (("line", "one Gaussian"), ("lines", "two Gaussians"))
            ),
        ),
        words="The score of one Gaussian: {first}, steepness {steep}; of two: {second}.",
        restarts=False,
        size=(5.2, 2.5),
    )  # fmt: skip


def beginning(*shapes: tuple[int, ...]) -> Player:
    r"""A player of zeros.

    Args:
        shapes: of its weights.

    Example:
        >>> [weight.shape[0] for weight in beginning((1,), (2,))[0]]
        [1, 2]
    """
    parts = [[torch.zeros(shape) for shape in shapes] for _ in range(3)]
    return parts[0], parts[1], parts[2], torch.tensor(0.0)


def group(player: Player, bounds: Sequence[float]) -> Group:
    r"""How a player begins on the page.

    Args:
        player: of the right shapes.
        bounds: of its weights; Adam's averages begin with zeros.

    Example:
        >>> group(beginning((1,)), (3.0,)).bounds
        (3.0, 0.0, 0.0, 0.0)
    """
    weights, means, squares, count = player
    leaves = [*weights, *means, *squares, count]
    still = [0.0] * (len(leaves) - len(weights))
    return Group(tuple(tuple(leaf.shape) for leaf in leaves), (*bounds, *still))
