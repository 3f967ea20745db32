r"""What D has learned without a label: a linear classifier on its maps, a few labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from genbook.dcgan.networks import Discriminator, fix_statistics
from genbook.kit.data import ImageSet
from genbook.kit.device import seeded
from genbook.kit.studies import Row
from genbook.kit.substreams import Substream

LABELS = (10, 100, 1_000)
"""How many labelled images the classifier has."""

GRID = 4
"""Maps are pooled to this side."""

COSTS = (1e-4, 1e-3, 1e-2)
"""Of the support vector machine; the best on the images to choose by is taken."""

CHOOSING = 1_000
"""How many further labelled images the cost is chosen by, at most."""

LABELLED = Substream("which images have a label", 8_000)
STRANGER = Substream("weights of a discriminator that never trains", 9_000)

Reads = Callable[[Tensor], Tensor]
"""Maps images **[N, C, A, A]** in [0, 1] to features **[N, F]**."""


def pooled(net: Discriminator, images: Tensor) -> Tensor:
    r"""Both layers' maps, the maximum of each cell of a 4×4 grid, one after the other.

    Args:
        net: D, in evaluation mode.
        images: **[N, C, A, A]** in [−1, 1].

    Returns:
        **[N, 16·3·width/2]**.

    Source:
        Radford, Metz and Chintala (2016), section 5.1.

    Example:
        >>> from genbook.dcgan.networks import Design
        >>> net = Discriminator(Design(), torch.Generator().manual_seed(0)).eval()
        >>> pooled(net, torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 768])
    """
    with torch.no_grad():
        parts = [nn.functional.adaptive_max_pool2d(maps, GRID) for maps in net.maps(images)]
    return torch.cat([part.flatten(1) for part in parts], 1)


def calmed(net: Discriminator, images: Tensor) -> Discriminator:
    r"""D with the statistics of its normalisations fixed at those of these images.

    Args:
        net: D; it is left in evaluation mode.
        images: **[N, C, A, A]** in [−1, 1].

    Returns:
        The net.

    Example:
        >>> from genbook.dcgan.networks import Design
        >>> net = Discriminator(Design(), torch.Generator().manual_seed(0))
        >>> calmed(net, torch.ones(2, 1, 8, 8)).training
        False
    """
    fix_statistics(net, images)
    return net


def some(labels: Tensor, each: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    r"""Places of as many images of every class, and of all others, both shuffled.

    Args:
        labels: **[N]**.
        each: images of a class.
        source: draws them.

    Returns:
        The places of the chosen, and of the rest.

    Raises:
        ValueError: if a class has too few images.

    Example:
        >>> a, b = some(torch.tensor([0, 1, 0, 1, 0]), 1, torch.Generator().manual_seed(0))
        >>> len(a), len(b)
        (2, 3)
    """
    order = torch.randperm(len(labels), generator=source, device=source.device).to(labels.device)
    chosen = torch.zeros_like(labels, dtype=torch.bool)
    for kind in labels.unique():
        own = order[labels[order] == kind]
        if len(own) < each:
            raise ValueError(f"expected {each} images of class {int(kind)}, got {len(own)}")
        chosen[own[:each]] = True
    return order[chosen[order]], order[~chosen[order]]


def score(features: Sequence[Tensor], labels: Sequence[Tensor]) -> float:
    r"""The share of the last part that a linear machine trained on the first gets right.

    Args:
        features: **[N, F]** to learn from, to choose the cost by, and to be tested on.
        labels: theirs, **[N]**.

    Returns:
        In [0, 1].

    Source:
        The L2 support vector machine of Radford, Metz and Chintala (2016), one class against the
        rest; the cost chosen on images of its own, as there.

    Example:
        >>> x, y = torch.tensor([[-1.0], [-2.0], [1.0], [2.0]]), torch.tensor([3, 3, 7, 7])
        >>> score([x] * 3, [y] * 3)
        1.0
    """
    learn, choose, test = (part.double().cpu().numpy() for part in features)
    told = [part.cpu().numpy() for part in labels]
    found = []
    for cost in COSTS:
        machine = LinearSVC(C=cost, dual=True, random_state=0, max_iter=5_000)
        machine.fit(learn, told[0])
        found.append((machine.score(choose, told[1]), machine.score(test, told[2])))
    return float(max(found, key=lambda pair: pair[0])[1])


def scaled(reads: Reads, known: Tensor, parts: Sequence[Tensor]) -> list[Tensor]:
    r"""Features with mean 0 and variance 1 over images that need no label.

    Args:
        reads: what reads the features.
        known: the images, **[N, C, A, A]**.
        parts: other images.

    Returns:
        Of each part the features **[N, F]**; one that does not vary is 0.

    Example:
        >>> x = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
        >>> scaled(lambda x: x.flatten(1), x, [x])[0].flatten().tolist()
        [-1.0, 1.0]
    """
    seen = reads(known)
    deviation, mean = torch.std_mean(seen, 0, correction=0)
    scale = torch.where(deviation > 1e-6, 1 / deviation.clamp(min=1e-6), 0)
    return [(reads(part) - mean) * scale for part in parts]


def probe(
    net: Discriminator,
    learn: ImageSet,
    test: ImageSet,
    seed: int,
    *,
    sizes: Sequence[int] = LABELS,
) -> Iterator[Row]:
    r"""How far a few labels go on D's maps, on those of a D that never trained, and on pixels.

    Args:
        net: D, trained.
        learn: images to learn from; those without a label fix means and variances.
        test: unseen images.
        seed: draws the labelled images and the weights that never train.
        sizes: numbers of labelled images, multiples of 10.

    Yields:
        Rows of ``labels``, ``trained``, ``untrained`` and ``pixels``: shares read right.
    """
    known = learn.images[:2_000]
    idle = Discriminator(net.design, seeded(STRANGER.seed(seed), known.device))
    nets = {"trained": net, "untrained": idle}
    readers: dict[str, Reads] = {"pixels": lambda x: x.flatten(1)}
    for name, one in nets.items():
        calm = calmed(one, 2 * known - 1)
        readers[name] = lambda x, calm=calm: pooled(calm, 2 * x - 1)  # type: ignore[misc]
    for size in sizes:
        source = seeded(LABELLED.seed(seed), known.device)
        chosen, rest = some(learn.labels, size // 10, source)
        rest = rest[:CHOOSING]
        images = [learn.images[chosen], learn.images[rest], test.images]
        labels = [learn.labels[chosen], learn.labels[rest], test.labels]
        row: dict[str, float | int] = {"labels": size}
        for name, reads in readers.items():
            row[name] = round(score(scaled(reads, known, images), labels), 4)
        yield row
