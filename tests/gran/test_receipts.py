"""The receipts of the chapter `gran`, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chapters import assert_breaks, assert_holds

from genbook.gran import arena as gran_arena
from genbook.gran import (
    battle,
    draw,
    draw_study,
    exact_battles,
    players,
    recurrent,
    rivals,
    speckle,
)
from genbook.gran import studies as gran_studies
from genbook.gran.battle import Battle
from genbook.kit import studies


def test_receipts_hold_as_the_chapter_stands(monkeypatch):
    assert_holds("gran", "test_receipt_identity", monkeypatch)


def test_receipt_rows(monkeypatch):
    real = draw.filter_bank
    monkeypatch.setattr(draw, "filter_bank", lambda *args: 0.99 * real(*args))
    assert_breaks("gran", "test_receipt_rows", monkeypatch)


def test_receipt_identity(monkeypatch):
    real = draw.window

    def counted_from_zero(raw, size, patch):
        found = real(raw, size, patch)
        return draw.Window(found.x - 1, found.y - 1, found.stride, found.variance, found.gain)

    monkeypatch.setattr(draw, "window", counted_from_zero)
    assert_breaks("gran", "test_receipt_identity", monkeypatch)


def test_receipt_adjoint(monkeypatch):
    real = draw.write
    monkeypatch.setattr(draw, "write", lambda patch, where, size: real(patch.mT, where, size))
    assert_breaks("gran", "test_receipt_adjoint", monkeypatch)


def test_receipt_code(monkeypatch):
    real = draw.code_length
    monkeypatch.setattr(draw, "code_length", lambda drawing: real(drawing) + drawing.means.shape[2])
    assert_breaks("gran", "test_receipt_code", monkeypatch)


def test_receipt_canvas(monkeypatch):
    monkeypatch.setattr(
        recurrent.Recurrent, "forward", lambda self, z: self.increments(z).sigmoid().mean(0)
    )
    assert_breaks("gran", "test_receipt_canvas", monkeypatch)


def test_receipt_feedforward(monkeypatch):
    real = recurrent.Recurrent.increments
    monkeypatch.setattr(recurrent.Recurrent, "increments", lambda self, z: real(self, -z))
    assert_breaks("gran", "test_receipt_feedforward", monkeypatch)


def test_receipt_same_z(monkeypatch):
    real = recurrent.Recurrent.increments
    monkeypatch.setattr(
        recurrent.Recurrent, "increments", lambda self, z: real(self, z + 0.01 * self.steps)
    )
    assert_breaks("gran", "test_receipt_same_z", monkeypatch)


def test_receipt_swap(monkeypatch):
    monkeypatch.setattr(Battle, "valid", property(lambda self: self.r_test <= 1 + self.band))
    assert_breaks("gran", "test_receipt_swap", monkeypatch)


def test_receipt_self(monkeypatch):
    monkeypatch.setattr(
        Battle, "ahead", property(lambda self: 1 if self.rates.sample_1 <= 0.5 else 2)
    )
    assert_breaks("gran", "test_receipt_self", monkeypatch)


def test_receipt_valid(monkeypatch):
    monkeypatch.setattr(Battle, "winner", property(lambda self: self.ahead))
    assert_breaks("gran", "test_receipt_valid", monkeypatch)


def test_receipt_circle(monkeypatch):
    real = exact_battles.cycle
    monkeypatch.setattr(exact_battles, "cycle", lambda: (real()[0], real()[1].flip(0)))
    assert_breaks("gran", "test_receipt_circle", monkeypatch)


def test_receipt_accuracy(monkeypatch):
    monkeypatch.setattr(Battle, "_read", lambda self, rate: 1 - rate)
    assert_breaks("gran", "test_receipt_accuracy", monkeypatch)


def test_receipt_forms(monkeypatch):
    real = Battle.ahead.fget

    def unflipped(self):
        found = real(self)
        return 3 - found if self.form == "accuracy" and found else found

    monkeypatch.setattr(Battle, "ahead", property(unflipped))
    assert_breaks("gran", "test_receipt_forms", monkeypatch)


def test_receipt_tv(monkeypatch):
    real_rule = battle.mistakes
    monkeypatch.setattr(exact_battles, "mistakes", lambda v, real: real_rule(-v, real=real))
    assert_breaks("gran", "test_receipt_tv", monkeypatch)


def test_receipt_perfect(monkeypatch):
    def coins_lose(logits, *, real):
        return (logits <= 0).double() if real else (logits >= 0).double()

    monkeypatch.setattr(exact_battles, "mistakes", coins_lose)
    assert_breaks("gran", "test_receipt_perfect", monkeypatch)


def test_receipt_never(monkeypatch):
    monkeypatch.setattr(Battle, "winner", property(lambda self: 1))
    assert_breaks("gran", "test_receipt_never", monkeypatch)


def test_receipt_ties(monkeypatch):
    real = exact_battles.census
    monkeypatch.setattr(exact_battles, "census", lambda *args: real(*args[:3], 100.0))
    assert_breaks("gran", "test_receipt_ties", monkeypatch)


def test_receipt_census(monkeypatch):
    real = exact_battles.census
    monkeypatch.setattr(
        exact_battles, "census", lambda test, cross, *rest: real(test, cross.mT, *rest)
    )
    assert_breaks("gran", "test_receipt_census", monkeypatch)


def test_receipt_point(monkeypatch):
    real = rivals.one_point
    monkeypatch.setattr(rivals, "one_point", lambda *args: real(*args) + 0.1)
    assert_breaks("gran", "test_receipt_point", monkeypatch)


def test_receipt_below(monkeypatch):
    real = rivals.one_point
    monkeypatch.setattr(rivals, "true_samples", lambda d, n, generator: real(d) + 1e-3)
    assert_breaks("gran", "test_receipt_below", monkeypatch)


def test_receipt_noise(monkeypatch):
    real = rivals.drowned
    monkeypatch.setattr(rivals, "drowned", lambda p, q: real(p, q, 0.9))
    assert_breaks("gran", "test_receipt_noise", monkeypatch)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")


def test_receipt_strangers(monkeypatch, quick):
    real = gran_studies.from_rows

    def rolled(*args):
        found = real(*args)
        return players.Table(found.names, found.test, found.cross.roll(1, -1))

    monkeypatch.setattr(gran_studies, "from_rows", rolled)
    assert_breaks("gran", "test_receipt_strangers", monkeypatch)


def test_receipt_share(monkeypatch, quick):
    real = battle.verdicts
    monkeypatch.setattr(battle, "verdicts", lambda test, cross, *_: real(test, cross, 100.0))
    assert_breaks("gran", "test_receipt_share", monkeypatch)


def test_receipt_recorded(monkeypatch, quick):
    real = gran_arena.count
    monkeypatch.setattr(gran_arena, "count", lambda found, one, two: real(found, two, one))
    assert_breaks("gran", "test_receipt_recorded", monkeypatch)


def test_receipt_draw(monkeypatch, quick):
    slip(monkeypatch, "bound", looks=draw_study.WINDOW.name, by=30.0)
    assert_breaks("gran", "test_receipt_draw", monkeypatch)


def slip(monkeypatch, column, *, looks, by):
    """Move a column of the recorded runs of one kind."""
    real = studies.load

    def slipped(name):
        found = real(name)
        rows = tuple(
            {**row, column: row[column] + by} if row.get("looks") == looks else row
            for row in found.rows
        )
        return replace(found, rows=rows)

    monkeypatch.setattr(studies, "load", slipped)


def test_receipt_blind(monkeypatch, quick):
    slip(monkeypatch, "latent", looks=draw_study.RIM.name, by=3.0)
    assert_breaks("gran", "test_receipt_blind", monkeypatch)


def test_receipt_causes(monkeypatch, quick):
    slip(monkeypatch, "bound", looks=draw_study.FOUR_GLIMPSES.name, by=-30.0)
    assert_breaks("gran", "test_receipt_causes", monkeypatch)


def test_receipt_rim(monkeypatch):
    real = draw.open_windows
    monkeypatch.setattr(draw_study, "open_windows", lambda net: real(net, 0.1))
    assert_breaks("gran", "test_receipt_rim", monkeypatch)


def test_receipt_sharp(monkeypatch, quick):
    real = battle.verdicts
    monkeypatch.setattr(battle, "verdicts", lambda test, cross, *_: real(test, cross, 3.0))
    assert_breaks("gran", "test_receipt_sharp", monkeypatch)


def test_receipt_leader(monkeypatch, quick):
    real = battle.gam_2
    monkeypatch.setattr(battle, "gam_2", lambda cross, own: real(cross.mT, own=own))
    assert_breaks("gran", "test_receipt_leader", monkeypatch)


def relabel(monkeypatch, study, column, names):
    """Exchange labels in a column of a study."""
    real = studies.load

    def exchanged(name):
        found = real(name)
        if name != study:
            return found
        rows = ({**row, column: names.get(row[column], row[column])} for row in found.rows)
        return replace(found, rows=tuple(rows))

    monkeypatch.setattr(studies, "load", exchanged)


def test_receipt_speckle(monkeypatch, quick):
    sharp, dim = speckle.KINDS[:2]
    relabel(monkeypatch, "gran_brush", "by", {sharp: dim, dim: sharp})
    assert_breaks("gran", "test_receipt_speckle", monkeypatch)


def test_receipt_brush(monkeypatch, quick):
    real = gran_studies.from_rows

    def rolled(*args):
        found = real(*args)
        return players.Table(found.names, found.test.roll(3, 1), found.cross)

    monkeypatch.setattr(gran_studies, "from_rows", rolled)
    assert_breaks("gran", "test_receipt_brush", monkeypatch)


def test_receipt_steps(monkeypatch, quick):
    real = speckle.tallies
    monkeypatch.setattr(speckle, "tallies", lambda found, kind, width: real(found, "judge", width))
    assert_breaks("gran", "test_receipt_steps", monkeypatch)


def test_receipt_live(monkeypatch, quick):
    real = players.train
    monkeypatch.setattr(
        players, "train", lambda player, table, seeds, _: real(player, table, seeds, 5)
    )
    assert_breaks("gran", "test_receipt_live", monkeypatch)
