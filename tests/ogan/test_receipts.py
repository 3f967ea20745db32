"""The receipts of the chapter `ogan`, broken on purpose."""

from __future__ import annotations

import torch
from chapters import altered, assert_breaks, method, swap, told

from genbook.games import classifier
from genbook.kit.machine import weights
from genbook.ogan import codes, exercises, machines, training


def quick(monkeypatch):
    """No training, where a receipt does not hang on how good the players are."""
    swap(training.train, lambda *arguments: iter(()))(monkeypatch)
    swap(training.train_autoencoder, lambda *arguments: iter(()))(monkeypatch)


def skewed(code):
    """Parts whose direction keeps a hundredth of the average."""
    found = PARTS(code)
    return codes.Parts(
        found.average, found.deviation, found.direction + 0.01 * found.average[..., None]
    )


PARTS = codes.parts


def test_receipt_parts():
    assert_breaks("ogan", "test_receipt_parts", swap(codes.parts, skewed), given=quick)


def test_receipt_free():
    def cosine(z, code):
        return torch.cosine_similarity(z, code, dim=-1)

    assert_breaks(
        "ogan",
        "test_receipt_free",
        swap(codes.correlation, cosine),
        swap(codes.correlation, lambda z, code: (PARTS(z).direction * code).mean(-1)),
        given=quick,
    )


def test_receipt_slope():
    assert_breaks(
        "ogan",
        "test_receipt_slope",
        altered(exercises.slope_by_hand, lambda slope: 1.001 * slope),
        swap(codes.correlation, lambda z, code: -codes.squared_error(z, code)),
        swap(codes.parts, skewed),
        given=quick,
    )


def test_receipt_span():
    assert_breaks(
        "ogan",
        "test_receipt_span",
        swap(exercises.slope_by_hand, lambda z, e: z - e),
        given=quick,
    )


def test_receipt_last_layer():
    def squared(link, z, code):
        return codes.squared_error(z, code).mean()

    assert_breaks(
        "ogan",
        "test_receipt_last_layer",
        swap(training.tie, squared),
        swap(codes.correlation, lambda z, code: torch.cosine_similarity(z, code, dim=-1)),
        swap(codes.parts, skewed),
        given=quick,
    )


def test_receipt_long_step():
    assert_breaks(
        "ogan",
        "test_receipt_long_step",
        swap(codes.correlation, lambda z, code: torch.cosine_similarity(z, code, dim=-1)),
        swap(training.tie, lambda link, z, code: codes.squared_error(z, code).mean()),
        swap(training.tie, lambda link, z, code: 0 * code.sum()),
        given=quick,
    )


def test_receipt_shared_layers():
    assert_breaks(
        "ogan",
        "test_receipt_shared_layers",
        swap(training.tie, lambda link, z, code: 0 * code.sum()),
        given=quick,
    )


def test_receipt_demands():
    def crooked(z, code):
        found = right(z, code)
        return codes.ErrorParts(found.average, found.deviation, found.direction / 2)

    right = codes.error_parts
    assert_breaks(
        "ogan",
        "test_receipt_demands",
        swap(codes.error_parts, crooked),
        altered(codes.squared_error, lambda error: 1.001 * error),
        altered(codes.correlation, lambda rho: -rho),
        given=quick,
    )


def test_receipt_products():
    assert_breaks(
        "ogan",
        "test_receipt_products",
        altered(codes.correlation, lambda rho: 0.99 * rho),
        swap(
            codes.parts,
            skewed,
        ),
        swap(
            codes.parts,
            lambda code: codes.Parts(code.mean(-1), code.std(-1), PARTS(code).direction),
        ),
        given=quick,
    )


def test_receipt_lifted():
    assert_breaks(
        "ogan",
        "test_receipt_lifted",
        altered(codes.squared_error, lambda error: 1.001 * error),
        swap(codes.squared_error, lambda z, code: (z - code).square().sum(-1)),
        given=quick,
    )


def test_receipt_seven():
    assert_breaks(
        "ogan",
        "test_receipt_seven",
        swap(codes.chance_below, lambda rho, n: right(rho, n + 1)),
        altered(codes.chance_below, lambda share: 1 - 2 * (1 - share)),
        given=quick,
    )


def test_receipt_chance():
    assert_breaks(
        "ogan",
        "test_receipt_chance",
        swap(codes.chance_below, lambda rho, n: right(rho, n + 1)),
        swap(codes.correlation, lambda z, code: torch.cosine_similarity(z, code, dim=-1)),
        given=quick,
    )


right = codes.chance_below


def test_receipt_reached():
    assert_breaks(
        "ogan",
        "test_receipt_reached",
        swap(training.train, lambda *arguments: iter(())),
        swap(
            training.tie,
            lambda link, z, code: torch.zeros((), dtype=z.dtype),
        ),
    )


