"""Exercises of the chapter on variational autoencoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genbook.kit.answers import Hint, agree, call, numbers, same
from genbook.kit.exercises import Exercise

Case = tuple[Tensor, ...]
Rivals = Sequence[tuple[Callable[..., Any], str]]
Divergence = Callable[[Tensor, Tensor], Any]
Bound = Callable[[Tensor], Any]
Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Any]


def _doubles(*tables: Sequence[Sequence[float]]) -> Case:
    return tuple(torch.tensor(table, dtype=torch.float64) for table in tables)


def _known(answer: Callable[..., Any], cases: Iterable[Case], rivals: Rivals) -> str | None:
    """The words for the mistake that gives the answer's values in all cases."""
    listed = list(cases)
    for rival, words in rivals:
        if all(same(call(answer, *case), numbers(rival(*case))) for case in listed):
            return words
    return None


def _one_an_image(answer: Callable[..., Any], case: Case, count: int, advice: str) -> None:
    """Raise a hint unless the answer is one number an image."""
    shape = list(numbers(call(answer, *case)).shape)
    if shape != [count]:
        raise Hint(f"expected one number an image, shape [{count}], got shape {shape}: {advice}")


# --- The divergence from the prior ------------------------------------------------------------


def kl_by_hand(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) ‖ N(0, I)), shape [N], for inputs [N, D]."""
    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)


WIDE = _doubles([[0.0, 0.0], [1.0, -2.0], [0.5, 0.3]], [[0.2, 1.0], [0.5, 2.0], [1.5, 0.1]])
KL_CASES = (
    WIDE,
    _doubles([[0.0, 0.0], [1.0, -2.0]], [[0.0, 0.0], [0.5, -1.0]]),
    _doubles([[0.3, -0.7, 2.0]], [[-3.0, 0.0, 1.0]]),
    _doubles([[1.0], [0.0], [-4.0], [0.0]], [[0.0], [-6.0], [0.5], [2.0]]),
)
KL_RIVALS: Rivals = (
    (
        lambda m, v: 0.5 * (m**2 + v**2 - 1 - 2 * v.log()).sum(-1),
        "the second argument is log σ², and you read it as σ.",
    ),
    (
        lambda m, v: 0.5 * (m**2 + v - 1 - v.log()).sum(-1),
        "the second argument is log σ², and you read it as σ²: take its exponential first.",
    ),
    (
        lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 1 - 2 * v).sum(-1),
        "the second argument is log σ², and you read it as log σ: a factor 2 too many.",
    ),
    (
        lambda m, v: -kl_by_hand(m, v),
        "a divergence is never negative; you have −KL, which is the term in the ELBO.",
    ),
    (lambda m, v: 2 * kl_by_hand(m, v), "twice too large: look for the ½ in front."),
    (
        lambda m, v: kl_by_hand(m, v) / m.shape[-1],
        "summed, not averaged, over the latent units: independent units add their nats.",
    ),
    (
        lambda m, v: 0.5 * ((m**2 + 1) / v.exp() - 1 + v).sum(-1),
        "that is KL(N(0, I) ‖ q): the expectation is under q.",
    ),
    (
        lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(-1),
        "at mean 0 and σ = 1 both are the same, and KL is 0: look for the −1.",
    ),
)


def _check_kl(answer: Divergence) -> str | None:
    for case in KL_CASES:
        _one_an_image(answer, case, len(case[0]), "sum over the last axis.")
    if (hint := agree(answer, kl_by_hand, KL_CASES, _with_rows)) is None:
        return None
    return _known(answer, (WIDE,), KL_RIVALS) or hint


def _with_rows(mean: Tensor, log_var: Tensor) -> str:
    return f"for means {mean.tolist()} and log σ² {log_var.tolist()}"


kl = Exercise(name="kl", check=_check_kl, reference=kl_by_hand)

# --- The importance-weighted bound ------------------------------------------------------------


def bound_by_hand(log_w: Tensor) -> Tensor:
    """The log of the mean weight, shape [N], for log-weights [k, N]."""
    return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))


MODERATE = _doubles([[-3.0, -1.0], [-1.0, -4.0], [-2.5, -2.0]])
FAR = _doubles([[-1000.0, -3.0], [-1001.0, -1.0], [-1002.0, -2.0]])
BOUND_CASES = (MODERATE, FAR, _doubles([[-7.0, -2.0, -9.0]]), _doubles([[-1.0]] * 4))
BOUND_RIVALS: Rivals = (
    (
        lambda w: w.mean(0),
        "the mean of the logarithms is the ELBO; you want the logarithm of the mean.",
    ),
    (
        lambda w: torch.logsumexp(w, 0),
        "a sum, not a mean, of weights: it exceeds log p(x). Take off log k.",
    ),
    (lambda w: -bound_by_hand(w), "that is a loss, −L_k; the bound itself has the other sign."),
    (
        lambda w: torch.logsumexp(w, 0) - math.log(w.shape[1]),
        "the mean is over the k samples on axis 0, and you divide by the number of images.",
    ),
    (lambda w: w.max(0).values, "the largest weight alone is a bound, but not the mean's."),
)


def _check_bound(answer: Bound) -> str | None:
    for case in BOUND_CASES:
        _one_an_image(answer, case, case[0].shape[1], "the k samples lie on axis 0.")
    if not bool(numbers(call(answer, *FAR)).isfinite().all()):
        return "exp(−1000) is zero in every floating type; subtract the largest log-weight first."
    if (hint := agree(answer, bound_by_hand, BOUND_CASES, _with_weights)) is None:
        return None
    return _known(answer, (MODERATE, FAR), BOUND_RIVALS) or hint


def _with_weights(log_w: Tensor) -> str:
    return f"for log-weights {log_w.tolist()}"


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


def _crossed(x: Tensor, logits: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none")


def _both_averaged(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return _crossed(x, logits).mean() + kl_by_hand(mean, log_var).mean() / mean.shape[-1]


def _units_averaged(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    pixels = _crossed(x, logits).sum(-1).mean()
    return pixels + kl_by_hand(mean, log_var).mean() / mean.shape[-1]


def _summed_over_images(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return _crossed(x, logits).sum() + kl_by_hand(mean, log_var).mean()


LOSS_CASES = (
    _doubles(
        [[1.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0]],
        [[1.0, -2.0, 0.5, 0.0, 3.0], [0.0, 1.0, 2.0, -1.0, -0.5]],
        [[0.0, 0.0], [1.0, -2.0]],
        [[0.0, 0.0], [0.5, -1.0]],
    ),
    _doubles(
        [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]],
        [[2.0, -1.0, 0.3], [-0.2, 0.4, 1.5], [0.1, 60.0, -0.6], [-70.0, 0.8, 0.2]],
        [[0.3, -0.4, 0.5, 1.0], [0.0, 2.0, 0.1, -0.3], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.2, 0.6]],
        [[0.1, -0.2, 0.3, 0.5], [1.0, 0.0, -1.0, 0.4], [0.2, 0.2, 0.2, 0.2], [-2.0, 1.0, 0.0, 0.7]],
    ),
)
LOSS_RIVALS: Rivals = (
    (
        grey_loss,
        "unchanged: compare how many terms each half adds up. "
        "Averaging over P pixels is the same as a β of P.",
    ),
    (
        _both_averaged,
        "both halves are averaged now, over P pixels and D units: the balance is off by P / D.",
    ),
    (
        _units_averaged,
        "the pixels are summed now and the units averaged: that is a β of 1 / D.",
    ),
    (
        _summed_over_images,
        "the pixels are summed over the images, too, and the divergence is not: β is 1 / N.",
    ),
    (
        lambda *case: len(case[0]) * mended_loss(*case),
        "the balance is right; but a sum over the images makes the step depend on the batch.",
    ),
    (
        lambda *case: mended_loss(*case) / case[0].shape[-1],
        "the balance is right; but the whole is divided by P: no longer nats an image.",
    ),
    (
        lambda *case: -mended_loss(*case),
        "that is the ELBO, which is to grow: a loss is its negative.",
    ),
    (
        lambda x, logits, mean, log_var: _crossed(x, logits).sum(-1).mean(),
        "the reconstruction alone: where is the divergence?",
    ),
    (
        lambda x, logits, mean, log_var: (
            _crossed(x, logits).sum(-1) - kl_by_hand(mean, log_var)
        ).mean(),
        "the divergence has the wrong sign: it is a cost.",
    ),
)


def _check_loss(answer: Loss) -> str | None:
    for case in LOSS_CASES:
        if numbers(call(answer, *case)).numel() != 1:
            return "a loss is one number: average over the images."
    if (hint := agree(answer, mended_loss, LOSS_CASES, _with_size)) is None:
        return None
    return _known(answer, LOSS_CASES, LOSS_RIVALS) or hint


def _with_size(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> str:
    return f"for {len(x)} images of {x.shape[1]} pixels and {mean.shape[1]} units"


loss = Exercise(name="loss", check=_check_loss, reference=mended_loss)

EXERCISES = (kl, bound, loss)
