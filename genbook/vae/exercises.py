"""Exercises of the chapter on variational autoencoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genbook.kit.answers import agree, differentiates, known
from genbook.kit.exercises import Exercise

Divergence = Callable[[Tensor, Tensor], Tensor]
Bound = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Rivals = Sequence[tuple[Callable[..., Any], str]]


def _noise(*shape: int, seed: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=torch.float64)


# --- The divergence from the prior ------------------------------------------------------------


def kl_by_hand(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) ‖ N(0, I)), shape [N], for inputs [N, D]."""
    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)


def _nats(mean: Tensor, log_var: Tensor) -> Tensor:
    """One number a unit."""
    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var)


def _of_a_variance(mean: Tensor, variance: Tensor) -> Tensor:
    return kl_by_hand(mean, variance.log())


def _reversed_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * ((1 + mean**2) * (-log_var).exp() - 1 + log_var).sum(-1)


SPREAD = (
    (_noise(3, 2, seed=0), 0.2 + _noise(3, 2, seed=1).abs()),
    (_noise(2, 4, seed=2), 0.2 + _noise(2, 4, seed=3).abs()),
    (_noise(3, 3, seed=4), 0.2 + _noise(3, 3, seed=5).abs()),
)
"""Log-variances above zero, so that σ or σ² in their place has a logarithm."""

GAUSSIANS = (
    (
        torch.tensor([[0.0, 0.0], [1.0, -2.0]], dtype=torch.float64),
        torch.tensor([[0.0, 0.0], [0.5, -1.0]], dtype=torch.float64),
    ),
    *SPREAD,
    (_noise(4, 3, seed=6), _noise(4, 3, seed=7)),
    (_noise(1, 5, seed=8), _noise(1, 5, seed=9)),
    (_noise(3, 1, seed=10), _noise(3, 1, seed=11)),
)

KL_RIVALS: Rivals = (
    (
        lambda mean, log_var: _of_a_variance(mean, log_var**2),
        "the second argument is log σ², and you read it as σ.",
    ),
    (_of_a_variance, "the second argument is log σ², and you read it as σ²."),
    (
        lambda mean, log_var: kl_by_hand(mean, 2 * log_var),
        "the second argument is log σ², and you read it as log σ: a factor 2 too many.",
    ),
    (
        lambda mean, log_var: -kl_by_hand(mean, log_var),
        "a divergence is never negative; you have −KL, which is the term in the ELBO.",
    ),
    (
        lambda mean, log_var: 2 * kl_by_hand(mean, log_var),
        "twice too large: look for the ½ in front.",
    ),
    (
        lambda mean, log_var: _nats(mean, log_var).mean(-1),
        "summed, not averaged, over the latent units: independent units add their nats.",
    ),
    (_nats, "one number a unit, shape [N, D]: sum over the last axis."),
    (
        lambda mean, log_var: _nats(mean, log_var).sum(0),
        "that sums over the images, axis 0; the units are the last axis.",
    ),
    (
        lambda mean, log_var: _nats(mean, log_var).sum(),
        "that sums over the images too; return one number an image, shape [N].",
    ),
    (
        lambda mean, log_var: kl_by_hand(mean, log_var).mean(),
        "that averages over the images too; return one number an image, shape [N].",
    ),
    (
        lambda mean, log_var: kl_by_hand(mean, log_var) + mean.shape[-1] / 2,
        "½ a unit too large: for q = N(0, I) it should be zero. Where is the −1?",
    ),
    (
        lambda mean, log_var: kl_by_hand(mean, log_var) + (mean.shape[-1] - 1) / 2,
        "the −1 belongs in the sum, once for each unit.",
    ),
    (_reversed_kl, "that is KL(N(0, I) ‖ q), the other way round."),
    (
        lambda mean, log_var: kl_by_hand(mean, log_var) / math.log(2),
        "that is in bits; take the natural logarithm, for nats.",
    ),
)


def _sizes(mean: Tensor, _log_var: Tensor) -> str:
    return "for N = {} and D = {}".format(*mean.shape)


