"""Exercises of the chapter on variational autoencoders."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from genbook.kit.exercises import Exercise, Wrong, call

Divergence = Callable[[Tensor, Tensor], Tensor]
Bound = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

MEAN = torch.tensor([[0.0, 0.0], [1.0, -2.0]], dtype=torch.float64)
LOG_VAR = torch.tensor([[0.0, 0.0], [0.5, -1.0]], dtype=torch.float64)
LOG_W = torch.tensor([[-1000.0, -3.0], [-1001.0, -1.0], [-1002.0, -2.0]], dtype=torch.float64)


def _agree(value: Tensor, target: Tensor) -> bool:
    return value.shape == target.shape and torch.allclose(value.double(), target, rtol=1e-6)


# --- The divergence from the prior ------------------------------------------------------------


def kl_by_hand(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) ‖ N(0, I)), shape [N], for inputs [N, D]."""
    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)


def _kl_of_a_std(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean**2 + log_var**2 - 1 - 2 * log_var.abs().clamp_min(1e-9).log()).sum(-1)


def _kl_of_an_exponentiated_std(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean**2 + (2 * log_var).exp() - 1 - 2 * log_var).sum(-1)


def _kl_without_half(mean: Tensor, log_var: Tensor) -> Tensor:
    return 2 * kl_by_hand(mean, log_var)


def _kl_negative(mean: Tensor, log_var: Tensor) -> Tensor:
    return -kl_by_hand(mean, log_var)


def _kl_averaged(mean: Tensor, log_var: Tensor) -> Tensor:
    return kl_by_hand(mean, log_var) / mean.shape[-1]


def _check_kl(answer: Divergence) -> str | None:
    value = call(answer, MEAN, LOG_VAR)
    target = kl_by_hand(MEAN, LOG_VAR)
    if not isinstance(value, Tensor) or value.shape != target.shape:
        return "expected one number an image, shape [N]: sum over the last axis."
    if _agree(value, _kl_of_a_std(MEAN, LOG_VAR)):
        return "the second argument is log σ², and you read it as σ."
    if _agree(value, _kl_of_an_exponentiated_std(MEAN, LOG_VAR)):
        return "the second argument is log σ², and you read it as log σ: a factor 2 too many."
    if _agree(value, -target):
        return "a divergence is never negative; you have −KL, which is the term in the ELBO."
    if _agree(value, 2 * target):
        return "twice too large: look for the ½ in front."
    if _agree(value, target / MEAN.shape[-1]):
        return "summed, not averaged, over the latent units: independent units add their nats."
    return None if _agree(value, target) else f"expected {target.tolist()}, got {value.tolist()}."


kl = Exercise(
    name="kl",
    check=_check_kl,
    reference=kl_by_hand,
    wrong=(
        Wrong(_kl_of_a_std, "read it as σ"),
        Wrong(_kl_of_an_exponentiated_std, "read it as log σ"),
        Wrong(_kl_without_half, "½"),
        Wrong(_kl_negative, "never negative"),
        Wrong(_kl_averaged, "not averaged"),
    ),
)

# --- The importance-weighted bound ------------------------------------------------------------


def bound_by_hand(log_w: Tensor) -> Tensor:
    """The log of the mean weight, shape [N], for log-weights [k, N]."""
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


def _bound_naive(log_w: Tensor) -> Tensor:
    return log_w.exp().mean(0).log()


def _bound_is_elbo(log_w: Tensor) -> Tensor:
    return log_w.mean(0)


def _bound_without_k(log_w: Tensor) -> Tensor:
    return torch.logsumexp(log_w, dim=0)


def _bound_over_images(log_w: Tensor) -> Tensor:
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])


def _check_bound(answer: Bound) -> str | None:
    value = call(answer, LOG_W)
    target = bound_by_hand(LOG_W)
    if not isinstance(value, Tensor) or value.shape != target.shape:
        return "expected one bound an image, shape [N]: the k samples lie on axis 0."
    if not bool(value.isfinite().all()):
        return "exp(−1000) is zero in every floating type; subtract the largest log-weight first."
    if _agree(value, LOG_W.mean(0)):
        return "the mean of the logarithms is the ELBO; you want the logarithm of the mean."
    if _agree(value, target + math.log(len(LOG_W))):
        return "a sum, not a mean, of weights: it exceeds log p(x). Take off log k."
    return None if _agree(value, target) else f"expected {target.tolist()}, got {value.tolist()}."


bound = Exercise(
    name="bound",
    check=_check_bound,
    reference=bound_by_hand,
    wrong=(
        Wrong(_bound_naive, "exp(−1000)"),
        Wrong(_bound_is_elbo, "mean of the logarithms"),
        Wrong(_bound_without_k, "log k"),
        Wrong(_bound_over_images, "axis 0"),
    ),
)

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


def _both_averaged(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    divergence = -0.5 * (1 + log_var - mean**2 - log_var.exp()).mean()
    return functional.binary_cross_entropy_with_logits(logits, x) + divergence


def _all_summed(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return len(x) * mended_loss(x, logits, mean, log_var)


def _check_loss(answer: Loss) -> str | None:
    x = torch.tensor([[1.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0]], dtype=torch.float64)
    logits = torch.tensor([[1.0, -2.0, 0.5, 0.0, 3.0], [0.0, 1.0, 2.0, -1.0, -0.5]]).double()
    case = (x, logits, MEAN, LOG_VAR)
    value = call(answer, *case)
    target = mended_loss(*case)
    if not isinstance(value, Tensor) or value.numel() != 1:
        return "a loss is one number: average over the images."
    if _agree(value, grey_loss(*case)):
        return (
            "unchanged: compare how many terms each half adds up. "
            "Averaging over P pixels is the same as a β of P."
        )
    if _agree(value, _both_averaged(*case)):
        return (
            "both halves are averaged now, over P pixels and D units: the balance is off by P / D."
        )
    if _agree(value, len(x) * target):
        return "the balance is right; but a sum over the images makes the step depend on the batch."
    return None if _agree(value, target) else f"expected {target:.4f}, got {value:.4f}."


loss = Exercise(
    name="loss",
    check=_check_loss,
    reference=mended_loss,
    wrong=(
        Wrong(grey_loss, "β of P"),
        Wrong(_both_averaged, "P / D"),
        Wrong(_all_summed, "depend on the batch"),
    ),
)

EXERCISES = (kl, bound, loss)
