r"""Skip-gram's two losses, their exact optima, and its training.

Negative sampling has no formula of its own here: its loss is the discriminator's bound of the row
:data:`genbook.games.duality.GAN`, with pairs of the text as data and pairs of the noise as fakes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from genbook.games.duality import GAN
from genbook.gan.optimum import optimal_logit
from genbook.kit.training import Step, finite


def softmax_loss(joint: Tensor, logits: Tensor) -> Tensor:
    r"""Skip-gram with a softmax: the price of guessing the context from the word.

    .. math:: -\sum_{w,c}p(w,c)\log q(c\mid w),\qquad
        q(c\mid w)=\frac{e^{s(w,c)}}{\sum_{c'}e^{s(w,c')}}

    Args:
        joint: p(w, c), **[V, C]**.
        logits: s(w, c), **[V, C]**; −∞ rules a context out.

    Returns:
        A scalar, nats.

    Example:
        >>> p = torch.full((2, 2), 0.25)
        >>> round(softmax_loss(p, torch.zeros(2, 2)).item(), 4)
        0.6931
    """
    return -_weighted(joint, logits.log_softmax(1)).sum()


def conditional_entropy(joint: Tensor) -> Tensor:
    r"""What no guess of the context can beat.

    .. math:: H(c\mid w)=-\sum_{w,c}p(w,c)\log\frac{p(w,c)}{p(w)}

    Args:
        joint: p(w, c), **[V, C]**.

    Returns:
        A scalar, nats.

    Example:
        >>> conditional_entropy(torch.eye(2) / 2).item()
        0.0
    """
    return torch.special.entr(joint).sum() - torch.special.entr(joint.sum(1)).sum()


def negative_loss(joint: Tensor, noise: Tensor, k: float, logits: Tensor) -> Tensor:
    r"""Negative sampling in expectation: tell pairs of the text from k pairs of the noise.

    .. math:: -\mathbb E_p\log\sigma(s)-k\,\mathbb E_q\log\sigma(-s)
              =-\mathbb E_p[T]+k\,\mathbb E_q[f^*(T)],\qquad T=\log\sigma(s)

    Args:
        joint: p(w, c), **[V, C]**.
        noise: q(w, c), **[V, C]**.
        k: pairs of the noise for each pair of the text.
        logits: s(w, c), **[V, C]**.

    Returns:
        A scalar, nats a pair of the text; ∞ if a pair that occurs has logit −∞.

    Raises:
        ValueError: if k is not positive.

    Source:
        Mikolov et al. (2013).

    Example:
        >>> p = torch.full((2, 2), 0.25)
        >>> round(negative_loss(p, p, 1, torch.zeros(2, 2)).item() / math.log(2), 4)
        2.0
    """
    _positive(k)
    real = _weighted(joint, GAN.activation(logits))
    return k * _weighted(noise, GAN.composed(logits)).sum() - real.sum()


def best_logits(joint: Tensor, noise: Tensor, k: float) -> Tensor:
    r"""The logits with the least loss, if each pair may have its own.

    .. math:: s^*(w,c)=\log\frac{p(w,c)}{k\,q(w,c)}=\mathrm{PMI}(w,c)-\log k

    Args:
        joint: p(w, c), **[V, C]**.
        noise: q(w, c), **[V, C]**.
        k: pairs of the noise for each pair of the text.

    Returns:
        **[V, C]**; −∞ where p is 0.

    Raises:
        ValueError: if k is not positive.

    Source:
        Levy and Goldberg (2014), eq. 7.

    Example:
        >>> best_logits(torch.tensor([[0.5]]), torch.tensor([[0.25]]), 2).tolist()
        [[0.0]]
    """
    _positive(k)
    return optimal_logit(joint.log(), noise.log() + math.log(k))


def least_loss(joint: Tensor, noise: Tensor, k: float) -> Tensor:
    r"""The least loss of negative sampling, from two divergences to the mixture of both sources.

    .. math:: (1+k)\log(1+k)-k\log k-\mathrm{KL}(p\|m)-k\,\mathrm{KL}(q\|m),\qquad
        m=\frac{p+k\,q}{1+k}

    For k = 1 this is :math:`2\log2-2\,\mathrm{JS}(p,q)`.

    Args:
        joint: p, **[V, C]**.
        noise: q, **[V, C]**.
        k: pairs of the noise for each pair of the text.

    Returns:
        A scalar, nats.

    Raises:
        ValueError: if k is not positive.

    Example:
        >>> p = torch.full((2, 2), 0.25)
        >>> round(least_loss(p, p, 1).item() / math.log(2), 4)
        2.0
    """
    _positive(k)
    mixture = (joint + k * noise) / (1 + k)
    toward = [(torch.special.xlogy(x, x) - torch.special.xlogy(x, mixture)).sum()
              for x in (joint, noise)]  # fmt: skip
    return (1 + k) * math.log(1 + k) - k * math.log(k) - toward[0] - k * toward[1]


def cell_weight(joint: Tensor, noise: Tensor, k: float) -> Tensor:
    r"""What a small error in one logit costs: half of this, times its square.

    .. math:: h=\frac{p\,k q}{p+k q}\le\min(p,\ kq)

    Args:
        joint: p, **[V, C]**.
        noise: q, positive, **[V, C]**.
        k: pairs of the noise for each pair of the text.

    Returns:
        **[V, C]**; 0 where p is 0.

    Raises:
        ValueError: if k is not positive.

    Example:
        >>> cell_weight(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 0.5]), 1).tolist()
        [0.25, 0.0]
    """
    _positive(k)
    return joint * k * noise / (joint + k * noise)


class SkipGram(nn.Module):
    r"""A vector for each word and another for each context; their product is the logit.

    .. math:: s(w,c)=\langle u_w,c_c\rangle

    Args:
        size: V, words.
        rank: d, the length of a vector.
        generator: of the start, normal with deviation 0.1; the vectors live where it is.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(self, size: int, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        if size < 1 or rank < 1:
            raise ValueError(f"expected a size and a rank of at least 1, got {size} and {rank}")
        start = 0.1 * torch.randn(2, size, rank, generator=generator, device=generator.device)
        self.words = nn.Parameter(start[0].clone())
        self.contexts = nn.Parameter(start[1].clone())

    def forward(self) -> Tensor:
        r"""All logits, **[V, V]**."""
        return self.words @ self.contexts.T


def train(
    net: SkipGram, joint: Tensor, noise: Tensor, k: float, *, steps: int, rate: float = 0.05
) -> Iterator[Step]:
    r"""Descend the expected loss of negative sampling by Adam, all pairs at once.

    Nothing is sampled: the counts give the expectation itself.

    Args:
        net: changed in place.
        joint: p(w, c), **[V, V]**.
        noise: q(w, c), **[V, V]**.
        k: pairs of the noise for each pair of the text.
        steps: of Adam.
        rate: of Adam.

    Yields:
        The loss of each step, nats.

    Raises:
        ValueError: if k is not positive.
        NonFiniteLoss: if the loss is infinite or NaN.

    Example:
        >>> from genbook.kit.device import seeded
        >>> net, p = SkipGram(2, 1, seeded(0)), torch.eye(2) / 2
        >>> losses = [s.terms["loss"] for s in train(net, p, p.new_full((2, 2), 0.25), 1, steps=50)]
        >>> losses[-1] < losses[0]
        True
    """
    optimiser = torch.optim.Adam(net.parameters(), rate)
    p, q = joint.to(net.words), noise.to(net.words)
    for index in range(steps):
        loss = negative_loss(p, q, k, net())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        yield Step(index, steps, finite(index, loss=loss))


def _weighted(probability: Tensor, values: Tensor) -> Tensor:
    """Probability times value, with 0 · ∞ = 0."""
    return torch.where(probability > 0, probability * values, 0.0)


def _positive(k: float) -> None:
    if not k > 0:
        raise ValueError(f"expected k > 0 pairs of the noise for each of the text, got {k}")
