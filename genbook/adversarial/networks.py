r"""Classifiers of ten digits, trained on clean images or on attacked ones, and what they score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.adversarial.attacks import sign_step
from genbook.games.play import mlp
from genbook.kit.data import batches
from genbook.kit.device import seeded
from genbook.kit.seeds import Streams
from genbook.kit.substreams import Substream
from genbook.kit.training import Step, finite

ORDER = Substream("order of the minibatches", 1_000)


class Classifier(nn.Module):
    r"""A perceptron with ReLUs, or softmax regression where nothing is hidden.

    Args:
        sizes: pixels, hidden units, classes.
        seed: of the weights.
        device: where they are.

    Example:
        >>> Classifier([4, 3, 2], 0)(torch.zeros(5, 4)).shape
        torch.Size([5, 2])
    """

    def __init__(self, sizes: list[int], seed: int, *, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self.pixels = sizes[0]
        self.net = mlp(sizes, Streams([seed], device=device))

    def forward(self, x: Tensor) -> Tensor:
        r"""Logits **[N, K]** of inputs **[N, d]**."""
        return self.net(x[None])[0]

    def loss(self, labels: Tensor) -> Callable[[Tensor], Tensor]:
        r"""The cross-entropy of each input as a function of the inputs, in nats.

        Args:
            labels: **[N]**.

        Returns:
            Maps **[N, d]** to **[N]**.
        """
        return lambda x: functional.cross_entropy(self(x), labels, reduction="none")


def train(
    net: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    steps: int,
    seed: int,
    epsilon: float = 0.0,
    share: float = 0.5,
    rate: float = 2e-3,
) -> Iterator[Step]:
    r"""Train with Adam, on clean images or on a mixture of clean and attacked ones.

    .. math:: \alpha J(x) + (1 - \alpha)\,
        J\bigl(x + \epsilon\,\operatorname{sign}\nabla_x J(x)\bigr)

    Args:
        net: changed in place.
        images: **[N, d]**.
        labels: **[N]**.
        steps: minibatches of 100.
        seed: of their order.
        epsilon: of the attack; 0 trains on clean images.
        share: :math:`\alpha`, used where ε is above 0.
        rate: Adam's.

    Yields:
        The loss of each step, nats.

    Raises:
        ValueError: if ``share`` or ε is out of range.
        NonFiniteLoss: if the loss is infinite or NaN.

    Source:
        Goodfellow, Shlens and Szegedy (2015).

    Example:
        >>> net, x = Classifier([2, 2], 0), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> [s.index for s in train(net, x, torch.tensor([0, 1]), steps=2, seed=0, epsilon=0.1)]
        [0, 1]
    """
    if not 0 <= share <= 1 or not epsilon >= 0:
        raise ValueError(f"expected 0 ≤ share ≤ 1 and ε ≥ 0, got {share} and {epsilon}")
    optimiser = torch.optim.Adam(net.parameters(), rate, fused=True)
    source = seeded(ORDER.seed(seed), images.device)
    for index, (x, y) in enumerate(
        batches([images, labels], min(100, len(images)), source, steps=steps)
    ):
        loss = net.loss(y)
        value = loss(x).mean()
        if epsilon > 0:
            value = share * value + (1 - share) * loss(sign_step(loss, x, epsilon)).mean()
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        optimiser.step()
        yield Step(index, steps, finite(index, loss=value))


@dataclass(frozen=True)
class Score:
    r"""What a classifier makes of images.

    Args:
        error: the share that it reads wrong.
        confidence: the mean probability of its answer where it is wrong; ``None`` if it never is.
    """

    error: float
    confidence: float | None


@torch.no_grad()
def score(net: Classifier, x: Tensor, labels: Tensor) -> Score:
    r"""The error, and how sure the mistakes are.

    Args:
        net: reads.
        x: **[N, d]**.
        labels: **[N]**.

    Returns:
        The score.

    Raises:
        ValueError: if the numbers of images and labels differ.

    Example:
        >>> net = Classifier([2, 2], 0)
        >>> wrong = 1 - net(torch.eye(2)).argmax(1)
        >>> score(net, torch.eye(2), wrong).error
        1.0
    """
    if len(x) != len(labels) or not len(x):
        raise ValueError(f"expected as many images as labels, got {len(x)} and {len(labels)}")
    best = net(x).softmax(1).max(1)
    wrong = best.indices != labels
    sure = float(best.values[wrong].mean()) if bool(wrong.any()) else None
    return Score(float(wrong.double().mean()), sure)
