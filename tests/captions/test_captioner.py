"""The captioner: where the picture enters, and what a score is."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, language, scenes
from genbook.kit.device import seeded


@pytest.mark.parametrize("way", captioner.WAYS)
def test_a_score_is_the_sum_of_its_words(way):
    net = captioner.Captioner(way, 0)
    data = captioner.pairs(scenes.SEEN, 4, seeded(0))
    total = torch.zeros(4)
    for k in range(6):
        chances = net(data.pictures, data.captions[:, :k])[:, -1].log_softmax(1)
        total += chances.gather(1, data.captions[:, k : k + 1])[:, 0]
    assert torch.allclose(net.score(data.pictures, data.captions), total, atol=1e-4)


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="expected a way"):
        captioner.Captioner("twice", 0)


def test_training_lowers_the_loss_and_refuses_what_is_not_finite():
    data = captioner.pairs(scenes.SEEN, 200, seeded(0))
    losses = list(captioner.train(captioner.Captioner("every", 0), data, steps=40, seed=0))
    assert losses[-1] < 0.5 * losses[0]
    broken = captioner.Pairs(data.pictures * float("nan"), data.captions)
    with pytest.raises(ValueError, match="expected a finite loss"):
        next(captioner.train(captioner.Captioner("every", 0), broken, steps=1, seed=0))


@pytest.mark.parametrize("way", captioner.WAYS)
def test_each_way_is_its_equation(way):
    net = captioner.Captioner(way, 3).double()
    picture = torch.rand(16, 16, generator=seeded(0)).double()
    words = [1, 4, 2]
    told = {"start": [], "once": [0], "every": range(4)}[way]
    with torch.no_grad():
        held = net.state_dict()
        seen = net.convolution(picture[None, None]).clamp(min=0).flatten()
        looked = (held["look.weight"] @ seen + held["look.bias"]).clamp(min=0)
        given = held["inject.weight"] @ looked
        state = given if way == "start" else 0 * given
        found = net(picture[None], torch.tensor([words]))[0]
        for step, word in enumerate([0, *words]):
            inside = held["word.weight"][word] + held["again.weight"] @ state + held["again.bias"]
            state = torch.tanh(inside + (given if step in told else 0))
            torch.testing.assert_close(found[step], held["out.weight"] @ state + held["out.bias"])


def test_three_captions_of_four_put_the_place_last_and_scenes_have_equal_chances():
    said = captioner.pairs(scenes.SEEN, 4_000, seeded(0)).captions.tolist()
    texts = [language.decoded(row) for row in said]
    last = sum(text.split()[-1] in scenes.PLACES for text in texts) / 4_000
    assert last == pytest.approx(0.75, abs=0.03)
    shown = [language.meant(text) for text in texts]
    assert set(shown) == set(scenes.SEEN)
    assert max(map(shown.count, scenes.SEEN)) < 300


def test_a_seed_decides_the_order_of_the_pictures():
    data = captioner.pairs(scenes.SEEN, 300, seeded(0))
    first = [
        next(captioner.train(captioner.Captioner("once", 0), data, steps=1, seed=seed))
        for seed in (0, 0, 1)
    ]
    assert first[0] == first[1] != first[2]
