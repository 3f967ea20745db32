r"""The recorded study: invertible networks on 8 × 8 digits, in bits a dimension."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from genbook.invertible.flows import IResNet, exact, in_double, train, truncated
from genbook.invertible.levels import Scales, bits, dequantise
from genbook.kit import data
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream

NOISE = Substream("dequantisation, batches and probes", 1_000)
JUDGING = Substream("the noise that a flow is judged with", 2_000)

LEVELS = 17
WIDTH, BLOCKS, C, TERMS, BATCH, RATE = 128, 6, 0.9, 5, 128, 3e-3
SHORT, LONG = 200, 2_000
"""Steps of a run that a page makes, and of the longer one."""


def fitted(images: Tensor, seed: int, steps: int) -> tuple[IResNet, Scales]:
    r"""An invertible network trained on images by the series of five terms.

    Args:
        images: sixteenths, **[N, 64]**.
        seed: of weights, noise, batches and probes.
        steps: of Adam.

    Returns:
        The network, ready to be judged, and the scales of its inputs.

    Example:
        >>> images = torch.rand(20, 64, generator=torch.Generator().manual_seed(0))
        >>> net, _ = fitted(images, seed=0, steps=1)
        >>> net.blocks, net.training
        (6, False)
    """
    noise = torch.Generator(images.device).manual_seed(NOISE.seed(seed))
    scales = Scales.of(dequantise(images, LEVELS, noise))

    def draw(n: int) -> Tensor:
        rows = torch.randint(len(images), (n,), generator=noise, device=images.device)
        return scales(dequantise(images[rows], LEVELS, noise))[0]

    begun = torch.Generator(images.device).manual_seed(seed)
    net = IResNet(images.shape[1], WIDTH, BLOCKS, begun, c=C)
    rule = truncated(TERMS, noise)
    for _ in train(net, draw, steps=steps, rule=rule, rate=RATE, batch=BATCH):
        pass
    return net.eval(), scales


def judged(net: IResNet, scales: Scales, images: Tensor, seed: int) -> dict[str, float]:
    r"""A network on images: exact bits, what five terms say, and the way back.

    Args:
        net: in evaluation mode.
        scales: of its inputs.
        images: sixteenths, **[M, 64]**.
        seed: of the run.

    Returns:
        ``exact`` and ``five``, bits a dimension; ``back``, the largest error of a pixel after 100
        steps a block, in deviations of that pixel, in double precision.

    Example:
        >>> images = torch.rand(8, 64, generator=torch.Generator().manual_seed(0))
        >>> sorted(judged(*fitted(images, seed=0, steps=1), images, seed=0))
        ['back', 'exact', 'five']
    """
    noise = torch.Generator(images.device).manual_seed(JUDGING.seed(seed))
    x, volume = scales(dequantise(images, LEVELS, noise))
    with torch.no_grad():
        said = {
            name: bits(net.log_prob(x, rule) + volume, LEVELS, images.shape[1])
            for name, rule in (("exact", exact), ("five", truncated(TERMS)))
        }
        sharp = in_double(net)
        sent = x[:32].double()
        came = sharp.inverse(sharp(sent)[0], steps=100)
    return {**said, "back": float((came - sent).abs().max())}


def record_digits(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study: short and long runs on the bundled digits, judged on training and test images.

    Args:
        slice: only the short run.
        seed: of the run.

    Yields:
        One row a length.
    """
    seen, fresh = (data.digits(split, device="cpu").flat for split in ("train", "test"))
    for steps in (SHORT,) if slice else (SHORT, LONG):
        net, scales = fitted(seen, seed, steps)
        test = judged(net, scales, fresh, seed)
        yield {
            "seed": seed,
            "steps": steps,
            "train": judged(net, scales, seen, seed)["exact"],
            **test,
        }


STUDIES = (
    Study(
        name="invertible_digits",
        topic="invertible",
        run=record_digits,
        seeds=(0, 1, 2),
        config={
            "data": "digits 8x8, 17 levels, 1437 to train, 360 to test; uniform dequantisation",
            "before": "logit of 0.05 + 0.9 x, each pixel to mean 0 and deviation 1",
            "network": "6 blocks 64-128-128-64, ELU, three matrices of norm at most 0.9 ** (1/3)",
            "norms": "one persistent power iteration a step; exact when judged",
            "training": "Adam 3e-3, cosine to 0, batch 128, series of 5 terms, 1 sign probe",
            "judged": "exact log-determinants of 64 x 64 matrices",
        },
    ),
)
