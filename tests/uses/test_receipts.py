"""The receipts of the chapter `uses`, broken on purpose."""

from __future__ import annotations

import torch
from chapters import altered, assert_breaks, method, swap, told

from genbook.kit.device import seeded
from genbook.pixelcnn import likelihood, masks, networks, receptive_field
from genbook.uses import detectors, labels, outliers, probes, ranking, samplers, tables

priced, weighed = tables.Table.costs, labels.Labeller.nats


def test_receipt_sums():
    assert_breaks(
        "uses",
        "test_receipt_sums",
        method(tables.Table, "costs", lambda self, images: 1.001 * priced(self, images)),
        altered(tables.contexts, lambda found: found.flip(-1)),
    )


def test_receipt_blank():
    assert_breaks(
        "uses",
        "test_receipt_blank",
        swap(tables.fit, lambda images: right(1 - images)),
    )


right = tables.fit


def test_receipt_strangers():
    def turned(costs, others):
        return 1 - detected(costs, others)

    detected = outliers.detected
    assert_breaks(
        "uses",
        "test_receipt_strangers",
        swap(outliers.detected, turned),
        altered(outliers.strangers, lambda found: {**found, "half size": 1 - found["half size"]}),
        altered(outliers.strangers, lambda found: {**found, "noise": 0 * found["noise"]}),
    )


def test_receipt_identity():
    assert_breaks(
        "uses",
        "test_receipt_identity",
        altered(outliers.entropy, lambda nats: 1.0001 * nats),
        swap(outliers.divergence, lambda p, q: diverging(q, p)),
        altered(outliers.mean_score, lambda nats: -nats),
    )


diverging = outliers.divergence


def test_receipt_coin():
    assert_breaks(
        "uses",
        "test_receipt_coin",
        swap(outliers.mean_score, lambda p, q: (p * q).sum().log()),
    )


def test_receipt_corrected():
    assert_breaks(
        "uses",
        "test_receipt_corrected",
        altered(outliers.compressed, lambda lengths: -lengths),
        altered(outliers.compressed, lambda lengths: 0 * lengths),
    )


def test_receipt_lengths():
    assert_breaks(
        "uses",
        "test_receipt_lengths",
        altered(outliers.compressed, lambda lengths: lengths / 10),
        swap(outliers.compressed, lambda images: 40.0 * images.double().mean((1, 2)).cpu()),
    )


def test_receipt_apart():
    where = {"dataset": "mnist", "kind": "strangers"}
    assert_breaks(
        "uses",
        "test_receipt_apart",
        told("uses_controls", "corrected", 0.9, strangers="half size", **where),
        told("uses_controls", "corrected", 0.99, strangers="inverted", **where),
        told("uses_controls", "corrected", 0.7, strangers="one dot", dataset="digits"),
    )


def test_receipt_judges():
    def noisy(chances):
        return doubting(chances) * torch.randn(len(chances), generator=seeded(0))

    doubting = detectors.doubts
    assert_breaks(
        "uses",
        "test_receipt_judges",
        altered(detectors.doubts, lambda scores: -scores),
        swap(detectors.doubts, noisy),
        method(detectors.Subspace, "redrawn", lambda self, x: 0 * x + self.mean[:1]),
        method(detectors.Subspace, "gaps", lambda self, x: -(x - self.redrawn(x)).sum(-1)),
        altered(outliers.detected, lambda share: max(share, 0.9)),
    )


def test_receipt_bayes():
    assert_breaks(
        "uses",
        "test_receipt_bayes",
        method(labels.Labeller, "nats", lambda self, images: -weighed(self, images)),
        method(labels.Labeller, "nats", lambda self, images: 0 * weighed(self, images)),
    )


def test_receipt_rejects():
    def other_end(costs, right, share):
        return rejecting(-costs, right, share)

    rejecting = labels.rejecting
    assert_breaks("uses", "test_receipt_rejects", swap(labels.rejecting, other_end))


def test_receipt_tight():
    def by_samples(apart, spread):
        return taught(apart / spread, 1.0)[0], taught(apart, spread)[1]

    def shifted(apart, spread):
        return taught(apart, spread)[0], taught(apart, spread * 1.2)[1]

    taught = samplers.tight_classes
    assert_breaks(
        "uses",
        "test_receipt_tight",
        swap(samplers.tight_classes, by_samples),
        swap(samplers.tight_classes, shifted),
    )


def test_receipt_cheat():
    assert_breaks(
        "uses",
        "test_receipt_cheat",
        altered(outliers.divergence, lambda nats: 1.01 * nats),
        swap(outliers.divergence, lambda p, q: diverging(q, p)),
    )


def test_receipt_taught():
    assert_breaks(
        "uses",
        "test_receipt_taught",
        told("uses_digits", "taught", 0.99, sampler="table of patterns"),
        told("uses_digits", "taught", 0.2, sampler="Gaussian of pixels"),
        told("uses_digits", "taught", 0.85, sampler="real images"),
    )


def test_receipt_cheats():
    assert_breaks(
        "uses",
        "test_receipt_cheats",
        told("uses_digits", "taught", 0.3, sampler="the cheat, half true"),
        told("uses_digits", "read", 0.95, sampler="the cheat, half true"),
    )


