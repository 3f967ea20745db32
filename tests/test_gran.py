"""Windows, canvases, battles and Parzen scores of the GRAN chapter; its receipts broken."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from genbook import (
    battle,
    battle_truth,
    draw,
    draw_training,
    gran,
    gran_arena,
    gran_brush,
    gran_runs,
    gran_studies,
    parzen,
)
from genbook.battle import Battle, Rates
from genbook.exercises import gran as exercises
from genbook.gan_images import Split
from genbook.kit import data, studies
from genbook.seeds import Streams

FEW = settings(max_examples=20, deadline=None)
rates = st.floats(0, 1)
four = st.builds(Rates, rates, rates, rates, rates)


def number(value):
    return torch.tensor(value, dtype=torch.float64)


def some_window(gain=1.7):
    return draw.Window(number(5.2), number(3.1), number(1.3), number(0.8), number(gain))


# --- DRAW -------------------------------------------------------------------------------------


@FEW
@given(st.floats(-1e3, 1e3), st.floats(0, 50), st.floats(1e-3, 1e3))
def test_rows_of_a_filter_bank_sum_to_one_wherever_the_window_lies(centre, stride, variance):
    bank = draw.filter_bank(number(centre), number(stride), number(variance), 4, 9)
    assert (bank.sum(-1) - 1).abs().max() < 1e-12
    assert bank.min() >= 0


def test_filters_agree_with_the_printed_formula_inside_the_image():
    bank = draw.filter_bank(number(5.0), number(1.5), number(0.7), 3, 9)
    pixels = torch.arange(1, 10, dtype=torch.float64)
    for i, row in enumerate(bank, start=1):
        raw = (-(pixels - (5.0 + (i - 2) * 1.5)).square() / 1.4).exp()
        torch.testing.assert_close(row, raw / raw.sum())


def test_a_full_window_of_sharp_filters_is_the_identity():
    where = draw.window(torch.zeros(5, dtype=torch.float64), 7, 7)
    bank = draw.filter_bank(where.x, where.stride, number(1e-3), 7, 7)
    torch.testing.assert_close(bank, torch.eye(7, dtype=torch.float64))


def test_writing_is_the_adjoint_of_reading_with_the_gain_on_the_other_side():
    image, patch = torch.randn(8, 8, dtype=torch.float64), torch.randn(3, 3, dtype=torch.float64)
    where = some_window()
    left = (draw.read(image, where, 3) * patch).sum() / where.gain
    right = (image * draw.write(patch, where, 8)).sum() * where.gain
    torch.testing.assert_close(left, right)


def test_reading_is_differentiable_in_the_window():
    image = torch.rand(6, 6, dtype=torch.float64)
    raw = (0.2 * torch.randn(5, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda r: draw.read(image, draw.window(r, 6, 3), 3), raw)


@pytest.mark.parametrize("looks", [draw_training.WHOLE, draw_training.WINDOW])
def test_the_latent_cost_is_the_divergence_from_the_prior(looks):
    net = draw_training.build(looks, 8, 0, hidden=12)
    drawing = net(torch.rand(5, 8, 8), torch.Generator().manual_seed(0))
    q = Normal(drawing.means, (drawing.log_variances / 2).exp())
    exact = kl_divergence(q, Normal(0.0, 1.0)).sum((0, 2))
    torch.testing.assert_close(draw.code_length(drawing), exact)
    torch.testing.assert_close(drawing.canvases[-1], drawing.strokes.sum(0))


def test_attention_parameters_do_not_depend_on_the_window_of_the_image():
    net = draw_training.build(draw_training.WINDOW, 8, 0, hidden=12)
    found = net.sample(3, torch.Generator().manual_seed(0))
    assert found.written.shape == (draw_training.WINDOW.glimpses, 3, 5)
    assert found.strokes.isfinite().all()


def test_training_lowers_the_bound():
    images = data.digits("train", device="cpu").images[:200, 0]
    net = draw_training.build(draw_training.WHOLE, 8, 0, hidden=32)
    before, _ = draw_training.bound(net, images, torch.Generator().manual_seed(0))
    for _ in draw_training.train(net, images, torch.Generator().manual_seed(1), steps=30):
        pass
    assert draw_training.bound(net, images, torch.Generator().manual_seed(0))[0] < before - 3


def test_bad_input_to_draw_is_refused():
    with pytest.raises(ValueError, match="five numbers"):
        draw.window(torch.zeros(4), 8, 2)
    with pytest.raises(ValueError, match="variances > 0"):
        draw.filter_bank(number(1.0), number(1.0), number(0.0), 2, 8)
    with pytest.raises(ValueError, match="square images"):
        draw.read(torch.zeros(3, 4), some_window(), 2)
    with pytest.raises(ValueError, match="square patches"):
        draw.write(torch.zeros(3, 4), some_window(), 8)
    with pytest.raises(ValueError, match="both windows"):
        draw.DRAW(8, reads=2)
    with pytest.raises(ValueError, match="expected images"):
        next(draw_training.train(draw.DRAW(8), torch.zeros(2, 7, 7), torch.Generator(), steps=1))
    drawing = draw.DRAW(8, steps=1, hidden=4)(torch.zeros(2, 8, 8), torch.Generator())
    with pytest.raises(ValueError, match="expected images"):
        draw.negative_bound(drawing, torch.zeros(2, 7, 8))


# --- GRAN -------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", gran.STEPS)
def test_the_image_is_the_squashed_sum_of_the_increments(steps):
    generator = gran.Recurrent(16, Streams([0, 1], dtype=torch.float64), steps=steps)
    z = Streams([5, 6], dtype=torch.float64).normal(9, 64)
    torch.testing.assert_close(generator(z), generator.increments(z).sum(0).sigmoid())
    torch.testing.assert_close(generator(z), generator.canvases(z)[-1])


def test_more_steps_cost_no_parameters():
    sizes = {
        sum(w.numel() for w in gran.Recurrent(16, Streams([0]), steps=steps).parameters())
        for steps in gran.STEPS
    }
    assert len(sizes) == 1


def test_the_first_strokes_of_a_longer_drawing_are_the_shorter_one():
    short, long = (gran.Recurrent(16, Streams([3]), steps=steps) for steps in (3, 5))
    z = Streams([5]).normal(9, 64)
    assert torch.equal(short.increments(z), long.increments(z)[:3])


def test_bad_input_to_gran_is_refused():
    with pytest.raises(ValueError, match="steps ≥ 1"):
        gran.Recurrent(16, Streams([0]), steps=0)
    with pytest.raises(ValueError, match="expected z"):
        gran.Recurrent(16, Streams([0])).increments(torch.zeros(1, 2, 3))


# --- The battle -------------------------------------------------------------------------------


@FEW
@given(four, st.floats(0, 3))
def test_swapping_the_players_swaps_the_verdict(found, band):
    one = Battle(found, band)
    assert one.swapped().winner == {0: 0, 1: 2, 2: 1}[one.winner]


@FEW
@given(rates, rates, st.floats(0, 3))
def test_a_battle_with_oneself_is_a_tie(test, sample, band):
    assert Battle(Rates(test, test, sample, sample), band).winner == 0


@FEW
@given(four, st.floats(0, 3))
def test_nobody_wins_without_a_valid_test_ratio(found, band):
    one = Battle(found, band)
    assert one.valid or one.winner == 0


@FEW
@given(four, st.floats(0, 3), st.floats(0, 3))
def test_a_wider_band_takes_no_verdict_back(found, band, more):
    narrow, wide = Battle(found, band), Battle(found, band + more)
    assert narrow.winner in (0, wide.winner)


@FEW
@given(four)
def test_verdicts_of_a_table_are_those_of_single_battles(found):
    cross = torch.tensor([[0.0, found.sample_1], [found.sample_2, 0.0]], dtype=torch.float64)
    test = torch.tensor([found.test_1, found.test_2], dtype=torch.float64)
    outcome = battle.verdicts(test, cross)[0, 1].item()
    assert outcome == {0: 0, 1: 1, 2: -1}[Battle(found).winner]


@FEW
@given(four)
def test_without_the_test_ratio_the_accuracy_form_names_the_same_player(found):
    errors, accuracies = Battle(found, 1e9), Battle(found, 1e9, form="accuracy")
    assert errors.ahead == accuracies.ahead or 1 - found.sample_1 == 1 - found.sample_2


def test_both_forms_can_part_over_validity():
    found = Rates(0.05, 0.15, 0.3, 0.6)
    assert (Battle(found).winner, Battle(found, form="accuracy").winner) == (0, 1)


def test_a_bootstrap_is_sure_of_a_clear_battle_and_torn_over_an_even_one():
    generator = torch.Generator().manual_seed(0)
    test = (torch.rand(1, 500, generator=generator) < 0.3).double().expand(2, -1)
    low, high = torch.zeros(400), torch.ones(400)
    assert battle.bootstrap(test, low, high, generator=generator).first == 1.0
    even = (torch.rand(2, 400, generator=generator) < 0.5).double()
    found = battle.bootstrap(test, even[0], even[1], generator=generator)
    assert 0.001 < found.first < 0.999


def test_gam_2_leaves_out_the_own_discriminator_on_request():
    cross = torch.tensor([[0.9, 0.1, 0.2], [0.3, 0.9, 0.4], [0.5, 0.6, 0.9]])
    found = battle.gam_2(cross, own=False)
    torch.testing.assert_close(found.average, torch.tensor([0.4, 0.35, 0.3]))
    torch.testing.assert_close(found.worst, torch.tensor([0.3, 0.1, 0.2]))
    several = battle.gam_2(cross.expand(2, 3, 3), own=False)
    torch.testing.assert_close(several.average[1], found.average)


def test_wilson_interval_matches_its_formula():
    n, share, z = 8, 5 / 8, 1.959963984540054
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    assert battle.interval(5, 8) == pytest.approx((middle - half, middle + half))


def test_bad_input_to_a_battle_is_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Rates(1.2, 0, 0, 0)
    with pytest.raises(ValueError, match="band ≥ 0"):
        Battle(Rates(0, 0, 0, 0), -1)
    with pytest.raises(ValueError, match="a form of"):
        Battle(Rates(0, 0, 0, 0), form="loss")
    with pytest.raises(ValueError, match="NaN"):
        battle.mistakes(torch.tensor([math.nan]), real=True)
    with pytest.raises(ValueError, match=r"cross \[\.\.\., P, P\]"):
        battle.verdicts(torch.zeros(2), torch.zeros(3, 3))
    with pytest.raises(ValueError, match="mistakes test"):
        battle.bootstrap(torch.zeros(3), torch.zeros(2), torch.zeros(2), generator=None)
    with pytest.raises(ValueError, match="wins"):
        battle.interval(3, 2)
    with pytest.raises(ValueError, match="K ≥ 1"):
        battle.gam_2(torch.zeros(3))
    with pytest.raises(ValueError, match="leave out"):
        battle.gam_2(torch.zeros(2, 3), own=False)
    with pytest.raises(ValueError, match="verdicts"):
        battle.tally(torch.zeros(2, 2), ["a", "b"])


# --- Known truth ------------------------------------------------------------------------------

FAULTY = [(kind, amount) for kind in battle_truth.KINDS for amount in (0.25, 0.5, 1.0)]


@pytest.mark.parametrize(("kind", "amount"), FAULTY)
def test_both_errors_of_the_best_discriminator_sum_to_one_less_total_variation(kind, amount):
    found = battle_truth.truth(battle_truth.degraded(kind, amount))
    assert found.own_error == pytest.approx(1 - found.tv, abs=1e-12)


def test_a_shift_moves_w1_by_itself_and_dropping_modes_costs_their_mass():
    assert battle_truth.truth(battle_truth.degraded("shifts", 0.4)).w1 == pytest.approx(0.6)
    dropped = battle_truth.truth(battle_truth.degraded("drops modes", 1.0))
    assert dropped.coverage == pytest.approx(0.5, abs=1e-4)
    assert dropped.w1 == pytest.approx(3.0, abs=1e-6)


@FEW
@given(st.floats(0.01, 0.99))
def test_a_perfect_player_can_not_win_at_a_test_ratio_of_one(error):
    found = battle_truth.perfect_player(error)
    assert 1 / found.r_test + 1 / found.r_sample == pytest.approx(2)
    assert battle_truth.perfect_player(0.5).winner == 0


def test_three_generators_beat_one_another_in_a_circle():
    p, q = battle_truth.cycle()
    wins = [Battle(battle_truth.bayes_rates(p, q[i], q[(i + 1) % 3])).winner for i in range(3)]
    assert len(set(wins)) == 1
    assert wins[0] != 0


def test_best_rates_are_those_of_single_battles():
    q = torch.stack([battle_truth.degraded(kind, 0.5) for kind in battle_truth.KINDS])
    test, cross = battle_truth.best_rates(q)
    one = battle_truth.bayes_rates(battle_truth.mixture(), q[1], q[2])
    table = [float(rate) for rate in (test[1], test[2], cross[1, 2], cross[2, 1])]
    assert [one.test_1, one.test_2, one.sample_1, one.sample_2] == pytest.approx(table)


def test_points_of_the_line_come_with_their_probabilities():
    points = battle_truth.from_line(battle_truth.mixture())(Streams([0]), 20_000)
    assert points.mean().abs() < 0.1
    spread = (battle_truth.mixture() @ battle_truth.line().square()).item()
    assert points.square().mean().item() == pytest.approx(spread, rel=0.03)


def test_bad_input_to_the_truth_is_refused():
    with pytest.raises(ValueError, match="a kind of"):
        battle_truth.degraded("sleeps", 0.5)
    with pytest.raises(ValueError, match="probabilities"):
        battle_truth.truth(torch.ones(241))
    with pytest.raises(ValueError, match="241"):
        battle_truth.from_line(torch.ones(3))
    with pytest.raises(ValueError, match="error rate"):
        battle_truth.perfect_player(1.5)
    with pytest.raises(ValueError, match="distances"):
        battle_truth.census(torch.zeros(2), torch.zeros(2, 2), torch.zeros(3))


# --- Tournaments ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    images = data.digits("test", device="cpu")
    arena = gran_runs.Arena(2, 2, 50, 50)
    return gran_runs.tournament(gran_runs.PLAYERS, images, images, [0, 1], arena)


def test_a_table_survives_being_written_down(small):
    _, found, _ = small
    again = gran_studies.from_rows(
        list(gran_studies.table_rows("digits", "judge", found, [0, 1])), "digits", "judge"
    )
    assert again.names == found.names
    torch.testing.assert_close(again.cross, found.cross)
    torch.testing.assert_close(again.test, found.test)


def test_a_tables_battle_is_the_verdict_of_its_rates(small):
    _, found, _ = small
    first, second = found.names[1], found.names[4]
    outcome = battle.verdicts(found.test, found.cross)[1, 1, 4].item()
    assert found.battle(1, first, second).winner == {0: 0, 1: 1, -1: 2}[outcome]
    with pytest.raises(ValueError, match="players of"):
        found.battle(0, first, "nobody")
    with pytest.raises(ValueError, match="got none"):
        gran_studies.from_rows([], "digits", "judge")


def test_a_fight_with_swapped_players_is_swapped(small):
    trained, *_ = small
    test = data.digits("test", device="cpu").flat[:50]
    one = gran_arena.fight(trained[0], trained[1], test, samples=60)
    two = gran_arena.fight(trained[1], trained[0], test, samples=60)
    assert (one.battle.rates.test_1, one.battle.rates.test_2) == (
        two.battle.rates.test_2,
        two.battle.rates.test_1,
    )
    assert one.confidence.first + one.confidence.second + one.confidence.tie == pytest.approx(1)


def test_a_checkerboard_is_rougher_than_its_blur_and_grey_is_smooth():
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2.0
    half = 0.5 + (board - 0.5) / 2
    assert gran_arena.roughness(board[None]) == pytest.approx(2.0)
    assert gran_arena.roughness(half[None]) == pytest.approx(1.0)
    assert gran_arena.roughness(torch.ones(1, 8, 8)) == 0
    with pytest.raises(ValueError, match="some ink"):
        gran_arena.roughness(torch.zeros(1, 8, 8))


# --- Parzen -----------------------------------------------------------------------------------


@FEW
@given(st.integers(1, 40), st.floats(0.2, 5))
def test_one_point_scores_best_at_the_width_of_the_data(dimension, sigma):
    assert parzen.one_point(dimension, sigma) <= parzen.one_point(dimension) + 1e-9
    entropy = dimension * Normal(0.0, 1.0).entropy().item()
    assert parzen.one_point(dimension) == pytest.approx(-entropy, rel=1e-5)


def test_true_samples_score_below_one_point_and_the_more_so_the_higher_the_dimension():
    gaps = []
    for dimension in (2, 20):
        generator = torch.Generator().manual_seed(0)
        found = parzen.true_samples(dimension, 500, generator=generator)
        gaps.append(found - parzen.one_point(dimension))
    assert gaps[1] < gaps[0] < 0


def test_rivals_learn_nothing():
    table = torch.rand(300, 4)
    found = parzen.rivals(Split(table, table, table), centres=7)
    assert len(found["k-means centres"]) == len(found["as many training images"]) == 7
    assert torch.equal(found["the mean image"][0], table.mean(0))
    with pytest.raises(ValueError, match="centres"):
        parzen.cluster_centres(table, 301)
    with pytest.raises(ValueError, match="σ > 0"):
        parzen.one_point(2, 0.0)


@FEW
@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(0, 0.999))
def test_noise_costs_no_more_than_the_logarithm_of_what_is_left(p, q, share):
    mixed = parzen.drowned(number(p), number(q), share).item()
    exact = max(p + math.log1p(-share), q + math.log(share) if share else -math.inf)
    assert exact - 1e-9 <= mixed <= exact + math.log(2) + 1e-9
    assert mixed >= p + math.log1p(-share) - 1e-9
    with pytest.raises(ValueError, match="share"):
        parzen.drowned(number(p), number(q), 1.0)


# --- Exercises --------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_an_exercise_accepts_its_reference_and_explains_its_wrong_answers(exercise):
    assert exercise.verdict(exercise.reference).startswith("✓")
    for wrong in exercise.wrong:
        assert wrong.hint in exercise.verdict(wrong.answer)


# --- Receipts ---------------------------------------------------------------------------------


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
        gran.Recurrent, "forward", lambda self, z: self.increments(z).sigmoid().mean(0)
    )
    assert_breaks("gran", "test_receipt_canvas", monkeypatch)


def test_receipt_feedforward(monkeypatch):
    real = gran.Recurrent.increments
    monkeypatch.setattr(gran.Recurrent, "increments", lambda self, z: real(self, -z))
    assert_breaks("gran", "test_receipt_feedforward", monkeypatch)


def test_receipt_same_z(monkeypatch):
    real = gran.Recurrent.increments
    monkeypatch.setattr(
        gran.Recurrent, "increments", lambda self, z: real(self, z + 0.01 * self.steps)
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
    real = battle_truth.cycle
    monkeypatch.setattr(battle_truth, "cycle", lambda: (real()[0], real()[1].flip(0)))
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
    monkeypatch.setattr(battle_truth, "mistakes", lambda v, real: real_rule(-v, real=real))
    assert_breaks("gran", "test_receipt_tv", monkeypatch)


def test_receipt_perfect(monkeypatch):
    def coins_lose(logits, *, real):
        return (logits <= 0).double() if real else (logits >= 0).double()

    monkeypatch.setattr(battle_truth, "mistakes", coins_lose)
    assert_breaks("gran", "test_receipt_perfect", monkeypatch)


def test_receipt_never(monkeypatch):
    monkeypatch.setattr(Battle, "winner", property(lambda self: 1))
    assert_breaks("gran", "test_receipt_never", monkeypatch)


def test_receipt_ties(monkeypatch):
    real = battle_truth.census
    monkeypatch.setattr(battle_truth, "census", lambda *args: real(*args[:3], 100.0))
    assert_breaks("gran", "test_receipt_ties", monkeypatch)


def test_receipt_census(monkeypatch):
    real = battle_truth.census
    monkeypatch.setattr(
        battle_truth, "census", lambda test, cross, *rest: real(test, cross.mT, *rest)
    )
    assert_breaks("gran", "test_receipt_census", monkeypatch)


def test_receipt_point(monkeypatch):
    real = parzen.one_point
    monkeypatch.setattr(parzen, "one_point", lambda *args: real(*args) + 0.1)
    assert_breaks("gran", "test_receipt_point", monkeypatch)


def test_receipt_below(monkeypatch):
    real = parzen.one_point
    monkeypatch.setattr(parzen, "true_samples", lambda d, n, generator: real(d) + 1e-3)
    assert_breaks("gran", "test_receipt_below", monkeypatch)


def test_receipt_noise(monkeypatch):
    real = parzen.drowned
    monkeypatch.setattr(parzen, "drowned", lambda p, q: real(p, q, 0.9))
    assert_breaks("gran", "test_receipt_noise", monkeypatch)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")


def test_receipt_strangers(monkeypatch, quick):
    real = gran_studies.from_rows

    def rolled(*args):
        found = real(*args)
        return gran_runs.Table(found.names, found.test, found.cross.roll(1, -1))

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
    slip(monkeypatch, "bound", looks=draw_training.WINDOW.name, by=30.0)
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
    slip(monkeypatch, "latent", looks=draw_training.RIM.name, by=3.0)
    assert_breaks("gran", "test_receipt_blind", monkeypatch)


def test_receipt_causes(monkeypatch, quick):
    slip(monkeypatch, "bound", looks=draw_training.FOUR_GLIMPSES.name, by=-30.0)
    assert_breaks("gran", "test_receipt_causes", monkeypatch)


def test_receipt_rim(monkeypatch):
    real = draw.open_windows
    monkeypatch.setattr(draw_training, "open_windows", lambda net: real(net, 0.1))
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
    sharp, dim = gran_brush.KINDS[:2]
    relabel(monkeypatch, "gran_brush", "by", {sharp: dim, dim: sharp})
    assert_breaks("gran", "test_receipt_speckle", monkeypatch)


def test_receipt_brush(monkeypatch, quick):
    real = gran_studies.from_rows

    def rolled(*args):
        found = real(*args)
        return gran_runs.Table(found.names, found.test.roll(3, 1), found.cross)

    monkeypatch.setattr(gran_studies, "from_rows", rolled)
    assert_breaks("gran", "test_receipt_brush", monkeypatch)


def test_receipt_steps(monkeypatch, quick):
    real = gran_brush.tallies
    monkeypatch.setattr(
        gran_brush, "tallies", lambda found, kind, width: real(found, "judge", width)
    )
    assert_breaks("gran", "test_receipt_steps", monkeypatch)


def test_receipt_live(monkeypatch, quick):
    real = gran_runs.train
    monkeypatch.setattr(
        gran_runs, "train", lambda player, table, seeds, _: real(player, table, seeds, 5)
    )
    assert_breaks("gran", "test_receipt_live", monkeypatch)
