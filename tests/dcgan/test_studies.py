"""The studies: settings differ as they say, rows are complete, pairs share what they should."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from scipy.stats import binomtest

from genbook.dcgan import studies
from genbook.dcgan.networks import Design
from genbook.dcgan.training import Recipe, players, settled
from genbook.kit import data


@pytest.fixture(scope="module")
def given():
    return studies.scene(
        data.digits("train", device="cpu"), data.digits("test", device="cpu"), steps=60
    )


def differing(recipe):
    """Names of the settings in which a recipe is not the guidelines'."""
    plain, found = Recipe(), set()
    for holder, own in ((plain, recipe), (plain.design, recipe.design)):
        for entry in dataclasses.fields(holder):
            if entry.name != "design" and getattr(holder, entry.name) != getattr(own, entry.name):
                found.add(entry.name)
    return found


def test_every_setting_breaks_one_thing_or_one_and_the_start():
    for name, recipe in studies.RECIPES.items():
        changed = differing(recipe)
        if "wider start" in name:
            assert "spread" in changed
            changed.remove("spread")
        assert len(changed) == (name != "guidelines"), name


def test_guidelines_about_layers_are_broken_one_by_one():
    changed = {name: differing(recipe) for name, recipe in studies.ARCHITECTURE.items()}
    assert changed.pop("guidelines") == set()
    wanted = {
        "pooling in D, no strides": "pool",
        "repeated pixels in G, no stamps": "repeat",
        "a full hidden layer in both": "full",
        "leaky ReLU in G": "slope_g",
        "ReLU in D": "slope_d",
        "no tanh in G": "squash",
    }
    assert changed == {name: {switch} for name, switch in wanted.items()}
    leaky, sharp = (studies.ARCHITECTURE[n].design for n in ("leaky ReLU in G", "ReLU in D"))
    assert (leaky.slope_g, leaky.slope_d) == (0.2, 0.2)
    assert (sharp.slope_g, sharp.slope_d) == (0.0, 0.0)


def test_what_lies_beyond_black_and_white_is_cut_off():
    for design in (Design(squash=False), Design(squash=False, norm="class", classes=10)):
        g = settled(players(design, 0), 0)
        with torch.no_grad():
            g.paint.bias.fill_(7.0)
        assert studies.looked_at(g, 0, 5)[0].unique().tolist() == [1.0]
        with torch.no_grad():
            g.paint.bias.fill_(-7.0)
        assert studies.looked_at(g, 0, 5)[0].unique().tolist() == [0.0]


def test_the_names_say_what_is_changed():
    changed = {name: differing(recipe) for name, recipe in studies.RECIPES.items()}
    for name, recipe in studies.RECIPES.items():
        if changed[name] == {"rate"}:
            assert name == f"rate {recipe.rate:g}"
        if changed[name] == {"beta"}:
            assert name == f"β₁ = {recipe.beta:g}"
        if changed[name] == {"kernel"}:
            assert name == f"kernels of {recipe.design.kernel}"
        if name.startswith(("no batch norm in", "none in")):
            player = {"G": "norm", "D": "critic"}[name.split(" in ")[1][0]]
            assert getattr(recipe.design, player) == "none"
    assert changed["batch norm at G's output"] == {"norm_output"}
    assert changed["batch norm at D's input"] == {"norm_input"}
    for name, recipe in studies.CONDITIONAL.items():
        assert recipe.design.project == ("not see" not in name)


