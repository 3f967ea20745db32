r"""How many seeds of a 2-D GAN train a second: one after another, or as one computation?

All contenders play the same game: eight Gaussians on a ring, a discriminator step and a generator
step an iteration, two hidden layers of 128 rectifiers each, the non-saturating loss, Adam. They
take turns, so that whatever else the machine does falls on all alike; the medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from genbook.games import duality, play
from genbook.kit.data import ring, ring_centres


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=60, help="a turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def usual_networks() -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator as a script writes them."""

    def network(outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(2, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, outputs),
        )

    return network(2), network(1)


def usual_script(seed: int, batch: int, iterations: int, *, fused: bool) -> None:
    """The loop that most scripts hold."""
    torch.manual_seed(seed)
    source = torch.Generator().manual_seed(seed)
    generator, critic = usual_networks()
    settings = {"lr": 1e-3, "betas": (0.5, 0.999), "fused": fused}
    g_optimiser = torch.optim.Adam(generator.parameters(), **settings)
    d_optimiser = torch.optim.Adam(critic.parameters(), **settings)
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
    for _ in range(iterations):
        real = ring(batch, source, std=0.01)
        fake = generator(torch.randn(batch, 2)).detach()
        d_loss = cross_entropy(critic(real), ones) + cross_entropy(critic(fake), zeros)
        d_optimiser.zero_grad()
        d_loss.backward()
        d_optimiser.step()
        g_loss = cross_entropy(critic(generator(torch.randn(batch, 2))), ones)
        g_optimiser.zero_grad()
        g_loss.backward()
        g_optimiser.step()


def seeds_of_the_book(seeds: range, batch: int, iterations: int) -> None:
    """The book's loop, with as many seeds at once as there are."""
    streams = play.Streams(seeds)
    generator, critic = play.mlp([2, 128, 128, 2], streams), play.mlp([2, 128, 128, 1], streams)
    objective = play.from_convex(duality.GAN, practical=True)
    game = play.Game(iterations=iterations, batch=batch)
    sample = play.around(ring_centres(), 0.01)
    for _ in play.play(generator, critic, objective, sample, game, streams):
        pass


def contenders(given: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Each trains all seeds."""
    seeds, batch, iterations = range(given.seeds), given.batch, given.iterations

    def usual(fused: bool) -> None:
        for seed in seeds:
            usual_script(seed, batch, iterations, fused=fused)

    def one_after_another() -> None:
        for seed in seeds:
            seeds_of_the_book(range(seed, seed + 1), batch, iterations)

    return {
        "usual script": lambda: usual(False),
        "usual script, fused Adam": lambda: usual(True),
        "this book, one after another": one_after_another,
        "this book, all at once": lambda: seeds_of_the_book(seeds, batch, iterations),
    }


def rate(train: Callable[[], None], work: int) -> float:
    """Seed-iterations a second."""
    start = time.perf_counter()
    train()
    return work / (time.perf_counter() - start)


def main() -> int:
    """Measure by turns, print a table; 0 if training at once is faster than the fused script."""
    given = arguments()
    torch.set_num_threads(given.threads)
    runs = contenders(given)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(given.rounds + 1):
        for name, train in runs.items():
            measured = rate(train, given.seeds * given.iterations)
            if turn:
                rates[name].append(measured)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    base = medians["usual script, fused Adam"]
    print(f"{given.seeds} seeds, batch {given.batch}, {given.threads} threads, {torch.__version__}")
    for name, median in medians.items():
        print(f"{name:30s} {median:8.0f} seed-iterations/s   {median / base:5.2f} ×")
    return 0 if medians["this book, all at once"] > base else 1


if __name__ == "__main__":
    sys.exit(main())
