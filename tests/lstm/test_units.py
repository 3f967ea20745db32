"""Laws of `genbook.lstm.units`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.lstm import readers
from genbook.lstm import units as lstm_text
from tests.lstm.given import FAST, runs

# Units against chance


def brute_auc(scores: torch.Tensor, labels: torch.Tensor, strata: torch.Tensor) -> float:
    """Over all pairs of one stratum with different labels: the share in the right order."""
    won = pairs = 0.0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if strata[i] == strata[j] and labels[i] and not labels[j]:
                pairs += 1
                won += float(scores[i] > scores[j]) + 0.5 * float(scores[i] == scores[j])
    return won / pairs


@FAST
@given(st.integers(0, 999))
def test_auc_counts_pairs(seed):
    generator = seeded(seed)
    scores = torch.randint(5, (24, 2), generator=generator).float()
    strata = torch.randint(3, (24,), generator=generator)
    labels = torch.rand(24, generator=generator) < 0.5
    labels[:2], strata[:2] = torch.tensor([True, False]), 0
    found = lstm_text.auc(scores, labels, strata)
    for unit in range(2):
        assert found[unit].item() == pytest.approx(brute_auc(scores[:, unit], labels, strata))


@FAST
@given(st.integers(0, 999))
def test_a_function_of_the_stratum_scores_exactly_half(seed):
    generator = seeded(seed)
    strata = torch.randint(7, (300,), generator=generator)
    labels = torch.rand(300, generator=generator) < 0.2 + 0.1 * strata
    scores = torch.randn(7, 4, generator=generator)[strata]
    assert (lstm_text.auc(scores, labels, strata) == 0.5).all()
    assert (lstm_text.auc(scores, labels) != 0.5).any()


def test_slow_units_that_know_nothing_are_rarely_called_significant():
    hits = 0
    for seed in range(40):
        units = torch.stack([runs(2_000, 1_000 + 50 * seed + u).float() for u in range(5)], 1)
        units += 0.1 * torch.randn(units.shape, generator=seeded(seed))
        strata = torch.randint(3, (2_000,), generator=seeded(seed))
        found = lstm_text.evidence(
            units, {"it": runs(2_000, seed)}, strata, shifts=39, generator=seeded(seed)
        )
        hits += found["it"].p_value <= 0.05
    assert hits <= 6


def test_a_unit_that_knows_is_found_whichever_way_it_points():
    label = runs(4_000, 0)
    units = torch.randn(4_000, 6, generator=seeded(1))
    units[:, 4] -= 3 * label.float()
    strata = torch.zeros(4_000, dtype=torch.int64)
    found = lstm_text.evidence(units, {"it": label}, strata, shifts=39, generator=seeded(2))["it"]
    assert (found.unit, found.sign) == (4, -1)
    assert found.auc > 0.95
    assert found.p_value == 1 / 40


def marked(source: str, label: str) -> str:
    return "".join(
        letter if here else "."
        for letter, here in zip(source, lstm_text.positions(source)[label].tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("source", "label", "expected"),
    [
        ("a = 'b' + \"c'd\"\n", "quotes", """....'b...."c'd.."""),
        ("x = 1  # it's\n", "quotes", "." * 14),
        ('"""two\nlines"""\n', "quotes", '"""two\nlines""..'),
        ('x = """a\n  b"""\n"c"\n', "quotes", '...."""a\n  b"".."c..'),
        ("f(a[0], b)\n", "brackets", ".(a[0], b.."),
        ("f(')')\n", "brackets", ".(')'.."),
        ("        y\n    z\n", "indentation", ".......\x20y\n......"),
    ],
)
def test_positions_follow_the_grammar(source, label, expected):
    assert marked(source, label) == expected


def test_positions_survive_source_that_is_cut_off():
    found = lstm_text.positions("f('a', (\n'b")
    assert {len(mask) for mask in found.values()} == {11}
    assert found["brackets"][-1]


def test_recorded_cells_are_those_of_the_text_in_order():
    reader = readers.Reader("lstm", 9, 9, hidden=4, embedding=3, generator=seeded(0))
    codes = torch.randint(9, (20,), generator=seeded(1))
    cells = lstm_text.record_cells(reader, codes, streams=2)
    one = lstm_text.record_cells(reader, codes[10:], streams=1)
    assert torch.allclose(cells[10:], one, atol=1e-6)


def test_functions_of_the_last_characters_see_no_further():
    codes = torch.randint(9, (400,), generator=seeded(0))
    seen = lstm_text.recent(codes, 3, 5, seeded(1))
    strata = codes + 9 * codes.roll(1) + 81 * codes.roll(2)
    for stratum in strata[2:].unique():
        values = seen[2:][strata[2:] == stratum]
        assert torch.equal(values, values[:1].expand_as(values))
    other = codes.clone()
    other[100] = (codes[100] + 1) % 9
    changed = (lstm_text.recent(other, 3, 5, seeded(1)) != seen).any(-1)
    assert changed.nonzero().flatten().tolist() == [100, 101, 102]


@pytest.mark.parametrize(
    ("count", "size", "codes"), [(0, 3, [1]), (2, 0, [1]), (2, 3, []), (2, 3, [[1]])]
)
def test_functions_of_no_characters_are_refused(count, size, codes):
    with pytest.raises(ValueError, match="count ≥ 1"):
        lstm_text.recent(torch.tensor(codes, dtype=torch.int64), count, size, seeded(0))
