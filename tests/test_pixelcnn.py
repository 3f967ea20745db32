"""Laws of pixel models: causality, fields, likelihood, sampling; and the receipts, broken."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook import pixel_likelihood as pl
from genbook import pixel_masks, pixel_memory, pixel_studies, pixelcnn, row_lstm
from genbook import pixel_reach as reach
from genbook import pixel_sampling as ps
from genbook.exercises import pixelcnn as exercises
from genbook.figures import pixelcnn as figures
from genbook.kit import data, studies
from genbook.kit.device import seeded
from genbook.pixelcnn import GatedPixelCNN, PixelCNN

FEW = settings(max_examples=12, deadline=None)
sizes = st.tuples(st.integers(2, 7), st.integers(2, 7))
kernels = st.sampled_from([1, 3, 5, 7])
kinds = pytest.mark.parametrize("kind", [PixelCNN, GatedPixelCNN], ids=lambda kind: kind.__name__)


def net_of(kind, seed=0, **options):
    return kind(generator=seeded(seed), **options).double()


# --- Masks and causality ----------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("stack", ["all", "horizontal"])
def test_b_opens_what_a_opens_and_the_centre(kernel, stack):
    a, b = (pixel_masks.causal_mask(kernel, kind=kind, stack=stack)[0, 0] for kind in "AB")
    difference = b - a
    assert difference.sum() == 1
    assert difference[kernel // 2, kernel // 2] == 1


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_stacks_share_out_the_plain_mask(kernel):
    def mask(kind, stack):
        return pixel_masks.causal_mask(kernel, kind=kind, stack=stack)

    torch.testing.assert_close(
        mask("A", "vertical") + mask("B", "horizontal"), mask("B", "all"), rtol=0, atol=0
    )


@pytest.mark.parametrize("channels", [3, 6, 9, 12])
def test_colours_of_the_centre_form_a_triangle(channels):
    centre = pixel_masks.causal_mask(1, channels, channels, kind="B", colours=3)[:, :, 0, 0]
    colour = torch.arange(channels) // (channels // 3)
    assert torch.equal(centre.bool(), colour[None] <= colour[:, None])


@FEW
@kinds
@given(
    size=sizes,
    first=kernels.filter(lambda k: k > 1),
    kernel=kernels.filter(lambda k: k > 1),
    depth=st.integers(0, 3),
    place=st.integers(0, 48),
)
def test_the_jacobian_is_exactly_zero_on_and_after_the_pixel(
    kind, size, first, kernel, depth, place
):
    net = net_of(kind, first=first, kernel=kernel, depth=depth, channels=4)
    at = divmod(place % (size[0] * size[1]), size[1])
    seen = reach.sensitivity(net, torch.rand(2, 1, *size, dtype=torch.float64), at)[0]
    assert seen[~reach.before(size, at)].max() == 0


@FEW
@kinds
@given(size=sizes, place=st.integers(0, 48), colour=st.integers(0, 2))
def test_colours_see_only_the_colours_before_them(kind, size, place, colour):
    net = net_of(kind, first=3, depth=1, channels=6, colours=3, levels=3)
    at = divmod(place % (size[0] * size[1]), size[1])
    seen = reach.sensitivity(net, torch.rand(2, 3, *size, dtype=torch.float64), at, colour)
    assert seen[:, ~(reach.before(size, at) | _only(size, at))].sum() == 0
    assert seen[colour:, at[0], at[1]].max() == 0


def _only(size, at):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[at] = True
    return mask


@pytest.mark.parametrize("net", [row_lstm.RowLSTM(4, 1, first=5, generator=seeded(0)).double()])
def test_a_row_lstm_is_causal(net):
    for at in ((0, 0), (2, 3), (4, 6)):
        seen = reach.sensitivity(net, torch.rand(2, 1, 5, 7, dtype=torch.float64), at)[0]
        assert seen[~reach.before((5, 7), at)].max() == 0


def test_the_grid_recurrence_sees_everything_before_in_its_quadrant():
    net = row_lstm.GridRecurrence(6, generator=seeded(0)).double()
    seen = reach.sensitivity(net, torch.rand(1, 1, 4, 5, dtype=torch.float64), (3, 4))[0]
    assert seen[3, 4] == 0
    assert (seen > 0).sum() == 19


def test_mask_b_first_leaks_the_pixel_itself():
    source = seeded(0)
    conv = pixel_masks.MaskedConv(1, 1, 3, kind="B", generator=source).double()
    seen = reach.sensitivity(conv, torch.zeros(1, 1, 5, 5, dtype=torch.float64), (2, 2))[0]
    assert seen[2, 2] > 0


# --- Fields -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "layers"), [(3, 1), (3, 3), (3, 5), (5, 2), (7, 2)])
def test_fields_of_the_theorem_are_the_jacobians(kernel, layers):
    size, at = (9, 11), (7, 4)
    x = torch.rand(8, 1, *size, dtype=torch.float64, generator=seeded(1))
    options = {"first": kernel, "kernel": kernel, "depth": layers - 1}
    plain = reach.sensitivity(net_of(PixelCNN, channels=32, **options), x, at)[0] > 0
    gated = reach.sensitivity(net_of(GatedPixelCNN, channels=8, **options), x, at)[0] > 0
    assert torch.equal(plain, reach.field(size, at, kernel, layers, stacks=1))
    assert torch.equal(gated, reach.field(size, at, kernel, layers, stacks=2))


def test_the_blind_share_rises_to_a_quarter():
    shares = [reach.blind_share(layers) for layers in range(1, 200)]
    assert shares == sorted(shares)
    assert 0.24 < shares[-1] < 0.25


def test_sheared_coins_are_copies_where_they_say():
    x, copied = reach.sheared_coins(5, (4, 7), seeded(0), shift=2)
    for row, column in copied.nonzero().tolist():
        assert torch.equal(x[:, 0, row, column], x[:, 0, row - 1, column + 2])


def test_shearing_keeps_every_row():
    x = torch.rand(2, 1, 5, 6)
    assert torch.equal(reach.sheared(x).sort(-1).values, x.sort(-1).values)


@FEW
@given(size=sizes)
def test_skewing_is_undone(size):
    x = torch.rand(2, 3, *size)
    assert torch.equal(row_lstm.unskew(row_lstm.skew(x)), x)


@FEW
@given(size=sizes)
def test_diagonals_equal_the_double_loop(size):
    net = row_lstm.GridRecurrence(3, generator=seeded(0)).double()
    x = torch.rand(2, 1, *size, dtype=torch.float64)
    torch.testing.assert_close(net(x), net.one_by_one(x), rtol=0, atol=1e-13)


# --- Likelihood -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "shape"),
    [({}, (3, 3)), ({"colours": 3}, (2, 2)), ({"levels": 3}, (2, 3)), ({"levels": 4}, (1, 5))],
)
@kinds
def test_probabilities_of_all_images_sum_to_one(kind, options, shape):
    net = net_of(kind, channels=6, depth=1, first=3, **options)
    every = pl.all_images(*shape, **options)
    assert pl.nll(net, every).neg().exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_every_class_of_a_conditional_model_is_a_distribution():
    net = net_of(GatedPixelCNN, channels=4, depth=1, first=3, classes=3)
    every = pl.all_images(3, 3)
    totals = [pl.nll(net, every, torch.full((512,), y)).neg().exp().sum().item() for y in range(3)]
    assert totals == pytest.approx([1, 1, 1], abs=1e-12)


def test_nll_is_the_sum_over_pixels_of_one_conditional_each():
    net = net_of(GatedPixelCNN, channels=4, depth=1, first=3)
    x = torch.rand(3, 1, 4, 5, generator=seeded(0)).round().double()
    by_hand = torch.zeros(3, dtype=torch.float64)
    for row in range(4):
        for column in range(5):
            past = torch.where(reach.before((4, 5), (row, column)), x, 0.0)
            logits = net(past)[:, 0, :, row, column].log_softmax(1)
            by_hand -= logits.gather(1, x[:, 0, row, column, None].long())[:, 0]
    torch.testing.assert_close(pl.nll(net, x), by_hand.detach())


def test_batches_do_not_change_the_likelihood():
    net = net_of(PixelCNN, channels=4, depth=1)
    x = torch.rand(7, 1, 5, 5, generator=seeded(0)).round().double()
    torch.testing.assert_close(pl.nll(net, x, batch=3), pl.nll(net, x))


def test_stochastic_binarisation_has_the_grey_value_as_mean():
    grey = torch.full((20_000,), 0.3)
    assert pl.binarise(grey, "stochastic", seeded(0)).mean().item() == pytest.approx(0.3, abs=0.013)


def test_fixed_binarisation_is_one_draw_and_threshold_none():
    grey = torch.rand(50, generator=seeded(0))
    assert torch.equal(pl.binarise(grey, "fixed"), pl.binarise(grey, "fixed"))
    assert torch.equal(pl.binarise(grey, "threshold"), (grey > 0.5).float())


@given(levels=st.integers(2, 256))
@FEW
def test_quantising_twice_changes_nothing(levels):
    once = pl.quantise(torch.rand(40, dtype=torch.float64), levels)
    assert torch.equal(pl.quantise(once, levels), once)


def test_uniform_bytes_cost_eight_bits():
    assert pl.bits_per_dim(12 * math.log(256), 12) == pytest.approx(8)


def test_training_lowers_the_cost_and_repeats_itself():
    x = (torch.arange(16).view(1, 1, 4, 4) % 2).float().expand(20, 1, 4, 4)
    last = []
    for _ in range(2):
        net = GatedPixelCNN(4, 1, first=3, generator=seeded(0))
        how = pl.PixelTraining(60, 10, 2e-2, None, every=1)
        costs = [step.terms["nll"] for step in pl.train(net, x, how, seeded(1))]
        last.append(costs)
    assert last[0] == last[1]
    assert costs[-1] < 0.5 * costs[0]


# --- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: pixel_masks.causal_mask(4, kind="A"), "odd kernel"),
        (lambda: pixel_masks.causal_mask(3, kind="C"), "'A' or 'B'"),
        (lambda: pixel_masks.causal_mask(3, 2, 2, kind="A", colours=3), "multiples of 3"),
        (lambda: pixel_masks.causal_mask(3, kind="A", stack="left"), "stack"),
        (lambda: pixel_masks.causal_mask(1, kind="A", stack="vertical"), "see nothing"),
        (lambda: pixel_masks.check_images(torch.zeros(3, 3), 1), "expected images"),
        (lambda: pixel_masks.check_labels(None, 2, 3), "expected labels"),
        (lambda: pixel_masks.check_labels(torch.tensor([5]), 1, 3), "int64 labels"),
        (lambda: net_of(PixelCNN, channels=3), "multiples of 2"),
        (lambda: net_of(GatedPixelCNN, channels=4, levels=1), "two levels"),
        (lambda: row_lstm.RowLSTM(0, generator=seeded(0)), "channels"),
        (lambda: row_lstm.GridRecurrence(0, generator=seeded(0)), "channels"),
        (lambda: row_lstm.skew(torch.zeros(3)), "rows and columns"),
        (lambda: row_lstm.unskew(torch.zeros(3, 2)), "skewed"),
        (lambda: reach.sensitivity(lambda x: x, torch.zeros(1, 1, 2, 2), (2, 0)), "inside"),
        (lambda: reach.sensitivity(lambda x: x / 0, torch.ones(1, 1, 2, 2), (0, 0)), "finite"),
        (lambda: reach.field((3, 3), (1, 1), 2, 1, stacks=1), "odd kernel"),
        (lambda: reach.field((3, 3), (1, 1), 3, 1, stacks=3), "two stacks"),
        (lambda: reach.blind_share(0), "one layer"),
        (lambda: reach.sheared_coins(0, (3, 3), seeded(0)), "expected"),
        (lambda: reach.sheared(torch.zeros(3)), "expected images"),
        (lambda: pl.binarise(torch.ones(2), "half"), "kind out of"),
        (lambda: pl.binarise(2 * torch.ones(2), "threshold"), r"in \[0, 1\]"),
        (lambda: pl.binarise(torch.ones(2), "stochastic"), "generator"),
        (lambda: pl.quantise(torch.ones(2), 1), "two levels"),
        (lambda: pl.bits_per_dim(1.0, 0), "dimension"),
        (lambda: pl.all_images(5, 5), "at most"),
        (lambda: pl.PixelTraining(0), "positive"),
        (lambda: pl.PixelTraining(1, binarisation="half"), "binarisation"),
        (lambda: pl.nll(net_of(PixelCNN), torch.full((1, 1, 3, 3), 0.5).double()), "levels"),
        (lambda: pixel_studies.network("RNN", seeded(0)), "family"),
    ],
)
def test_bad_input_is_refused_with_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


# --- Study, figures, exercises ----------------------------------------------------------------


def test_the_slice_of_the_study_has_rows_of_both_parts():
    rows = list(pixel_studies.record_nll(slice=True, seed=0))
    assert {row["part"] for row in rows} == {"probe", "binarisation"}
    assert all(math.isfinite(row["nats"]) for row in rows)
    assert len([row for row in rows if row["part"] == "binarisation"]) == 9


def test_the_slice_of_the_costs_has_times_and_equal_images():
    rows = list(pixel_studies.record_costs(slice=True))
    assert {row["family"] for row in rows} == set(pixel_studies.FAMILIES)
    assert all(row["same"] and min(row["step"], row["naive"], row["cached"]) > 0 for row in rows)


def test_the_drawn_field_counts_what_the_theorem_counts():
    one, two = (figures.field(5, 5, 4, 3, name) for name in (figures.NETWORKS[0], "two stacks"))
    assert "6 in the blind spot" in one.get_label()
    assert "0 in the blind spot" in two.get_label()
    assert "leak" in figures.field(5, 5, 4, 3, figures.NETWORKS[1]).get_label()


def test_scrubbing_tells_the_chance_of_the_next_pixel():
    scrub = figures.Scrub(torch.ones(2, 3), torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]))
    assert scrub(4).get_label() == "pixel 4: p(white) = 0.500"


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_exercises_know_right_from_wrong(exercise):
    assert exercise.verdict(exercise.reference).startswith("✓")
    for wrong in exercise.wrong:
        verdict = exercise.verdict(wrong.answer)
        assert verdict.startswith("✗")
        assert wrong.hint in verdict


# --- Receipts ---------------------------------------------------------------------------------


def breaks(name, monkeypatch):
    assert_breaks("pixelcnn", name, monkeypatch)


def open_masks(monkeypatch):
    original = pixel_masks.causal_mask
    monkeypatch.setattr(
        pixel_masks, "causal_mask", lambda *a, **k: torch.ones_like(original(*a, **k))
    )


def test_receipt_sum(monkeypatch):
    open_masks(monkeypatch)
    breaks("test_receipt_sum", monkeypatch)


def test_receipt_jacobian(monkeypatch):
    open_masks(monkeypatch)
    breaks("test_receipt_jacobian", monkeypatch)


def test_receipt_left(monkeypatch):
    original = pixel_masks.causal_mask

    def shut(kernel, *sizes, **words):
        mask = original(kernel, *sizes, **words)
        mask[:, :, kernel // 2, : kernel // 2] = 0
        return mask

    monkeypatch.setattr(pixel_masks, "causal_mask", shut)
    breaks("test_receipt_left", monkeypatch)


def test_receipt_colours(monkeypatch):
    monkeypatch.setattr(
        pixel_masks, "_colour_of", lambda channels, _: torch.zeros(channels, dtype=torch.int64)
    )
    breaks("test_receipt_colours", monkeypatch)


def test_receipt_field(monkeypatch):
    original = reach.field
    monkeypatch.setattr(reach, "field", lambda s, a, k, n, stacks: original(s, a, k, n, stacks=2))
    breaks("test_receipt_field", monkeypatch)


def test_receipt_share(monkeypatch):
    monkeypatch.setattr(reach, "blind_share", lambda layers: layers / (4 * (layers + 1)))
    breaks("test_receipt_share", monkeypatch)


def short(monkeypatch, steps=3):
    """Training that stops early; after three steps, for receipts that it does not concern."""
    original = pl.train
    monkeypatch.setattr(
        pl, "train", lambda n, x, how, *rest: original(n, x, replace(how, steps=steps), *rest)
    )


def test_receipt_coins_one(monkeypatch):
    """Copied from one column to the right, a pixel lies in the view of one stack."""
    short(monkeypatch, 80)
    original = reach.sheared_coins
    monkeypatch.setattr(reach, "sheared_coins", lambda *rest: original(*rest, shift=1))
    breaks("test_receipt_coins_one", monkeypatch)


def test_receipt_coins_two(monkeypatch):
    """Without what the vertical stack says, two stacks are blind; else 80 steps would do."""
    short(monkeypatch, 80)

    def deaf(layer, v, h, labels=None):
        new = layer.out(pixelcnn.gate(layer.horizontal(h)))
        return pixelcnn.gate(layer.vertical(v)), h + new if layer.residual else new

    monkeypatch.setattr(pixelcnn.GatedLayer, "forward", deaf)
    breaks("test_receipt_coins_two", monkeypatch)


def test_receipt_diagonal(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(
        row_lstm, "skew", lambda x: torch.nn.functional.pad(x, (0, x.shape[-2] - 1))
    )
    breaks("test_receipt_diagonal", monkeypatch)


def test_receipt_rectangle(monkeypatch):
    """What enters at a pixel must not hold the pixel."""
    short(monkeypatch)
    original = row_lstm.GridRecurrence.inputs
    monkeypatch.setattr(row_lstm.GridRecurrence, "inputs", lambda net, x: original(net, x) + x)
    breaks("test_receipt_rectangle", monkeypatch)


def test_receipt_triangle(monkeypatch):
    """With a kernel of one state for three, the context is a strip."""
    short(monkeypatch)
    original = row_lstm.conv1d
    monkeypatch.setattr(row_lstm, "conv1d", lambda h, w, padding: original(h, w[..., 1:2]))
    breaks("test_receipt_triangle", monkeypatch)


def test_receipt_row_lstm(monkeypatch):
    short(monkeypatch)
    open_masks(monkeypatch)
    breaks("test_receipt_row_lstm", monkeypatch)


def test_receipt_binarisation(monkeypatch):
    short(monkeypatch)
    recorded = studies.load("pixelcnn_nll")
    shift = {"stochastic": 0.0, "fixed": 3.0, "threshold": 30.0}
    rows = [{**r, "nats": r["nats"] + shift[r.get("judged", "fixed")]} for r in recorded.rows]
    monkeypatch.setattr(studies, "load", lambda _: replace(recorded, rows=tuple(rows)))
    breaks("test_receipt_binarisation", monkeypatch)


def test_receipt_live(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(pixel_studies, "probe", lambda *_: {"nats": 300.0})
    breaks("test_receipt_live", monkeypatch)


def quick(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(pixel_studies, "probe", lambda *_: {"nats": 300.0})


def test_receipt_cached(monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr(pixel_memory.Memory, "tell", lambda *_: None)
    breaks("test_receipt_cached", monkeypatch)


def test_receipt_costs(monkeypatch):
    quick(monkeypatch)
    load = studies.load
    slower = [{**row, "cached": row["naive"]} for row in load("pixelcnn_costs").rows]
    monkeypatch.setattr(
        studies,
        "load",
        lambda name: replace(load(name), rows=tuple(slower)) if "costs" in name else load(name),
    )
    breaks("test_receipt_costs", monkeypatch)


def test_receipt_equal(monkeypatch):
    """A Row LSTM that had less time, and does as well."""
    quick(monkeypatch)
    load = studies.load
    row = {**load("pixelcnn_equal").rows[0], "cpu_seconds": 20.0, "nats": 89.0}
    monkeypatch.setattr(
        studies,
        "load",
        lambda name: replace(load(name), rows=(row,)) if "equal" in name else load(name),
    )
    breaks("test_receipt_equal", monkeypatch)


def test_receipt_longer(monkeypatch):
    """A run that goes on and gains nothing."""
    quick(monkeypatch)
    load = studies.load
    row = {**load("pixelcnn_longer").rows[0], "nats": 87.5}
    monkeypatch.setattr(
        studies,
        "load",
        lambda name: replace(load(name), rows=(row,)) if "longer" in name else load(name),
    )
    breaks("test_receipt_longer", monkeypatch)


def test_receipt_outliers(monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.arange(n))
    breaks("test_receipt_outliers", monkeypatch)


def test_receipt_strokes(monkeypatch):
    """Were it about the inside of strokes and the empty frame, little would be paid there."""
    quick(monkeypatch)
    original = figures.near_strokes
    monkeypatch.setattr(figures, "near_strokes", lambda images: ~original(images))
    breaks("test_receipt_strokes", monkeypatch)


def test_receipt_completions(monkeypatch):
    """A sampler that forgets what is given draws anew, whatever the rows."""
    quick(monkeypatch)
    original = ps.sample

    def forgetful(*rest, start=None, known=None, **options):
        return original(*rest, **options)

    monkeypatch.setattr(ps, "sample", forgetful)
    breaks("test_receipt_completions", monkeypatch)


def test_receipt_greedy(monkeypatch):
    """Without noise, take the less likely level."""
    quick(monkeypatch)
    original = ps.pick_level

    def contrary(logits, noise):
        return original(logits, noise) if noise.any() else logits.argmin(1)

    monkeypatch.setattr(ps, "pick_level", contrary)
    breaks("test_receipt_greedy", monkeypatch)


def test_receipt_sheared(monkeypatch):
    short(monkeypatch)
    monkeypatch.setattr(reach, "sheared", lambda images, *_: images)
    breaks("test_receipt_sheared", monkeypatch)


def test_receipt_bayes(monkeypatch):
    quick(monkeypatch)
    breaks("test_receipt_bayes", monkeypatch)


def test_receipt_bits(monkeypatch):
    quick(monkeypatch)
    breaks("test_receipt_bits", monkeypatch)


def test_receipts_hold_as_the_chapter_stands(monkeypatch):
    assert_holds("pixelcnn", "test_receipt_share", monkeypatch)
    assert data.mnist("test").name == "digits"
    assert pixelcnn.gate(torch.zeros(1, 2)).item() == 0
