"""The receipts of the chapter `gran`, with the code behind each broken on purpose."""

from __future__ import annotations

import math

from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.gran import arena, battle, draw, draw_study, exact_battles, players, rivals, speckle
from genbook.gran import studies as gran_studies
from genbook.gran.battle import Battle
from genbook.gran.recurrent import Recurrent


def fast(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")


def test_receipt_rows():
    assert_breaks("gran", "test_receipt_rows", altered(draw.filter_bank, lambda bank: 0.99 * bank))


def test_receipt_identity():
    def counted_from_zero(found):
        return draw.Window(found.x - 1, found.y - 1, found.stride, found.variance, found.gain)

    assert_breaks("gran", "test_receipt_identity", altered(draw.window, counted_from_zero))


def test_receipt_adjoint():
    read, write = draw.read, draw.write
    assert_breaks(
        "gran",
        "test_receipt_adjoint",
        swap(write, lambda patch, where, size: write(patch.mT, where, size)),
        swap(read, lambda image, where, patch: read(image, where, patch) / where.gain),
    )


def test_receipt_code():
    """The constant −1 of the KL forgotten; a factor ½ forgotten."""
    code_length = draw.code_length

    def without_one(drawing):
        return code_length(drawing) + drawing.means.shape[0] * drawing.means.shape[2] / 2

    assert_breaks(
        "gran",
        "test_receipt_code",
        swap(code_length, without_one),
        altered(code_length, lambda nats: 2 * nats),
    )


def test_receipt_canvas():
    assert_breaks(
        "gran",
        "test_receipt_canvas",
        method(Recurrent, "forward", lambda self, z: self.increments(z).sigmoid().mean(0)),
    )


def test_receipt_feedforward():
    increments = Recurrent.increments
    assert_breaks(
        "gran",
        "test_receipt_feedforward",
        method(Recurrent, "increments", lambda self, z: increments(self, -z)),
    )


def test_receipt_same_z():
    increments = Recurrent.increments
    assert_breaks(
        "gran",
        "test_receipt_same_z",
        method(Recurrent, "increments", lambda self, z: increments(self, z + 0.01 * self.steps)),
    )


def test_receipt_swap():
    lopsided = property(lambda self: self.r_test <= 1 + self.band)
    assert_breaks("gran", "test_receipt_swap", method(Battle, "valid", lopsided))


def test_receipt_self():
    never_even = property(lambda self: 1 if self.rates.sample_1 <= 0.5 else 2)
    assert_breaks("gran", "test_receipt_self", method(Battle, "ahead", never_even))


def test_receipt_valid():
    by_sample_alone = property(lambda self: self.ahead)
    assert_breaks("gran", "test_receipt_valid", method(Battle, "winner", by_sample_alone))


def test_receipt_circle():
    cycle = exact_battles.cycle
    assert_breaks(
        "gran", "test_receipt_circle", swap(cycle, lambda: (cycle()[0], cycle()[1].flip(0)))
    )


def test_receipt_accuracy():
    assert_breaks(
        "gran", "test_receipt_accuracy", method(Battle, "_read", lambda self, rate: 1 - rate)
    )


def test_receipt_forms():
    ahead = Battle.ahead.fget

    def unflipped(self):
        found = ahead(self)
        return 3 - found if self.form == "accuracy" and found else found

    assert_breaks("gran", "test_receipt_forms", method(Battle, "ahead", property(unflipped)))


def test_receipt_tv():
    mistakes = battle.mistakes
    assert_breaks(
        "gran", "test_receipt_tv", swap(mistakes, lambda v, *, real: mistakes(-v, real=real))
    )


def test_receipt_perfect():
    """A judge that has no opinion errs every time instead of every other time."""

    def coins_lose(logits, *, real):
        return (logits <= 0).double() if real else (logits >= 0).double()

    assert_breaks("gran", "test_receipt_perfect", swap(battle.mistakes, coins_lose))


def test_receipt_never():
    """Without the test ratio the perfect player would win."""
    by_sample_alone = property(lambda self: self.ahead)
    assert_breaks("gran", "test_receipt_never", method(Battle, "winner", by_sample_alone))


def test_receipt_ties():
    census = exact_battles.census
    assert_breaks(
        "gran", "test_receipt_ties", swap(census, lambda *given: census(*given[:3], 100.0))
    )


def test_receipt_census():
    census = exact_battles.census
    assert_breaks(
        "gran",
        "test_receipt_census",
        swap(census, lambda test, cross, *rest: census(test, cross.mT, *rest)),
    )


def test_receipt_point():
    assert_breaks(
        "gran",
        "test_receipt_point",
        altered(rivals.one_point, lambda score: score / math.log(2)),
    )


def test_receipt_below():
    """A density that is not normalised."""
    parzen = rivals.parzen

    def without_norm(points, x, widths):
        return parzen(points, x, widths) + x.shape[1] * math.log(1.1)

    assert_breaks("gran", "test_receipt_below", swap(parzen, without_norm))


def test_receipt_noise():
    drowned = rivals.drowned
    assert_breaks("gran", "test_receipt_noise", swap(drowned, lambda p, q: drowned(p, q, 0.9)))


def test_receipt_strangers():
    """Shows that each judge is met with its own opponent."""
    from_rows = gran_studies.from_rows

    def rolled(*given):
        found = from_rows(*given)
        return players.Table(found.names, found.test, found.cross.roll(1, -1))

    assert_breaks("gran", "test_receipt_strangers", swap(from_rows, rolled), given=fast)


def test_receipt_share():
    verdicts = battle.verdicts
    assert_breaks(
        "gran",
        "test_receipt_share",
        swap(verdicts, lambda test, cross, *_: verdicts(test, cross, 100.0)),
        given=fast,
    )


def test_receipt_recorded():
    count = arena.count
    assert_breaks(
        "gran",
        "test_receipt_recorded",
        swap(count, lambda found, one, two: count(found, two, one)),
        given=fast,
    )


def slipped(column, looks, by):
    """The record of DRAW's runs of one kind, moved."""
    return rewritten(
        "gran_draw",
        lambda row: {column: row[column] + by} if row.get("looks") == looks.name else {},
    )


def test_receipt_draw():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "gran", "test_receipt_draw", slipped("bound", draw_study.WINDOW, 30.0), given=fast
    )


