"""Drawings of the chapter on GRAN and the battle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.gran import battle, exact_battles
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    INK,
    MODEL,
    MUTED,
    SERIES,
    image_grid,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.kit.studies import Row, StudyResult

# --- The canvas -------------------------------------------------------------------------------


def canvas(strokes: Mapping[str, Tensor], who: str, step: int) -> Figure:
    r"""The canvas after some steps, and what the last step added.

    Args:
        strokes: increments in log-odds by name, **[T, n, A, A]**.
        who: a name.
        step: 0 is after the first step; a finished drawing stays.

    Returns:
        Two rows of images.
    """
    parts = strokes[who]
    now = min(step, len(parts) - 1)
    figure, (top, bottom) = subplots(2, 1, width=7.6, height=2.5)
    image_grid(top, parts[: now + 1].sum(0).sigmoid(), columns=parts.shape[1])
    image_grid(bottom, parts[now].sigmoid(), columns=parts.shape[1])
    top.set_title(f"{who}: canvas after step {now + 1} of {len(parts)}")
    bottom.set_title(f"what step {now + 1} added (mid-grey: nothing)")
    spent = parts[now].abs().mean()
    figure.set_label(f"{who}, step {now + 1}: mean change of the log-odds {float(spent):.2f}")
    return figure


# --- Known truth ------------------------------------------------------------------------------

SHOWN = slice(26, 215, 2)


@cache
def _player(kind: str, amount: float) -> tuple[Tensor, exact_battles.Truth]:
    q = exact_battles.degraded(kind, amount)
    return q, exact_battles.truth(q)


def exact_battle(first: str, much: float, second: str, other: float) -> Figure:
    r"""Two faulty generators, the best discriminators' votes, and the verdict beside the truth.

    Args:
        first: fault of player 1.
        much: how much of it.
        second: fault of player 2.
        other: how much of it.

    Returns:
        Two stacked panels.
    """
    p, x = exact_battles.mixture(), exact_battles.line()
    players = [_player(first, much), _player(second, other)]
    figure, panels = subplots(2, 1, width=7.6, height=3.9, sharex=True)
    top = 1.35 * float(p.max())
    titles = (f"player 1 {first}", f"player 2 {second}")
    for axes, (q, known), title, colour in zip(
        panels, players, titles, (MODEL, SERIES[1]), strict=True
    ):
        axes.plot(x[SHOWN], p[SHOWN], color=DATA, label="data")
        axes.plot(x[SHOWN], q[SHOWN].clamp(max=top), color=colour, label="fakes")
        votes = (p > q).double() * 0.1 * top
        axes.plot(x[SHOWN], votes[SHOWN] - 0.16 * top, color=CRITIC, label="its D says data")
        axes.set(ylim=(-0.2 * top, top), yticks=[])
        axes.set_title(f"{title}: W₁ {known.w1:.2f}, TV {known.tv:.2f}", fontsize=9)
    panels[0].legend(loc="upper left", fontsize=7, ncols=3)
    rates = exact_battles.bayes_rates(p, players[0][0], players[1][0])
    figure.set_label(_spoken(battle.Battle(rates), [known for _, known in players]))
    return figure


def _spoken(found: battle.Battle, truths: Sequence[exact_battles.Truth]) -> str:
    nearer = [
        "neither" if a == b else f"player {1 if a < b else 2}"
        for a, b in (
            (round(truths[0].w1, 6), round(truths[1].w1, 6)),
            (round(truths[0].tv, 6), round(truths[1].tv, 6)),
        )
    ]
    return (
        f"r_test {found.r_test:.2f}, r_sample {found.r_sample:.2f}: {found.verdict}. "
        f"Nearer in W₁: {nearer[0]}; in TV: {nearer[1]}"
    )


# --- Parzen -----------------------------------------------------------------------------------


def parzen_gap(gaps: Mapping[int, Mapping[int, float]]) -> Figure:
    r"""How far true samples score below the one point, against the dimension.

    Args:
        gaps: for each number of samples, nats by dimension d.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6, height=2.8)
    for (count, by_dimension), colour in zip(gaps.items(), SERIES, strict=False):
        dimensions, values = list(by_dimension), list(by_dimension.values())
        axes.plot(dimensions, values, "o-", color=colour, label=f"{count} true samples")
    axes.axhline(0, color=INK, linewidth=1)
    axes.text(dimensions[-1], 0, "one point at 0", ha="right", va="bottom", color=MUTED)
    axes.set(xlabel="dimension", ylabel="nats above the one point")
    axes.legend(loc="lower left")
    return figure


