"""The receipts of the chapter `gran`, with the code behind each broken on purpose."""

from __future__ import annotations

import math
from functools import partial

import torch
from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.games import parzen
from genbook.gran import battle, exact_battles, judges, machines, referee, rivals
from genbook.gran.battle import Battle
from genbook.gran.convolutional import GRAN
from genbook.kit import studies
from genbook.kit.machine import weights
from genbook.wgan import frechet


def fast(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")


def test_receipt_canvas():
    def mean_of_squashed(self, z):
        return self.increments(z).sigmoid().mean(0)

    assert_breaks("gran", "test_receipt_canvas", method(GRAN, "forward", mean_of_squashed))


def test_receipt_feedforward():
    increments = GRAN.increments

    def turned(self, z, settle=False):
        return increments(self, -z, settle)

    assert_breaks("gran", "test_receipt_feedforward", method(GRAN, "increments", turned))


def test_receipt_same_z():
    """The code of a step is moved by the number of steps."""
    increments = GRAN.increments

    def moved(self, z, settle=False):
        return increments(self, z + 0.1 * self.steps, settle)

    assert_breaks("gran", "test_receipt_same_z", method(GRAN, "increments", moved))


def test_receipt_settled():
    """A normalisation that goes on using the batch at hand."""
    assert_breaks("gran", "test_receipt_settled", method(GRAN, "eval", lambda self: self))


def test_receipt_swap():
    lopsided = property(lambda self: self.r_test <= 1 + self.band)
    assert_breaks("gran", "test_receipt_swap", method(Battle, "valid", lopsided))


def test_receipt_self():
    """The two players draw from different codes."""
    drawn = referee.drawn
    calls = []

    def afresh(generator, z):
        calls.append(1)
        return drawn(generator, z + 0.3 * (len(calls) % 2))

    assert_breaks("gran", "test_receipt_self", swap(drawn, afresh), given=fast)


def test_receipt_mirror():
    """Rates that favour the corner of player 1."""
    assert_breaks(
        "gran",
        "test_receipt_mirror",
        altered(
            referee.rates,
            lambda found: battle.Rates(
                found.test_1, found.test_2, 0.9 * found.sample_1, found.sample_2
            ),
        ),
        given=fast,
    )


def test_receipt_repeat():
    """Noise in the eye of every discriminator."""
    scored = referee.scored

    def foggy(critics, images):
        return scored(critics, images + 0.3 * torch.randn(images.shape))

    assert_breaks("gran", "test_receipt_repeat", swap(scored, foggy))


def test_receipt_noisy():
    """A referee that calls everybody equal."""
    assert_breaks(
        "gran",
        "test_receipt_noisy",
        method(Battle, "ahead", property(lambda self: 0)),
        given=fast,
    )


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


def test_receipt_caught():
    """A judge that has learned nothing."""
    fresh_judge = judges.fresh_judge

    def unlearned(*given, iterations, **options):
        return fresh_judge(*given, iterations=0, **options)

    assert_breaks("gran", "test_receipt_caught", swap(fresh_judge, unlearned))


def test_receipt_spared():
    """Centres that are noise, which any judge tells from digits."""
    assert_breaks("gran", "test_receipt_spared", altered(parzen.cluster_centres, torch.rand_like))


def test_receipt_even():
    """The record of a referee that sets no thresholds; one whose raw test ratios are 1."""

    def raw(row):
        other = row.get("kind") == "fight" and str(row["rule"]).endswith("equal")
        return {**row, "test_1": 0.9 * row["test_1"], "test_2": 0.6} if other else row

    def level(row):
        own = row.get("kind") == "fight" and row["rule"] == "last, half"
        return {**row, "test_1": row["test_2"]} if own else row

    assert_breaks(
        "gran",
        "test_receipt_even",
        rewritten("gran_battles", raw),
        rewritten("gran_battles", level),
    )


def test_receipt_more():
    """The players of the record exchanged."""

    def turned(row):
        if row.get("kind") != "fight":
            return row
        return {**row, "winner": {0: 0, 1: 2, 2: 1}[row["winner"]]}

    assert_breaks("gran", "test_receipt_more", rewritten("gran_battles", turned))


def test_receipt_blind():
    """A repeater that loses where it tied; one that never wins."""

    def told(row, before, after):
        if row.get("first") != "repeater" or row["winner"] != before:
            return row
        return {**row, "winner": after}

    assert_breaks(
        "gran",
        "test_receipt_blind",
        rewritten("gran_battles", partial(told, before=0, after=2)),
        rewritten("gran_battles", partial(told, before=1, after=0)),
    )


def test_receipt_own():
    """A D of T = 1 that errs as often as that of T = 3; one of T = 3 that errs less."""

    def dull(row):
        return {**row, "test_2": row["test_1"]} if row.get("kind") == "fight" else row

    def sharp(row):
        return {**row, "test_1": row["test_2"]} if row.get("kind") == "fight" else row

    assert_breaks(
        "gran",
        "test_receipt_own",
        rewritten("gran_battles", dull),
        rewritten("gran_battles", sharp),
    )


def test_receipt_curves():
    """Curves that cross at one share; players of the record exchanged."""

    def crossing(row):
        if row.get("kind") != "curve" or row["miss"] != 0.5:
            return row
        return {**row, "sample_1": row["sample_2"], "sample_2": row["sample_1"]}

    def turned(row):
        if row.get("kind") != "curve":
            return row
        return {**row, "sample_1": row["sample_2"], "sample_2": row["sample_1"]}

    assert_breaks(
        "gran",
        "test_receipt_curves",
        rewritten("gran_battles", crossing),
        rewritten("gran_battles", turned),
    )


def test_receipt_fresh():
    """A T = 3 that wins with fresh judges where it tied; a slow T = 5 that only ties."""

    def told(row, first, rule, before, after):
        fight = (row.get("kind"), row.get("dataset"), row.get("first"), row.get("second"))
        if fight != ("fight", "mnist", first, "T = 1") or row["rule"] != rule:
            return row
        return {**row, "winner": after if row["winner"] == before else row["winner"]}

    fresh = partial(told, first="T = 3", rule="fresh judges, equal", before=0, after=1)
    slow = partial(told, first="T = 5, slow", rule="average, equal", before=2, after=0)
    assert_breaks(
        "gran",
        "test_receipt_fresh",
        rewritten("gran_battles", fresh),
        rewritten("gran_battles", slow),
    )


def test_receipt_frechet():
    """A T = 3 that is only as near as its rival, for each rival."""
    found = studies.load("gran_battles")

    def like(name):
        def level(row):
            if row.get("kind") != "player" or row["player"] != "T = 3":
                return row
            (rival,) = found.where(kind="player", dataset="mnist", player=name, seed=row["seed"])
            return {**row, "frechet": rival["frechet"]}

        return level

    assert_breaks(
        "gran",
        "test_receipt_frechet",
        *(rewritten("gran_battles", like(name)) for name in ("T = 1", "T = 5", "repeater")),
    )


def test_receipt_recall():
    """A T = 1 that misses half of the digits."""

    def narrow(row):
        return {**row, "recall": 0.1} if row.get("player") == "T = 1" else row

    assert_breaks("gran", "test_receipt_recall", rewritten("gran_battles", narrow))


def test_receipt_copies():
    """A repeater that nobody catches."""

    def hidden(row):
        return {**row, "copied": 0.02} if row.get("player") == "repeater" else row

    assert_breaks("gran", "test_receipt_copies", rewritten("gran_battles", hidden))


def test_receipt_live():
    """The canvas stays black."""
    draw = GRAN.forward
    black = method(GRAN, "forward", lambda net, z: 0 * draw(net, z))
    assert_breaks("gran", "test_receipt_live", black)


def test_receipt_scattered():
    """The distance has the wrong sign."""
    assert_breaks("gran", "test_receipt_scattered", altered(frechet.frechet, torch.neg))


def test_receipt_guessing():
    """The machine shows how sure D is that the image is drawn."""
    assert_breaks(
        "gran",
        "test_receipt_guessing",
        altered(machines.answered, lambda found: (*found[:2], 1 - found[2], *found[3:])),
    )


def test_receipt_packed():
    """One bit a weight, and its sign."""

    def coarse(tensors):
        return [t.sign() * t.abs().mean() if t.ndim > 1 else t for t in tensors]

    assert_breaks("gran", "test_receipt_packed", swap(weights.rounded, coarse))


def test_receipt_guesses():
    """D's right answers are lost on the way."""
    assert_breaks(
        "gran",
        "test_receipt_guesses",
        altered(machines.answered, lambda found: (*found[:-1], 0.5 * found[-1])),
    )
