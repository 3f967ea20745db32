"""The study: its rows, and the share of right captions."""

from __future__ import annotations

import torch

from genbook.captions import captioner, digit_pages, language, scenes, search, studies
from genbook.kit import data as sets
from genbook.kit.device import seeded


def test_a_slice_has_a_row_a_way_and_one_blind():
    rows = list(studies.record(True, 0))
    assert [row["way"] for row in rows] == [*captioner.WAYS, "every"]
    assert [row["pictures"] for row in rows] == ["own"] * 3 + ["shuffled"]


def test_a_slice_of_pages_has_a_row_for_each_set_and_share():
    rows = list(studies.record_pages(True, 0))
    assert [(row["digits"], row["free"]) for row in rows][:3] == [
        ("digits", share) for share in studies.SHARES
    ]
    assert len(rows) == 6
    assert all(0 <= row[key] <= 1 for row in rows for key in ("tied", "first", "second", "both"))


def test_a_row_tells_tied_pages_from_free_ones(monkeypatch):
    asked = []

    def noted(net, data):
        facts = [digit_pages.meant(row) for row in data.captions.tolist()]
        asked.append(all(fact.second == (fact.first + 1) % 10 for fact in facts))
        return digit_pages.Reading(0.25, 0.5, 0.75 + 0.25 * asked[-1])

    monkeypatch.setattr(digit_pages, "read", noted)
    net = captioner.Captioner("every", 0, words=len(digit_pages.WORDS))
    row = studies.page_row(net, sets.digits("test"), 0)
    assert sorted(asked) == [False, True]
    assert (row["tied"], row["first"], row["second"], row["both"]) == (1.0, 0.25, 0.5, 0.75)


def test_a_trained_captioner_names_what_it_has_seen():
    net = studies.trained("every", 0, steps=500)
    assert studies.right(net, captioner.pairs(scenes.SEEN, 60, seeded(5))) > 0.9


def test_new_pictures_show_what_was_held_out_and_the_others_what_was_seen(monkeypatch):
    judged = []

    def noted(net, data):
        judged.append({language.meant(language.decoded(row)) for row in data.captions.tolist()})
        return 0.0

    monkeypatch.setattr(studies, "right", noted)
    studies.judged(captioner.Captioner("every", 0), 0)
    assert judged == [set(scenes.SEEN), set(scenes.HELD_OUT)]


def test_a_sentence_about_another_scene_is_not_right(monkeypatch):
    data = captioner.pairs(scenes.SEEN, 40, seeded(0))
    own = language.encoded(language.sentence(scenes.SEEN[0], 1))
    found = search.Found(tuple(own), 0.0)
    monkeypatch.setattr(studies, "beam", lambda *_: found)
    shown = [language.meant(language.decoded(row)) for row in data.captions.tolist()]
    share = studies.right(captioner.Captioner("every", 0), data)
    assert 0 < share == shown.count(scenes.SEEN[0]) / 40


def test_shuffled_pictures_reach_the_training_in_another_order(monkeypatch):
    given = []

    def noted(net, data, **_):
        given.append(data)
        return iter(())

    monkeypatch.setattr(studies, "train", noted)
    for shuffled in (False, True):
        studies.trained("once", 0, shuffled=shuffled)
    own, mixed = given
    assert torch.equal(own.captions, mixed.captions)
    assert not torch.equal(own.pictures, mixed.pictures)


def test_a_caption_is_held_against_what_people_say_of_its_own_picture(monkeypatch):
    data = captioner.pairs(scenes.SEEN, 40, seeded(0))
    shown = [language.meant(language.decoded(row)) for row in data.captions.tolist()]
    told = iter(shown)

    def right(*_):
        said = language.sentence(next(told), 0)
        return search.Found(tuple(language.encoded(said)), 0.0)

    monkeypatch.setattr(studies, "beam", right)
    net = captioner.Captioner("every", 0)
    assert abs(studies.beside_people(net, data) - (0.75 + 0.25 * 0.25**0.25)) < 1e-12
    of_none = search.Found((*language.encoded("left left left left")[:-1], 0), 0.0)
    monkeypatch.setattr(studies, "beam", lambda *_: of_none)
    assert studies.beside_people(net, data) == 0
