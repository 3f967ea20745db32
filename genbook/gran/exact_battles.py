r"""Is the battle right? Best discriminators on a line, where every truth is known exactly.

A distribution is a vector of probabilities on the points of :func:`line`; coverage, total variation
and W₁ are sums, the best discriminator :math:`p/(p+q)` is known, and so is every error rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.games.play import Streams, mlp
from genbook.gan.algorithm import fit_discriminator
from genbook.gan.costs import NON_SATURATING, objective
from genbook.gran.battle import BAND, Rates, mistakes, verdicts
from genbook.kit.seeds import Sampler
from genbook.kit.substreams import members
from genbook.wgan import transport

MODES = (-4.5, -1.5, 1.5, 4.5)
STD = 0.4
KINDS = ("drops modes", "blurs", "shifts", "adds junk")


def line() -> Tensor:
    """The 241 points of the line, −9 to 9, float64."""
    return torch.linspace(-9, 9, 241, dtype=torch.float64)


def _mixture(weights: Sequence[float], std: float = STD, shift: float = 0.0) -> Tensor:
    centres = torch.tensor(MODES, dtype=torch.float64)[:, None] + shift
    bumps = (-(line() - centres).square() / (2 * std**2)).softmax(-1)
    share = torch.tensor(weights, dtype=torch.float64)
    return (share / share.sum()) @ bumps


def mixture() -> Tensor:
    r"""The data: four equally likely bumps.

    Returns:
        Probabilities on :func:`line`, **[241]**.

    Example:
        >>> round(mixture().sum().item(), 9)
        1.0
    """
    return _mixture([1, 1, 1, 1])


def degraded(kind: str, amount: float) -> Tensor:
    r"""A generator that is perfect but for one fault.

    Args:
        kind: ``"drops modes"`` (the share of the first two bumps that is lost), ``"blurs"``
            (standard deviation up by the factor 1 + 4·amount), ``"shifts"`` (by amount · 1.5, to
            half way between bumps) or ``"adds junk"`` (a share of uniform noise).
        amount: from 0, perfect, to 1.

    Returns:
        Probabilities on :func:`line`, **[241]**.

    Raises:
        ValueError: if the kind is unknown or the amount out of range.

    Example:
        >>> bool((degraded("shifts", 0.0) == mixture()).all())
        True
    """
    if kind not in KINDS or not 0 <= amount <= 1:
        raise ValueError(
            f"expected a kind of {', '.join(KINDS)} and an amount in [0, 1], got {kind!r} and "
            f"{amount}"
        )
    if kind == "drops modes":
        return _mixture([1 - amount, 1 - amount, 1, 1])
    if kind == "blurs":
        return _mixture([1, 1, 1, 1], std=STD * (1 + 4 * amount))
    if kind == "shifts":
        return _mixture([1, 1, 1, 1], shift=1.5 * amount)
    flat = torch.full((241,), 1 / 241, dtype=torch.float64)
    return (1 - amount) * mixture() + amount * flat


@dataclass(frozen=True)
class Truth:
    r"""What a generator is worth, exactly.

    Args:
        w1: Wasserstein distance to the data, in units of the line.
        tv: total variation to the data.
        coverage: share of the data's bumps that it reaches, each up to its true weight.
        own_error: ε(D*(x)) + ε(D*(G(z))) of its best discriminator.
    """

    w1: float
    tv: float
    coverage: float
    own_error: float


def truth(q: Tensor) -> Truth:
    r"""Judge a generator with everything known.

    .. math::
        \mathrm{coverage}=\sum_k\min(p_k,q_k),\qquad
        \epsilon(D^*(x))+\epsilon(D^*(G(z)))=1-\mathrm{TV}(p,q)

    Args:
        q: probabilities on :func:`line`, **[241]**.

    Returns:
        The truth. p_k and q_k are the masses between the mid-points of neighbouring bumps and
        within three standard deviations of the bump.

    Raises:
        ValueError: if q is no probability vector of that length.

    Example:
        >>> truth(mixture()).w1
        0.0
    """
    p, x = mixture(), line()
    rates = bayes_rates(p, q, q)
    near = (x - torch.tensor(MODES, dtype=torch.float64)[:, None]).abs() <= 3 * STD
    masses = [(near * values).sum(-1) for values in (p, q)]
    return Truth(
        w1=float(transport.on_line(x, p, x, q)),
        tv=float((p - q).abs().sum() / 2),
        coverage=float(torch.minimum(*masses).sum() / masses[0].sum()),
        own_error=rates.test_1 + rates.sample_1,
    )


def bayes_rates(p: Tensor, q1: Tensor, q2: Tensor) -> Rates:
    r"""The battle of the two best discriminators there are, :math:`D_i=p/(p+q_i)`, exactly.

    .. math::
        \epsilon(D_1(x_{test}))=\sum_{x:\,q_1>p}p,\qquad
        \epsilon(D_1(G_2(z)))=\sum_{x:\,p>q_1}q_2

    with a coin where the two are equal.

    Args:
        p: probabilities of the data, **[N]**.
        q1: of generator 1.
        q2: of generator 2.

    Returns:
        The four rates.

    Raises:
        ValueError: if one is no probability vector of that length.

    Source:
        The optimum is that of Goodfellow et al. (2014), proposition 1.

    Example:
        >>> p, q = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
        >>> bayes_rates(p, q, q)
        Rates(test_1=0.5, test_2=0.5, sample_1=0.0, sample_2=0.0)
    """
    for name, values in (("p", p), ("q1", q1), ("q2", q2)):
        fits = values.ndim == 1 and values.shape == p.shape and bool((values >= 0).all())
        if not fits or abs(float(values.double().sum()) - 1) > 1e-6:
            raise ValueError(
                f"expected probabilities {name} [N] ≥ 0 of sum 1, got {list(values.shape)} with "
                f"sum {float(values.sum()):g}; divide by the sum"
            )
    judges = [p.double() - q.double() for q in (q1, q2)]
    tests = [(p.double() * mistakes(v, real=True)).sum() for v in judges]
    samples = [
        (q.double() * mistakes(v, real=False)).sum() for v, q in zip(judges, (q2, q1), strict=True)
    ]
    return Rates(*(min(float(value), 1.0) for value in (*tests, *samples)))


def cycle() -> tuple[Tensor, Tensor]:
    r"""Data and three generators, each a rotation of the last, that beat one another in a circle.

    Returns:
        p **[3]** and q **[3, 3]**, a generator a row, float64.

    Example:
        >>> from genbook.gran.battle import Battle
        >>> p, q = cycle()
        >>> [Battle(bayes_rates(p, q[i], q[(i + 1) % 3])).winner for i in range(3)]
        [2, 2, 2]
    """
    first = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    rows = torch.stack([first.roll(shift) for shift in range(3)])
    return torch.full((3,), 1 / 3, dtype=torch.float64), rows


def from_line(weights: Tensor) -> Sampler:
    r"""A sampler of points of the line, one distribution a seed.

    Args:
        weights: probabilities, **[S, 241]** or **[241]** for all.

    Returns:
        Draws **[S, n, 1]**.

    Raises:
        ValueError: if there are not 241 probabilities.

    Example:
        >>> from_line(mixture())(Streams([0, 1]), 5).shape
        torch.Size([2, 5, 1])
    """
    if weights.shape[-1:] != (241,):
        raise ValueError(f"expected probabilities [..., 241], got {list(weights.shape)}")

    def draw(streams: Streams, n: int) -> Tensor:
        steps = weights.to(streams.device).cumsum(-1)
        height = streams.uniform(n).double() * steps[..., -1:]
        levels = steps.expand(streams.count, -1).contiguous()
        place = torch.searchsorted(levels, height).clamp(max=240)
        return line().float().to(place.device)[place][..., None]

    return draw


def learned_rates(
    generators: Tensor, seed: int, *, iterations: int = 400, batch: int = 256
) -> tuple[Tensor, Tensor]:
    r"""Train a discriminator against each generator; its rates come from the exact probabilities.

    Args:
        generators: probabilities, **[P, 241]**.
        seed: of the discriminators' streams.
        iterations: steps.
        batch: points a step, from each side.

    Returns:
        ε on the data, **[P]**, and ``cross[i, j]``, ε of discriminator i on generator j,
        **[P, P]**: the arguments of :func:`genbook.gran.battle.verdicts`.

    Raises:
        NonFiniteLoss: if the loss is infinite or NaN.

    Example:
        >>> learned_rates(torch.stack([mixture()] * 2), 0, iterations=2)[1].shape
        torch.Size([2, 2])
    """
    streams = Streams(members(seed, len(generators)))
    judge = mlp([1, 48, 48, 1], streams)
    draws = from_line(mixture()), from_line(generators)
    for _ in fit_discriminator(
        judge,
        objective(NON_SATURATING),
        *draws,
        streams,
        iterations=iterations,
        batch=batch,
        lr=1e-2,
    ):
        pass
    with torch.no_grad():
        logits = judge(line().float()[:, None].expand(len(generators), -1, -1))[..., 0]
    real = mistakes(logits, real=True).double() @ mixture()
    fake = mistakes(logits, real=False).double() @ generators.T
    return real.clamp(0, 1), fake.clamp(0, 1)


def best_rates(generators: Tensor) -> tuple[Tensor, Tensor]:
    r"""As :func:`learned_rates`, with the best discriminators there are.

    Args:
        generators: probabilities, **[P, 241]**.

    Returns:
        ε on the data, **[P]**, and the cross table, **[P, P]**.

    Example:
        >>> best_rates(torch.stack([mixture()] * 2))[0].round(decimals=6).tolist()
        [0.5, 0.5]
    """
    logits = mixture() - generators
    real = mistakes(logits, real=True) @ mixture()
    return real.clamp(0, 1), (mistakes(logits, real=False) @ generators.T).clamp(0, 1)


@dataclass(frozen=True)
class Census:
    r"""How the battle fares over many pairs of generators, against W₁ or TV.

    Args:
        right: pairs in which the winner is the one nearer to the data.
        wrong: pairs in which it is the farther one.
        tie: pairs without a winner.
    """

    right: int
    wrong: int
    tie: int


def census(test: Tensor, cross: Tensor, distance: Tensor, band: float = BAND) -> Census:
    r"""Count the pairs whose verdict agrees with a distance to the data.

    Args:
        test: ε on the data, **[P]**.
        cross: **[P, P]**.
        distance: smaller is better, **[P]**.
        band: of the rule.

    Returns:
        The counts over pairs of unequal distance.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> rates = torch.tensor([0.2, 0.2]), torch.tensor([[0.3, 0.1], [0.4, 0.3]])
        >>> census(*rates, torch.tensor([1.0, 2.0]))
        Census(right=1, wrong=0, tie=0)
    """
    outcome = verdicts(test, cross, band)
    if distance.shape != test.shape:
        raise ValueError(f"expected distances {list(test.shape)}, got {list(distance.shape)}")
    nearer = (distance[None, :] - distance[:, None]).sign().triu(1)
    said = (outcome * nearer)[nearer != 0]
    return Census(*(int((said == value).sum()) for value in (1, -1, 0)))
