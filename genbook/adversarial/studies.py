r"""The chapter's study: five classifiers, attacked and compared, for several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from genbook.adversarial.attacks import many_steps, random_signs, sign_step
from genbook.adversarial.networks import Classifier, score, train
from genbook.kit.data import ImageSet, digits, mnist
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream

EPSILONS = (0.1, 0.25)
STEPS, JUDGED = 1_000, 2_000
TWINS = Substream("weights and order of the twin", 100)
COINS = Substream("coins of the noise", 2_000)


@dataclass(frozen=True)
class Kind:
    r"""A classifier of the comparison.

    Args:
        hidden: sizes of its hidden layers.
        epsilon: of the signed steps it is trained on; 0 for clean images.
    """

    hidden: tuple[int, ...]
    epsilon: float = 0.0


KINDS = {
    "softmax": Kind(()),
    "network": Kind((128, 128)),
    "its twin": Kind((128, 128)),
    "trained on signs, 0.25": Kind((128, 128), 0.25),
    "trained on signs, 0.1": Kind((128, 128), 0.1),
}


def trained(images: ImageSet, seed: int, *, steps: int = STEPS) -> dict[str, Classifier]:
    r"""One classifier of each kind; the twin has other weights and sees the images otherwise.

    Args:
        images: to learn from.
        seed: of weights and order.
        steps: minibatches.

    Returns:
        The classifiers by name.
    """
    found = {}
    for name, kind in KINDS.items():
        own = TWINS.seed(seed) if name == "its twin" else seed
        sizes = [images.flat.shape[1], *kind.hidden, 10]
        found[name] = Classifier(sizes, own, device=images.images.device)
        for _ in train(
            found[name], images.flat, images.labels, steps=steps, seed=own, epsilon=kind.epsilon
        ):
            pass
    return found


def attacked(nets: Mapping[str, Classifier], test: ImageSet, seed: int) -> Iterator[Row]:
    r"""What the classifiers make of test images, clean, noisy and attacked.

    An attack is ``none``, ``noise`` (random signs), ``sign`` (one signed step along the net's own
    gradient), ``many`` (20 of them, each an eighth of ε) or ``transfer`` (the signed step along
    the twin's gradient; the twin itself has no such row).

    Args:
        nets: of :func:`trained`.
        test: images that they have not seen; the first 2,000 are read.
        seed: of the noise.

    Yields:
        Rows with ``net``, ``attack``, ``epsilon``, ``error`` and, where there are mistakes, their
        ``confidence``.
    """
    few = test.take(min(JUDGED, len(test)))
    x, y = few.flat, few.labels
    for name, net in nets.items():
        yield _row(net, name, "none", 0.0, x, y)
        for epsilon in EPSILONS:
            coins = seeded(COINS.seed(seed), x.device)
            loss, others = net.loss(y), nets["its twin"].loss(y)
            changed = {
                "noise": random_signs(x, epsilon, coins),
                "sign": sign_step(loss, x, epsilon),
                "many": many_steps(loss, x, epsilon, steps=20, rate=epsilon / 8),
                "transfer": sign_step(others, x, epsilon),
            }
            for attack, images in changed.items():
                if not (attack == "transfer" and name == "its twin"):
                    yield _row(net, name, attack, epsilon, images, y)


def _row(
    net: Classifier, name: str, attack: str, epsilon: float, x: torch.Tensor, y: torch.Tensor
) -> Row:
    seen = score(net, x, y)
    error = round(seen.error, 4)
    row: Row = {"net": name, "attack": attack, "epsilon": epsilon, "error": error}
    if seen.confidence is None:
        return row
    return {**row, "confidence": round(seen.confidence, 4)}


def record(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study: one seed on both sets of digits.

    Args:
        slice: run a part that takes seconds.
        seed: of weights, order and noise.

    Yields:
        The rows of :func:`attacked`, with ``dataset`` and ``seed``.
    """
    for load in (digits,) if slice else (digits, mnist):
        nets = trained(load("train"), seed, steps=20 if slice else STEPS)
        test = load("test")
        for row in attacked(nets, test, seed):
            yield {"dataset": test.name, "seed": seed, **row}


STUDIES = (
    Study(
        name="adversarial_signs",
        topic="adversarial",
        run=record,
        seeds=(0, 1, 2, 3, 4),
        config={
            "nets": "softmax regression; 128 and 128 ReLUs; the same trained on signs",
            "training": "Adam at 0.002, 1000 minibatches of 100; on signs: half of the loss is "
            "that of one signed step, not clipped",
            "many": "20 signed steps of an eighth of epsilon, kept within epsilon",
            "transfer": "one signed step along the gradient of a clean network with other seeds",
            "images": "the first 2000 test images of MNIST, all 360 of the 8x8 digits; "
            "attacked images are not clipped to [0, 1]",
        },
    ),
)