def test_receipt_blind():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "gran",
        "test_receipt_blind",
        slipped("latent", draw_study.RIM, 3.0),
        slipped("latent", draw_study.TWO, -9.0),
        given=fast,
    )


def test_receipt_causes():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "gran",
        "test_receipt_causes",
        slipped("bound", draw_study.FOUR_GLIMPSES, -30.0),
        given=fast,
    )


def test_receipt_rim():
    open_windows = draw.open_windows
    assert_breaks(
        "gran", "test_receipt_rim", swap(open_windows, lambda net: open_windows(net, 0.1))
    )


def test_receipt_sharp():
    verdicts = battle.verdicts
    assert_breaks(
        "gran",
        "test_receipt_sharp",
        swap(verdicts, lambda test, cross, *_: verdicts(test, cross, 3.0)),
        given=fast,
    )


def test_receipt_leader():
    gam_2 = battle.gam_2
    assert_breaks(
        "gran",
        "test_receipt_leader",
        swap(gam_2, lambda cross, own: gam_2(cross.mT, own=own)),
        given=fast,
    )


def test_receipt_speckle():
    """Shows that the two kinds of judges are told apart."""
    sharp, dim = speckle.KINDS[:2]
    other = {sharp: dim, dim: sharp}
    assert_breaks(
        "gran",
        "test_receipt_speckle",
        rewritten("gran_brush", lambda row: {"by": other.get(row["by"], row["by"])}),
        given=fast,
    )


def test_receipt_brush():
    """Shows that players with and without a brush are told apart."""
    from_rows = gran_studies.from_rows

    def rolled(*given):
        found = from_rows(*given)
        return players.Table(found.names, found.test.roll(3, 1), found.cross)

    assert_breaks("gran", "test_receipt_brush", swap(from_rows, rolled), given=fast)


def test_receipt_steps():
    tallies = speckle.tallies
    assert_breaks(
        "gran",
        "test_receipt_steps",
        swap(tallies, lambda found, kind, width: tallies(found, "judge", width)),
        given=fast,
    )


def test_receipt_live():
    """Players that hardly train are seen through."""
    train = players.train
    assert_breaks(
        "gran",
        "test_receipt_live",
        swap(train, lambda player, table, seeds, _: train(player, table, seeds, 5)),
        given=fast,
    )
