r"""Why a generator forgets: a critic that stands still, a critic that cannot see, one that circles.

Three games small enough for closed forms. None of them needs a bad divergence or a small network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genbook.games.play import Critic, Objective, scores


def stale(start: float, rate: float, refresh: int, steps: int) -> Tensor:
    r"""The width of a Gaussian generator whose critic is renewed every few steps.

    Data are :math:`\mathcal N(0,1)`, fakes :math:`\mathcal N(0,\sigma^2)`. The best critic for the
    width s is :math:`T_s(x)=\log\frac{p}{q_s}`, and against it the generator's mean score is

    .. math::
        \mathbb E_{\sigma}[T_s] = -\tfrac12\sigma^2\big(1-s^{-2}\big)+\text{const}
        \quad\Rightarrow\quad
        \sigma\leftarrow\sigma-\eta\,\sigma\,\big(1-s^{-2}\big)

    Args:
        start: σ at the start, > 0.
        rate: η, > 0.
        refresh: generator steps before s is set to σ again; 0 means never.
        steps: generator steps.

    Returns:
        σ at each step, **[steps + 1]**, float64; clamped to [1e-3, 1e3].

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> [round(v, 3) for v in stale(2.0, 0.1, 0, 2).tolist()]
        [2.0, 1.85, 1.711]
    """
    if not (start > 0 and rate > 0) or refresh < 0 or steps < 1:
        raise ValueError(
            "expected start > 0, rate > 0, refresh ≥ 0 and steps ≥ 1, got "
            f"{start}, {rate}, {refresh}, {steps}"
        )
    path, seen = [start], start
    for index in range(steps):
        if refresh and index % refresh == 0:
            seen = path[-1]
        moved = path[-1] * (1 - rate * (1 - seen**-2))
        path.append(min(max(moved, 1e-3), 1e3))
    return torch.tensor(path, dtype=torch.float64)


class Elsewhere(nn.Module):
    r"""A critic that is changed only within a ball.

    .. math:: T'(x) = T(x) + h\,\big(1-\|x-c\|^2/r^2\big)_+^2

    Args:
        critic: T, maps **[S, B, d]** to **[S, B, 1]**.
        centre: c, **[d]**.
        radius: r > 0.
        height: h, at the centre.

    Raises:
        ValueError: if the radius is not positive.

    Example:
        >>> class Zero(nn.Module):
        ...     def forward(self, x): return 0 * x[..., :1]
        >>> Elsewhere(Zero(), torch.zeros(2), 1.0, 5.0)(torch.zeros(1, 1, 2)).item()
        5.0
    """

    def __init__(self, critic: nn.Module, centre: Tensor, radius: float, height: float) -> None:
        super().__init__()
        if not radius > 0:
            raise ValueError(f"expected a radius > 0, got {radius}")
        self.critic, self.centre, self.radius, self.height = critic, centre, radius, height

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, d]** to **[S, B, 1]**."""
        away = (x - self.centre.to(x)).square().sum(-1, keepdim=True) / self.radius**2
        return self.critic(x) + self.height * (1 - away).clamp_min(0).square()


def push(generator: nn.Module, critic: Critic, objective: Objective, noise: Tensor) -> Tensor:
    r"""The gradient of the generator's loss in all its weights.

    Args:
        generator: maps noise to samples.
        critic: maps samples to scores; stands still.
        objective: its generator's loss is used.
        noise: **[S, B, latent]**.

    Returns:
        One flat vector.

    Example:
        >>> from genbook.collapse.remedies import PLAIN
        >>> from genbook.kit.seeds import Streams, mlp
        >>> s = Streams([0])
        >>> push(mlp([2, 2], s), mlp([2, 1], s), PLAIN, s.normal(3, 2)).shape
        torch.Size([6])
    """
    loss = objective.generator_loss(scores(critic, generator(noise))).sum()
    slopes = torch.autograd.grad(loss, list(generator.parameters()))
    return torch.cat([slope.flatten() for slope in slopes])


def bilinear(
    unroll: int,
    *,
    look: float = 0.2,
    rate: float = 0.1,
    steps: int = 150,
    start: tuple[float, float] = (1.0, 0.0),
    through: bool = True,
) -> Tensor:
    r"""The game of xy, both players stepping at once, with an x that looks ahead.

    .. math::
        y_K = y + K\eta x,\qquad f_K(x,y)=x\,y_K,\qquad
        \frac{df_K}{dx} = \underbrace{y+K\eta x}_{\partial f/\partial x}
        + \underbrace{K\eta x}_{\text{through } y_K}

    Args:
        unroll: K.
        look: η, size of an imagined step.
        rate: size of a real step, of both.
        steps: how many.
        start: (x, y).
        through: keep the second term.

    Returns:
        The path **[steps + 1, 2]**, float64.

    Raises:
        ValueError: if K is negative or a size is not positive.

    Source:
        Metz, Poole, Pfau and Sohl-Dickstein (2017), equations 7 to 11.

    Example:
        >>> path = bilinear(0)
        >>> bool(path[-1].norm() > path[0].norm())
        True
    """
    if unroll < 0 or steps < 1 or not (look > 0 and rate > 0):
        raise ValueError(
            f"expected unroll ≥ 0, steps ≥ 1 and sizes > 0, got {unroll}, {steps}, {look}, {rate}"
        )
    matrix = bilinear_step(unroll, look=look, rate=rate, through=through)
    path = [torch.tensor(start, dtype=torch.float64)]
    for _ in range(steps):
        path.append(matrix @ path[-1])
    return torch.stack(path)


def bilinear_step(unroll: int, *, look: float, rate: float, through: bool = True) -> Tensor:
    r"""One step of :func:`bilinear` as a matrix.

    .. math::
        \begin{pmatrix}x\\y\end{pmatrix}\leftarrow
        \begin{pmatrix}1-2\alpha K\eta & -\alpha\\ \alpha & 1\end{pmatrix}
        \begin{pmatrix}x\\y\end{pmatrix}

    Args:
        unroll: K.
        look: η.
        rate: α.
        through: with the second term; without it the 2 is a 1.

    Returns:
        **[2, 2]**, float64.

    Example:
        >>> bilinear_step(0, look=0.2, rate=0.1).tolist()
        [[1.0, -0.1], [0.1, 1.0]]
    """
    pull = (2 if through else 1) * unroll * look
    rows = [[1 - rate * pull, -rate], [rate, 1.0]]
    return torch.tensor(rows, dtype=torch.float64)
