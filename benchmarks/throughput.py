"""Images trained on per second: index slices of one tensor against the usual DataLoader script.

Both train the same network from the same weights, with the same optimiser, on batches of the same
size, in this process, by turns; the median over the rounds counts. See README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from genbook.kit import data
from genbook.kit.device import Device, pick, seeded

Epoch = Callable[[], Iterable[Sequence[Tensor]]]
BAR = 3.0


def whole(picture: NDArray[np.uint8]) -> Tensor:
    """What torchvision's MNIST and ToTensor do to a picture: to PIL, to NumPy, to a tensor."""
    image = Image.fromarray(picture)
    pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
    pixels = pixels.view(image.height, image.width, 1).permute(2, 0, 1).contiguous()
    return pixels.to(torch.get_default_dtype()).div(255)


def lean(picture: NDArray[np.uint8]) -> Tensor:
    """The least that has to be done to one picture."""
    return torch.from_numpy(picture).unsqueeze(0).float().div(255)


class UsualDataset(Dataset[tuple[Tensor, int]]):
    """MNIST as most scripts hold it: bytes, made into a tensor one picture at a time."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        transform: Callable[[NDArray[np.uint8]], Tensor],
    ) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), int(self.labels[index])


def pictures(count: int) -> data.ImageSet:
    """MNIST; where it can't be had, random pictures of the same size, which cost the same."""
    train = data.mnist("train", device="cpu")
    if train.name != "mnist":
        noise = torch.randint(256, (60_000, 1, 28, 28), generator=seeded(0))
        answers = torch.randint(10, (60_000,), generator=seeded(1))
        train = data.ImageSet("noise", noise / 255, answers, "noise in the shape of MNIST")
    return train.take(min(count, len(train)))


def network(hidden: int) -> nn.Sequential:
    """A small classifier, the same weights each time."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    with torch.no_grad():
        for place, parameter in enumerate(net.parameters()):
            parameter.normal_(0, 0.05, generator=seeded(place))
    return net


def train(epoch: Iterable[Sequence[Tensor]], hidden: int, where: Device) -> tuple[int, float]:
    """Go once through the data; the images seen, and the last loss."""
    net = network(hidden).to(where.device)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    seen, loss = 0, torch.zeros(())
    for images, labels in epoch:
        loss = nn.functional.cross_entropy(net(images.to(where.device)), labels.to(where.device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen += len(images)
    return seen, loss.item()


def contenders(
    train_set: data.ImageSet, batch: int, workers: int, where: Device
) -> dict[str, Epoch]:
    """An epoch of each way to deal the data."""
    pixels = (train_set.images[:, 0] * 255).round().to(torch.uint8).numpy()
    labels = train_set.labels.numpy()
    held = train_set.to(where.device)

    def slices() -> Iterator[tuple[Tensor, ...]]:
        yield from data.batches((held.images, held.labels), batch, seeded(0))

    def loader(transform: Callable[[NDArray[np.uint8]], Tensor], processes: int = 0) -> Epoch:
        usual = UsualDataset(pixels, labels, transform)
        return lambda: DataLoader(
            usual, batch_size=batch, shuffle=True, drop_last=True, num_workers=processes
        )

    ways = {"index slices": slices, "DataLoader": loader(whole), "DataLoader, lean": loader(lean)}
    if workers:
        ways[f"DataLoader, {workers} workers"] = loader(whole, workers)
    return ways


@dataclass(frozen=True)
class Speed:
    """Images per second by the clock on the wall, and per second of processor time."""

    wall: float
    processor: float


def processor_seconds() -> float:
    """Processor time of this process and of the workers it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def measure(
    ways: dict[str, Epoch],
    run: Callable[[Iterable[Sequence[Tensor]]], tuple[int, float]],
    rounds: int,
) -> dict[str, list[Speed]]:
    """The speed of each way in each round, by turns, after a round that does not count."""
    speeds: dict[str, list[Speed]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, epoch in ways.items():
            spent, start = processor_seconds(), time.perf_counter()
            seen, loss = run(epoch())
            wall = seen / (time.perf_counter() - start)
            speed = Speed(wall, seen / (processor_seconds() - spent))
            if turn:
                speeds[name].append(speed)
                print(f"  round {turn}  {name:<22}{wall:>9,.0f} images/s   last loss {loss:.3f}")
    return speeds


def report(speeds: dict[str, list[Speed]]) -> float:
    """Print medians and ratios; the ratio to the usual script, by the wall clock."""
    wall = {name: median(s.wall for s in given) for name, given in speeds.items()}
    processor = {name: median(s.processor for s in given) for name, given in speeds.items()}
    print(f"{'median':<22}{'images/s':>10}{'slices are':>12}{'images/cpu s':>14}{'slices are':>12}")
    for name in speeds:
        print(
            f"{name:<22}{wall[name]:>10,.0f}{wall['index slices'] / wall[name]:>11.2f}×"
            f"{processor[name]:>14,.0f}{processor['index slices'] / processor[name]:>11.2f}×"
        )
    ratio = wall["index slices"] / wall["DataLoader"]
    print(f"bar: {BAR:g}× the usual script; measured {ratio:.2f}×")
    return ratio


def main() -> int:
    """Measure, print, and say whether the bar was reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="0 leaves this contender out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    where, train_set = pick(asked.device), pictures(asked.images)
    print(train_set.notice)
    print(
        f"784-{asked.hidden}-10, Adam, batches of {asked.batch}, {where}, torch "
        f"{torch.__version__}, {torch.get_num_threads()} threads"
    )
    ways = contenders(train_set, asked.batch, asked.workers, where)
    speeds = measure(ways, lambda epoch: train(epoch, asked.hidden, where), asked.rounds)
    return 0 if report(speeds) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
