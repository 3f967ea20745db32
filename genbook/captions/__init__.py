r"""Captions: a sentence that has seen a picture.

``scenes``
    Rendered pictures of one shape.
``language``
    Two templates, eleven words.
``captioner``
    A network that looks once, at every step, or before it begins.
``search``
    Greedy, beam and exhaustive search.
``scores``
    BLEU of a sentence, and of a writer.
``blindness``
    The swap test.
``digit_pages``
    Two written digits on a page.
"""

from __future__ import annotations

from genbook.captions.blindness import blinded, exact_gap, swap_gap
from genbook.captions.captioner import Captioner, Pairs, pairs, train
from genbook.captions.digit_pages import Fact, Reading, page, read, shrunk
from genbook.captions.language import decoded, encoded, meant, sentence, wordings
from genbook.captions.scenes import Scene, render
from genbook.captions.scores import among, bleu
from genbook.captions.search import Found, beam, every, strings

__all__ = [
    "Captioner",
    "Fact",
    "Found",
    "Pairs",
    "Reading",
    "Scene",
    "among",
    "beam",
    "bleu",
    "blinded",
    "decoded",
    "encoded",
    "every",
    "exact_gap",
    "meant",
    "page",
    "pairs",
    "read",
    "render",
    "sentence",
    "shrunk",
    "strings",
    "swap_gap",
    "train",
    "wordings",
]