def _check_kl(answer: Divergence) -> str | None:
    return known(answer, KL_RIVALS, SPREAD) or agree(answer, kl_by_hand, GAUSSIANS, _sizes)


kl = Exercise(name="kl", check=_check_kl, reference=kl_by_hand)

# --- The importance-weighted bound ------------------------------------------------------------


def bound_by_hand(log_w: Tensor) -> Tensor:
    """The log of the mean weight, shape [N], for log-weights [k, N]."""
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


WEIGHTS = (
    (
        torch.tensor(
            [[-1000.0, -3.0], [-1001.0, -1.0], [-1002.0, -2.0]],
            dtype=torch.float64,
        ),
    ),
    (2 * _noise(5, 3, seed=12) - torch.tensor([90.0, 1000.0, 0.0]),),
    (_noise(2, 2, seed=13) - torch.tensor([2.0, 990.0]),),
    (_noise(1, 4, seed=14),),
    (2 * _noise(4, 1, seed=15) - 1000,),
)
"""In the first three the images differ by more than any exponential can hold."""


def _one_peak_for_all(log_w: Tensor) -> Tensor:
    return (log_w - log_w.max()).exp().mean(0).log() + log_w.max()


BOUND_RIVALS: Rivals = (
    (
        lambda log_w: log_w.exp().mean(0).log(),
        "exp(−1000) is zero in every floating type; subtract the largest log-weight first.",
    ),
    (
        _one_peak_for_all,
        "subtract the largest log-weight of each image, not of all: the others lie 1000 below it.",
    ),
    (
        lambda log_w: log_w.mean(0),
        "the mean of the logarithms is the ELBO; you want the logarithm of the mean.",
    ),
    (
        lambda log_w: torch.logsumexp(log_w, 0),
        "a sum, not a mean, of weights: it exceeds log p(x). Take off log k.",
    ),
    (
        lambda log_w: torch.logsumexp(log_w, 1) - math.log(log_w.shape[1]),
        "that is a mean over the images; the k samples lie on axis 0.",
    ),
    (
        lambda log_w: torch.logsumexp(log_w, 0) - math.log(log_w.shape[1]),
        "you take off log N; the samples are k, the length of axis 0.",
    ),
    (
        lambda log_w: torch.logsumexp(log_w, 0) / len(log_w),
        "dividing the weights by k takes log k off their logarithm; it does not divide it.",
    ),
    (lambda log_w: log_w.amax(0), "that is the largest log-weight alone; the others count too."),
    (lambda log_w: -bound_by_hand(log_w), "the sign: that bounds the NLL, −log p(x)."),
    (
        lambda log_w: log_w.exp().mean(0),
        "that is the mean weight itself: take its logarithm, without leaving logarithms.",
    ),
    (
        lambda log_w: (log_w.softmax(0) * log_w).sum(0),
        "that is a weighted mean of the logarithms; you want the logarithm of the mean.",
    ),
    (
        lambda log_w: bound_by_hand(log_w).mean(),
        "that averages over the images too; return one bound an image, shape [N].",
    ),
    (
        lambda log_w: torch.logsumexp(log_w, (0, 1)) - math.log(log_w.numel()),
        "that averages the weights of all images; return one bound an image, shape [N].",
    ),
)


def _counts(log_w: Tensor) -> str:
    return "for k = {} and N = {}".format(*log_w.shape)


def _check_bound(answer: Bound) -> str | None:
    return known(answer, BOUND_RIVALS, WEIGHTS) or agree(answer, bound_by_hand, WEIGHTS, _counts)


bound = Exercise(name="bound", check=_check_bound, reference=bound_by_hand)

# --- Bug hunt ---------------------------------------------------------------------------------


