r"""The battle of two generators (GAM) as a result object, GAM-II, and how sure a count of wins is.

Rates are **error** rates throughout: the share of inputs that a discriminator takes for the wrong
kind. ``cross[i, j]`` is the rate of discriminator i on the samples of generator j; a small number
means that i sees through j.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from scipy.stats import binomtest
from torch import Tensor

BAND = 0.2
"""The book's reading of r_test ≃ 1: a factor of at most 1.2 either way."""

FORMS = ("error", "accuracy")


def mistakes(logits: Tensor, *, real: bool) -> Tensor:
    r"""Which inputs a discriminator takes for the wrong kind.

    It says "data" where :math:`D=\sigma(v)>\tfrac12`, so where v > 0. At v = 0 it tosses a coin,
    which counts as half a mistake.

    Args:
        logits: v, any shape.
        real: whether the inputs are data.

    Returns:
        0, ½ or 1, same shape.

    Raises:
        ValueError: if a logit is NaN.

    Example:
        >>> mistakes(torch.tensor([-1.0, 0.0, 2.0]), real=True).tolist()
        [1.0, 0.5, 0.0]
    """
    if bool(logits.isnan().any()):
        raise ValueError("expected logits that are numbers, got NaN; did the judge diverge?")
    says_data = (logits.sign() + 1) / 2
    return 1 - says_data if real else says_data


def ratio(above: float, below: float) -> float:
    r"""A ratio of rates; equal rates give 1, zero ones too.

    Args:
        above: numerator ≥ 0.
        below: denominator ≥ 0.

    Returns:
        The ratio, ∞ for a zero denominator.

    Example:
        >>> ratio(0.0, 0.0), ratio(0.1, 0.0), ratio(0.1, 0.2)
        (1.0, inf, 0.5)
    """
    if above == below:
        return 1.0
    return above / below if below > 0 else math.inf


@dataclass(frozen=True)
class Rates:
    r"""The four error rates of a battle.

    Args:
        test_1: ε(D₁(x_test)), test images that D₁ calls fake.
        test_2: ε(D₂(x_test)).
        sample_1: ε(D₁(G₂(z))), samples of G₂ that D₁ calls data.
        sample_2: ε(D₂(G₁(z))).

    Raises:
        ValueError: if a rate is not in [0, 1].
    """

    test_1: float
    test_2: float
    sample_1: float
    sample_2: float

    def __post_init__(self) -> None:
        """Check the range."""
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"Rates: expected {name} in [0, 1], got {value}")

    def swapped(self) -> Rates:
        """The same battle with the players' numbers exchanged."""
        return Rates(self.test_2, self.test_1, self.sample_2, self.sample_1)


@dataclass(frozen=True)
class Battle:
    r"""A battle and its verdict.

    .. math::
        r_{test}=\frac{\epsilon(D_1(x_{test}))}{\epsilon(D_2(x_{test}))},\qquad
        r_{sample}=\frac{\epsilon(D_1(G_2(z)))}{\epsilon(D_2(G_1(z)))}

    Player 1 wins if :math:`r_{sample}<1`, player 2 if :math:`r_{sample}>1`, both only if
    :math:`r_{test}\simeq1`, which here means :math:`|\log r_{test}|\le\log(1+band)`. The band is
    even in the logarithm: a band of ±0.2 around 1 would treat the players unlike, since
    1/0.8 ≠ 1.2.

    Args:
        rates: the four error rates.
        band: width of the band, ≥ 0.
        form: ``"error"`` as in the paper, or ``"accuracy"``, which divides 1 − ε and turns the
            inequality round.

    Raises:
        ValueError: if the band is negative or the form unknown.

    Source:
        Im, Kim, Jiang and Memisevic (2016), section 4.

    Example:
        >>> Battle(Rates(0.10, 0.11, 0.2, 0.4)).verdict
        'player 1'
        >>> Battle(Rates(0.10, 0.30, 0.2, 0.4)).verdict
        'tie'
    """

    rates: Rates
    band: float = BAND
    form: str = "error"

    def __post_init__(self) -> None:
        """Check the settings."""
        if not self.band >= 0 or self.form not in FORMS:
            raise ValueError(
                f"expected a band ≥ 0 and a form of {', '.join(FORMS)}, got {self.band} and "
                f"{self.form!r}"
            )

    def _read(self, rate: float) -> float:
        return rate if self.form == "error" else 1 - rate

    @property
    def r_test(self) -> float:
        """How alike the discriminators are on the test set."""
        return ratio(self._read(self.rates.test_1), self._read(self.rates.test_2))

    @property
    def r_sample(self) -> float:
        """Who fools the other's discriminator less."""
        return ratio(self._read(self.rates.sample_1), self._read(self.rates.sample_2))

    @property
    def valid(self) -> bool:
        """Whether r_test lies in the band."""
        first, second = self._read(self.rates.test_1), self._read(self.rates.test_2)
        if first == second:
            return True
        if min(first, second) == 0:
            return False
        return abs(math.log(first) - math.log(second)) <= math.log1p(self.band)

    @property
    def ahead(self) -> int:
        """1 or 2 by the sample ratio alone, 0 if it is 1. This is not the verdict."""
        first, second = self._read(self.rates.sample_1), self._read(self.rates.sample_2)
        if first == second:
            return 0
        lower = 1 if first < second else 2
        return lower if self.form == "error" else 3 - lower

    @property
    def winner(self) -> int:
        """1 or 2; 0 for a tie."""
        return self.ahead if self.valid else 0

    @property
    def verdict(self) -> str:
        """The winner in words."""
        return ("tie", "player 1", "player 2")[self.winner]

    @property
    def reason(self) -> str:
        """Why."""
        if not self.valid:
            return f"r_test = {self.r_test:.2f} lies outside the band"
        return f"r_test is in the band and r_sample = {self.r_sample:.2f}"

    def swapped(self) -> Battle:
        """The same battle with the players exchanged."""
        return replace(self, rates=self.rates.swapped())


