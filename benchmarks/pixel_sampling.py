"""Samples of pixel models, naive and cached; and what recurrence costs against image size.

Both samplers draw from the same network with the same generator, in this process; their images
must be equal. Then training steps and samples of the chapter's three networks at several sizes. All
times are the processor's, which a busy machine disturbs least. See README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from statistics import median

import torch
from torch import nn

from genbook.kit.device import seeded
from genbook.pixelcnn import studies
from genbook.pixelcnn.networks import GatedPixelCNN
from genbook.pixelcnn.sampling import sample

BAR = 20.0


def drawn(net: nn.Module, count: int, side: int, cached: bool) -> tuple[float, torch.Tensor]:
    """Processor time of a sample, and the images."""
    begin = time.process_time()
    images = sample(net, count, (side, side), seeded(1), cached=cached)
    return time.process_time() - begin, images


def speed_up(net: nn.Module, name: str, side: int, count: int, rounds: int) -> float:
    """Print both times and their ratio; the images must agree. Rounds are drawn by turns."""
    drawn(net, count, side, True)
    times: dict[bool, list[float]] = {False: [], True: []}
    same = True
    for number in range(rounds):
        before, slow = drawn(net, count, side, True)
        naive, fast = drawn(net, count, side, False) if number < 3 else (times[False][0], slow)
        times[True].append(before)
        times[False].append(naive)
        same &= torch.equal(slow, fast)
    slow_time, fast_time = median(times[False]), median(times[True])
    print(
        f"  {name:>16}, {count:>3} images of {side}×{side}: naive {slow_time:8.2f} s, cached "
        f"{fast_time:7.4f} s, {slow_time / fast_time:6.1f}×, "
        f"{'the same images' if same else 'DIFFERENT images'}",
        flush=True,
    )
    return slow_time / fast_time if same else 0.0


def costs(sides: list[int], rounds: int) -> None:
    """Print a training step and a sample of each network at each size, in milliseconds."""
    heads = f"{'step':>8}{'naive':>10}{'cached':>10}"
    print(f"{'':>10}" + "".join(f"{name:>28}" for name in studies.FAMILIES))
    print(f"{'ms':>10}" + heads * len(studies.FAMILIES))
    for side in sides:
        rows = [studies.costs(family, side, rounds) for family in studies.FAMILIES]
        cells = "".join(f"{r['step']:>8.1f}{r['naive']:>10.1f}{r['cached']:>10.1f}" for r in rows)
        print(f"{side}×{side}".rjust(10) + cells, flush=True)


def main() -> int:
    """Measure, print, and say whether the bar was reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--counts", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sides", type=int, nargs="*", default=[8, 16, 28])
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"load {os.getloadavg()[0]:.1f}; doubles, cpu, {asked.threads} threads")
    chosen = GatedPixelCNN(asked.channels, asked.depth, generator=seeded(0)).double()
    ratios = [
        speed_up(chosen, "gated PixelCNN", asked.side, count, asked.rounds)
        for count in asked.counts
    ]
    for family in ("PixelCNN", "Row LSTM"):
        net = studies.network(family, seeded(0)).double()
        speed_up(net, family, asked.side, 1, asked.rounds)
    print("a training step of 8 images, and a sample of one image")
    costs(asked.sides, asked.rounds)
    print(f"bar: {BAR:g}× for gated PixelCNN; measured {', '.join(f'{r:.1f}×' for r in ratios)}")
    return 0 if min(ratios) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
