r"""A generator, an encoder whose average judges, and the autoencoder beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, sigmoid

from genbook.games.play import Duel, mlp
from genbook.kit.data import batches
from genbook.kit.device import seeded
from genbook.kit.seeds import Streams
from genbook.kit.substreams import Substream
from genbook.kit.training import Step, finite
from genbook.ogan.codes import correlation, error_parts, parts, squared_error
from genbook.wgan.losses import gan_qp

CODE, HIDDEN, SCALE = 16, 256, 1.0
LINKS = (
    "correlation",
    "squared error",
    "nothing",
    "correlation and average",
    "correlation and deviation",
)
"""What may tie a code to the noise that its image was drawn from.

The last two add one demand of the squared error to the correlation, to see what that demand does.
"""

ENCODER = Substream("weights of the encoder", 31_000)
ORDER = Substream("order of the minibatches", 32_000)
NOISE = Substream("noise of the training", 33_000)


class Players(nn.Module):
    r"""A generator and an encoder; the encoder's average is the discriminator.

    Args:
        pixels: of an image.
        seed: of the weights.
        code: numbers in a code, n.
        hidden: units in each of two hidden layers.
        device: where they are.

    Raises:
        ValueError: if a code has fewer than three numbers.

    Example:
        >>> pair = Players(64, 0)
        >>> z = torch.zeros(2, 16)
        >>> pair.draw(z).shape, pair.encode(pair.draw(z)).shape, pair.judge(pair.draw(z)).shape
        (torch.Size([2, 64]), torch.Size([2, 16]), torch.Size([2]))
    """

    def __init__(
        self,
        pixels: int,
        seed: int,
        *,
        code: int = CODE,
        hidden: int = HIDDEN,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        if code < 3:
            raise ValueError(f"expected a code of at least 3 numbers, got {code}")
        self.pixels, self.code = pixels, code
        middle = [hidden, hidden]
        self.generator = mlp([code, *middle, pixels], Streams([seed], device=device))
        self.encoder = mlp([pixels, *middle, code], Streams([ENCODER.seed(seed)], device=device))

    def draw(self, z: Tensor) -> Tensor:
        r"""Images **[B, P]** in (0, 1) from codes **[B, n]**."""
        return sigmoid(self.generator(z[None])[0])

    def encode(self, x: Tensor) -> Tensor:
        r"""Codes **[B, n]** of images **[B, P]**."""
        return self.encoder(x[None])[0]

    def judge(self, x: Tensor) -> Tensor:
        r"""D's score of images **[B, P]**: the average of the code, **[B]**."""
        return self.encode(x).mean(-1)

    def again(self, x: Tensor) -> Tensor:
        r"""Images drawn again from the directions of their codes, :math:`G(\mathcal N(E(x)))`.

        Args:
            x: **[B, P]**.

        Returns:
            **[B, P]**.
        """
        return self.draw(parts(self.encode(x)).direction)


@dataclass(frozen=True)
class Recipe:
    r"""How the players are trained.

    Args:
        link: one of :data:`LINKS`.
        weight: λ of the link.
        steps: of both players.
        batch: images a step.
        rate: Adam's.

    Raises:
        ValueError: if the link is unknown or the weight negative.
    """

    link: str = "correlation"
    weight: float = 0.5
    steps: int = 2_000
    batch: int = 64
    rate: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.link not in LINKS or not self.weight >= 0:
            raise ValueError(
                f"expected a link of {', '.join(LINKS)} and a weight ≥ 0, got {self.link!r} and "
                f"{self.weight}"
            )


def tie(link: str, z: Tensor, code: Tensor) -> Tensor:
    r"""What both players lose where a code does not tell the noise, the mean over a batch.

    Args:
        link: one of :data:`LINKS`.
        z: the noise, **[B, n]**.
        code: :math:`E(G(z))`, **[B, n]**.

    Returns:
        A scalar: :math:`-\rho`, the mean squared error, 0, or :math:`-\rho` with the first or the
        second term of :func:`~genbook.ogan.codes.error_parts` added.

    Example:
        >>> z = torch.tensor([[1.0, 2.0, 4.0]])
        >>> round(tie("correlation", z, 7 * z + 1).item(), 5), tie("squared error", z, z).item()
        (-1.0, 0.0)
    """
    if link == "correlation":
        return -correlation(z, code).mean()
    if link == "squared error":
        return squared_error(z, code).mean()
    if link.startswith("correlation and"):
        asked = error_parts(z, code)
        added = asked.average if link.endswith("average") else asked.deviation
        return (added - correlation(z, code)).mean()
    return torch.zeros((), dtype=z.dtype, device=z.device)


def encoder_loss(pair: Players, x: Tensor, z: Tensor, recipe: Recipe) -> Tensor:
    r"""What the encoder minimises: GAN-QP's loss of its average, and the link.

    .. math:: \mathbb E\Big[-\Delta+\frac{\Delta^2}{2\,d}\Big]
        -\lambda\,\mathbb E\,\rho\big(z,E(G(z))\big),\qquad
        \Delta=\operatorname{avg}E(x)-\operatorname{avg}E(G(z)),\quad
        d=\sqrt{\tfrac1P\|x-G(z)\|^2}

    Args:
        pair: the players.
        x: data, **[B, P]**.
        z: noise, **[B, n]**.
        recipe: which link, and its weight.

    Returns:
        A scalar.

    Source:
        Su (2019), *O-GAN*, with the critic's loss of Su (2018), *GAN-QP*, at scale 1.
    """
    fake = pair.draw(z).detach()
    code, game = pair.encode(fake), gan_qp(SCALE)
    real_score, fake_score = pair.judge(x)[None], code.mean(-1)[None]
    duel = Duel(
        lambda images: pair.judge(images[0])[None],
        x[None], fake[None], real_score, fake_score, Streams([0], device=x.device),
    )  # fmt: skip
    assert game.penalty is not None
    played = game.critic_loss(real_score, fake_score) + game.penalty(duel)
    return played.sum() + recipe.weight * tie(recipe.link, z, code)