def grey_loss(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Meant to be the negative ELBO, averaged over a minibatch; every sample comes out grey."""
    reconstruction = functional.binary_cross_entropy_with_logits(logits, x)
    divergence = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(-1).mean()
    return reconstruction + divergence


def mended_loss(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """The negative ELBO: sums over pixels and units, mean over the images only."""
    reconstruction = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    divergence = -0.5 * (1 + log_var - mean**2 - log_var.exp())
    return (reconstruction.sum(-1) + divergence.sum(-1)).mean()


def _minibatch(images: int, pixels: int, units: int, seed: int) -> tuple[Tensor, ...]:
    noise = _noise(images, 2 * (pixels + units), seed=seed)
    x, logits, mean, log_var = noise.split([pixels, pixels, units, units], -1)
    return (x > 0).double(), 2 * logits, mean, log_var


MINIBATCHES = (
    _minibatch(2, 5, 3, seed=20),
    _minibatch(3, 4, 6, seed=30),
    _minibatch(1, 7, 2, seed=40),
)


def _pixel_nats(x: Tensor, logits: Tensor) -> Tensor:
    """One number a pixel."""
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none")


def _weighing(pixel: Callable[[Tensor], Tensor], unit: Callable[[Tensor], Tensor]) -> Loss:
    """A loss that reduces both halves in its own way."""
    return lambda x, logits, mean, log_var: (
        pixel(_pixel_nats(x, logits)) + unit(_nats(mean, log_var))
    )


def _per_image(nats: Tensor) -> Tensor:
    return nats.sum(-1).mean()


def _twice_squashed(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return mended_loss(x, logits.sigmoid(), mean, log_var)


def _per_pixel(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return mended_loss(x, logits, mean, log_var) / x.shape[-1]


LOSS_RIVALS: Rivals = (
    (
        grey_loss,
        "unchanged: compare how many terms each half adds up. "
        "Averaging over P pixels is the same as a β of P.",
    ),
    (
        _weighing(torch.mean, torch.mean),
        "both halves are averaged now, over P pixels and D units: the balance is off by P / D.",
    ),
    (
        _weighing(torch.sum, torch.sum),
        "the balance is right; but a sum over the images makes the step depend on the batch.",
    ),
    (
        _weighing(torch.sum, _per_image),
        "the pixels are summed over the images as well: then β is one over the size of the batch.",
    ),
    (
        _weighing(_per_image, torch.mean),
        "the pixels are summed now, but the units are averaged: that is a β of 1 / D.",
    ),
    (
        _weighing(lambda nats: nats.sum(-1), lambda nats: nats.sum(-1)),
        "that is one number an image; a loss is one number, their mean.",
    ),
    (
        _weighing(lambda nats: 784 * nats.mean(), _per_image),
        "784 is P for MNIST only: sum over the last axis, and any image will do.",
    ),
    (
        _weighing(_per_image, lambda nats: 0 * nats.sum()),
        "the divergence is gone: with β = 0 this is an autoencoder.",
    ),
    (
        _weighing(_per_image, lambda nats: -nats.sum(-1).mean()),
        "the sign: the ELBO has −KL, so the loss adds the divergence.",
    ),
    (
        lambda *batch: -mended_loss(*batch),
        "that is the ELBO itself; a loss is minimised, so it is the negative.",
    ),
    (
        _per_pixel,
        "the balance is right, but that is the negative ELBO over P, in nats a pixel: "
        "sum over the pixels.",
    ),
    (
        _twice_squashed,
        "the logits pass a sigmoid twice: `…_with_logits` has its own.",
    ),
)


def _amounts(x: Tensor, _logits: Tensor, mean: Tensor, _log_var: Tensor) -> str:
    return f"for {len(x)} images, P = {x.shape[1]} and D = {mean.shape[1]}"


def _check_loss(answer: Loss) -> str | None:
    hint = known(answer, LOSS_RIVALS, MINIBATCHES)
    hint = hint or agree(answer, mended_loss, MINIBATCHES, _amounts)
    if hint is not None or differentiates(answer, mended_loss, MINIBATCHES[1], leaves=(1, 2, 3)):
        return hint
    return "the value is right, but not the gradient in logits, mean and log_var: what is detached?"


loss = Exercise(name="loss", check=_check_loss, reference=mended_loss)

EXERCISES = (kl, bound, loss)
