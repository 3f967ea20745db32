r"""The gradient that reaches each layer of a deep critic, and the weights it leaves behind.

A clipped critic multiplies the gradient by about the same factor in each layer, so over many layers
it explodes or vanishes exponentially; the penalty on the slope keeps it level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.play import Adam, Objective, RMSProp, mlp
from genbook.kit.seeds import SeedLinear, Streams
from genbook.kit.studies import Row, Study
from genbook.wgan import losses
from genbook.wgan.critics import TOYS, fit, pair, toys

DEEP_CLIPS = (0.1, 0.01, 0.001)
"""The thresholds of Gulrajani et al., figure 1b."""

LAYERS, WIDTH, STEPS = 12, 128, 600
"""Hidden layers, their width, critic steps."""

BINS = 41
"""Bars of a histogram of weights."""


def layer_norms(critic: nn.Sequential, objective: Objective, real: Tensor, fake: Tensor) -> Tensor:
    r"""The norm of the loss's gradient where it enters each layer, from first to last.

    .. math:: \Big\|\frac{\partial L}{\partial a_\ell}\Big\|_2

    Args:
        critic: a stack with :class:`genbook.kit.seeds.SeedLinear` layers, S slices.
        objective: its critic loss is L.
        real: **[S, B, d]**.
        fake: **[S, B, d]**.

    Returns:
        **[S, layers]**, float64; :math:`a_\ell` is the input of layer ℓ over the whole batch.

    Source:
        Gulrajani et al. (2017), figure 1b.

    Example:
        >>> critic = mlp([2, 8, 8, 1], Streams([0]))
        >>> layer_norms(critic, losses.wgan(), torch.ones(1, 4, 2), torch.zeros(1, 4, 2)).shape
        torch.Size([1, 3])
    """
    hidden = torch.cat([real, fake], dim=1).double().requires_grad_()
    entering: list[Tensor] = []
    for module in critic:
        if isinstance(module, SeedLinear):
            entering.append(hidden)
            hidden = hidden @ module.weight.double() + module.bias.double()
        else:
            hidden = torch.relu(hidden)
    values = hidden.squeeze(-1)
    loss = objective.critic_loss(values[:, : real.shape[1]], values[:, real.shape[1] :])
    gradients = torch.autograd.grad(loss.sum(), entering)
    return torch.stack([g.flatten(1).norm(dim=1) for g in gradients], dim=1)


def decades_per_layer(norms: Tensor) -> Tensor:
    r"""How many powers of ten a gradient loses on its way back through one layer.

    .. math:: \hat\beta\ \text{of the line}\ \log_{10}\|\partial L/\partial a_\ell\|
        \approx \alpha+\beta\ell

    Args:
        norms: **[S, layers]**, positive.

    Returns:
        **[S]**: positive when the gradient vanishes towards the input, negative when it explodes.

    Raises:
        ValueError: if there are fewer than two layers or a norm is not positive.

    Example:
        >>> round(decades_per_layer(torch.tensor([[0.01, 0.1, 1.0]])).item(), 6)
        1.0
    """
    if norms.ndim != 2 or norms.shape[1] < 2 or not bool((norms > 0).all()):
        raise ValueError(
            f"expected positive norms [S, layers] with at least 2 layers, got {list(norms.shape)} "
            f"with minimum {norms.min().item():g}"
        )
    logs = norms.double().log10()
    layers = torch.arange(norms.shape[1], dtype=torch.float64, device=norms.device)
    centred = layers - layers.mean()
    return logs @ centred / centred.square().sum()


@dataclass(frozen=True)
class Factors:
    r"""What a layer of clipped weights multiplies a gradient by on its way back.

    Args:
        random: :math:`c\sqrt{n/2}`, the root mean square over random signs.
        aligned: :math:`cn/\sqrt2`, the largest there is; all signs are equal.
    """

    random: float
    aligned: float


def chain_factors(clip: float, width: int) -> Factors:
    r"""The factor of one layer if every weight is ± c and half of the rectifiers are open.

    .. math:: \|WD\,v\|\ \text{for}\ \|v\|=1,\qquad W_{ij}=\pm c,\quad \mathrm{tr}\,D=\tfrac n2

    Random signs give :math:`\mathbb E\|WDv\|^2=c^2\frac n2` for a v that is spread evenly. The
    operator norm of :math:`WD` is at most its Frobenius norm :math:`c\sqrt{n\cdot n/2}`, which
    equal signs attain.

    Args:
        clip: c > 0.
        width: n ≥ 2, units of both layers.

    Returns:
        Both factors.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> factors = chain_factors(0.1, 128)
        >>> round(factors.random, 3), round(factors.aligned, 3)
        (0.8, 9.051)
    """
    if not clip > 0 or width < 2:
        raise ValueError(f"expected a limit c > 0 and a width n ≥ 2, got {clip} and {width}")
    return Factors(clip * math.sqrt(width / 2), clip * width / math.sqrt(2))


def hidden_weights(critic: nn.Sequential) -> Tensor:
    r"""The weights of all square layers of a stack, side by side.

    Args:
        critic: a stack with at least one square :class:`genbook.kit.seeds.SeedLinear`.

    Returns:
        **[S, weights]**, detached.

    Raises:
        ValueError: if there is no square layer.

    Example:
        >>> hidden_weights(mlp([2, 8, 8, 1], Streams([0]))).shape
        torch.Size([1, 64])
    """
    square = [
        module.weight.detach().flatten(1)
        for module in critic
        if isinstance(module, SeedLinear) and module.weight.shape[1] == module.weight.shape[2]
    ]
    if not square:
        raise ValueError("expected a stack with a square layer, got none; mlp([2, 8, 8, 1], …)")
    return torch.cat(square, dim=1)


def deep(
    clip: float | None, seed: int, *, steps: int = STEPS, width: int = WIDTH
) -> tuple[nn.Sequential, Tensor]:
    r"""Train a critic of twelve hidden layers on the Swiss roll; measure its gradients.

    Args:
        clip: the threshold c; ``None`` uses the gradient penalty with λ = 10.
        seed: of weights, data and batches.
        steps: critic steps.
        width: hidden units of each layer.

    Returns:
        The critic, and the norms of :func:`layer_norms` on a fresh batch, **[1, 13]**.

    Source:
        Gulrajani et al. (2017), figure 1b.

    Example:
        >>> critic, norms = deep(0.1, seed=0, steps=1, width=8)
        >>> norms.shape
        torch.Size([1, 13])
    """
    streams = Streams([seed])
    critic = mlp([2, *[width] * LAYERS, 1], streams)
    optimiser = Adam(1e-3, betas=(0.5, 0.9)) if clip is None else RMSProp(clip / 100)
    objective = losses.wgan_gp() if clip is None else losses.wgan()
    table = toys(20_000, seed)[[TOYS.index("Swiss roll")]]
    settings = {"steps": steps, "optimiser": optimiser, "streams": streams, "clip": clip}
    for _ in fit(critic, objective, table, **settings):  # type: ignore[arg-type]
        pass
    return critic, layer_norms(critic, losses.wgan(), *pair(table, 256, streams))


def record_depth(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study of the gradients: the penalty and three thresholds.

    Args:
        slice: a part of some seconds.
        seed: of the run.

    Yields:
        One row a method; no ``clip`` for the gradient penalty. ``norms`` holds base-10
        logarithms, ``weights`` the counts of a histogram over ± ``reach``.
    """
    for clip in (None, *DEEP_CLIPS):
        critic, norms = deep(clip, seed, steps=10 if slice else STEPS)
        weights = hidden_weights(critic)[0]
        reach = clip or round(float(weights.abs().max()), 3)
        counts = torch.histc(weights, BINS, -reach, reach).int().tolist()
        yield {
            "seed": seed,
            **({} if clip is None else {"clip": clip}),
            "decades": float(decades_per_layer(norms[:, 1:])),
            "norms": " ".join(f"{value:.3f}" for value in norms[0].log10().tolist()),
            "at_limit": float((weights.abs() >= 0.99 * clip).float().mean()) if clip else 0.0,
            "reach": reach,
            "weights": " ".join(map(str, counts)),
        }


STUDIES = (
    Study(
        name="wgan_depth",
        topic="wgan",
        run=record_depth,
        seeds=(0, 1, 2),
        config={
            "data": "Swiss roll, scaled to unit deviation",
            "generator": "the data plus unit Gaussian noise, fixed",
            "critic": "12 hidden layers of 128, ReLU, no normalisation",
            "penalty": "two-sided, weight 10, Adam 1e-3, beta 0.5 and 0.9",
            "clipping": "RMSProp at c/100",
            "training": "600 critic steps, batch 256",
            "norms": "log10 of the norm of dL/da at the input of each layer, L the bound",
        },
    ),
)
