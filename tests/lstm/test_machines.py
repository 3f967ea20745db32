"""The machine that reads a text: its cells are torch's, and its letters fall as its chances say."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.data.text import ALPHABET
from genbook.kit.device import seeded
from genbook.kit.machine.emit import javascript
from genbook.kit.machine.parts import Twin
from genbook.lstm import machines
from genbook.lstm.readers import Reader

TEXTS = {"a line": "if x:\n    y", "a letter": "q"}


@pytest.fixture(scope="module")
def reader():
    return Reader("lstm", 96, 96, hidden=7, embedding=5, forget_bias=1.0, generator=seeded(3))


@pytest.fixture(scope="module")
def machine(reader):
    return machines.reading(reader, TEXTS, length=24, typed=16)


def begun(machine, text, **settings):
    twin = Twin(machine, 1, {**machine.beginning(), **settings}, machine.data[text])
    twin.look()
    return twin


@torch.no_grad()
def cells_and_chances(reader, codes):
    hidden, state, cells = reader.embed(codes)[:, None], None, []
    for letter in hidden:
        out, state = reader.recurrent(letter[None], state)
        cells.append(state[1][0, 0])
    return torch.stack(cells), reader.readout(out[0, 0]).softmax(-1)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("unit", [0, 6])
def test_every_cell_and_every_chance_is_torchs(reader, machine, text, unit):
    twin = begun(machine, text, unit=unit)
    codes = machine.data[text].long()
    cells, chances = cells_and_chances(machines.as_on_page(reader), codes)
    letters = twin.targets["letters"]
    n = len(codes)
    torch.testing.assert_close(letters[:n, 0], codes + 1.0)
    torch.testing.assert_close(letters[:n, 1], cells[:, unit].tanh())
    assert not letters[n:, :2].any()
    out, _ = machines.as_on_page(reader).recurrent(
        machines.as_on_page(reader).embed(codes)[:, None]
    )
    torch.testing.assert_close(machines.hidden_states(twin)[:n], out[:, 0])
    most = chances.topk(machines.GUESSES)
    torch.testing.assert_close(twin.targets["guesses"][:, 1], most.values)
    assert twin.targets["guesses"][:, 0].tolist() == (most.indices + 1).tolist()
    assert letters[:, 2].tolist() == [0.0] * (n - 1) + [2.0] + [1.0] * (24 - n)


def test_on_the_page_no_weight_is_off_by_more_than_half_a_step_of_its_row(reader):
    for ours, page in zip(
        machines.open_weights(reader),
        machines.open_weights(machines.as_on_page(reader)),
        strict=True,
    ):
        step = ours.abs().amax(-1, keepdim=True) / 127 if ours.ndim > 1 else torch.zeros(1)
        assert ((ours - page).abs() <= 0.5001 * step).all()


def test_what_was_written_is_read_like_what_was_typed(reader, machine):
    twin = begun(machine, "a line")
    for _ in range(5):
        twin.step()
    twin.look()
    codes = (twin.targets["letters"][:, 0]).long()
    n = len(TEXTS["a line"])
    assert (codes[: n + 5] > 0).all()
    assert not codes[n + 5 :].any()
    cells, chances = cells_and_chances(machines.as_on_page(reader), codes[: n + 5] - 1)
    torch.testing.assert_close(twin.targets["letters"][: n + 5, 1], cells[:, 0].tanh())
    torch.testing.assert_close(twin.targets["chance"], chances.max())


def test_the_sheet_ends(machine):
    twin = begun(machine, "a line")
    for _ in range(40):
        twin.step()
    full = [leaf.clone() for leaf in twin.state["sheet"]]
    twin.step()
    assert all(map(torch.equal, full, twin.state["sheet"]))
    assert twin.state["written"][0].item() == 24 - len(TEXTS["a line"])


@pytest.mark.parametrize(
    "other", ["if x:\n    z", "if x", "if x:\n    y = 1", "no", "if x:\n    y"]
)
def test_a_sheet_read_before_ends_as_one_read_anew(machine, other):
    """What outlives a new beginning must not show."""
    twin = begun(machine, "a line")
    for _ in range(3):
        twin.step()
    data = torch.tensor([float(ALPHABET.index(letter)) for letter in other])
    fresh = Twin(machine, 1, machine.beginning(), data)
    twin.data, twin.state["written"] = data, [torch.zeros(1)]
    for act in machine.opening:
        twin._act(act, 0)
    for each in (twin, fresh):
        each.look()
    for group, leaves in fresh.state.items():
        for ours, wanted in zip(twin.state[group], leaves, strict=True):
            torch.testing.assert_close(ours, wanted, msg=group)
    for name, wanted in fresh.targets.items():
        torch.testing.assert_close(twin.targets[name], wanted, msg=name)


def test_the_letter_looked_at_is_the_one_asked_for(machine):
    twin = begun(machine, "a line")
    for at in (0, 3, 9, 50, -1):
        twin.at = at
        twin.look()
        place = at if 0 <= at < 11 else 10
        assert twin.targets["letter"].item() == ALPHABET.index(TEXTS["a line"][place])
        assert twin.targets["letters"][place, 2] == 2


def test_letters_fall_as_often_as_their_chance_says():
    scores = torch.tensor([0.5, 0.3, 0.0, 0.2]).log()
    dice = (torch.arange(2_000) + 0.5)[:, None] / 2_000
    drawn = torch.stack([machines.drawn_letter(scores, u, torch.tensor(1.0)) for u in dice])
    counts = drawn.long().bincount(minlength=4)
    assert (counts - torch.tensor([1_000, 600, 0, 400])).abs().max() <= 1
    cold = torch.stack([machines.drawn_letter(scores, u, torch.tensor(0.5)) for u in dice])
    assert cold.long().bincount(minlength=4)[0] == pytest.approx(2_000 * 25 / 38, abs=2)


def test_the_programs_are_small(machine):
    acts = (*machine.opening, *machine.acts, machine.view)
    programs = [p for act in acts for p in act.programs.values()]
    assert sum(len(javascript(program)) for program in programs) < 30_000


@pytest.mark.parametrize("text", ["", "x" * 17, "é"])
def test_other_texts_are_refused(reader, text):
    with pytest.raises(ValueError, match="printable ASCII"):
        machines.reading(reader, {"it": text}, typed=16)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="expected an LSTM reader"):
        machines.open_weights(Reader("rnn", 8, 4, hidden=3, generator=seeded(0)))
    few = Reader("lstm", 9, 9, hidden=3, embedding=2, generator=seeded(0))
    with pytest.raises(ValueError, match="96 letters"):
        machines.reading(few, {"it": "x"})
