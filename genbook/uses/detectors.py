r"""Other detectors of strangers: how badly a page is redrawn, and how unsure a classifier is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from genbook.adversarial.networks import Classifier, train


@dataclass(frozen=True)
class Subspace:
    r"""The plane that lies nearest to the images.

    Args:
        mean: m, **[P]**.
        basis: V, orthonormal rows, **[k, P]**.
    """

    mean: Tensor
    basis: Tensor

    def redrawn(self, x: Tensor) -> Tensor:
        r"""The nearest point of the plane.

        .. math:: \hat x = m + V^\top V (x - m)

        Args:
            x: **[N, P]**.

        Returns:
            **[N, P]**.
        """
        return self.mean + (x - self.mean) @ self.basis.T @ self.basis

    def gaps(self, x: Tensor) -> Tensor:
        r"""The squared distance from the plane, :math:`\|x-\hat x\|^2`, **[N]**."""
        return (x - self.redrawn(x)).square().sum(-1)


def principal(x: Tensor, count: int) -> Subspace:
    r"""The mean of images and their first principal components.

    Args:
        x: **[N, P]**.
        count: k, of components.

    Returns:
        The plane of k directions with the least mean squared distance, in single precision.

    Raises:
        ValueError: if k is not in [1, P].

    Example:
        >>> plane = principal(torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), 1)
        >>> plane.mean.tolist(), plane.basis.abs().tolist()
        ([2.0, 1.0], [[1.0, 0.0]])
        >>> plane.gaps(torch.tensor([[9.0, 4.0]])).tolist()
        [9.0]
    """
    if not 1 <= count <= x.shape[1]:
        raise ValueError(f"expected 1 to {x.shape[1]} components, got {count}")
    points = x.double()
    mean = points.mean(0)
    spread = (points - mean).T @ (points - mean)
    vectors = torch.linalg.eigh(spread).eigenvectors.flip(1)
    return Subspace(mean.float(), vectors.T[:count].contiguous().float())


def small_reader(pages: Tensor, labels: Tensor, *, seed: int = 0, steps: int = 600) -> Classifier:
    r"""A classifier of ten digits, one hidden layer of 32, small enough for a page.

    Args:
        pages: **[N, P]**.
        labels: **[N]**.
        seed: of weights and order.
        steps: of 100 images each.

    Returns:
        The trained network.
    """
    net = Classifier([pages.shape[1], 32, 10], seed, device=pages.device)
    for _ in train(net, pages, labels, steps=steps, seed=seed):
        pass
    return net


def told(net: Classifier, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""The probabilities that a classifier of this form gives with other weights.

    Args:
        net: its form.
        weights: in the order of ``net.parameters()``.
        x: **[N, P]**.

    Returns:
        **[N, K]**.

    Example:
        >>> net = Classifier([2, 4], 0)
        >>> told(net, [torch.zeros_like(w) for w in net.parameters()], torch.ones(1, 2)).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """
    names = [name for name, _ in net.named_parameters()]
    return functional_call(net, dict(zip(names, weights, strict=True)), (x,)).softmax(1)


def doubts(chances: Tensor) -> Tensor:
    r"""How unsure probabilities are: minus the log-odds of the largest.

    .. math:: \log\frac{1-\max_k p_k}{\max_k p_k}

    It falls as the largest probability grows, and tells 0.999 from 0.9999.

    Args:
        chances: p, **[N, K]**, the largest of each row alone.

    Returns:
        **[N]**; no odds are above :math:`10^{30}`.

    Example:
        >>> doubts(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])).exp().tolist()
        [1.0, 0.25]
    """
    most = chances.amax(1, keepdim=True)
    rest = (chances * (chances < most).to(chances.dtype)).sum(1)
    return rest.clamp_min(1e-30).log() - most[:, 0].log()


def steps_of(scores: Tensor, count: int = 20) -> Tensor:
    r"""The scores at even shares of a sample, to compare others with.

    Args:
        scores: of data, **[N]**.
        count: of shares.

    Returns:
        The quantiles 0, 1/count, …, 1, **[count + 1]**, in single precision.

    Example:
        >>> steps_of(torch.tensor([3.0, 1.0, 2.0]), 2).tolist()
        [1.0, 2.0, 3.0]
    """
    shares = torch.linspace(0, 1, count + 1, device=scores.device, dtype=torch.float64)
    return scores.double().quantile(shares).float()


def share_below(score: Tensor, steps: Tensor) -> Tensor:
    r"""Which share of a sample lies below a score, linear between the quantiles.

    .. math:: \frac1m\sum_{i<m}\min\Bigl(1,\max\Bigl(0,
        \frac{s-q_i}{q_{i+1}-q_i}\Bigr)\Bigr)

    Args:
        score: s, a scalar.
        steps: q of :func:`steps_of`, **[m + 1]**.

    Returns:
        A scalar from 0 to 1.

    Example:
        >>> share_below(torch.tensor(1.5), torch.tensor([1.0, 2.0, 3.0])).item()
        0.25
    """
    wide = (steps[1:] - steps[:-1]).clamp_min(1e-6)
    return ((score - steps[:-1]) / wide).clamp(0, 1).mean()