# --- The recorded battles ---------------------------------------------------------------------

PAIRS = (("T = 5", "T = 1"), ("T = 3", "T = 1"), ("T = 5", "T = 3"))
RULES = {"the paper's rule": "last, half", "calibrated": "average, equal"}
EDGE = math.log1p(battle.BAND)
RIM = 3.0
WIDEST = 4.2
"""Logarithms of ratios beyond this are drawn at the rim."""


def fought(row: Row) -> battle.Battle:
    """A battle of the record."""
    names = ("test_1", "test_2", "sample_1", "sample_2")
    return battle.Battle(battle.Rates(*(float(row[name]) for name in names)))


@dataclass(frozen=True)
class Tally:
    r"""The fights of a pair over the seeds.

    Args:
        wins: of the first.
        losses: of the first.
        ties: neither won.
        valid: fights whose test ratio lies in the band.
    """

    wins: int
    losses: int
    ties: int
    valid: int

    @property
    def fights(self) -> int:
        """All of them."""
        return self.wins + self.losses + self.ties

    @property
    def score(self) -> str:
        """Wins : losses : ties, on one line."""
        return "\N{NO-BREAK SPACE}:\N{NO-BREAK SPACE}".join(
            str(number) for number in (self.wins, self.losses, self.ties)
        )


def count(found: StudyResult, first: str, second: str, rule: str) -> Tally:
    r"""Count the verdicts of a pair on MNIST.

    Args:
        found: the study ``gran_battles``.
        first: a player.
        second: another.
        rule: of the referee.

    Returns:
        The counts.
    """
    rows = found.where(kind="fight", dataset="mnist", first=first, second=second, rule=rule)
    winners = [int(row["winner"]) for row in rows]
    valid = sum(fought(row).valid for row in rows)
    return Tally(winners.count(1), winners.count(2), winners.count(0), valid)


def cross(found: StudyResult, rule: str) -> Tensor:
    r"""Error rates of each discriminator on the other generators' samples, from the fights.

    Args:
        found: the study ``gran_battles``.
        rule: of the referee.

    Returns:
        ``cross[s, k, j]``, ε of the discriminator of the k-th T on the j-th T's samples,
        **[S, 3, 3]**; NaN for a generator's own, which no fight shows.
    """
    names = ("T = 1", "T = 3", "T = 5")
    rates = torch.full((len(found.seeds), 3, 3), math.nan, dtype=torch.float64)
    for one, two in PAIRS:
        rows = found.where(kind="fight", dataset="mnist", first=one, second=two, rule=rule)
        i, j = names.index(one), names.index(two)
        rates[:, i, j] = torch.tensor([float(row["sample_1"]) for row in rows])
        rates[:, j, i] = torch.tensor([float(row["sample_2"]) for row in rows])
    return rates


def verdicts(found: StudyResult) -> Figure:
    r"""Every fight of the record as a dot with its interval, by the raw and the calibrated rule.

    Args:
        found: the study ``gran_battles``.

    Returns:
        Two panels that share their rows.
    """
    figure, panels = subplots(1, 2, width=7.6, height=3.9, sharey=True)
    for axes, (title, rule) in zip(panels, RULES.items(), strict=True):
        _dots(axes, found, rule)
        axes.set(title=title, xlabel="log of the sample ratio", xlim=(-4.5, 4.5))
    count = len(found.seeds)
    places = [-(count + 1.5) * block - (count - 1) / 2 for block in range(len(PAIRS))]
    place_ticks(
        panels[0].yaxis, places, [f"{one.replace('T = ', 'T=')} v {two[4:]}" for one, two in PAIRS]
    )
    panels[1].tick_params(labelleft=True)  # on a phone it stands below the first
    return figure


def _dots(axes: Axes, found: StudyResult, rule: str) -> None:
    axes.axvline(0, color=INK, linewidth=1)
    for block, (one, two) in enumerate(PAIRS):
        for place, row in enumerate(
            found.where(kind="fight", dataset="mnist", first=one, second=two, rule=rule)
        ):
            height = -(len(found.seeds) + 1.5) * block - place
            ends = [min(max(float(row[key]), -WIDEST), WIDEST) for key in ("low", "high")]
            valid, winner = fought(row).valid, row["winner"]
            colour = (MUTED, SERIES[0], SERIES[1])[int(winner)]
            axes.plot(ends, [height, height], color=colour, linewidth=1.5)
            middle = min(max(math.log(fought(row).r_sample or 1e-9), -WIDEST), WIDEST)
            axes.plot(
                [middle],
                [height],
                "o" if valid else "x",
                color=colour,
                markersize=5,
            )