def test_another_seed_is_judged_on_other_codes():
    g = settled(players(Design(spread=None), 0), 0)
    one, again, other = (studies.looked_at(g, seed, 5)[0] for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


def test_a_game_is_looked_at_before_and_every_so_many_steps(given):
    rows = [row for _, row in studies.game(given, Recipe(), 0, steps=4, every=2)]
    assert [row["step"] for row in rows] == [0, 2, 4]
    assert all(0 <= row["board"] <= 1 and row["distance"] > 0 for row in rows)


def test_a_board_in_one_colour_of_three_is_a_third_of_one_in_all():
    board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(2, 2)
    colours = torch.stack([board, board[:1].expand(4, -1) * 0, board.T * 0])[None]
    assert studies.board(board[None]) == 1
    assert studies.board(colours) == pytest.approx(1 / 3)
    assert studies.board(colours[:, 0]) == 1


def test_after_a_game_its_players_are_handed_over_settled(given):
    seen = []

    def then(name, pair):
        seen.append((name, pair.generator.training))
        yield {"one": 1}

    few = {name: studies.RECIPES[name] for name in ("rate 0.1", "guidelines")}
    rows = list(studies.each(few, given, 7, steps=8, every=2, then=then))
    assert seen == [("rate 0.1", False), ("guidelines", False)]
    assert [row["step"] for row in rows if "step" in row] == 2 * [0, 2, 4, 6, 8]
    assert rows[5] == {"setting": "rate 0.1", "seed": 7, "one": 1}
    assert all(row["seed"] == 7 for row in rows)


def test_a_run_that_breaks_down_is_not_handed_over(given, monkeypatch):
    def broken(*_, **__):
        raise studies.NonFiniteLoss(0, "generator", float("nan"))
        yield

    monkeypatch.setattr(studies, "train", broken)
    rows = list(
        studies.each({"x": Recipe()}, given, 0, steps=4, every=2, then=lambda *_: [{"step": -1}])
    )
    assert [row["step"] for row in rows] == [0]


def test_looking_does_not_change_the_game(given):
    often, seldom = (
        [row for _, row in studies.game(given, Recipe(), 3, steps=4, every=every)][-1]
        for every in (1, 4)
    )
    assert often == seldom


def test_a_run_that_breaks_down_ends(given, monkeypatch):
    def broken(*_, **__):
        raise studies.NonFiniteLoss(0, "generator", float("nan"))
        yield

    monkeypatch.setattr(studies, "train", broken)
    assert [row["step"] for _, row in studies.game(given, Recipe(), 0, steps=4)] == [0]


def test_who_obeys_is_read_as_asked(given):
    pair = players(Design(norm="class", classes=10), 0)
    images, asked = studies.looked_at(settled(pair, 0), 0, 40)
    assert images.shape == (40, 8, 8)
    assert asked.tolist() == [k % 10 for k in range(40)]


def test_one_answer_to_every_question_is_right_once_in_ten(given):
    class Nine:
        def logits(self, flat):
            return torch.eye(10)[[9] * len(flat)]

    recipe = studies.CONDITIONAL["D does not see the class"]
    _, row = next(studies.game(dataclasses.replace(given, reader=Nine()), recipe, 0, steps=1))
    assert row["asked"] == 0.1


def test_the_pair_begins_as_one():
    one, two = (players(studies.RECIPES[name].design, 5) for name in studies.PAIRED)
    images = [studies.looked_at(settled(pair, 5), 5, 10)[0] for pair in (one, two)]
    assert torch.equal(*images)
    weights = zip(one.discriminator.parameters(), two.discriminator.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_sums_are_judged_for_each_number_of_exemplars(given, monkeypatch):
    monkeypatch.setattr(studies, "EXEMPLARS", (1, 2))
    *_, (pair, _) = studies.game(given, Recipe(rate=2e-3), 0, steps=150, every=150)
    rows = list(studies.added(given, pair.generator.eval(), 0, trials=30))
    assert [row["exemplars"] for row in rows] == [1, 2]
    assert 2 < rows[0]["variance"] < 3.2, "three codes that are all but independent"
    assert rows[0]["variance"] > rows[1]["variance"] > 1
    assert all(0 <= row[key] <= 1 for row in rows for key in ("right", "pixels"))


@pytest.mark.parametrize(("wins", "games"), [(0, 1), (3, 7), (10, 10), (124, 144)])
def test_the_sign_test_is_scipys(wins, games):
    wanted = binomtest(wins, games, alternative="greater").pvalue
    assert studies.sign_test(wins, games) == pytest.approx(wanted, rel=1e-9)


def test_wins_are_counted_in_pairs():
    assert studies.paired_wins([1, 2, 3], [2, 2, 2]) == 1
    with pytest.raises(ValueError, match="as many"):
        studies.paired_wins([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="wins"):
        studies.sign_test(3, 2)


def test_a_slice_has_every_setting(monkeypatch):
    few = {name: studies.RECIPES[name] for name in ("guidelines", "rate 0.001")}
    monkeypatch.setattr(studies, "RECIPES", few)
    rows = list(studies.record(True, 0))
    assert {row["setting"] for row in rows} == set(few)
    assert {row["setting"] for row in studies.record(True, 5)} == {"guidelines"}
    monkeypatch.setattr(studies, "ARCHITECTURE", dict([*studies.ARCHITECTURE.items()][:2]))
    layers = list(studies.record_architecture(True, 0))
    assert {row["setting"] for row in layers} == set(studies.ARCHITECTURE)
    classes = list(studies.record_classes(True, 0))
    assert {row["setting"] for row in classes} == set(studies.CONDITIONAL)
    assert all("asked" in row for row in classes)
