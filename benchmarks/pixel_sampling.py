"""Samples of a PixelCNN, naive and cached; and what recurrence costs against image size.

Both samplers draw from the same network with the same generator, in this process; their images must
be equal. Then training steps and cached or naive samples of the chapter's three networks at several
sizes. See README.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import torch

from genbook import pixel_likelihood as pl
from genbook import pixel_studies
from genbook.kit.device import seeded
from genbook.pixel_sampling import sample
from genbook.pixelcnn import GatedPixelCNN

BAR = 20.0


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median time of some rounds, by the clock on the wall."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return median(times)


def speed_up(side: int, count: int, channels: int, depth: int, rounds: int) -> float:
    """Print both times and their ratio; the images must agree."""
    net = GatedPixelCNN(channels, depth, generator=seeded(0)).double()
    drawn = {}

    def draw(cached: bool) -> Callable[[], None]:
        def work() -> None:
            drawn[cached] = sample(net, count, (side, side), seeded(1), cached=cached)

        return work

    draw(True)()
    slow, fast = seconds(draw(False), 1), seconds(draw(True), rounds)
    same = torch.equal(drawn[False], drawn[True])
    print(
        f"  {count:>3} images of {side}×{side}: naive {slow:8.2f} s, cached {fast:7.3f} s, "
        f"{slow / fast:6.1f}×, {'the same images' if same else 'DIFFERENT images'}"
    )
    return slow / fast if same else 0.0


def costs(sides: list[int], count: int, rounds: int) -> None:
    """Print a training step and a sample of each network at each size, in milliseconds."""
    print(f"{'':>10}" + "".join(f"{name:>28}" for name in pixel_studies.FAMILIES))
    print(f"{'':>10}" + f"{'step, ms':>14}{'sample, ms':>14}" * len(pixel_studies.FAMILIES))
    for side in sides:
        line = f"{side}×{side}".rjust(10)
        for family in pixel_studies.FAMILIES:
            net = pixel_studies.network(family, seeded(0))
            x = torch.rand(count, 1, side, side, generator=seeded(1)).round()

            def step(net: torch.nn.Module = net, x: torch.Tensor = x) -> None:
                pl.pixel_nll(net, x).sum().backward()

            def draw(net: torch.nn.Module = net, side: int = side) -> None:
                sample(net, 1, (side, side), seeded(2))

            step()
            line += f"{1e3 * seconds(step, rounds):>14.1f}{1e3 * seconds(draw, 1):>14.0f}"
        print(line)


def main() -> int:
    """Measure, print, and say whether the bar was reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sides", type=int, nargs="*", default=[8, 16, 28])
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"gated PixelCNN, {asked.channels} features, {asked.depth + 1} layers, doubles, cpu")
    for count in (1, asked.count, 4 * asked.count):
        ratio = speed_up(asked.side, count, asked.channels, asked.depth, asked.rounds)
        if count == asked.count:
            counted = ratio
    print(f"a training step of {asked.count} images, and a sample of one (only gated has a cache)")
    costs(asked.sides, asked.count, asked.rounds)
    print(f"bar: {BAR:g}× at {asked.side}×{asked.side}; measured {counted:.1f}× for {asked.count}")
    return 0 if counted >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
