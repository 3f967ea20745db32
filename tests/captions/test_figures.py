"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, digit_pages, figures, language, scenes, search
from genbook.kit.device import seeded


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


@pytest.mark.parametrize("word", [1, 3])
def test_a_reading_shows_the_chances_and_the_slope_of_its_word(word):
    net = captioner.Captioner("every", 2)
    figure = figures.reading(net, scenes.SCENES[7], word)
    picture = scenes.render(scenes.SCENES[7], generator=seeded(1))
    said = search.beam(net, picture, 1, 6).words
    place = min(word, len(said)) - 1
    leaf = picture.clone().requires_grad_()
    chances = net(leaf[None], torch.tensor([said[:place]]).long())[0, -1].softmax(0)
    bars = torch.tensor([bar.get_width() for bar in figure.axes[2].patches]).float()
    torch.testing.assert_close(bars, chances.detach(), atol=1e-5, rtol=0)
    slope = torch.autograd.grad(chances[said[place]].log(), leaf)[0]
    image = torch.as_tensor(figure.axes[1].images[0].get_array().data)
    torch.testing.assert_close(image, slope / slope.abs().max(), atol=1e-4, rtol=0)
    assert f"word {place + 1} is {language.WORDS[said[place]]}" in figure.get_label()


def test_the_bars_reach_the_scores_and_one_is_marked():
    net, scene = captioner.Captioner("every", 0), scenes.SCENES[5]
    figure = figures.swapped(net, scene)
    pages = torch.stack([scenes.render(one, generator=seeded(1)) for one in scenes.SCENES])
    row = torch.tensor([language.encoded(language.sentence(scene, 0))]).expand(24, -1)
    with torch.no_grad():
        scores = net.score(pages, row)
    bars = figure.axes[0].patches
    tops = torch.tensor([bar.get_y() + bar.get_height() for bar in bars]).float()
    torch.testing.assert_close(tops, scores, atol=1e-4, rtol=0)
    colours = [bar.get_facecolor() for bar in bars]
    assert [colours.count(colour) for colour in colours] == [1 if k == 5 else 23 for k in range(24)]


def test_the_bars_are_the_shares_found():
    figure = figures.precisions("left a big dark disc", "a big dark disc left", 3)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [1.0, 3 / 4, 2 / 3, 1 / 2]
    short = figures.precisions("disc left", "a big dark disc left", 1)
    assert [bar.get_height() for bar in short.axes[0].patches] == [1.0, 1.0, 0.0, 0.0]


def test_each_word_of_a_page_has_its_slope_and_its_chance():
    net = captioner.Captioner("every", 1, words=len(digit_pages.WORDS))
    picture = torch.rand(16, 16, generator=seeded(0))
    figure = figures.asked(net, picture)
    said = search.beam(net, picture, 1, digit_pages.LENGTH).words
    for place, axes in enumerate(figure.axes[1:4]):
        leaf = picture.clone().requires_grad_()
        log = net(leaf[None], torch.tensor([said[:place]]).long())[0, -1].log_softmax(0)
        slope = torch.autograd.grad(log[said[place]], leaf)[0]
        image = torch.as_tensor(axes.images[0].get_array().data)
        torch.testing.assert_close(image, slope / slope.abs().max(), atol=1e-4, rtol=0)
        word = digit_pages.WORDS[said[place]]
        assert axes.get_title(loc="left") == f"{word}: {log[said[place]].exp().item():.2f}"
        assert word in figure.get_label()
