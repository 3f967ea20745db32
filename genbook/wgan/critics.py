r"""Critics trained to optimality against a generator that stands still.

The generator is the data plus unit Gaussian noise, as in the first figure of Gulrajani et al. What
is left to learn is the critic alone, so its value surface, its slopes, the gradients that reach its
layers and its weights show what a way of bounding the slope does to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import ot
import torch
from torch import Tensor, nn

from genbook.games.play import Adam, Objective, RMSProp, critic_step, mlp, scores
from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.packing import pack_surface
from genbook.kit.seeds import Streams
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.kit.training import Step, finite
from genbook.wgan import losses
from genbook.wgan.transport import lipschitz

JUDGING = Substream("what a critic or a game is judged on", 1_000)

TOYS = ("8 Gaussians", "25 Gaussians", "Swiss roll")
"""The data sets, in the order of the seed axis of :func:`toys`."""

CLIPS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""The thresholds of the sweep."""

WIDTH, STEPS, BATCH = 64, 3_000, 256
"""Hidden units of each of three layers, critic steps, samples a step."""

RATE = 1 / 200
"""Step size per threshold: algorithm 1 moves at α = 5e-5 inside c = 0.01."""

REACH, SIDE = 3.0, 33
"""A surface covers [−3, 3]² with 33 × 33 points."""


def toys(n: int, seed: int) -> Tensor:
    r"""The three data sets of the figure, each scaled to about unit deviation.

    Args:
        n: points of each.
        seed: of the random numbers.

    Returns:
        **[3, n, 2]**, in the order of :data:`TOYS`.

    Raises:
        ValueError: if there is no point.

    Source:
        Gulrajani et al. (2017), figure 1a, scaled as in their code; the roll is this book's.

    Example:
        >>> toys(5, seed=0).shape
        torch.Size([3, 5, 2])
    """
    if n < 1:
        raise ValueError(f"expected at least one point, got {n}")
    generator = seeded(seed)
    eight = data.ring(n, generator, radius=2**0.5, std=0.02 / 2**0.5)
    many = data.grid(n, generator, spacing=2**-0.5, std=0.05 / 8**0.5)
    roll = data.swiss_roll(n, generator) / 0.46
    return torch.stack([eight, many, roll])


@dataclass(frozen=True)
class Fitting(Step):
    r"""One step of a critic against a generator that stands still.

    Args:
        loss: of each slice, penalty included, **[S]**.
    """

    loss: Tensor


def fit(
    critic: nn.Module,
    objective: Objective,
    tables: Tensor,
    *,
    steps: int,
    optimiser: Adam | RMSProp,
    streams: Streams,
    batch: int = 256,
    clip: float | Tensor | None = None,
) -> Iterator[Fitting]:
    r"""Train a critic to tell data from the same data with unit Gaussian noise.

    .. math:: \tilde x = x + \xi,\quad \xi\sim\mathcal N(0, I)

    Args:
        critic: maps **[S, B, 2]** to **[S, B, 1]**; changed in place.
        objective: the losses; the generator's is not used.
        tables: data, one table a slice, **[S, N, 2]**.
        steps: how many.
        optimiser: its settings.
        streams: random numbers, S of them.
        batch: samples a step.
        clip: clamp weights to ± this after each step; **[S, 1, 1]** gives each slice its own.

    Yields:
        One record a step.

    Raises:
        ValueError: if tables and streams do not fit.
        NonFiniteLoss: if a loss is infinite or NaN.

    Source:
        Gulrajani et al. (2017), section 3 and figure 1.

    Example:
        >>> streams = Streams([0, 1, 2])
        >>> critic = mlp([2, 8, 1], streams)
        >>> settings = dict(steps=2, optimiser=Adam(), streams=streams)
        >>> [step.index for step in fit(critic, losses.wgan_gp(), toys(50, seed=0), **settings)]
        [0, 1]
    """
    if tables.ndim != 3 or len(tables) != streams.count:
        raise ValueError(
            f"expected one table a stream, [{streams.count}, N, 2], got {list(tables.shape)}"
        )
    optim = optimiser.over(critic.parameters())
    limits = None if clip is None else torch.as_tensor(clip).to(tables)
    for index in range(steps):
        real, fake = pair(tables, batch, streams)
        loss = critic_step(critic, optim, objective, real, fake, streams)
        if limits is not None:
            _clamp(critic, limits)
        yield Fitting(index, steps, finite(index, critic=loss.mean()), loss)


