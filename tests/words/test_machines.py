"""The machines: the cheapest order and the best swap; the word that is meant and its neighbours."""

from __future__ import annotations

import itertools

import pytest
import torch

from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin
from genbook.words import corpus, machines, neighbours, shelf

WORDS = [f"{a}{b}" for a in ("re", "wri", "set") for b in ("ad", "te", "ting", "", "s", "er", "up")]


@pytest.fixture(scope="module")
def books():
    return machines.seven_books()


@pytest.fixture(scope="module")
def speller():
    tables = torch.randn(2, len(WORDS), 4, generator=seeded(0))
    return machines.meanings(WORDS, *tables, {"wri": "wri", "set": "set", "strange": "zzz"})


def played(machine, steps=0, data="", **settings):
    begin = {**machine.beginning(), **settings}
    twin = Twin(machine, 1, begin, machine.data[data or next(iter(machine.data))])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def read(target):
    letters = target.view(-1, machines.LETTERS, 3)[:, :, 0]
    return ["".join(machines.ALPHABET[int(c) - 1] for c in row).strip() for row in letters]


@pytest.mark.parametrize("loyalty", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("data", ["mild popularity", "steep popularity"])
def test_the_page_knows_the_cheapest_of_all_orders(books, data, loyalty):
    seen = played(books, data=data, loyalty=loyalty).targets
    joint = machines.readers(books.data[data], torch.tensor(loyalty)).double()
    torch.testing.assert_close(seen["least"].double(), shelf.best(joint).cost, atol=1e-5, rtol=0)
    places = (7 * seen["best"]).round().double()
    torch.testing.assert_close(shelf.cost(joint, places), shelf.best(joint).cost, atol=1e-5, rtol=0)
    torch.testing.assert_close(seen["yours"], seen["popular"])
    assert seen["yours"] >= seen["least"] - 1e-5
    torch.testing.assert_close(seen["crossings"].sum(), seen["yours"], atol=1e-5, rtol=0)


def test_each_step_is_cheaper_until_no_swap_helps(books):
    costs = [
        float(played(books, steps, "the alphabet backwards").targets["yours"])
        for steps in range(12)
    ]
    falls = [a > b for a, b in itertools.pairwise(costs)]
    assert falls[0]
    assert falls == sorted(falls, reverse=True)
    assert not falls[-1]


def test_where_no_swap_helps_the_shelf_is_not_always_the_cheapest(books):
    before, after = (played(books, steps, "no swap helps") for steps in (0, 3))
    assert torch.equal(before.targets["stand"], after.targets["stand"])
    assert after.targets["yours"] > after.targets["least"] + 0.1


def test_the_books_stand_in_the_order_of_the_heights(books):
    twin = Twin(books, 1, books.beginning(), torch.rand(14, generator=seeded(3)))
    twin.look()
    places = twin.targets["stand"] * 7
    assert torch.equal(places.argsort(), twin.data[7:].argsort())


def test_a_prefix_finds_the_first_word_that_begins_so_and_a_whole_word_itself(speller):
    assert read(played(speller, data="wri").targets["word"]) == ["wri"]
    assert read(played(speller, data="set").targets["word"]) == ["set"]
    twin = Twin(speller, 1, {}, machines.spelt(["setu"])[0, :4] - 1)
    twin.look()
    assert read(twin.targets["word"]) == ["setup"]


def test_steps_go_on_to_other_words_that_begin_so(speller):
    found = [read(played(speller, k, "set").targets["word"])[0] for k in range(7)]
    assert found[0] == "set"
    assert set(found) == {word for word in WORDS if word.startswith("set")}


def test_neighbours_and_calls_are_those_of_the_rounded_vectors(speller):
    words, contexts, _ = played(speller).state["tables"]
    found = corpus.Corpus(tuple(WORDS), torch.ones(len(WORDS), len(WORDS)))
    wanted = neighbours.nearest(found, words, "wri", machines.ROWS)
    seen = played(speller, data="wri").targets
    assert read(seen["near"]) == [word for word, _ in wanted]
    assert float(seen["cosine"]) == pytest.approx(wanted[0][1], abs=1e-5)
    logits = contexts @ words[WORDS.index("wri")]
    called = logits.topk(machines.ROWS)
    assert read(seen["called"]) == [WORDS[i] for i in called.indices]
    assert float(seen["logit"]) == pytest.approx(float(called.values[0]), abs=1e-5)


def test_of_words_that_begin_alike_the_more_frequent_comes_first():
    typed, count = machines.spelt(["set"])[0] - 1, torch.tensor(3.0)
    for words in (["setup", "setting"], ["setting", "setup"]):
        assert machines.begins_like(machines.spelt(words), typed, count).argmax() == 0


def test_neighbours_are_shaded_by_cosine_and_calls_by_their_chance(speller):
    words, contexts, _ = played(speller).state["tables"]
    seen = played(speller, data="wri").targets
    found = corpus.Corpus(tuple(WORDS), torch.ones(len(WORDS), len(WORDS)))
    cosines = [value for _, value in neighbours.nearest(found, words, "wri", machines.ROWS)]
    logits = (contexts @ words[WORDS.index("wri")]).topk(machines.ROWS).values
    for name, wanted in (
        ("near", torch.tensor(cosines).clamp(min=0)),
        ("called", logits.sigmoid()),
    ):
        shades = seen[name].view(machines.ROWS, machines.LETTERS, 3)[:, 0, 1]
        torch.testing.assert_close(shades, wanted, atol=1e-5, rtol=0)


def test_negative_cosines_are_not_shaded():
    tables = torch.eye(len(WORDS))[:, :1] * 2 - 1  # the first word against all others
    look = machines.meanings(WORDS, tables, tables, {"read": "read"})
    shades = played(look).targets["near"].view(machines.ROWS, machines.LETTERS, 3)[:, :, 1]
    assert (shades == 0).all()


def test_a_popularity_below_zero_counts_as_none():
    data = torch.tensor([1.0, -1, -1, -1, -1, -1, -1, *range(7)])
    alone = machines.readers(data, torch.tensor(0.3)).sum(1)
    assert alone[0] > 0.9
    torch.testing.assert_close(alone[1:], alone[1].expand(6))


def test_spelling_survives_eight_bits():
    spelling = machines.spelt(["abcdefghijklmnop", "z", "qrstuvwxyz"])
    assert torch.equal((machines.as_on_page([spelling])[0] + 0.5).floor(), spelling)


def test_unlike_letters_still_find_some_word(speller):
    assert read(played(speller, data="strange").targets["word"])[0] in WORDS


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: machines.spelt(["naïve"]), "words of the letters"),
        (
            lambda: machines.meanings(["a"], torch.ones(1, 2), torch.ones(1, 2), {}),
            "at least 20 words",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