def test_receipt_spread():
    assert_breaks(
        "ogan",
        "test_receipt_spread",
        told("ogan_links", "spread", 0.95, link="squared error", weight=8.0),
        told("ogan_links", "spread", 0.3, link="correlation", weight=2.0, dataset="digits"),
    )


def test_receipt_asked():
    assert_breaks(
        "ogan",
        "test_receipt_asked",
        told("ogan_links", "average", 0.1, link="squared error", weight=8.0),
        told("ogan_links", "average", 0.9, link="correlation", weight=8.0),
    )


def test_receipt_copies():
    assert_breaks(
        "ogan",
        "test_receipt_copies",
        told("ogan_links", "same", 0.1, link="correlation", weight=0.5),
        told("ogan_links", "same", 0.9, link="squared error", weight=8.0),
    )


def test_receipt_two():
    assert_breaks(
        "ogan",
        "test_receipt_two",
        told("ogan_links", "same", 0.6, link="correlation", weight=2.0, dataset="mnist"),
        told("ogan_links", "same", 0.1, link="squared error", weight=2.0),
        told("ogan_links", "same", 0.6, link="squared error", weight=0.5, dataset="digits"),
    )


def test_receipt_high():
    assert_breaks(
        "ogan",
        "test_receipt_high",
        told("ogan_links", "rho", 0.9, link="squared error", weight=8.0),
        told("ogan_links", "rho", 0.9, link="autoencoder"),
        told("ogan_links", "rho", 0.97, link="correlation", weight=0.5, dataset="digits"),
    )


def test_receipt_heavy():
    assert_breaks(
        "ogan",
        "test_receipt_heavy",
        told("ogan_links", "rho", 0.9, link="correlation", weight=8.0, dataset="mnist"),
        told("ogan_links", "same", 0.6, link="correlation", weight=8.0),
    )


def test_receipt_pixels():
    assert_breaks(
        "ogan",
        "test_receipt_pixels",
        told("ogan_links", "error", 0.03, link="correlation", weight=0.5, dataset="mnist"),
        told("ogan_links", "same", 0.9, link="correlation", weight=0.5, dataset="mnist"),
    )


def test_receipt_alone():
    assert_breaks(
        "ogan",
        "test_receipt_alone",
        told("ogan_links", "rho", 0.1, link="nothing", dataset="digits"),
        told("ogan_links", "spread", 0.8, link="nothing", dataset="mnist"),
    )


def test_receipt_live():
    def unread(images, test, **options):
        found = learned(images, test, **options)
        return classifier.Reader(lambda x: -found.logits(x), found.accuracy, found.images)

    learned = classifier.learn_to_read
    assert_breaks(
        "ogan",
        "test_receipt_live",
        swap(training.train, lambda *arguments: iter(())),
        swap(classifier.learn_to_read, unread),
    )


def test_receipt_apart():
    def of_the_link_alone(pair, x, z, recipe):
        return recipe.weight * training.tie(recipe.link, z, pair.encode(pair.draw(z).detach()))

    assert_breaks("ogan", "test_receipt_apart", swap(training.encoder_loss, of_the_link_alone))


def test_receipt_demand():
    assert_breaks(
        "ogan",
        "test_receipt_demand",
        told("ogan_demands", "same", 0.8, link="correlation and average", dataset="mnist"),
        told("ogan_demands", "same", 0.5, link="correlation and deviation", dataset="digits"),
        told("ogan_demands", "same", 0.5, link="correlation and deviation", dataset="mnist"),
    )


def test_receipt_shorter():
    def with_the_demand(link, z, code):
        return asked("correlation and deviation", z, code)

    asked = training.tie
    assert_breaks("ogan", "test_receipt_shorter", swap(training.tie, with_the_demand))


def test_receipt_trips():
    assert_breaks(
        "ogan", "test_receipt_trips", method(training.Players, "again", lambda pair, x: x)
    )


def test_receipt_halfway():
    assert_breaks(
        "ogan",
        "test_receipt_halfway",
        swap(training.train, lambda *arguments: iter(())),
        method(
            training.Players, "draw", lambda pair, z: 0.5 + 0.1 * z[:, :1].expand(-1, pair.pixels)
        ),
    )


def test_receipt_better():
    assert_breaks(
        "ogan",
        "test_receipt_better",
        swap(training.train_autoencoder, lambda *arguments: iter(())),
    )


def test_receipt_mirror():
    assert_breaks(
        "ogan",
        "test_receipt_mirror",
        swap(codes.correlation, lambda z, code: (PARTS(z).direction * code).amax(-1)),
        swap(codes.parts, skewed),
        given=quick,
    )


def test_receipt_rounded():
    def coarse(tensors):
        return [(2 * t / t.abs().max()).round() * t.abs().max() / 2 for t in tensors]

    def faint(pair, held, z):
        return drawn(pair, held, z / 2)

    drawn = machines.drawn
    assert_breaks(
        "ogan",
        "test_receipt_rounded",
        swap(weights.rounded, coarse),
        swap(machines.drawn, faint),
    )