def _clamp(critic: nn.Module, limits: Tensor) -> None:
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(min=-limits, max=limits)


def pair(tables: Tensor, n: int, streams: Streams) -> tuple[Tensor, Tensor]:
    r"""Draw data and the same data with unit Gaussian noise.

    Args:
        tables: **[S, N, 2]**.
        n: samples a slice.
        streams: S of them.

    Returns:
        Data and fakes, both **[S, n, 2]**.

    Example:
        >>> real, fake = pair(torch.zeros(1, 9, 2), 4, Streams([0]))
        >>> real.abs().max().item(), fake.shape
        (0.0, torch.Size([1, 4, 2]))
    """
    tables = tables.to(streams.device)
    rows = streams.integers(tables.shape[1], n)
    real = tables.gather(1, rows[..., None].expand(-1, -1, tables.shape[-1]))
    return real, real + streams.normal(n, tables.shape[-1])


def surface(critic: nn.Module, count: int, *, side: int = SIDE, reach: float = REACH) -> Tensor:
    r"""The critic's values on a square lattice.

    Args:
        critic: maps **[S, B, 2]** to **[S, B, 1]**.
        count: S.
        side: points along an edge.
        reach: half the edge.

    Returns:
        **[S, side, side]**; the row is the second coordinate, from low to high.

    Example:
        >>> surface(nn.Linear(2, 1), 1, side=3).shape
        torch.Size([1, 3, 3])
    """
    ticks = torch.linspace(-reach, reach, side, device=next(critic.parameters()).device)
    second, first = torch.meshgrid(ticks, ticks, indexing="ij")
    points = torch.stack([first, second], dim=-1).reshape(1, -1, 2).expand(count, -1, -1)
    with torch.no_grad():
        return scores(critic, points).reshape(count, side, side)


@dataclass(frozen=True)
class Certificate:
    r"""What a critic proves about the distance of two samples.

    Args:
        value: mean score of the data minus that of the fakes.
        steepest: the critic's Lipschitz constant on the points at hand.
        exact: W₁ of the two samples, by an exact solver.
    """

    value: float
    steepest: float
    exact: float

    @property
    def bound(self) -> float:
        """A lower bound of W₁: the value of the critic divided by its Lipschitz constant."""
        return self.value / self.steepest

    @property
    def share(self) -> float:
        """The bound as a share of W₁."""
        return self.bound / self.exact


def certify(t_real: Tensor, t_fake: Tensor, real: Tensor, fake: Tensor) -> Certificate:
    r"""Turn a critic's scores into a proven lower bound of W₁.

    .. math:: \frac{\mathbb E_p[T]-\mathbb E_q[T]}{\mathrm{Lip}(T)} \le W_1(p,q)

    Whatever its scale, a critic divided by its Lipschitz constant is admissible in the
    Kantorovich–Rubinstein dual, so clipped and penalised critics can be compared.

    Args:
        t_real: scores **[n]**.
        t_fake: scores **[m]**.
        real: points **[n, d]**.
        fake: points **[m, d]**.

    Returns:
        Value, Lipschitz constant on these points, and the exact distance.

    Raises:
        ValueError: if scores and points do not fit.

    Source:
        Arjovsky, Chintala and Bottou (2017), eqs. 2 and 3; exact distances by POT.

    Example:
        >>> x, y = torch.zeros(1, 1), torch.ones(1, 1)
        >>> certify(torch.tensor([2.0]), torch.tensor([0.0]), x, y).share
        1.0
    """
    if t_real.shape != real.shape[:1] or t_fake.shape != fake.shape[:1]:
        raise ValueError(
            "expected one score a point, got "
            f"{list(t_real.shape)} for {list(real.shape)}, {list(t_fake.shape)} for "
            f"{list(fake.shape)}"
        )
    points = torch.cat([real, fake]).double()
    steepest = lipschitz(torch.cat([t_real, t_fake]).double(), torch.cdist(points, points))
    exact = float(ot.emd2([], [], torch.cdist(real.double(), fake.double()).cpu().numpy()))
    value = float(t_real.double().mean() - t_fake.double().mean())
    return Certificate(value, steepest, exact)


