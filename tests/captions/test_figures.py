"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import pytest

from genbook.captions import captioner, figures, scenes


@pytest.mark.parametrize("word", [1, 6])
def test_a_reading_names_its_word(word):
    label = figures.reading(captioner.Captioner("every", 0), scenes.SCENES[0], word).get_label()
    assert label.startswith("caption: ")


def test_a_captioner_without_a_door_is_level():
    net = captioner.Captioner("every", 0)
    net.inject.weight.data.zero_()
    label = figures.swapped(net, scenes.SCENES[3]).get_label().replace("-0.0", "0.0")
    assert "0.0 nats above" in label


def test_the_score_stands_in_the_label():
    figure = figures.precisions("a big dark disc right", "a big dark disc left", 2)
    assert figure.get_label().endswith("BLEU-2 is 0.77")
