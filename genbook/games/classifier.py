r"""A small classifier of images, trained on the spot, that reads what a generator draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from genbook.games.play import mlp
from genbook.kit.data import ImageSet, batches
from genbook.kit.device import seeded
from genbook.kit.seeds import Streams


@dataclass(frozen=True)
class Reader:
    r"""A classifier of digits, with what it scored on digits it had not seen.

    Args:
        logits: maps flat images **[N, P]** to **[N, 10]**.
        accuracy: share right on the test set.
        images: name of the data.
    """

    logits: Callable[[Tensor], Tensor]
    accuracy: float
    images: str

    def classes(self, samples: Tensor) -> Tensor:
        r"""How many samples it reads as each digit.

        Args:
            samples: **[S, n, P]**.

        Returns:
            **[S, 10]**.

        Raises:
            ValueError: if the shape is another.
        """
        if samples.ndim != 3:
            raise ValueError(f"expected samples [S, n, P], got {list(samples.shape)}")
        with torch.no_grad():
            read = self.logits(samples.flatten(0, 1)).argmax(-1).reshape(samples.shape[:2])
        return torch.nn.functional.one_hot(read, 10).sum(1)

    def share_right(self, images: ImageSet) -> float:
        r"""The share of images that it reads as their label.

        Args:
            images: with labels.

        Returns:
            Between 0 and 1.
        """
        with torch.no_grad():
            read = self.logits(images.flat).argmax(1)
        return (read == images.labels).double().mean().item()


def fit_classifier(
    logits: Callable[[Tensor], Tensor],
    minibatches: Iterable[Sequence[Tensor]],
    optimiser: torch.optim.Optimizer,
) -> None:
    r"""Descend the cross-entropy of a classifier, a step for each minibatch.

    Args:
        logits: maps images **[B, …]** to **[B, K]**; trained in place.
        minibatches: images and labels, as many as there shall be steps.
        optimiser: over the classifier's parameters.

    Example:
        >>> net, batch = nn.Linear(1, 2), (torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
        >>> fit_classifier(net, [batch] * 50, torch.optim.Adam(net.parameters(), 0.1))
        >>> net(batch[0]).argmax(1).tolist()
        [0, 1]
    """
    for images, labels in minibatches:
        loss = nn.functional.cross_entropy(logits(images), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


def learn_to_read(train: ImageSet, test: ImageSet, *, steps: int, seed: int = 0) -> Reader:
    r"""Train a classifier of digits, one hidden layer, and test it.

    Args:
        train: images and labels.
        test: the same of digits that are not trained on.
        steps: Adam steps on batches of 128.
        seed: of weights and order.

    Returns:
        The classifier and its accuracy.

    Raises:
        ValueError: if the two sets differ in size of image, or there is no step.

    Example:
        >>> from genbook.kit import data
        >>> parts = data.digits("train", device="cpu"), data.digits("test", device="cpu")
        >>> learn_to_read(*parts, steps=200).accuracy > 0.85
        True
    """
    if train.size != test.size or steps < 1:
        raise ValueError(
            f"expected images of one size and steps ≥ 1, got {train.size}, {test.size}, {steps}"
        )
    streams = Streams([seed], device=train.images.device)
    network = mlp([train.flat.shape[1], 128, 10], streams)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True)
    source = seeded(seed, device=train.images.device)
    fit_classifier(
        lambda x: network(x[None])[0],
        batches([train.flat, train.labels], 128, source, steps=steps),
        optimiser,
    )
    reader = Reader(lambda x: network(x[None])[0], 0.0, train.name)
    return replace(reader, accuracy=reader.share_right(test))