def shallow(streams: Streams, width: int = WIDTH) -> nn.Sequential:
    r"""The critic of the figure, three hidden layers of rectifiers.

    Args:
        streams: draw the weights.
        width: hidden units of each layer.

    Returns:
        A module from **[S, B, 2]** to **[S, B, 1]**.

    Example:
        >>> len(list(shallow(Streams([0]), width=4).parameters()))
        8
    """
    return mlp([2, width, width, width, 1], streams)


def optimal(
    clip: float | None, seed: int, *, steps: int = STEPS, points: int = 20_000
) -> nn.Module:
    r"""Critics for the three data sets, trained to optimality together.

    Args:
        clip: the threshold c; ``None`` uses the gradient penalty with λ = 10.
        seed: of weights, data and batches.
        steps: critic steps.
        points: size of each data set.

    Returns:
        The critic, slices in the order of :data:`TOYS`.

    Example:
        >>> critic = optimal(None, seed=0, steps=1, points=9)
        >>> surface(critic, len(TOYS), side=2).shape
        torch.Size([3, 2, 2])
    """
    streams = Streams([seed] * len(TOYS))
    critic = shallow(streams)
    optimiser = Adam(1e-3, betas=(0.5, 0.9)) if clip is None else RMSProp(RATE * clip)
    objective = losses.wgan_gp() if clip is None else losses.wgan()
    settings = {"steps": steps, "optimiser": optimiser, "streams": streams, "clip": clip}
    for _ in fit(critic, objective, toys(points, seed), **settings):  # type: ignore[arg-type]
        pass
    return critic


def certificates(critic: nn.Module, seed: int, n: int = 1_000) -> list[Certificate]:
    r"""Judge a critic for each data set on fresh samples.

    Args:
        critic: slices in the order of :data:`TOYS`.
        seed: of the samples.
        n: data, and as many fakes.

    Returns:
        One certificate a data set.

    Example:
        >>> critic = optimal(None, seed=0, steps=1, points=9)
        >>> len(certificates(critic, seed=1, n=5))
        3
    """
    streams = Streams([seed] * len(TOYS), device=next(critic.parameters()).device)
    real, fake = pair(toys(n, seed), n, streams)
    with torch.no_grad():
        t_real, t_fake = scores(critic, real), scores(critic, fake)
    return [certify(*each) for each in zip(t_real, t_fake, real, fake, strict=True)]


def record_critics(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study of the value surfaces: the penalty and every threshold, on three data sets.

    Args:
        slice: a part of some seconds.
        seed: of the run.

    Yields:
        One row for each threshold and data set; no ``clip`` for the gradient penalty.
    """
    for clip in (None, 0.1) if slice else (None, *CLIPS):
        critic = optimal(clip, seed, steps=20 if slice else STEPS)
        surfaces = surface(critic, len(TOYS))
        judged = certificates(critic, JUDGING.seed(seed))
        for toy, found, values in zip(TOYS, judged, surfaces, strict=True):
            yield {
                "seed": seed,
                "toy": toy,
                **({} if clip is None else {"clip": clip}),
                "value": found.value,
                "steepest": found.steepest,
                "exact": found.exact,
                "share": found.share,
                "surface": pack_surface(values) if seed == 0 else "",
            }


STUDIES = (
    Study(
        name="wgan_critics",
        topic="wgan",
        run=record_critics,
        seeds=(0, 1, 2),
        config={
            "data": "8 Gaussians, 25 Gaussians, Swiss roll, scaled to unit deviation, 20000 points",
            "generator": "the data plus unit Gaussian noise, fixed",
            "critic": "2-64-64-64-1, ReLU, no normalisation",
            "penalty": "two-sided, weight 10, Adam 1e-3, beta 0.5 and 0.9",
            "clipping": "RMSProp at c/200, the ratio of Algorithm 1",
            "training": "3000 critic steps, batch 256",
            "judged": "1000 fresh samples of each; exact W1 by POT",
        },
    ),
)
