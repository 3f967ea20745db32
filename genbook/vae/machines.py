r"""The chapter's machine: paint a digit, see where it lands, and look for a better code by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call

from genbook.kit.device import seeded
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel, Slider, painting
from genbook.vae.models import VAE, Gaussian, gaussian_kl, prior_log_prob

REACH = 3.5
DRAWS = 32
"""Samples of q behind each estimate of a bound: 16 and their mirror images, always the same."""
FARTHEST = 0.3
"""How far one step may move a mean or a log-variance."""
RATES = (0.02, 0.05, 0.1, 0.2, 0.4)
CIRCLE = 48


def with_weights(model: VAE, weights: Sequence[Tensor], call: Callable[[VAE], Tensor]) -> Tensor:
    r"""What a model computes with other weights.

    Args:
        model: its form.
        weights: in the order of ``model.parameters()``.
        call: what to compute of the model.

    Returns:
        What ``call`` returns.

    Example:
        >>> model = VAE(4, 2, hidden=(3,), generator=seeded(0))
        >>> zeros = [torch.zeros_like(w) for w in model.parameters()]
        >>> with_weights(model, zeros, lambda m: m.decode(torch.ones(1, 2))).tolist()
        [[0.0, 0.0, 0.0, 0.0]]
    """
    names = [name for name, _ in model.named_parameters()]
    held = {f"model.{name}": w for name, w in zip(names, weights, strict=True)}
    return functional_call(_Calls(model, call), held, ())


class _Calls(torch.nn.Module):
    """A module whose forward pass is any use of the model."""

    def __init__(self, model: VAE, call: Callable[[VAE], Tensor]) -> None:
        super().__init__()
        self.model, self.call = model, call

    def forward(self) -> Tensor:
        return self.call(self.model)


def mirrored(draws: int, latent: int) -> Tensor:
    r"""Standard normal noise whose mean is exactly zero: half of it, and its mirror image.

    Args:
        draws: how many, even.
        latent: ``D``.

    Returns:
        **[draws, 1, D]**.

    Example:
        >>> mirrored(4, 2).sum().item()
        0.0
    """
    half = torch.randn(draws // 2, 1, latent, generator=seeded(0))
    return torch.cat([half, -half])


def guess(model: VAE, x: Tensor, change: Tensor, image: Tensor) -> Tensor:
    r"""The encoder's mean and log-variance, and what the steps have changed about them.

    Args:
        model: encodes.
        x: an image of zeros and ones, **[1, P]**.
        change: what was added so far, **[2, D]**.
        image: the image it was found for, **[P]**; for another one it does not count.

    Returns:
        Mean and log-variance, **[2, D]**.
    """
    q = model.encode(x)
    same = (image - x[0]).abs().sum() == 0
    return torch.cat([q.mean, q.log_var]) + same * change


def refined(model: VAE, x: Tensor, now: Tensor, noise: Tensor, rate: Tensor) -> Tensor:
    r"""One step up the ELBO of this one image, along its natural gradient.

    .. math:: \mu \leftarrow \mu + \rho\,\sigma^2\,\partial_\mu \mathcal L, \qquad
        \log\sigma^2 \leftarrow \log\sigma^2 + 2\rho\,\partial_{\log\sigma^2} \mathcal L

    Each number moves by 0.3 at most.

    Args:
        model: decodes.
        x: an image of zeros and ones, **[1, P]**.
        now: mean and log-variance, **[2, D]**.
        noise: of the samples of q, **[k, 1, D]**.
        rate: :math:`\rho`, a scalar.

    Returns:
        What to add to them, **[2, D]**.
    """
    now = now.detach().requires_grad_()
    bound = bound_of(model, x, now, noise)[0]
    (slope,) = torch.autograd.grad(bound, now)
    natural = torch.stack([now[1].exp() * slope[0], 2 * slope[1]])
    return (rate * natural).clamp(-FARTHEST, FARTHEST).detach()


def bound_of(model: VAE, x: Tensor, now: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""The ELBO of an image, its reconstruction term and its divergence, in nats.

    Args:
        model: decodes.
        x: **[1, P]**.
        now: mean and log-variance of q, **[2, D]**.
        noise: of its samples, **[k, 1, D]**.

    Returns:
        Three scalars.
    """
    q = Gaussian(now[:1], now[1:])
    fit = model.log_likelihood(x, q.place(noise)).mean()
    cost = gaussian_kl(q).sum()
    return fit - cost, fit, cost