def drift(found: StudyResult, seed: int, rule: str) -> Figure:
    r"""What a referee would have said after each snapshot of the training.

    Args:
        found: the study ``gran_battles``.
        seed: of the pair.
        rule: ``"half"`` or ``"equal"``.

    Returns:
        Two panels: errors on test images, and the two ratios.
    """
    rows = found.where(kind="moment", seed=seed, rule=rule)
    steps = [int(row["step"]) for row in rows]
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.9)
    for key, name, colour in (
        ("test_1", "D of T = 5", SERIES[0]),
        ("test_2", "D of T = 1", SERIES[1]),
    ):
        left.plot(steps, [float(row[key]) for row in rows], "o-", color=colour, label=name)
    left.set(ylim=(0, 1), xlabel="updates", ylabel="error on test images")
    left.legend(loc="upper left", fontsize=7)
    fights = [fought(row) for row in rows]
    right.axhspan(-EDGE, EDGE, color=MUTED, alpha=0.25, linewidth=0)
    for name, values, colour in (
        ("test ratio", [one.r_test for one in fights], CRITIC),
        ("sample ratio", [one.r_sample for one in fights], MODEL),
    ):
        logs = [min(max(math.log(max(value, 1e-9)), -RIM), RIM) for value in values]
        right.plot(steps, logs, "o-", color=colour, label=name)
    right.set(ylim=(-RIM - 0.1, RIM + 0.1), xlabel="updates", ylabel="log of the ratio")
    right.legend(loc="upper left", fontsize=7)
    valid = sum(one.valid for one in fights)
    wins = [sum(one.winner == who for one in fights) for who in (1, 2)]
    figure.set_label(
        f"seed {seed}: test ratio in the band in {valid} of {len(fights)} snapshots; "
        f"T = 5 wins {wins[0]}, T = 1 wins {wins[1]}"
    )
    return figure


def thresholds(found: StudyResult, pair: str, seed: int, miss: float) -> Figure:
    r"""How much each generator fools the other's discriminator, whatever the common threshold.

    Args:
        found: the study ``gran_battles``.
        pair: such as ``"T = 5 v T = 1"``.
        seed: of the pair.
        miss: share of validation images that both discriminators call fake.

    Returns:
        One panel.
    """
    first, second = pair.split(" v ")
    rows = found.where(kind="curve", first=first, second=second, seed=seed)
    shares = [float(row["miss"]) for row in rows]
    figure, axes = subplots(width=6, height=3.0)
    for key, who, colour in (("sample_2", first, SERIES[0]), ("sample_1", second, SERIES[1])):
        axes.plot(shares, [float(row[key]) for row in rows], color=colour, label=f"{who} fools")
    axes.plot([0, 1], [1, 0], color=MUTED, linewidth=1, label="data would")
    here = rows[shares.index(miss)]
    axes.axvline(miss, color=CRITIC, linewidth=1)
    for key, colour in (("sample_2", SERIES[0]), ("sample_1", SERIES[1])):
        axes.plot([miss], [float(here[key])], "o", color=colour)
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="share taken for data")
    axes.set_xlabel("share of validation images called fake")
    axes.legend(loc="upper right", fontsize=7)
    one = fought(here)
    figure.set_label(
        f"{pair}, seed {seed}: {first} fools {100 * one.rates.sample_2:.0f} %, {second} "
        f"{100 * one.rates.sample_1:.0f} %; r_sample {one.r_sample:.2f}, r_test {one.r_test:.2f}"
    )
    return figure


def machinery() -> Figure:
    r"""A generator that sees each stroke it has drawn before it draws the next."""
    return schematic(
        [
            Box("z", 0, 0, "noise z", width=1.1, framed=False),
            Box("f", 2.0, 0, "decoder f", MODEL, 1.3),
            Box("stroke", 4.2, 0, "stroke ΔC", MODEL, 1.3),
            Box("e", 4.2, -1.4, "encoder g", SERIES[0], 1.3),
            Box("c", 6.3, 0, "canvas C", MODEL, 1.2),
            Box("s", 8.3, 0, "image\nσ(C)", MODEL, 1.1, 0.8),
        ],
        [
            Wire("z", "f"),
            Wire("f", "stroke", colour=MODEL),
            Wire("stroke", "c", "+", colour=MODEL, lift=0.2),
            Wire("stroke", "e"),
            Wire("e", "f", "h, T times", colour=SERIES[0], bend=0.35, lift=-0.25, shift=-0.3),
            Wire("c", "s"),
        ],
        width=5.6,
        height=2.1,
    )
