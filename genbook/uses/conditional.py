r"""Black and white pages given their class: a VAE for each, a PixelCNN that is told which.

Both draw pages of a class, and both price them, so that what they teach can be held beside their
likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.kit.data import ImageSet
from genbook.kit.data.binary import coins
from genbook.pixelcnn.likelihood import PixelTraining, nll
from genbook.pixelcnn.likelihood import train as train_pixels
from genbook.pixelcnn.networks import GatedPixelCNN
from genbook.pixelcnn.sampling import sample
from genbook.uses.labels import check_classes
from genbook.uses.tables import binary
from genbook.vae.bounds import importance_log_prob
from genbook.vae.models import VAE
from genbook.vae.training import TrainConfig
from genbook.vae.training import train as train_vae


@dataclass(frozen=True)
class ClassVAEs:
    r"""One VAE a class.

    .. math:: p(x\mid y)=\int p(z)\,p_y(x\mid z)\,dz

    Args:
        models: one a class.
    """

    models: tuple[VAE, ...]

    @torch.no_grad()
    def chances(self, label: int, count: int, generator: torch.Generator) -> Tensor:
        r"""What draws of z make of each pixel: its chance of ink, a grey image.

        Args:
            label: the class.
            count: how many.
            generator: of z, on the models' device.

        Returns:
            From 0 to 1, **[count, P]**.
        """
        return self.models[label].sample(count, generator)

    def draw(self, label: int, count: int, generator: torch.Generator) -> Tensor:
        r"""Pages of a class: draw z, then toss each pixel.

        Args:
            label: the class.
            count: how many.
            generator: of z and of the coins, on the models' device.

        Returns:
            0 or 1, **[count, P]**.
        """
        return coins(self.chances(label, count, generator), generator)

    def nats(self, pages: Tensor, *, samples: int, generator: torch.Generator) -> Tensor:
        r"""Costs of pages under each class, from above by importance sampling.

        Args:
            pages: 0 or 1, **[N, P]**.
            samples: of z for each page and class.
            generator: of those.

        Returns:
            Nats, **[N, K]**.
        """
        found = [
            importance_log_prob(model, pages, samples=samples, generator=generator)
            for model in self.models
        ]
        return -torch.stack(found, 1)


@dataclass(frozen=True)
class ClassPixels:
    r"""One PixelCNN for all classes; the class shifts its gates.

    .. math:: p(x\mid y)=\prod_i p(x_i\mid x_{<i},\,y)

    Args:
        network: conditional, of two levels and one colour.
        size: height and width of its pages.

    Raises:
        ValueError: if the network is not of that kind.
    """

    network: GatedPixelCNN
    size: tuple[int, int]

    def __post_init__(self) -> None:
        kind = self.network.classes, self.network.levels, self.network.colours
        if kind[0] < 1 or kind[1:] != (2, 1):
            raise ValueError(
                "expected a network with classes, two levels and one colour, got "
                f"{kind[0]}, {kind[1]} and {kind[2]}"
            )

    def draw(self, label: int, count: int, generator: torch.Generator) -> Tensor:
        r"""Pages of a class, pixel by pixel.

        Args:
            label: the class.
            count: how many.
            generator: of the noise.

        Returns:
            0 or 1, **[count, P]**.
        """
        told = self._told(label, count)
        return sample(self.network, count, self.size, generator, labels=told).flatten(1)

    def nats(self, pages: Tensor) -> Tensor:
        r"""Costs of pages under each class, exactly.

        Args:
            pages: 0 or 1, **[N, P]**.

        Returns:
            Nats, **[N, K]**.

        Raises:
            ValueError: if a pixel is neither 0 nor 1.
        """
        images = pages.reshape(-1, 1, *self.size)
        classes = range(self.network.classes)
        return torch.stack(
            [nll(self.network, images, self._told(label, len(images))) for label in classes], 1
        )

    def _told(self, label: int, count: int) -> Tensor:
        device = self.network.head.out.weight.device
        return torch.full((count,), label, dtype=torch.int64, device=device)


def vae_by_class(
    images: ImageSet,
    config: TrainConfig,
    generator: torch.Generator,
    *,
    code: int = 16,
    hidden: Sequence[int] = (200, 200),
    classes: int = 10,
) -> ClassVAEs:
    r"""Train a VAE on the thresholded pages of each class.

    Args:
        images: with labels.
        config: of each class's training.
        generator: of weights, minibatches and noise, on the images' device; class by class.
        code: numbers of z.
        hidden: widths of the hidden layers.
        classes: K.

    Returns:
        The models.

    Raises:
        ValueError: if a class has no image.
    """
    check_classes(images.labels, classes)
    pages, models = binary(images.flat), []
    for label in range(classes):
        model = VAE(pages.shape[1], code, hidden=hidden, generator=generator).to(pages.device)
        for _ in train_vae(model, pages[images.labels == label], config, generator=generator):
            pass
        models.append(model)
    return ClassVAEs(tuple(models))


def pixelcnn_by_class(
    images: ImageSet,
    config: PixelTraining,
    generator: torch.Generator,
    *,
    channels: int = 16,
    depth: int = 2,
    classes: int = 10,
) -> ClassPixels:
    r"""Train a gated PixelCNN on thresholded pages with their labels.

    Args:
        images: with labels, of one colour.
        config: of the training; how it makes pages black and white is not looked at.
        generator: of weights and minibatches, on the images' device.
        channels: features of each stack.
        depth: layers after the first.
        classes: K.

    Returns:
        The model.

    Raises:
        ValueError: if a class has no image.
    """
    check_classes(images.labels, classes)
    network = GatedPixelCNN(channels, depth, classes=classes, generator=generator)
    network = network.to(images.images.device)
    pages = binary(images.images)
    for _ in train_pixels(network, pages, config, generator, images.labels):
        pass
    _, height, width = images.size
    return ClassPixels(network, (height, width))
