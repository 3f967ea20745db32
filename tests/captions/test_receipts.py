"""The receipts of the chapter `captions`, broken on purpose."""

from __future__ import annotations

import torch
from chapters import altered, assert_breaks, method, swap, told

from genbook.captions import (
    blindness,
    captioner,
    digit_pages,
    language,
    scenes,
    scores,
    search,
    studies,
)
from genbook.kit.machine import weights

SCORE = captioner.Captioner.score
AMONG = scores.among
TRAINED = studies.trained


def shorter(monkeypatch):
    """A shorter training, which writes the commonest wording already."""
    swap(studies.trained, lambda way, seed: TRAINED(way, seed, steps=250))(monkeypatch)


def test_receipt_start():
    speak = captioner.Captioner.speak
    assert_breaks(
        "captions",
        "test_receipt_start",
        method(
            captioner.Captioner,
            "speak",
            lambda self, seen, words: speak(self, seen * (1 + (self.way == "once")), words),
        ),
        method(
            captioner.Captioner, "speak", lambda self, seen, words: speak(self, 0 * seen, words)
        ),
    )


def test_receipt_total():
    assert_breaks(
        "captions",
        "test_receipt_total",
        altered(search.strings, lambda found: [*found[:-1], found[0]]),
        altered(search.every, lambda found: found[1:]),
    )


def test_receipt_beam():
    right = search.beam

    def narrow(net, picture, width, most):
        return right(net, picture, 1, most)

    assert_breaks(
        "captions",
        "test_receipt_beam",
        swap(right, narrow),
        altered(right, lambda found: search.Found(found.words, found.score + 0.01)),
    )


def test_receipt_ranking():
    def per_picture(conditional, marginal):
        return conditional / conditional.amax(1, keepdim=True) / marginal

    assert_breaks(
        "captions",
        "test_receipt_ranking",
        altered(search.lift, lambda ratio: -ratio),
        swap(search.lift, lambda conditional, marginal: conditional),
        swap(search.lift, per_picture),
    )


def test_receipt_bleu():
    assert_breaks(
        "captions",
        "test_receipt_bleu",
        altered(scores.bleu, lambda score: score**2),
        altered(scores.grams, lambda own: type(own)(dict.fromkeys(list(own)[:2], 1))),
        altered(scores.grams, lambda own: type(own)(dict.fromkeys(own, 1))),
        swap(scores.bleu, lambda said, told, n=2: 0.6**0.5),
    )


def test_receipt_people():
    assert_breaks(
        "captions",
        "test_receipt_people",
        altered(scores.bleu, lambda score: score**2),
        altered(language.wordings, lambda people: dict.fromkeys(people, 0.5)),
        swap(scores.among, lambda said, told, n=4: AMONG(said, told, 3)),
        swap(scores.among, lambda said, told, n=4: AMONG(told, told, n)),
    )


def test_receipt_better():
    assert_breaks(
        "captions",
        "test_receipt_better",
        altered(studies.beside_people, lambda score: 0.95 * score),
        altered(studies.right, lambda share: 1.0),
        given=shorter,
    )


def test_receipt_gap():
    assert_breaks(
        "captions",
        "test_receipt_gap",
        altered(blindness.exact_gap, lambda pair: (pair[1], pair[0])),
        altered(blindness.exact_gap, lambda pair: (2 * pair[0], pair[1])),
    )


def test_receipt_ways():
    own = {"pictures": "own"}
    assert_breaks(
        "captions",
        "test_receipt_ways",
        told("captions_ways", "right", 0.99, way="start", seed=3, **own),
        told("captions_ways", "right_new", 0.4, way="every", seed=2, **own),
        told("captions_ways", "right_new", 0.6, way="once", seed=4, **own),
    )


def test_receipt_blind():
    assert_breaks(
        "captions",
        "test_receipt_blind",
        told("captions_ways", "gap", -1.0, pictures="shuffled", seed=1),
        told("captions_ways", "gap", 3.0, way="every", pictures="own", seed=1),
        told("captions_ways", "loss", 5.0, pictures="shuffled", seed=4),
    )


def test_receipt_live():
    assert_breaks(
        "captions",
        "test_receipt_live",
        _sighted,
        altered(blindness.swap_gap, lambda gap: 0 * gap),
        altered(studies.right, lambda share: 0.9 * share),
    )


def _sighted(monkeypatch):
    """The blind captioner's pictures are not shuffled, and it trains as long as the other."""
    right = studies.trained

    def seeing(way, seed, *, shuffled=False, steps=studies.STEPS):
        return right(way, seed)

    swap(right, seeing)(monkeypatch)


def test_receipt_luck():
    assert_breaks(
        "captions",
        "test_receipt_luck",
        altered(captioner.pairs, lambda data: captioner.Pairs(data.pictures, 0 * data.captions)),
        altered(
            captioner.pairs, lambda d: captioner.Pairs(d.pictures, d.captions[:1].repeat(200, 1))
        ),
    )


def test_receipt_falls():
    learnt = studies.trained
    assert_breaks(
        "captions",
        "test_receipt_falls",
        swap(
            learnt,
            lambda way, seed, *, shuffled=False, steps=0: learnt(
                way, seed, shuffled=shuffled, steps=1
            ),
        ),
        _deaf,
    )


def _deaf(monkeypatch):
    """The score of a caption leaves out what its words are."""
    method(
        captioner.Captioner,
        "score",
        lambda self, pictures, captions: 0 * SCORE(self, pictures, captions) - 14,
    )(monkeypatch)


def test_receipt_least():
    assert_breaks(
        "captions",
        "test_receipt_least",
        told("captions_ways", "loss", 3.5, pictures="shuffled", seed=1),
        told("captions_ways", "loss", 0.5, way="once", seed=2),
        told("captions_ways", "loss", 0.8, way="start", pictures="own", seed=3),
    )


def test_receipt_sentences():
    assert_breaks(
        "captions",
        "test_receipt_sentences",
        _sighted,
        altered(search.beam, lambda found: search.Found(found.words[1:], found.score)),
    )


def test_receipt_spread():
    assert_breaks("captions", "test_receipt_spread", _sighted, _one_page)


def _one_page(monkeypatch):
    """All scenes look alike."""
    drawn = scenes.render
    swap(drawn, lambda scene, *, generator: drawn(scenes.SCENES[0], generator=generator))(
        monkeypatch
    )


def test_receipt_packed():
    assert_breaks(
        "captions",
        "test_receipt_packed",
        altered(weights.rounded, lambda held: [torch.zeros_like(w) for w in held]),
        altered(weights.rounded, lambda held: [w.round() for w in held]),
    )


def test_receipt_tied():
    made = digit_pages.pairs
    assert_breaks(
        "captions",
        "test_receipt_tied",
        swap(
            made, lambda digits, count, generator, *, free: made(digits, count, generator, free=1)
        ),
        altered(digit_pages.read, lambda found: digit_pages.Reading(found.first, 0.0, found.first)),
    )


def test_receipt_tied_recorded():
    assert_breaks(
        "captions",
        "test_receipt_tied_recorded",
        told("captions_digits", "tied", 0.5, free=0.0, seed=1),
        told("captions_digits", "both", 0.4, free=0.0, seed=2, digits="mnist"),
        told("captions_digits", "both", 0.1, free=0.5, seed=3),
        told("captions_digits", "both", 0.1, free=1.0, seed=4, digits="digits"),
        told("captions_digits", "gap", 10.0, free=0.0, seed=0, digits="mnist"),
    )
