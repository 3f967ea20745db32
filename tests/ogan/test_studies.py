"""The study: its rows are complete, and its measures mean what they say."""

from __future__ import annotations

import torch

from genbook.games.classifier import Reader
from genbook.kit import data
from genbook.ogan import studies, training


def test_a_slice_has_a_row_a_recipe_and_an_autoencoder():
    rows = list(studies.record(True, 0))
    wanted = {(link, w) for link in training.LINKS[:2] for w in studies.WEIGHTS}
    assert {(row["link"], row["weight"]) for row in rows} == wanted | {
        ("nothing", 0.0),
        ("autoencoder", 0.0),
    }
    assert len(rows) == 10


def test_a_slice_of_the_demands_has_a_row_for_each():
    rows = list(studies.record_demands(True, 0))
    assert [row["link"] for row in rows] == list(training.LINKS[3:])
    assert all(row["weight"] == 2 and row["dataset"] == "digits" for row in rows)


class Told(training.Players):
    """Pictures that hold their noise, and an encoder that reads it off."""

    def draw(self, z):
        return torch.nn.functional.pad(z, (0, 48))

    def encode(self, x):
        return x[:, :16]


def ten(x):
    return x[:, :10]


def test_an_encoder_that_reads_the_noise_off_has_every_correlation_one():
    test = data.digits("test", device="cpu").take(50)
    found = studies.judged(Told(64, 0), test, Reader(ten, 1.0, "digits"), 0)
    assert (found["rho"], found["average"]) == (1, 1)
    # the mean deviation of 16 standard normal numbers, sqrt(2/n) Γ(n/2) / Γ((n − 1)/2)
    assert abs(found["deviation"] - 0.9523) < 0.02
    assert abs(found["apart"] - normal_share(test)) < 0.03


class Thrice(Told):
    """The noise is read off three times as large, and two higher."""

    def encode(self, x):
        return 3 * super().encode(x) + 2


def test_a_longer_code_has_a_larger_deviation_and_the_same_correlations():
    test = data.digits("test", device="cpu").take(50)
    plain, long = (
        studies.judged(kind(64, 0), test, Reader(ten, 1.0, "digits"), 0) for kind in (Told, Thrice)
    )
    assert abs(long["deviation"] - 3 * plain["deviation"]) < 1e-3
    assert all(long[key] == plain[key] for key in ("rho", "average", "spread", "apart"))


def normal_share(test):
    """How often a score exceeds the average of 16 standard normal numbers."""
    scores = 4 * test.flat[:, :16].mean(1)
    return float(torch.distributions.Normal(0.0, 1.0).cdf(scores).mean())


def test_the_fresh_noise_is_the_seeds_own():
    test = data.digits("test", device="cpu").take(50)
    reader = Reader(ten, 1.0, "digits")
    found = [studies.judged(Told(64, 0), test, reader, seed)["spread"] for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_a_pair_is_trained_by_its_own_loop_from_its_own_seed():
    images = data.digits("train", device="cpu").take(64)
    recipe = training.Recipe(steps=2, batch=8)
    for seed in (0, 1):
        for autoencoder, loop in ((False, training.train), (True, training.train_autoencoder)):
            wanted = training.Players(64, seed)
            list(loop(wanted, images.flat, recipe, seed))
            found = studies.trained(images, recipe, seed, autoencoder=autoencoder)
            for ours, theirs in zip(found.parameters(), wanted.parameters(), strict=True):
                assert torch.allclose(ours, theirs, atol=1e-7)


def test_a_pair_that_copies_perfectly_scores_so():
    test = data.digits("test", device="cpu").take(50)

    class Perfect(training.Players):
        def again(self, x):
            return x

    told = {tuple(x.tolist()): y for x, y in zip(test.flat, test.labels.tolist(), strict=True)}
    reader = Reader(
        lambda x: torch.nn.functional.one_hot(
            torch.tensor([told[tuple(row.tolist())] for row in x]), 10
        ).float(),
        1.0,
        "digits",
    )
    found = studies.judged(Perfect(64, 0), test, reader, 0)
    assert (found["error"], found["same"]) == (0, 1)
    assert abs(found["rho"]) < 0.1
    assert found["still"] == round(float(test.flat.var(0, correction=0).mean()), 4)


def test_players_that_draw_one_picture_have_no_spread():
    test = data.digits("test", device="cpu").take(50)
    pair = training.Players(64, 0)
    with torch.no_grad():
        for weight in pair.generator.parameters():
            weight.zero_()
        list(pair.generator.parameters())[-1].copy_(torch.linspace(-2, 2, 64))
    found = studies.judged(pair, test, Reader(lambda x: x[:, :10], 1.0, "digits"), 0)
    assert found["spread"] == 0
