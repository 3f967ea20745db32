r"""Scores that a machine can give to translations, and the recorded ablations.

A classifier trained on real pictures reads the translations, as the FCN score does in Pix2Pix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.classifier import fit_classifier
from genbook.kit.data import batches
from genbook.translation.cyclegan import CycleNets
from genbook.translation.networks import initialise
from genbook.translation.pairs import Domains, Pairs, in_blocks


def reader(images: Tensor, labels: Tensor, *, seed: int = 0, steps: int = 400) -> nn.Module:
    r"""A small convolutional classifier of digits.

    Args:
        images: real ones, **[N, 1, H, W]**.
        labels: **[N]**, 0 to 9.
        seed: of weights and batches.
        steps: of Adam, at most 128 images each.

    Returns:
        The trained classifier, **[B, 1, H, W]** → logits **[B, 10]**.

    Raises:
        ValueError: if images and labels differ in number.
    """
    if len(images) != len(labels):
        raise ValueError(f"expected a label an image, got {len(images)} and {len(labels)}")
    source, small = torch.Generator(images.device).manual_seed(seed), images.shape[-1] < 16
    first = nn.Conv2d(1, 16, 3, 1, 1) if small else nn.Conv2d(1, 16, 5, 2, 2)
    side = (images.shape[-1] if small else images.shape[-1] // 2) // 2
    trunk = [first, nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten()]
    net = initialise(nn.Sequential(*trunk, nn.Linear(32 * side * side, 10)), source)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3, fused=True)
    size = min(128, len(images))
    fit_classifier(net, batches((images, labels), size, source, steps=steps), optimiser)
    return net.eval()


def share_read(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    r"""The share of images that a classifier reads as their label.

    Args:
        net: gives logits.
        images: **[N, 1, H, W]**.
        labels: **[N]**.

    Returns:
        Between 0 and 1.
    """
    with torch.no_grad():
        return float((net(images).argmax(1) == labels).float().mean())


def domain_judge(heaps: Domains, *, seed: int = 0, steps: int = 400) -> nn.Module:
    r"""A classifier that says which of the two domains a picture is from; no translator saw it.

    Args:
        heaps: pictures of X (class 0) and Y (class 1); as many of each are used.
        seed: of weights and batches.
        steps: of Adam.

    Returns:
        As :func:`reader` gives it.
    """
    count = min(len(heaps.x), len(heaps.y))
    both = torch.cat([heaps.x[:count], heaps.y[:count]])
    return reader(
        both, torch.arange(2, device=both.device).repeat_interleave(count), seed=seed, steps=steps
    )


def judged_right(judge: nn.Module, heaps: Domains) -> float:
    r"""How often :func:`domain_judge` is right on real pictures.

    Args:
        judge: says 0 for X and 1 for Y.
        heaps: held out.

    Returns:
        The share of both heaps together.
    """
    both = torch.cat([heaps.x, heaps.y])
    truth = torch.arange(len(both), device=both.device) >= len(heaps.x)
    return share_read(judge, both, truth.long())


def steepness(images: Tensor) -> Tensor:
    r"""The mean absolute difference between neighbouring pixels, across and down.

    Args:
        images: **[N, C, H, W]**.

    Returns:
        One number.
    """
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    return across + (images[..., 1:, :] - images[..., :-1, :]).abs().mean()


def sharpness(images: Tensor, real: Tensor) -> float:
    r"""The :func:`steepness` of images as a share of that of real ones: below 1 is blurred.

    Args:
        images: **[N, C, H, W]**.
        real: **[M, C, H, W]**.

    Returns:
        A ratio; above 1 means noisier or more contrast than real.

    Raises:
        ValueError: if the real images are even.

    Example:
        >>> image = torch.eye(4)[None, None]
        >>> sharpness(image, image)
        1.0
    """
    scale = float(steepness(real))
    if scale == 0:
        raise ValueError("expected real images that are not even everywhere")
    return float(steepness(images)) / scale


def midtones(images: Tensor) -> float:
    r"""The share of pixels between 0.2 and 0.8: where ink is neither there nor not.

    Args:
        images: in [0, 1], any shape.

    Returns:
        Between 0 and 1.
    """
    return float(((images > 0.2) & (images < 0.8)).float().mean())


@dataclass(frozen=True)
class PairScore:
    r"""What translations of held-out inputs are worth.

    Args:
        read: share that the classifier reads as the input's label.
        sharpness: see :func:`sharpness`.
        midtones: see :func:`midtones`.
        l1: mean absolute difference to the answer.
        follows: mean absolute difference between translations of different inputs, each with its
            own noise, as a share of that between their answers; equal to ``noise`` on average if
            the input is ignored.
        noise: the same between two translations of one input.
    """

    read: float
    sharpness: float
    midtones: float
    l1: float
    follows: float
    noise: float


def score_pairs(generator: nn.Module, pairs: Pairs, net: nn.Module | None = None) -> PairScore:
    r"""Translate held-out inputs twice and score them.

    Args:
        generator: a trained translator.
        pairs: held out.
        net: a classifier; without it ``read`` is 0.

    Returns:
        The scores.
    """
    with torch.no_grad():
        made, again = generator(pairs.x), generator(pairs.x)
    turned = (pairs.y - pairs.y.roll(1, 0)).abs().mean()
    return PairScore(
        read=0.0 if net is None else share_read(net, made, pairs.labels),
        sharpness=sharpness(made, pairs.y),
        midtones=midtones(made),
        l1=float((made - pairs.y).abs().mean()),
        follows=float((made - made.roll(1, 0)).abs().mean() / turned),
        noise=float((made - again).abs().mean() / turned),
    )


@dataclass(frozen=True)
class CycleScore:
    r"""What a pair of translators is worth.

    Args:
        to_y: share of G(x) that a classifier of Y reads as x's label.
        to_x: share of F(y) that a classifier of X reads as y's label.
        as_y: share of G(x) that a judge of the two domains takes for Y.
        as_x: share of F(y) that it takes for X.
        cycle_x: error of x → G → F, mean absolute.
        cycle_y: error of y → F → G.
        smuggled: the norm of what :func:`~genbook.translation.pairs.in_blocks` takes away from
            F(y), as a share of the norm of F(y).
        blocked: error of y → F → in_blocks → G.
    """

    to_y: float
    to_x: float
    as_y: float
    as_x: float
    cycle_x: float
    cycle_y: float
    smuggled: float
    blocked: float


def score_cycle(
    nets: CycleNets, heaps: Domains, readers: tuple[nn.Module, nn.Module], judge: nn.Module
) -> CycleScore:
    r"""Send held-out pictures there and back.

    Args:
        nets: two trained translators.
        heaps: held out; the labels serve for scoring only.
        readers: classifiers of X and of Y.
        judge: tells the domains apart, see :func:`domain_judge`.

    Returns:
        The scores.
    """
    with torch.no_grad():
        made_y, made_x = nets.g(heaps.x), nets.f(heaps.y)
        clean = in_blocks(made_x, heaps.block)
        back_x, back_y, blocked = nets.f(made_y), nets.g(made_x), nets.g(clean)
    return CycleScore(
        to_y=share_read(readers[1], made_y, heaps.x_labels),
        to_x=share_read(readers[0], made_x, heaps.y_labels),
        as_y=share_read(judge, made_y, made_y.new_ones(len(made_y)).long()),
        as_x=share_read(judge, made_x, made_x.new_zeros(len(made_x)).long()),
        cycle_x=float((back_x - heaps.x).abs().mean()),
        cycle_y=float((back_y - heaps.y).abs().mean()),
        smuggled=float((made_x - clean).norm() / made_x.norm()),
        blocked=float((blocked - heaps.y).abs().mean()),
    )


def perturbed(nets: CycleNets, y: Tensor, levels: tuple[float, ...], *, seed: int = 0) -> Tensor:
    r"""Noise on the picture in the middle: the error of y → F → + σε → G.

    Args:
        nets: two trained translators.
        y: **[N, C, H, W]**.
        levels: σ, of pixels in [0, 1].
        seed: of ε.

    Returns:
        The mean absolute error for each level, **[len(levels)]**.
    """
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        middle = nets.f(y)
        noise = torch.randn(middle.shape, generator=source).to(middle)
        errors = [(nets.g(middle + level * noise) - y).abs().mean() for level in levels]
    return torch.stack(errors)
