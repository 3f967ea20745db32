r"""A game that gradient descent circles: V(x, y) = xy, the smallest minimax problem.

x descends, y ascends. The only equilibrium is the origin. A curvature c > 0 ties y down,
V = xy − c y²/2, as a regularised discriminator would be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Step = Callable[["SmallGame", Tensor], Tensor]


@dataclass(frozen=True)
class SmallGame:
    r"""The game and how fast each player moves.

    .. math:: \min_x \max_y\; xy - \tfrac c2 y^2

    Args:
        x_rate: learning rate of x, the generator's part.
        y_rate: learning rate of y, the discriminator's.
        curvature: c ≥ 0.

    Raises:
        ValueError: if a rate is not positive or the curvature negative.
    """

    x_rate: float
    y_rate: float
    curvature: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not (self.x_rate > 0 and self.y_rate > 0 and self.curvature >= 0):
            raise ValueError(
                f"expected rates > 0 and a curvature ≥ 0, got {self.x_rate}, {self.y_rate} "
                f"and {self.curvature}"
            )

    def field(self, point: Tensor) -> Tensor:
        r"""Where both players want to go, (−∂V/∂x, ∂V/∂y) times their rates, **[..., 2]**."""
        x, y = point[..., 0], point[..., 1]
        return torch.stack([-self.x_rate * y, self.y_rate * (x - self.curvature * y)], -1)


def simultaneous(game: SmallGame, point: Tensor) -> Tensor:
    r"""Both players step from the same point.

    Args:
        game: the game.
        point: (x, y), shape ``[..., 2]``.

    Returns:
        Shape ``[..., 2]``.

    Example:
        >>> simultaneous(SmallGame(0.5, 0.5), torch.tensor([1.0, 0.0])).tolist()
        [1.0, 0.5]
    """
    return point + game.field(point)


def alternating(game: SmallGame, point: Tensor) -> Tensor:
    r"""The first player, x, steps first; y sees where x has gone.

    Args:
        game: the game.
        point: (x, y), shape ``[..., 2]``.

    Returns:
        Shape ``[..., 2]``.

    Example:
        >>> alternating(SmallGame(0.5, 0.5), torch.tensor([0.0, 1.0])).tolist()
        [-0.5, 0.75]
    """
    moved = torch.stack([(point + game.field(point))[..., 0], point[..., 1]], -1)
    return torch.stack([moved[..., 0], (moved + game.field(moved))[..., 1]], -1)


def extragradient(game: SmallGame, point: Tensor) -> Tensor:
    r"""Look one step ahead, then move from here with the gradient from there.

    Args:
        game: the game.
        point: (x, y), shape ``[..., 2]``.

    Returns:
        Shape ``[..., 2]``.

    Source:
        Korpelevich (1976).

    Example:
        >>> extragradient(SmallGame(0.5, 0.5), torch.tensor([1.0, 0.0])).tolist()
        [0.75, 0.5]
    """
    return point + game.field(point + game.field(point))


METHODS: dict[str, Step] = {
    "simultaneous": simultaneous,
    "alternating": alternating,
    "extragradient": extragradient,
}


def orbit(step: Step, game: SmallGame, start: Tensor, steps: int) -> Tensor:
    r"""The path of a method.

    Args:
        step: one of :data:`METHODS`.
        game: the game.
        start: (x, y), shape ``[..., 2]``.
        steps: how many.

    Returns:
        Shape ``[steps + 1, ..., 2]``, the start first.

    Raises:
        ValueError: if the number of steps is negative.

    Example:
        >>> orbit(simultaneous, SmallGame(0.1, 0.1), torch.tensor([1.0, 0.0]), 5).shape
        torch.Size([6, 2])
    """
    if steps < 0:
        raise ValueError(f"expected steps ≥ 0, got {steps}")
    path = [start]
    for _ in range(steps):
        path.append(step(game, path[-1]))
    return torch.stack(path)


def update_matrix(step: Step, game: SmallGame) -> Tensor:
    r"""The matrix M of one step; the game is linear, so step(point) = M point.

    Args:
        step: one of :data:`METHODS`.
        game: the game.

    Returns:
        Shape ``[2, 2]``, float64.

    Example:
        >>> update_matrix(simultaneous, SmallGame(0.5, 0.25)).tolist()
        [[1.0, -0.5], [0.25, 1.0]]
    """
    return step(game, torch.eye(2, dtype=torch.float64)).T


def growth(step: Step, game: SmallGame) -> float:
    r"""The spectral radius of one step: below 1 it converges, above 1 it flies apart.

    Args:
        step: one of :data:`METHODS`.
        game: the game.

    Returns:
        :math:`\max_i |\lambda_i(M)|`.

    Example:
        >>> growth(simultaneous, SmallGame(0.75, 0.75))
        1.25
    """
    return float(torch.linalg.eigvals(update_matrix(step, game)).abs().max())


def conserved(game: SmallGame, point: Tensor) -> Tensor:
    r"""What alternating steps leave unchanged when c = 0.

    .. math:: Q(x, y) = \eta_y x^2 - \eta_x\eta_y\,xy + \eta_x y^2

    Positive definite for :math:`\eta_x\eta_y<4`, so that the path stays on an ellipse.

    Args:
        game: the game, of curvature 0.
        point: (x, y), shape ``[..., 2]``.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if the curvature is not 0.

    Example:
        >>> conserved(SmallGame(1.0, 1.0), torch.tensor([1.0, 1.0])).item()
        1.0
    """
    if game.curvature != 0:
        raise ValueError(f"expected curvature 0, got {game.curvature}: nothing is conserved then")
    x, y = point[..., 0], point[..., 1]
    return game.y_rate * x**2 - game.x_rate * game.y_rate * x * y + game.x_rate * y**2