def plane(
    model: VAE, size: tuple[int, int], examples: Mapping[str, Tensor], codes: Tensor
) -> Machine:
    r"""Paint a digit, see its code, its reconstruction and its ELBO; drag a code of your own.

    One step improves the encoder's guess for the painted image alone.

    Args:
        model: trained, two latent units.
        size: height and width of an image.
        examples: images **[P]** to begin with, by name; a pixel above ½ counts as 1.
        codes: dots for the plane, **[n, 2]**.

    Returns:
        The machine.

    Raises:
        ValueError: if the model has not two latent units or the size does not fit.
    """
    height, width = size
    if model.latent != 2 or model.pixels != height * width:
        raise ValueError(
            f"expected a VAE with 2 latent units and {height * width} pixels, got {model.latent} "
            f"and {model.pixels}; train VAE(pixels, 2)."
        )
    model = copy.deepcopy(model).float().cpu()
    weights = [w.detach().float().cpu() for w in model.parameters()]
    dots = codes.detach().float().cpu().clamp(-REACH, REACH)
    turn = torch.arange(CIRCLE + 1) * (2 * torch.pi / CIRCLE)
    around = torch.stack([turn.cos(), turn.sin()], 1)
    pixels, noise = model.pixels, mirrored(DRAWS, 2)

    def binary(data: Tensor) -> Tensor:
        grey = data[None, :pixels]
        return torch.where(grey > 0.5, torch.ones_like(grey), torch.zeros_like(grey))

    def refine(
        held: Sequence[Tensor], change: Tensor, image: Tensor, data: Tensor, rate: Tensor
    ) -> tuple[Tensor, Tensor]:
        def call(own: VAE) -> Tensor:
            x = binary(data)
            start = guess(own, x, torch.zeros_like(change), image)
            now = guess(own, x, change, image)
            return now - start + refined(own, x, now, noise, rate)

        return with_weights(model, held, call), binary(data)[0]

    def look(
        held: Sequence[Tensor], change: Tensor, image: Tensor, data: Tensor
    ) -> tuple[Tensor, ...]:
        parts: list[Tensor] = []

        def call(own: VAE) -> Tensor:
            x, yours = binary(data), data[None, pixels:]
            now = guess(own, x, change, image)
            first = guess(own, x, torch.zeros_like(change), image)
            bound, fit, cost = bound_of(own, x, now, noise)
            _, fit_before, cost_before = bound_of(own, x, first, noise)
            gained = (fit - fit_before) - (cost - cost_before)
            centre = torch.cat([now[:1], yours])
            drawn = torch.sigmoid(own.decode(centre))
            joint = own.log_likelihood(x, centre[:, None])[:, 0] + prior_log_prob(centre)
            ring = now[0] + 2 * torch.exp(0.5 * now[1]) * around
            parts.extend([
                drawn[0], drawn[1], ring, now[0], bound, fit, cost, gained, joint[0], joint[1],
                dots,
            ])  # fmt: skip
            return bound

        with_weights(model, held, call)
        return tuple(parts)

    zero = torch.zeros(pixels + 2)
    change, image = torch.zeros(2, 2), torch.zeros(pixels)
    plane_of = (-REACH, REACH)
    across, up = (0.0, float(width)), (0.0, float(height))
    return Machine(
        name="vae",
        groups={
            "weights": Group.trained(weights),
            "change": Group(((2, 2),), (0.0,)),
            "image": Group(((pixels,),), (0.0,)),
        },
        acts=(
            Act(
                {"": trace(refine, weights, change, image, zero, torch.tensor(0.1))},
                ("weights", "change", "image", "data", "control:rate"),
                ("change", "image"),
            ),
        ),
        view=Act(
            {"": trace(look, weights, change, image, zero)},
            ("weights", "change", "image", "data"),
            ("redrawn", "yours", "ring", "centre", "bound", "fit", "cost", "gained", "there",
             "here", "dots"),
        ),
        controls=(Slider("rate", "step size", RATES, 2),),
        data={
            name: torch.cat([(x.detach().float().cpu().flatten() > 0.5).float(), torch.zeros(2)])
            for name, x in examples.items()
        },
        most=pixels + 2,
        panels=(
            Panel(
                across,
                up,
                layers=(Layer("image", "data", "--gb-data", str(width), many=pixels),),
                hand=painting("A digit", pixels, width),
                title="paint here",
            ),
            Panel(
                plane_of,
                plane_of,
                (
                    Layer("points", "dots", "--gb-muted"),
                    Layer("path", "ring", "--gb-data"),
                    Layer("points", "data", "--gb-model", first=pixels, many=2),
                ),
                Hand(
                    "place",
                    "The plane of codes with your point. Drag it, or move it with the arrow keys.",
                    first=pixels,
                    many=2,
                ),
                title="drag your code",
            ),
            Panel(
                across,
                up,
                layers=(Layer("image", "redrawn", "--gb-data", str(width)),),
                title="the guess, redrawn",
            ),
            Panel(
                across,
                up,
                layers=(Layer("image", "yours", "--gb-model", str(width)),),
                title="your code, drawn",
            ),
        ),
        words="ELBO = reconstruction {fit} − divergence {cost} = {bound} nats; the steps have "
        "gained {gained}. log p(x, z) is {there} at the middle of the guess, {here} at your point.",
        restarts=False,
        size=(5.4, 5.6),
        across=2,
    )  # fmt: skip
