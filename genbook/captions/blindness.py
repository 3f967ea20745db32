r"""Does a captioner look? Swap the pictures and see what its captions lose."""

from __future__ import annotations

import torch
from torch import Tensor

from genbook.captions.captioner import Captioner, Pairs


@torch.no_grad()
def swap_gap(net: Captioner, data: Pairs, shift: int = 1) -> Tensor:
    r"""What each caption loses under another row's picture.

    .. math:: \log p(S_i \mid I_i) - \log p(S_i \mid I_{i-s})

    Args:
        net: to be tested.
        data: pairs in random order.
        shift: s, rows.

    Returns:
        Nats, **[N]**.

    Raises:
        ValueError: if every row would keep its picture.
    """
    if shift % max(1, len(data.pictures)) == 0:
        raise ValueError(
            f"expected a shift that moves {len(data.pictures)} rows, got {shift}; take 1"
        )
    own = net.score(data.pictures, data.captions)
    return own - net.score(data.pictures.roll(shift, 0), data.captions)


def exact_gap(joint: Tensor) -> tuple[Tensor, Tensor]:
    r"""The expected gap of a captioner that knows a finite joint distribution, and I(I; S).

    Args:
        joint: positive, sums to 1; pictures by captions, **[M, N]**.

    Returns:
        The gap with an independent second picture, and the mutual information, nats.

    Raises:
        ValueError: unless the joint distribution is positive and sums to 1.

    Example:
        >>> gap, information = exact_gap(torch.full((2, 2), 0.25))
        >>> abs(gap.item()) < 1e-6, abs(information.item()) < 1e-6
        (True, True)
    """
    total = float(joint.sum())
    if joint.ndim != 2 or not bool((joint > 0).all()) or abs(total - 1) > 1e-4:
        raise ValueError(
            f"expected positive chances [M, N] that sum to 1, got {list(joint.shape)} with a sum "
            f"of {total:g}; divide by the sum, and mix in a little of every pair"
        )
    pictures, captions = joint.sum(1, keepdim=True), joint.sum(0, keepdim=True)
    log = (joint / pictures).log()
    gap = ((joint - pictures * captions) * log).sum()
    return gap, (joint * (log - captions.log())).sum()


def blinded(data: Pairs, generator: torch.Generator) -> Pairs:
    r"""The same captions with the pictures in another order: a join on the wrong key.

    Example:
        >>> data = Pairs(torch.arange(3.0)[:, None, None], torch.zeros(3, 6).long())
        >>> mixed = blinded(data, torch.Generator().manual_seed(0))
        >>> sorted(mixed.pictures.flatten().tolist())
        [0.0, 1.0, 2.0]
    """
    order = torch.randperm(len(data.pictures), generator=generator, device=generator.device)
    return Pairs(data.pictures[order], data.captions)
