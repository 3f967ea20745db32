r"""A character model that explodes: many runs as one computation, and the recorded study."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding

from genbook.clipping.rules import threshold_rule
from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.kit.training import Step

STRETCHES = Substream("stretches of text", 10_000)

SYMBOLS = 96
HIDDEN = 64
LENGTH = 50
BATCH = 16
UPDATES = 1_200
PILOT_UPDATES = 200
PILOT_RATE = 0.1
FACTORS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
RATES = (0.3, 1.0, 2.0)
GAIN = 1.8
UNIFORM = math.log2(SYMBOLS)
"""Bits a character of a guess that gives every symbol the same probability."""


@dataclass(frozen=True)
class Arm:
    r"""One run of the character model.

    Attributes:
        seed: of the weights and of the stretches of text.
        rate: learning rate of plain SGD.
        threshold: largest norm of the gradient; infinite: never clipped.
        gain: the recurrent weights start from a Gaussian of deviation gain / √H, so that their
            largest singular value starts near twice the gain.
    """

    seed: int
    rate: float
    threshold: float = math.inf
    gain: float = GAIN

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.threshold > 0 and self.gain > 0):
            raise ValueError(
                f"expected a positive rate, threshold and gain, got {self}; "
                "use threshold=math.inf for a run without clipping"
            )


class Models:
    r"""Plain recurrent readers of text, one for each arm, with a leading axis S.

    .. math:: h_t = \tanh(W h_{t-1} + U_{x_t} + b), \qquad \text{scores}_t = V h_t + c

    Args:
        arms: S of them.
        device: where the weights live; they are drawn on the CPU.

    Raises:
        ValueError: if there is none.

    Example:
        >>> models = Models([Arm(0, 1.0), Arm(1, 1.0)])
        >>> models.losses(torch.zeros(2, 5, 3, dtype=torch.int64)).shape
        torch.Size([2])
    """

    def __init__(self, arms: list[Arm], device: torch.device | str = "cpu") -> None:
        if not arms:
            raise ValueError("expected at least one arm, got none")
        drawn = [self._draw(arm) for arm in arms]
        self.parameters = [
            torch.stack(part).to(device).requires_grad_() for part in zip(*drawn, strict=True)
        ]

    @staticmethod
    def _draw(arm: Arm) -> tuple[Tensor, ...]:
        """The weights U, W, b, V, c of one arm."""
        source = seeded(arm.seed)
        rows = 1 / math.sqrt(HIDDEN)
        return (
            torch.randn(SYMBOLS, HIDDEN, generator=source) / 2,
            torch.randn(HIDDEN, HIDDEN, generator=source) * arm.gain * rows,
            torch.zeros(1, HIDDEN),
            torch.randn(HIDDEN, SYMBOLS, generator=source) * rows,
            torch.zeros(1, SYMBOLS),
        )

    def states(self, x: Tensor) -> Tensor:
        r"""The hidden states, from zero on.

        Args:
            x: characters ``[S, T, B]``.

        Returns:
            Shape ``[S, T, B, H]``.
        """
        table, recurrent, bias, _, _ = self.parameters
        own = SYMBOLS * torch.arange(len(x), device=x.device)[:, None, None]
        drive = embedding(x + own, table.flatten(0, 1)) + bias[:, None]
        hidden, states = drive.new_zeros(len(x), x.shape[-1], HIDDEN), []
        for now in drive.unbind(1):
            hidden = torch.tanh(torch.baddbmm(now, hidden, recurrent))
            states.append(hidden)
        return torch.stack(states, 1)

    def scores(self, x: Tensor) -> Tensor:
        r"""Logits for the next character.

        Args:
            x: characters ``[S, T, B]``.

        Returns:
            Shape ``[S, T · B, 96]``.
        """
        *_, readout, offset = self.parameters
        return torch.baddbmm(offset, self.states(x).flatten(1, 2), readout)

    def losses(self, text: Tensor) -> Tensor:
        r"""Mean negative log-likelihood of each character given those before it.

        Args:
            text: characters ``[S, T + 1, B]``; the state starts at zero.

        Returns:
            Nats a character, ``[S]``.
        """
        scores = self.scores(text[:, :-1])
        wanted = text[:, 1:].flatten()
        each = cross_entropy(scores.flatten(0, 1), wanted, reduction="none")
        return each.view(len(text), -1).mean(-1)

    def singular(self) -> Tensor:
        r"""Largest singular value of each arm's recurrent weights, ``[S]``."""
        largest: Tensor = torch.linalg.matrix_norm(self.parameters[1].detach(), 2)
        return largest

    @torch.no_grad()
    def step(self, gradients: tuple[Tensor, ...], factors: Tensor) -> None:
        r"""θ ← θ − factor · gradient, with one factor for each arm, ``[S]``."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= factors[:, None, None] * gradient


@dataclass(frozen=True)
class Update(Step):
    r"""One update of all arms.

    Attributes:
        losses: nats a character before the update, ``[S]``.
        norms: of each arm's gradient before clipping, ``[S]``.
    """

    losses: Tensor
    norms: Tensor


def train(
    models: Models, arms: list[Arm], codes: Tensor, *, total: int = UPDATES
) -> Iterator[Update]:
    r"""Plain SGD on random stretches of text, the norm of each arm's gradient clipped.

    An arm whose numbers stop being finite stays where it is; the others go on.

    Args:
        models: changed in place.
        arms: the settings, in the order of the models.
        codes: the text, ``[N]``.
        total: how many updates.

    Yields:
        Updates.

    Raises:
        ValueError: if the text is shorter than one stretch, or there is no update.

    Example:
        >>> arms = [Arm(0, 0.1), Arm(0, 0.1, threshold=1.0)]
        >>> [u.index for u in train(Models(arms), arms, torch.arange(96).repeat(3), total=2)]
        [0, 1]
    """
    if len(codes) <= LENGTH + 1 or total < 1:
        raise ValueError(
            f"expected more than {LENGTH + 1} characters and total ≥ 1, "
            f"got {len(codes)} and {total}"
        )
    sources = [seeded(STRETCHES.seed(arm.seed)) for arm in arms]
    device = codes.device
    rates = torch.tensor([arm.rate for arm in arms], device=device)
    thresholds = torch.tensor([arm.threshold for arm in arms], device=device)
    for index in range(total):
        losses = models.losses(stretches(codes, sources))
        gradients = torch.autograd.grad(losses.sum(), models.parameters)
        norms = torch.stack([g.flatten(1).square().sum(-1) for g in gradients]).sum(0).sqrt()
        scale = torch.where(norms >= thresholds, thresholds / norms, torch.ones_like(norms))
        sound = norms.isfinite()
        safe = tuple(torch.where(sound[:, None, None], g, 0.0) for g in gradients)
        models.step(safe, torch.where(sound, rates * scale, 0.0))
        yield Update(index, total, {}, losses.detach(), norms)


def stretches(codes: Tensor, sources: list[torch.Generator]) -> Tensor:
    r"""Random stretches of a text, drawn for each source on its own.

    Args:
        codes: the text, ``[N]``.
        sources: S generators.

    Returns:
        Shape ``[S, T + 1, B]``.
    """
    last = len(codes) - LENGTH
    starts = [
        torch.randint(last, (BATCH,), generator=source, device=source.device) for source in sources
    ]
    places = torch.stack(starts)[:, None].to(codes.device)
    return codes[places + torch.arange(LENGTH + 1, device=codes.device)[:, None]]


@torch.no_grad()
def bits(models: Models, codes: Tensor, *, streams: int = 20) -> Tensor:
    r"""Bits a character on other text, read in parallel streams.

    Args:
        models: S of them.
        codes: the text, ``[N]``.
        streams: how many.

    Returns:
        Shape ``[S]``; 6.58 is what a uniform guess gets.
    """
    each = len(codes) // streams
    table = codes[: each * streams].view(streams, each).T
    text = table.expand(len(models.parameters[0]), -1, -1)
    return models.losses(text) / math.log(2)


@torch.no_grad()
def saturated(models: Models, codes: Tensor) -> Tensor:
    r"""Share of the hidden values beyond ±0.99, where tanh has a slope below 0.02.

    Args:
        models: S of them.
        codes: a text, read as one stretch, ``[N]``.

    Returns:
        Shape ``[S]``.

    Example:
        >>> saturated(Models([Arm(0, 1.0)]), torch.zeros(5, dtype=torch.int64)) < 0.5
        tensor([True])
    """
    text = codes[:, None].expand(len(models.parameters[0]), -1, -1)
    return (models.states(text).abs() > 0.99).float().mean((1, 2, 3))


@dataclass(frozen=True, eq=False)
class Outcome:
    r"""What a set of arms came to.

    Attributes:
        arms: S of them.
        losses: bits a character on the training text at each update, ``[N, S]``.
        norms: of the gradients before clipping, ``[N, S]``.
        bits: on held-out modules after the last update, ``[S]``.
        saturated: share of saturated hidden values after the last update, ``[S]``.
        singular: largest singular value of the recurrent weights before the first and after the
            last update, ``[2, S]``.
    """

    arms: list[Arm]
    losses: Tensor
    norms: Tensor
    bits: Tensor
    saturated: Tensor
    singular: Tensor


def outcome(arms: list[Arm], *, total: int = UPDATES) -> Outcome:
    r"""Train all arms on the standard library's source and judge them on held-out modules.

    Args:
        arms: S of them.
        total: how many updates.

    Returns:
        The curves and the bits a character.

    Example:
        >>> outcome([Arm(0, 0.1)], total=2).losses.shape
        torch.Size([2, 1])
    """
    text = data.python_source(device="cpu").codes
    held_out = data.python_source(20_000, "test", device="cpu").codes
    models = Models(arms)
    before = models.singular()
    updates = list(train(models, arms, text, total=total))
    losses = torch.stack([update.losses for update in updates]) / math.log(2)
    norms = torch.stack([update.norms for update in updates])
    singular = torch.stack([before, models.singular()])
    score, share = bits(models, held_out), saturated(models, held_out[:1_000])
    return Outcome(arms, losses, norms, score, share, singular)


def average_norm(seed: int, *, gain: float = GAIN, total: int = PILOT_UPDATES) -> float:
    r"""The average norm of a short pilot run, slow enough that nothing explodes.

    Args:
        seed: of weights and text.
        gain: as in :class:`Arm`.
        total: updates of the pilot.

    Returns:
        The average; a threshold is some factor times it.
    """
    return threshold_rule(outcome([Arm(seed, PILOT_RATE, gain=gain)], total=total).norms[:, 0])


def grid(seed: int, average: float) -> list[Arm]:
    r"""The arms of the study for one seed: every rate with and without clipping.

    Args:
        seed: of weights and text.
        average: the average norm, to which the thresholds are relative.

    Returns:
        For each rate first the run without clipping, then one a factor; last, three runs from
        small recurrent weights (λ₁ < 1).
    """
    factors = (math.inf, *FACTORS)
    arms = [Arm(seed, rate, factor * average) for rate in RATES for factor in factors]
    small = ((1.0, math.inf), (2.0, math.inf), (2.0, 1.0))
    return [*arms, *(Arm(seed, rate, factor * average, gain=0.4) for rate, factor in small)]


def thresholds(slice: bool, seed: int) -> list[Row]:
    r"""One seed of the study. The slice: the same arms for a few updates.

    Args:
        slice: run a part that takes seconds.
        seed: of weights and text.

    Returns:
        One row an arm.
    """
    average = average_norm(seed, total=5 if slice else PILOT_UPDATES)
    found = outcome(grid(seed, average), total=10 if slice else UPDATES)
    return [_row(found, place, average) for place in range(len(found.arms))]


def _row(found: Outcome, place: int, average: float) -> Row:
    """One run, flat and finite: 0 stands for no threshold, 999 for what is not finite."""
    arm, score = found.arms[place], found.bits[place].item()
    factor = 0.0 if math.isinf(arm.threshold) else round(arm.threshold / average, 4)
    return {
        "seed": arm.seed,
        "rate": arm.rate,
        "gain": arm.gain,
        "factor": factor,
        "average": round(average, 4),
        "bits": round(score, 4) if math.isfinite(score) else 999.0,
        "diverged": not score < UNIFORM,
        "clipped": round((found.norms[:, place] >= arm.threshold).double().mean().item(), 4),
        "norm_median": round(found.norms[:, place].nanmedian().item(), 4),
        "norm_max": float(f"{found.norms[:, place].nan_to_num(posinf=1e30).max().item():.4g}"),
    }


STUDIES = (
    Study(
        name="clipping_thresholds",
        topic="clipping",
        run=thresholds,
        seeds=(0, 1, 2, 3, 4),
        config={
            "task": "next character of the standard library's source, 96 symbols",
            "network": "plain tanh net, 64 hidden units, state zero at the start of each stretch",
            "start": "recurrent weights Gaussian, deviation gain / 8; gain 1.8 unless said",
            "training": "plain SGD, batches of 16 stretches of 50 characters, 1200 updates",
            "threshold": "factor × average norm of a pilot of 200 updates at rate 0.1; 0: none",
            "bits": "a character, on 20000 characters of held-out modules",
            "clipped": "share of the updates whose gradient was longer than the threshold",
            "diverged": "worse than a uniform guess, log2 96 = 6.58 bits",
        },
    ),
)
