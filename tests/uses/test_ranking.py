"""The study of likelihood and teaching: its models, prices and lessons, and pairs that agree."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from scipy.stats import kendalltau

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.uses import labels, ranking, samplers, tables
from genbook.uses.conditional import ClassPixels, ClassVAEs

TINY = ranking.Lengths(vae=20, pixels=20, reading=5, judged=30, samples=3)


def parts() -> tuple[data.ImageSet, data.ImageSet]:
    return data.digits("train", device="cpu"), data.digits("test", device="cpu")


def few() -> tuple[data.ImageSet, data.ImageSet]:
    images, test = parts()
    return images.take(300), test.take(80)


def test_pairs_agree_as_in_kendalls_tau():
    costs, lessons = torch.rand(2, 40, 7, generator=seeded(0), dtype=torch.float64)
    agree, not_ = ranking.agreement(costs, lessons)
    assert agree + not_ == 40 * 21
    taus = [
        kendalltau(-c.numpy(), x.numpy()).statistic for c, x in zip(costs, lessons, strict=True)
    ]
    assert (agree - not_) / 21 == pytest.approx(sum(taus))


def test_a_cheaper_model_that_teaches_better_agrees_and_a_tie_does_not_count():
    costs = torch.tensor([3.0, 2.0, 1.0])
    assert ranking.agreement(costs, -costs) == (3, 0)
    assert ranking.agreement(costs, costs) == (0, 3)
    assert ranking.agreement(costs, torch.tensor([0.5, 0.5, 0.9])) == (2, 0)
    assert ranking.agreement(torch.tensor([3.0, 3.0, 1.0]), -costs) == (2, 0)


@pytest.mark.parametrize("bad", [torch.tensor([1.0, torch.nan]), torch.ones(3)])
def test_numbers_that_have_no_order_are_refused(bad):
    for pair in ((torch.ones(2), bad), (bad, torch.ones(2))):
        with pytest.raises(ValueError, match="finite numbers of one shape"):
            ranking.agreement(*pair)


def test_a_lesson_is_that_of_the_answers_that_are_right_most_often_on_samples():
    for seed in range(5):
        p, q = torch.rand(2, 4, 3, generator=seeded(seed), dtype=torch.float64)
        p, q = p / p.sum(), q / q.sum()

        def right(table, answers):
            return sum(table[x, y].item() for x, y in enumerate(answers))

        best = max(product(range(3), repeat=4), key=lambda h: right(q, h))
        assert ranking.lesson(p, q).item() == pytest.approx(right(p, best))
        both = torch.stack([p, q])
        assert torch.allclose(
            ranking.lesson(both, both), torch.stack([p.amax(1).sum(), q.amax(1).sum()])
        )
    with pytest.raises(ValueError, match="one shape"):
        ranking.lesson(p, q[:2])


def test_models_are_trained_as_long_as_asked_and_a_tenth_of_it(monkeypatch):
    seen = []

    def note(images, config, generator):
        seen.append((config, generator.initial_seed()))
        return "a model"

    monkeypatch.setattr(ranking, "vae_by_class", note)
    monkeypatch.setattr(ranking, "pixelcnn_by_class", note)
    images, _ = few()
    found = ranking.models(images, 3, ranking.Lengths(vae=700, pixels=900))
    names = ["VAE a class", "PixelCNN", "PixelCNN" + ranking.EARLY]
    assert list(found) == ["table of patterns", *names]
    assert [config.steps for config, _ in seen] == [700, 900, 90]
    assert [config.batch for config, _ in seen] == [64, 16, 16]
    assert [config.lr for config, _ in seen] == [1e-3, 8e-3, 8e-3]
    assert {(config.falling, config.low) for config, _ in seen[1:]} == {(1.0, 0.01)}
    streams = ranking.VAES, ranking.PIXELS, ranking.PIXELS
    assert [seed for _, seed in seen] == [stream.seed(3) for stream in streams]
    pages = tables.binary(images.images[:, 0])
    own = labels.by_class(pages, images.labels)
    assert torch.equal(found["table of patterns"].nats(pages), own.nats(pages))


@pytest.fixture(scope="module")
def learned():
    return ranking.models(few()[0], 0, TINY)


def test_prices_are_each_models_own(learned):
    found, test = learned, few()[1]
    pages = tables.binary(test.images[:, 0])
    kinds = {name: type(model) for name, model in found.items()}
    assert set(kinds.values()) == {labels.Labeller, ClassVAEs, ClassPixels}
    for model in found.values():
        costs = ranking.prices(model, pages, 3, seeded(2))
        assert costs.shape == (80, 10)
        if isinstance(model, ClassVAEs):
            own = model.nats(pages.flatten(1), samples=3, generator=seeded(2))
        else:
            own = model.nats(pages if isinstance(model, labels.Labeller) else pages.flatten(1))
        assert torch.equal(costs, own)


def test_a_model_is_judged_by_its_true_class_by_the_mixture_and_by_bayes_rule():
    chances = torch.tensor([[0.5, 0.1, 0.2], [0.1, 0.1, 0.4]], dtype=torch.float64)
    told = torch.tensor([0, 1])
    found = ranking.judged(-chances.log(), told)
    assert found["nats"] == pytest.approx(-chances[[0, 1], told].log().mean().item(), abs=1e-4)
    assert found["mixture"] == pytest.approx(-chances.mean(1).log().mean().item(), abs=1e-4)
    assert found["bayes"] == 0.5


def test_unseen_pages_are_priced_black_and_white_with_their_own_labels():
    images, test = parts()
    pages = tables.binary(images.images[:, 0])
    own = labels.by_class(pages, images.labels)
    (row,) = ranking.priced({"it": own}, test, 0, TINY)
    costs = own.nats(tables.binary(test.images[:30, 0]))
    assert row == {"sampler": "it", **ranking.judged(costs, test.labels[:30])}
    (whole,) = ranking.priced({"it": own}, test, 0, ranking.Lengths())
    costs = own.nats(tables.binary(test.images[:, 0]))
    assert whole == {"sampler": "it", **ranking.judged(costs, test.labels)}


def test_a_vaes_codes_for_pricing_are_the_seeds_own(learned):
    test, own = few()[1], learned["VAE a class"]
    (row,) = ranking.priced({"it": own}, test, 4, TINY)
    pages, source = tables.binary(test.flat[:30]), seeded(ranking.PRICES.seed(4))
    costs = own.nats(pages, samples=3, generator=source)
    assert row == {"sampler": "it", **ranking.judged(costs, test.labels[:30])}


def test_a_sampler_draws_what_its_model_draws(learned):
    for model in learned.values():
        drawn = ranking.sampler_of(model, (8, 8))(4, 6, seeded(1))
        if isinstance(model, labels.Labeller):
            own = model.tables[4].draw(6, (8, 8), seeded(1)).flatten(1).float()
        else:
            own = model.draw(4, 6, seeded(1))
        assert torch.equal(drawn, own)


def test_every_model_but_the_table_teaches_and_so_do_thresholded_real_pages(monkeypatch, learned):
    images, test = few()
    found, seen = learned, {}

    def by_classifier(sets, judged, seed, steps):
        assert judged is test
        assert (seed, steps) == (5, 7)
        seen.update(sets)
        yield {"sampler": "any", "classifier": "CNN", "taught": 0.5}

    monkeypatch.setattr(ranking, "by_classifier", by_classifier)
    rows = list(ranking.lessons(found, images, test, 5, 7))
    real = "real images, black and white"
    names = [real, "VAE a class", "PixelCNN"]
    assert list(seen) == names
    assert [row["sampler"] for row in rows] == [*names, "any"]
    assert [row["kind"] for row in rows] == [*["read"] * 3, "taught"]
    for name, made in seen.items():
        assert made.labels.tolist() == [k for k in range(10) for _ in range(30)]
        assert set(made.images.unique().tolist()) <= {0.0, 1.0}, name
    source = seeded(ranking.DRAWN.seed(5))
    wanted = samplers.drawn(found["PixelCNN"].draw, 30, images, source)
    assert torch.equal(seen["PixelCNN"].images, wanted.images)
    known = {
        (*x.tolist(), int(y))
        for x, y in zip(tables.binary(images.flat), images.labels, strict=True)
    }
    assert all(
        (*x.tolist(), int(y)) in known
        for x, y in zip(seen[real].flat, seen[real].labels, strict=True)
    )


def test_real_pages_are_read_as_their_label():
    images, test = parts()
    rows = ranking.lessons({}, images, test, 0, 300)
    (read, *taught) = list(rows)
    assert read["read"] > 0.7
    assert {row["classifier"] for row in taught} == {"perceptron", "CNN"}
    assert all(row["taught"] > 0.7 for row in taught)


def test_the_study_says_every_number_of_every_model():
    rows = list(ranking.record_likelihood(True, 1))
    kinds = {
        kind: [row for row in rows if row["kind"] == kind] for kind in ("priced", "read", "taught")
    }
    assert sum(map(len, kinds.values())) == len(rows)
    assert {row["dataset"] for row in rows} == {"digits"}
    assert {row["seed"] for row in rows} == {1}
    assert [len(found) for found in kinds.values()] == [4, 3, 6]
    taught = {row["sampler"] for row in kinds["taught"]}
    known = {"table of patterns", "PixelCNN" + ranking.EARLY}
    assert {row["sampler"] for row in kinds["priced"]} - known < taught
