"""The language: every sentence means one scene."""

from __future__ import annotations

import pytest

from genbook.captions import language, scenes


def test_sentences_are_read_back():
    for scene in scenes.SCENES:
        for template in (0, 1):
            text = language.sentence(scene, template)
            assert len(language.encoded(text)) == language.LENGTH
            assert language.decoded(language.encoded(text)) == text
            assert language.meant(text) == scene
    assert language.meant("a big left") is None


def test_strange_words_and_templates_are_refused():
    with pytest.raises(ValueError, match="expected words of"):
        language.encoded("a huge disc")
    with pytest.raises(ValueError, match="expected template"):
        language.sentence(scenes.SCENES[0], 2)
