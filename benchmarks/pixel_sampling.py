"""Naive against cached sampling of a PixelCNN at 28 × 28: seconds, and their ratio.

The naive way runs the whole network once a pixel. All its runs cost the same, so ``--runs`` of the
784 are timed and scaled up; ``--runs 784`` measures them all.
"""

from __future__ import annotations

import argparse
import time

import torch

from genbook.pixel_sampling import sample
from genbook.pixelcnn import GatedPixelCNN, PixelCNN

SIDE = 28


def main() -> None:
    """Print one line for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    for build in (PixelCNN, GatedPixelCNN):
        generator = torch.Generator().manual_seed(0)
        net = build(16, 3, generator=generator)
        canvas = torch.zeros(asked.images, 1, SIDE, SIDE)
        start = time.perf_counter()
        sample(net, canvas, generator=generator)
        cached = time.perf_counter() - start
        start = time.perf_counter()
        with torch.no_grad():
            for _ in range(asked.runs):
                net(canvas)
        naive = (time.perf_counter() - start) * SIDE**2 / asked.runs
        print(
            f"{build.__name__}: naive {naive:.1f} s (from {asked.runs} runs), "
            f"cached {cached:.2f} s, ratio {naive / cached:.0f}"
        )


if __name__ == "__main__":
    main()
