r"""Small changes of an input that raise a loss: one signed step, many, and noise for comparison."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor], Tensor]
"""Maps inputs **[N, d]** to one loss an input, **[N]**."""


def _check(x: Tensor, epsilon: float) -> None:
    if x.ndim != 2 or not x.is_floating_point():
        raise ValueError(
            f"expected floating inputs [N, d], got {x.dtype} {list(x.shape)}; flatten images first"
        )
    if not 0 <= epsilon < float("inf"):
        raise ValueError(f"expected a finite ε ≥ 0, got {epsilon}; give how far a number moves")


def slope(loss: Loss, x: Tensor) -> Tensor:
    r"""The gradient of each input's own loss with respect to that input.

    .. math:: \nabla_x J(x)

    Args:
        loss: maps inputs to one loss an input; inputs must not see one another.
        x: inputs, **[N, d]**.

    Returns:
        **[N, d]**.

    Raises:
        ValueError: if ``loss`` does not give one number an input.

    Example:
        >>> slope(lambda x: (x**2).sum(1), torch.tensor([[1.0, -2.0]])).tolist()
        [[2.0, -4.0]]
    """
    place = x.detach().requires_grad_()
    values = loss(place)
    if values.shape != x.shape[:1]:
        raise ValueError(
            f"expected one loss an input, shape [{len(x)}], got {list(values.shape)}; "
            "use reduction='none'"
        )
    return torch.autograd.grad(values.sum(), place)[0]


def sign_step(loss: Loss, x: Tensor, epsilon: float) -> Tensor:
    r"""The fast gradient sign method: each number moves by ε, the way that hurts.

    .. math:: \tilde x = x + \epsilon\,\operatorname{sign}\nabla_x J(x)

    Where the slope is 0 a number stays. Nothing is clipped to the range of pixels.

    Args:
        loss: maps inputs to one loss an input.
        x: inputs, **[N, d]**.
        epsilon: how far each number moves.

    Returns:
        The attacked inputs, **[N, d]**.

    Raises:
        ValueError: if the inputs are no floating matrix or ε is negative or infinite.

    Source:
        Goodfellow, Shlens and Szegedy (2015).

    Example:
        >>> sign_step(lambda x: (x**2).sum(1), torch.tensor([[1.0, -2.0, 0.0]]), 0.5).tolist()
        [[1.5, -2.5, 0.0]]
    """
    _check(x, epsilon)
    return x.detach() + epsilon * slope(loss, x).sign()


def many_steps(loss: Loss, x: Tensor, epsilon: float, *, steps: int, rate: float) -> Tensor:
    r"""Signed steps, each brought back into the box of half-width ε around the input.

    .. math:: x_{k+1} = \Pi_{\|x' - x\|_\infty \le \epsilon}
        \bigl(x_k + \rho\,\operatorname{sign}\nabla J(x_k)\bigr)

    Args:
        loss: maps inputs to one loss an input.
        x: inputs, **[N, d]**; the first step starts there.
        epsilon: half-width of the box.
        steps: how many.
        rate: :math:`\rho`, the length of a step in each number.

    Returns:
        The attacked inputs, **[N, d]**.

    Raises:
        ValueError: if a number is out of range.

    Source:
        Kurakin, Goodfellow and Bengio (2017), without their clipping to the range of pixels; Madry
        et al. (2018) start at random places of the box.

    Example:
        >>> hill = lambda x: -(x - 0.3).abs().sum(1)
        >>> many_steps(hill, torch.zeros(1, 1), 1.0, steps=3, rate=0.1).item() < 0.31
        True
    """
    _check(x, epsilon)
    if steps < 1 or not 0 < rate < float("inf"):
        raise ValueError(f"expected steps ≥ 1 and a finite rate > 0, got {steps} and {rate}")
    x = x.detach()
    at = x
    for _ in range(steps):
        at = at + rate * slope(loss, at).sign()
        at = torch.minimum(torch.maximum(at, x - epsilon), x + epsilon)
    return at


def random_signs(x: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    r"""Noise as large as :func:`sign_step`'s in every number: the signs are coins.

    Args:
        x: inputs, **[N, d]**.
        epsilon: how far each number moves.
        generator: of the coins.

    Returns:
        **[N, d]**.

    Raises:
        ValueError: if the inputs are no floating matrix or ε is negative or infinite.

    Example:
        >>> from genbook.kit.device import seeded
        >>> random_signs(torch.zeros(2, 3), 0.25, seeded(0)).abs().unique().tolist()
        [0.25]
    """
    _check(x, epsilon)
    coins = torch.randint(0, 2, x.shape, generator=generator, device=generator.device)
    return x + epsilon * (2 * coins - 1).to(x)


def corners(d: int, *, like: Tensor) -> Tensor:
    r"""All :math:`2^d` ways to give d numbers a sign.

    Args:
        d: at most 16.
        like: gives dtype and device.

    Returns:
        Plus and minus one, :math:`[2^d, d]`.

    Raises:
        ValueError: if there are too many.

    Example:
        >>> corners(2, like=torch.zeros(1)).tolist()
        [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    if not 1 <= d <= 16:
        raise ValueError(f"expected 1 ≤ d ≤ 16, got {d}: there are 2^d corners")
    numbers = torch.arange(2**d, device=like.device)
    bits = (numbers[:, None] >> torch.arange(d, device=like.device)) & 1
    return (2 * bits - 1).to(like)
