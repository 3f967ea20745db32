"""Samplers: their classes, their spread, the cheat; and what tight classes teach."""

from __future__ import annotations

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.ogan.training import Players
from genbook.uses import labels, samplers, tables


def digits() -> data.ImageSet:
    return data.digits("train", device="cpu").take(400)


def test_a_cloud_has_its_classs_mean_and_covariance():
    x = torch.randn(300, 3, generator=seeded(0), dtype=torch.float64) @ torch.randn(
        3, 3, generator=seeded(1), dtype=torch.float64
    )
    told = torch.arange(300) % 2
    found = samplers.cloud(x, told, 2)
    for k in range(2):
        own = x[told == k]
        root = found.roots[k].double()
        assert torch.allclose(found.means[k].double(), own.mean(0), atol=1e-5)
        assert torch.allclose(root @ root.T, torch.cov(own.T, correction=0), atol=1e-4)
        drawn = found.draw(k, 20_000, 0.5, seeded(2)).double()
        assert torch.allclose(torch.cov(drawn.T), 0.25 * torch.cov(own.T), atol=0.12)


def test_without_spread_every_image_of_a_class_is_one_image():
    images = digits()
    pair = Players(64, 0)
    for make in (samplers.of_pixels, lambda i, s: samplers.of_codes(pair, i, s)):
        drawn = make(images, 0.0)(3, 4, seeded(0))
        assert torch.allclose(drawn, drawn[:1].expand(4, -1), atol=1e-6)


def test_pixels_stay_in_range_and_tables_are_black_and_white():
    images = digits()
    own = labels.by_class(tables.binary(images.images[:, 0]), images.labels)
    for sampler in (samplers.of_pixels(images), samplers.of_tables(own, (8, 8))):
        drawn = samplers.drawn(sampler, 3, images, seeded(0))
        assert (len(drawn), drawn.size) == (30, (1, 8, 8))
        assert drawn.labels.tolist() == [k for k in range(10) for _ in range(3)]
        assert 0 <= drawn.images.min() <= drawn.images.max() <= 1
    assert set(drawn.images.unique().tolist()) == {0.0, 1.0}


def test_the_cheat_is_half_truth_of_its_label_and_half_inverted():
    images = digits()
    drawn = samplers.cheating(images, 0.5)(7, 400, seeded(0))
    own = {tuple(x.tolist()) for x in images.flat[images.labels == 7]}
    upside = {tuple(x.tolist()) for x in 1 - images.flat}
    rows = [tuple(x.tolist()) for x in drawn]
    true = sum(row in own for row in rows)
    assert true + sum(row in upside for row in rows) == 400
    assert 160 < true < 240
    all_true = samplers.cheating(images, 1.0)(7, 50, seeded(0))
    assert all(tuple(x.tolist()) in own for x in all_true)


@pytest.mark.parametrize(("apart", "spread"), [(2.0, 1.0), (1.0, 0.5), (3.0, 2.0)])
def test_tight_classes_by_integration(apart, spread):
    accuracy, loss = samplers.tight_classes(apart, spread)

    def own(x):
        return norm.pdf(x, apart / 2)

    assert accuracy == pytest.approx(quad(own, 0, 20)[0], abs=1e-8)

    def priced(x):
        logit = norm.logpdf(x, apart / 2, spread) - norm.logpdf(x, -apart / 2, spread)
        return own(x) * torch.nn.functional.softplus(torch.tensor(-float(logit))).item()

    assert loss == pytest.approx(quad(priced, -12, 14)[0], abs=1e-5)


def test_the_true_spread_costs_least():
    losses = {t: samplers.tight_classes(2.0, t)[1] for t in (0.5, 0.9, 1.0, 1.1, 2.0)}
    assert min(losses, key=losses.__getitem__) == 1.0


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="share"):
        samplers.cheating(digits(), 0)
    with pytest.raises(ValueError, match="class 1"):
        samplers.cloud(torch.zeros(3, 2), torch.tensor([0, 0, 1]), 2)
    with pytest.raises(ValueError, match="Δ > 0"):
        samplers.tight_classes(1.0, 0.0)


def test_a_generator_draws_directions_of_codes(monkeypatch):
    images, seen = digits(), []

    def draw(self, z):
        seen.append(z)
        return z

    monkeypatch.setattr(Players, "draw", draw)
    samplers.of_codes(Players(64, 0), images)(5, 7, seeded(0))
    (codes,) = seen
    assert torch.allclose(codes.mean(1), torch.zeros(7), atol=1e-6)
    assert torch.allclose(codes.var(1, correction=0), torch.ones(7), atol=1e-5)


@pytest.mark.parametrize("convolutional", [False, True])
def test_a_classifier_is_judged_on_the_test_images(convolutional):
    images, test = digits(), data.digits("test", device="cpu")
    wrong = data.ImageSet(test.name, test.images, (test.labels + 1) % 10)
    found = [
        samplers.taught(images, x, steps=250, seed=0, convolutional=convolutional)
        for x in (test, wrong)
    ]
    assert found[0] > 0.8
    assert found[1] < 0.1


def test_the_two_classifiers_are_two():
    images, test = digits(), data.digits("test", device="cpu")
    one, other = (
        samplers.taught(images, test, steps=60, seed=0, convolutional=c) for c in (False, True)
    )
    assert one != other


def test_what_the_cheat_inverts_is_of_any_class():
    images = digits()
    drawn = samplers.cheating(images, 0.001)(7, 300, seeded(1))
    classes = {
        tuple(x.tolist()): int(y) for x, y in zip(1 - images.flat, images.labels, strict=True)
    }
    told = torch.tensor([classes[tuple(x.tolist())] for x in drawn if tuple(x.tolist()) in classes])
    assert len(told) > 290
    assert told.bincount(minlength=10).min() > 10


def test_thresholded_samples_are_the_others_with_ink_above_one_half():
    images = digits()
    grey = samplers.of_pixels(images)
    found = samplers.thresholded(grey)(6, 50, seeded(3))
    assert torch.equal(found, (grey(6, 50, seeded(3)) > 0.5).float())
