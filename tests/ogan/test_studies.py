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
    found = studies.judged(pair, test, Reader(lambda x: x[:, :10], 1.0, "digits"), 0)
    assert found["spread"] == 0