def verdicts(test: Tensor, cross: Tensor, band: float | Tensor = BAND) -> Tensor:
    r"""All battles of P players at once, by the rule of :class:`Battle`.

    Args:
        test: ε of each player's discriminator on the test set, **[..., P]**.
        cross: ``cross[..., i, j]``, ε of discriminator i on generator j, **[..., P, P]**.
        band: width of the band.

    Returns:
        **[..., P, P]**: 1 where the row's player wins, −1 where the column's does, 0 for a tie.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> verdicts(torch.tensor([0.2, 0.2]), torch.tensor([[0.3, 0.1], [0.4, 0.3]])).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    if cross.shape != (*test.shape, test.shape[-1]):
        raise ValueError(
            f"expected test [..., P] and cross [..., P, P], got {list(test.shape)} and "
            f"{list(cross.shape)}"
        )
    logs = test.double().log()
    gap = (logs[..., :, None] - logs[..., None, :]).abs()
    same = test[..., :, None] == test[..., None, :]
    valid = same | (gap <= torch.as_tensor(band, dtype=torch.float64, device=gap.device).log1p())
    return (cross.mT - cross).sign().to(torch.float64) * valid


def interval(wins: int, battles: int) -> tuple[float, float]:
    r"""Wilson's 95 % interval of a share, for counts over seeds.

    Args:
        wins: how many.
        battles: of how many.

    Returns:
        Its ends.

    Raises:
        ValueError: if the counts do not fit.

    Example:
        >>> low, high = interval(5, 5)
        >>> round(low, 2), round(high, 2)
        (0.57, 1.0)
    """
    if not 0 <= wins <= battles or battles < 1:
        raise ValueError(f"expected 0 ≤ wins ≤ battles and a battle, got {wins} of {battles}")
    found = binomtest(wins, battles).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


@dataclass(frozen=True)
class Collection:
    r"""GAM-II: what a collection of discriminators says of each generator.

    Args:
        average: mean error rate, **[..., P]**; higher means that the generator fools more.
        worst: error rate of the discriminator that sees through it best, **[..., P]**.
    """

    average: Tensor
    worst: Tensor


def gam_2(cross: Tensor, *, own: bool = True) -> Collection:
    r"""The average and the worst case over discriminators; no test ratio is asked for.

    .. math:: \frac1K\sum_k \epsilon(D_k(G_j(z))),\qquad \min_k \epsilon(D_k(G_j(z)))

    Args:
        cross: ``cross[..., k, j]``, ε of discriminator k on generator j, **[..., K, P]**.
        own: count discriminator j on generator j too; without it, K must be P.

    Returns:
        One number a generator each.

    Raises:
        ValueError: if there is no discriminator, or, without one's own, fewer than two players.

    Source:
        Im, Ma, Kim and Taylor (2016), section on GAM-II.

    Example:
        >>> gam_2(torch.tensor([[0.5, 0.1], [0.3, 0.1]])).average.tolist()
        [0.4000000059604645, 0.10000000149011612]
    """
    if own:
        if cross.ndim < 2 or cross.shape[-2] < 1:
            raise ValueError(f"expected rates [..., K, P] with K ≥ 1, got {list(cross.shape)}")
        return Collection(cross.mean(-2), cross.amin(-2))
    if cross.ndim < 2 or cross.shape[-1] != cross.shape[-2] or cross.shape[-1] < 2:
        raise ValueError(
            f"expected square rates [..., P, P] with P ≥ 2 to leave out a generator's own "
            f"discriminator, got {list(cross.shape)}"
        )
    players = cross.shape[-1]
    others = ~torch.eye(players, dtype=torch.bool, device=cross.device)
    kept = cross.mT[..., others].reshape(*cross.shape[:-2], players, players - 1)
    return Collection(kept.mean(-1), kept.amin(-1))