def generator_loss(pair: Players, z: Tensor, recipe: Recipe) -> Tensor:
    r"""What the generator minimises: minus the average that its images get, and the link.

    .. math:: -\mathbb E\operatorname{avg}E(G(z))-\lambda\,\mathbb E\,\rho\big(z,E(G(z))\big)

    Args:
        pair: the players.
        z: noise, **[B, n]**.
        recipe: which link, and its weight.

    Returns:
        A scalar.
    """
    code = pair.encode(pair.draw(z))
    played = gan_qp(SCALE).generator_loss(code.mean(-1)[None]).sum()
    return played + recipe.weight * tie(recipe.link, z, code)


def meeting(pair: Players, z: Tensor, link: str) -> Tensor:
    r"""Whether a step of the encoder's weights along a link moves D's score of drawn images.

    .. math:: \cos\angle\big(\nabla_{\theta_l}\mathbb E\operatorname{avg}E(G(z)),\;
        \nabla_{\theta_l}\,\mathbb E\,\rho(z,E(G(z)))\big)

    In the last layer it is 0 for the correlation, whatever the batch: the slope of ρ by a code sums
    to 0, that of the average is the same for every number of every code.

    Args:
        pair: the players.
        z: noise, **[B, n]**.
        link: one of the first two of :data:`LINKS`, with its sign: the step lowers :func:`tie`.

    Returns:
        A cosine a layer of the encoder, the first layer first.

    Example:
        >>> pair = Players(9, 0, code=4, hidden=8).double()
        >>> z = torch.eye(4, dtype=torch.float64)
        >>> round(abs(meeting(pair, z, "correlation")[-1].item()), 12)
        0.0
    """
    code = pair.encode(pair.draw(z).detach())
    weights = list(pair.encoder.parameters())
    score = torch.autograd.grad(code.mean(), weights, retain_graph=True)
    step = torch.autograd.grad(-tie(link, z, code), weights)
    layers = [
        [torch.cat([g.flatten() for g in slopes[k : k + 2]]) for k in range(0, len(slopes), 2)]
        for slopes in (score, step)
    ]
    return torch.stack([cosine_similarity(a, b, dim=0) for a, b in zip(*layers, strict=True)])


def train(pair: Players, images: Tensor, recipe: Recipe, seed: int) -> Iterator[Step]:
    r"""Train both players in turn, a step each, with Adam.

    Args:
        pair: changed in place.
        images: **[N, P]**, in [0, 1].
        recipe: how.
        seed: of noise and order.

    Yields:
        Both losses and the batch's correlation.

    Raises:
        ValueError: if the images have another number of pixels.
        NonFiniteLoss: if a loss is infinite or NaN.

    Example:
        >>> pair = Players(4, 0, code=3, hidden=8)
        >>> steps = train(pair, torch.rand(9, 4), Recipe(steps=2, batch=3), 0)
        >>> [sorted(step.terms) for step in steps][0]
        ['correlation', 'encoder', 'generator']
    """
    _fitting(images, pair.pixels)
    order, noise = (seeded(s.seed(seed), images.device) for s in (ORDER, NOISE))
    players = [
        torch.optim.Adam(net.parameters(), recipe.rate, betas=(0.5, 0.999), fused=True)
        for net in (pair.encoder, pair.generator)
    ]
    minibatches = batches([images], min(recipe.batch, len(images)), order, steps=recipe.steps)
    for index, (x,) in enumerate(minibatches):
        z = torch.randn(len(x), pair.code, generator=noise, device=x.device)
        read = _descend(players[0], encoder_loss(pair, x, z, recipe))
        drew = _descend(players[1], generator_loss(pair, z, recipe))
        with torch.no_grad():
            told = correlation(z, pair.encode(pair.draw(z))).mean()
        yield Step(
            index,
            recipe.steps,
            finite(index, encoder=read, generator=drew, correlation=told),
        )


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.detach()


def train_autoencoder(pair: Players, images: Tensor, recipe: Recipe, seed: int) -> Iterator[Step]:
    r"""Train the same two networks as an autoencoder: encode, take the direction, draw.

    .. math:: \mathbb E\,\tfrac1P\big\|x-G(\mathcal N(E(x)))\big\|^2

    Args:
        pair: changed in place.
        images: **[N, P]**, in [0, 1].
        recipe: its steps, batch and rate.
        seed: of the order.

    Yields:
        The mean squared error of each step.

    Raises:
        ValueError: if the images have another number of pixels.
        NonFiniteLoss: if the loss is infinite or NaN.
    """
    _fitting(images, pair.pixels)
    optimiser = torch.optim.Adam(pair.parameters(), recipe.rate, fused=True)
    order = seeded(ORDER.seed(seed), images.device)
    minibatches = batches([images], min(recipe.batch, len(images)), order, steps=recipe.steps)
    for index, (x,) in enumerate(minibatches):
        loss = squared_error(x, pair.again(x)).mean()
        yield Step(index, recipe.steps, finite(index, loss=_descend(optimiser, loss)))


def _fitting(images: Tensor, pixels: int) -> None:
    if images.ndim != 2 or images.shape[1] != pixels:
        raise ValueError(f"expected images [N, {pixels}], got {list(images.shape)}")
