r"""What features are worth: a linear reader on top of them, with few labels."""

from __future__ import annotations

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from genbook.kit.data import ImageSet
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream
from genbook.ogan.training import Players, Recipe, train, train_autoencoder
from genbook.vae.models import VAE
from genbook.vae.training import TrainConfig
from genbook.vae.training import train as train_vae

VAE_NOISE = Substream("weights and noise of the VAE", 41_000)


def few_labels(labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    r"""Places of images whose labels are told, as many of each class.

    Args:
        labels: **[N]**.
        count: labels in all.
        generator: of the choice.

    Returns:
        Places **[count]**.

    Raises:
        ValueError: if the count is no multiple of the classes, or a class is too small.

    Example:
        >>> places = few_labels(torch.tensor([0, 1, 0, 1, 0]), 4, torch.Generator())
        >>> sorted(torch.tensor([0, 1, 0, 1, 0])[places].tolist())
        [0, 0, 1, 1]
    """
    classes = labels.unique().tolist()
    each, rest = divmod(count, len(classes))
    if rest or each < 1 or min(int((labels == k).sum()) for k in classes) < each:
        raise ValueError(
            f"expected a multiple of {len(classes)} labels, at most the smallest class of each, "
            f"got {count}"
        )
    order = torch.randperm(len(labels), generator=generator, device=generator.device)
    order = order.to(labels.device)
    return torch.cat([order[labels[order] == k][:each] for k in classes])


def read_linearly(
    features: Tensor, labels: Tensor, judged: Tensor, truth: Tensor, *, pull: float = 0.1
) -> float:
    r"""The accuracy of a linear classifier on features.

    Args:
        features: **[n, d]**, with their labels.
        labels: **[n]**.
        judged: features of unseen images, **[m, d]**.
        truth: their labels, **[m]**.
        pull: inverse strength of the penalty on weights (scikit-learn's C).

    Returns:
        From 0 to 1.

    Example:
        >>> x = torch.tensor([[0.0], [0.1], [0.9], [1.0]])
        >>> read_linearly(x, torch.tensor([0, 0, 1, 1]), x, torch.tensor([0, 0, 1, 1]))
        1.0
    """
    reader = make_pipeline(StandardScaler(), LogisticRegression(C=pull, max_iter=2_000))
    reader.fit(features.cpu().numpy(), labels.cpu().numpy())
    return float(reader.score(judged.cpu().numpy(), truth.cpu().numpy()))


def hidden(pair: Players, x: Tensor) -> Tensor:
    r"""What the last hidden layer of an encoder says of images.

    Args:
        pair: the players.
        x: **[N, P]**.

    Returns:
        **[N, h]**.
    """
    kept = x[None]
    layers = list(pair.encoder)
    for layer in layers[:-1]:
        kept = layer(kept)
    return kept[0]


def featured(images: ImageSet, seed: int, steps: int) -> dict[str, Players | VAE]:
    r"""Networks that learn from images alone: a discriminator, an autoencoder, a VAE.

    Args:
        images: without their labels.
        seed: of weights, noise and order.
        steps: of each.

    Returns:
        By name.
    """
    pixels, device = images.flat.shape[1], images.images.device
    judge, copier = (Players(pixels, seed, device=device) for _ in range(2))
    for _ in train(judge, images.flat, Recipe(steps=steps), seed):
        pass
    for _ in train_autoencoder(copier, images.flat, Recipe(steps=steps), seed):
        pass
    source = seeded(VAE_NOISE.seed(seed), device)
    bound = VAE(pixels, judge.code, hidden=(256, 256), generator=source).to(device)
    config = TrainConfig(steps=steps, batch=64, every=steps)
    for _ in train_vae(bound, images.flat, config, generator=source):
        pass
    return {"discriminator": judge, "autoencoder": copier, "VAE": bound}


@torch.no_grad()
def codes(net: Players | VAE, x: Tensor) -> Tensor:
    r"""The code of images, before any label.

    Args:
        net: one of :func:`featured`.
        x: **[N, P]**.

    Returns:
        **[N, n]**: the code of an encoder, the mean of a VAE's guess.
    """
    return net.encode(x).mean if isinstance(net, VAE) else net.encode(x)