def test_receipt_cloud():
    assert_breaks(
        "uses",
        "test_receipt_cloud",
        told("uses_digits", "taught", 0.79, sampler="Gaussian of pixels"),
        told("uses_digits", "taught", 0.95, sampler="O-GAN's codes"),
        told("uses_digits", "taught", 0.94, sampler="autoencoder's codes"),
    )


def test_receipt_cnn():
    assert_breaks(
        "uses",
        "test_receipt_cnn",
        told("uses_controls", "taught", 0.5, sampler="table of patterns", classifier="CNN"),
        told("uses_controls", "taught", 0.85, sampler="real images, as many"),
        told("uses_controls", "taught", 0.9, sampler="Gaussian of pixels", classifier="perceptron"),
    )


def test_receipt_cnn_cheat():
    assert_breaks(
        "uses",
        "test_receipt_cnn_cheat",
        told("uses_controls", "taught", 0.99, sampler="the cheat, half true", classifier="CNN"),
    )


def test_receipt_ranges():
    assert_breaks(
        "uses",
        "test_receipt_ranges",
        told("uses_controls", "taught", 0.9, sampler="real images", classifier="CNN", seed=0),
        told("uses_likelihood", "taught", 0.3, sampler="PixelCNN", classifier="perceptron"),
        told("uses_likelihood", "bayes", 0.3, sampler="PixelCNN", dataset="digits"),
    )


def test_receipt_spread():
    assert_breaks(
        "uses",
        "test_receipt_spread",
        told("uses_digits", "taught", 0.9, sampler="O-GAN's codes", spread=0.25),
        told("uses_digits", "taught", 0.99, sampler="Gaussian of pixels", spread=0.25),
        told("uses_digits", "read", 0.1, sampler="Gaussian of pixels", spread=0.25),
    )


def test_receipt_inked():
    assert_breaks(
        "uses",
        "test_receipt_inked",
        told("uses_likelihood", "taught", 0.2, sampler="real images, black and white"),
        told("uses_likelihood", "taught", 0.99, sampler="VAE a class", classifier="CNN"),
    )


def test_receipt_promise():
    def without_pages(p, q):
        return learned(p, q) - 0.1 * (p != q).any()

    learned = ranking.lesson
    assert_breaks(
        "uses",
        "test_receipt_promise",
        altered(outliers.divergence, lambda nats: nats / 100),
        swap(ranking.lesson, lambda p, q: learned(q, p)),
        swap(ranking.lesson, without_pages),
    )


def test_receipt_prices():
    assert_breaks(
        "uses",
        "test_receipt_prices",
        told("uses_likelihood", "nats", 1.0, sampler="table of patterns"),
        told("uses_likelihood", "nats", 500.0, sampler="PixelCNN", dataset="digits"),
    )


def test_receipt_ranks():
    assert_breaks(
        "uses",
        "test_receipt_ranks",
        altered(ranking.agreement, lambda counts: counts[::-1]),
        told("uses_likelihood", "nats", 1.0, sampler="table of patterns"),
        told("uses_likelihood", "taught", 0.05, sampler="PixelCNN"),
    )


def test_receipt_worth():
    assert_breaks(
        "uses",
        "test_receipt_worth",
        told("uses_likelihood", "mixture", 80.0, sampler="PixelCNN", dataset="mnist"),
        told("uses_likelihood", "mixture", 160.0, sampler="VAE a class"),
    )


def test_receipt_view():
    def rows_above_closed(kernel, *sizes, **kinds):
        mask = masked(kernel, *sizes, **kinds)
        mask[:, :, : kernel // 2 - 1] = 0
        return mask

    masked = masks.causal_mask
    assert_breaks(
        "uses",
        "test_receipt_view",
        swap(masks.causal_mask, rows_above_closed),
        altered(receptive_field.sensitivity, lambda found: found[:, -1:].expand_as(found)),
    )


def test_receipt_short():
    assert_breaks(
        "uses",
        "test_receipt_short",
        altered(likelihood.nll, lambda nats: 2 * nats),
        altered(networks.gate, lambda passed: 0 * passed),
    )


def test_receipt_probe():
    assert_breaks(
        "uses",
        "test_receipt_probe",
        told("uses_digits", "accuracy", 0.05, features="discriminator, hidden layer", labels=1_000),
        told("uses_digits", "accuracy", 0.85, features="autoencoder, hidden layer", labels=1_000),
    )


def test_receipt_codes():
    assert_breaks(
        "uses",
        "test_receipt_codes",
        told("uses_digits", "accuracy", 0.999, features="discriminator, code", labels=1_000),
        told("uses_digits", "accuracy", 0.95, features="VAE, code", labels=1_000),
        told("uses_digits", "accuracy", 0.35, features="autoencoder, code", labels=10),
        told("uses_controls", "accuracy", 0.93, features="untrained", labels=1_000),
    )


def test_receipt_live():

    assert_breaks(
        "uses",
        "test_receipt_live",
        altered(samplers.taught, lambda accuracy: accuracy - 0.4),
        swap(samplers.of_pixels, lambda images, spread=1.0: samplers.cheating(images, 0.001)),
        altered(probes.read_linearly, lambda accuracy: accuracy / 2),
    )
