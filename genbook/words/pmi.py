r"""Pointwise mutual information: the matrix behind skip-gram, repaired and cut to a rank."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def pmi(joint: Tensor, noise: Tensor) -> Tensor:
    r"""How much likelier a pair is than if its two words stood anywhere.

    .. math:: \mathrm{PMI}(w,c)=\log\frac{p(w,c)}{q(w,c)}

    Args:
        joint: p(w, c), **[V, C]**.
        noise: q, positive, often p(w) p(c), **[V, C]**.

    Returns:
        **[V, C]**, nats; −∞ for a pair that never occurs.

    Example:
        >>> pmi(torch.tensor([[0.5, 0.0]]), torch.tensor([[0.5, 0.5]])).tolist()
        [[0.0, -inf]]
    """
    return joint.log() - noise.log()


def positive(pmi: Tensor, k: float = 1) -> Tensor:
    r"""What of PMI − log k is above zero.

    .. math:: \max\bigl(\mathrm{PMI}-\log k,\ 0\bigr)

    Args:
        pmi: **[V, C]**, may be −∞.
        k: shift, above 0.

    Returns:
        **[V, C]**, at least 0.

    Raises:
        ValueError: if k is not positive.

    Source:
        Levy and Goldberg (2014).

    Example:
        >>> positive(torch.tensor([1.0, -math.inf]), 1).tolist()
        [1.0, 0.0]
    """
    if not k > 0:
        raise ValueError(f"expected k > 0, got {k}")
    return (pmi - math.log(k)).clamp_min(0)


def mixed(joint: Tensor, noise: Tensor, share: float) -> Tensor:
    r"""Pairs of which a share was drawn from the noise: none has probability 0 any more.

    .. math:: p_\alpha=(1-\alpha)\,p+\alpha\,q,\qquad
        \log\frac{p_\alpha}{q}\ge\log\alpha

    Args:
        joint: p, **[V, C]**.
        noise: q, **[V, C]**.
        share: α in [0, 1].

    Returns:
        **[V, C]**.

    Raises:
        ValueError: if α is no share.

    Example:
        >>> mixed(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]), 0.5).tolist()
        [0.75, 0.25]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"expected a share in [0, 1], got {share}")
    return (1 - share) * joint + share * noise


@dataclass(frozen=True)
class Factors:
    r"""Vectors whose products make a matrix.

    Args:
        words: **[V, d]**.
        contexts: **[C, d]**.
    """

    words: Tensor
    contexts: Tensor

    @property
    def both(self) -> tuple[Tensor, Tensor]:
        r"""Word and context vectors."""
        return self.words, self.contexts

    @property
    def product(self) -> Tensor:
        r"""The matrix :math:`\langle u_w, c_c\rangle`, **[V, C]**."""
        return self.words @ self.contexts.T


@dataclass(frozen=True)
class Decomposition:
    r"""A matrix as a sum of patterns, the strongest first.

    Args:
        left: **[V, r]**, columns of length 1.
        values: singular values, decreasing, **[r]**.
        right: **[C, r]**, columns of length 1.
    """

    left: Tensor
    values: Tensor
    right: Tensor

    def cut(self, rank: int) -> Factors:
        r"""The best factors of a rank, with the singular values shared out between the two sides.

        .. math:: \min_{\operatorname{rank} L\le d}\|M-L\|_F^2=\sum_{i>d}\sigma_i^2

        Args:
            rank: d, from 1 to r.

        Returns:
            Word and context vectors.

        Raises:
            ValueError: if the rank is out of range.

        Source:
            Eckart and Young (1936).
        """
        if not 1 <= rank <= len(self.values):
            raise ValueError(f"expected a rank of 1 to {len(self.values)}, got {rank}")
        root = self.values[:rank].sqrt()
        return Factors(self.left[:, :rank] * root, self.right[:, :rank] * root)


def decomposed(matrix: Tensor) -> Decomposition:
    r"""The singular value decomposition.

    .. math:: M=\sum_i\sigma_i\,u_i\,v_i^\top

    Args:
        matrix: finite, **[V, C]**.

    Returns:
        Its parts.

    Raises:
        ValueError: if an entry is infinite or NaN.

    Example:
        >>> decomposed(torch.diag(torch.tensor([3.0, 5.0]))).values.round().tolist()
        [5.0, 3.0]
    """
    if not bool(torch.isfinite(matrix).all()):
        raise ValueError(
            "expected a finite matrix, got entries that are not; PMI is −∞ where a pair never "
            "occurs: use positive(…) or mixed(…) first"
        )
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    return Decomposition(left, values, right.T)
