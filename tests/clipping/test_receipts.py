"""The receipts of the chapter `clipping`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from chapters import Break, altered, assert_breaks, rewritten, swap

from genbook.clipping import bounds, characters, cliff, outliers, penalty, rules, smoothness
from genbook.lstm import paths

STUDY = "clipping_thresholds"
BRIEF = penalty.Recall(steps=2, hidden=3, batch=2, updates=1)


def no_recall(monkeypatch):
    """Later cells without the fifteen nets of an earlier one."""
    original = penalty.recall
    swap(original, lambda task, seeds: original(BRIEF, seeds))(monkeypatch)


def test_receipt_bounds():
    def by_eigenvalue(weight, steps, gamma=1.0):
        return (gamma * paths.spectral_radius(weight)) ** torch.arange(steps + 1)

    def without_slopes(weight, xs, squash=bounds.TANH):
        return torch.linalg.det(weight).abs() ** (torch.arange(len(xs)) / len(weight))

    def without_root(bound):
        return bound**12

    def with_frobenius(weight, steps, gamma=1.0):
        return (gamma * weight.norm()) ** torch.arange(steps + 1)

    assert_breaks(
        "clipping",
        "test_receipt_bounds",
        swap(bounds.upper_bound, by_eigenvalue),
        swap(bounds.upper_bound, with_frobenius),
        swap(bounds.lower_bound, without_slopes),
        altered(bounds.lower_bound, without_root),
    )


def test_receipt_linear():
    def largest_singular(weight):
        return torch.linalg.matrix_norm(weight, 2)

    def least_modulus(weight):
        return torch.linalg.eigvals(weight).abs().min()

    def frobenius(path):
        return torch.linalg.matrix_norm(path)

    assert_breaks(
        "clipping",
        "test_receipt_linear",
        swap(paths.spectral_radius, largest_singular),
        swap(paths.spectral_radius, least_modulus),
        swap(paths.norms, frobenius),
    )


def test_receipt_settled():
    def least_modulus(weight):
        return torch.linalg.eigvals(weight).abs().min()

    def without_slopes(weight, xs, squash=bounds.TANH):
        return bounds_products(weight, 0 * xs, squash)

    bounds_products = bounds.products
    assert_breaks(
        "clipping",
        "test_receipt_settled",
        swap(paths.spectral_radius, least_modulus),
        swap(bounds_products, without_slopes),
    )


def test_receipt_counterexamples():
    def symmetric(largest, _):
        return largest * torch.eye(2, dtype=torch.float64)

    def from_the_axis(largest, degrees):  # the angle to (1, 0) in place of the one to u
        turn = math.radians(degrees)
        v = torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
        return largest * torch.outer(torch.ones(2).double() / math.sqrt(2), v)

    def unsquashed(weight, state, squash=bounds.TANH):
        return state - weight @ state

    assert_breaks(
        "clipping",
        "test_receipt_counterexamples",
        swap(bounds.tilted, symmetric),
        swap(bounds.tilted, from_the_axis),
        swap(bounds.hold_at, unsquashed),
    )


def slopes_with(factor):
    """The recursion of the slopes with another factor a step."""

    def slopes(w, b, steps=cliff.STEPS):
        x, by_w, by_b = cliff.final_state(w, b, 0), torch.zeros_like(w + b), torch.zeros_like(w + b)
        for _ in range(steps):
            squashed = torch.sigmoid(x)
            step = factor(w, squashed)
            by_w, by_b = squashed + step * by_w, 1 + step * by_b
            x = w * squashed + b
        return x, torch.stack([by_w, by_b], -1)

    return slopes


WITHOUT_SLOPE = slopes_with(lambda w, squashed: w * squashed)
WITHOUT_WEIGHT = slopes_with(lambda w, squashed: squashed * (1 - squashed))


def test_receipt_cliff():
    assert_breaks(
        "clipping",
        "test_receipt_cliff",
        altered(cliff.gradient, lambda found: (found[0], found[1] / 2)),
        swap(cliff.slopes, WITHOUT_WEIGHT),
    )


def test_receipt_tame():
    assert_breaks(
        "clipping",
        "test_receipt_tame",
        swap(cliff.slopes, WITHOUT_SLOPE),
        swap(cliff.slopes, WITHOUT_WEIGHT),
    )


def test_receipt_wall():
    assert_breaks(
        "clipping",
        "test_receipt_wall",
        swap(cliff.wall, lambda w: 0.5 - w / 2),
        altered(cliff.wall_slope, lambda slope: slope + 1),
        swap(cliff.slopes, WITHOUT_WEIGHT),
    )


def test_receipt_peak():
    assert_breaks(
        "clipping",
        "test_receipt_peak",
        swap(cliff.slopes, WITHOUT_SLOPE),
        altered(cliff.wall, lambda b: b - 4.5e-5),  # as if the line were the peak's
    )


def test_receipt_curvature():
    assert_breaks(
        "clipping", "test_receipt_curvature", swap(cliff.wall, lambda w: torch.sigmoid(w) - w)
    )


def each_alone(gradients, threshold):
    return [g * min(1.0, threshold / float(g.norm())) for g in gradients]


def test_receipt_torch():
    def clipped_above_only(gradients, limit):
        return [g.clamp(max=limit) for g in gradients]

    assert_breaks(
        "clipping",
        "test_receipt_torch",
        swap(rules.by_norm, each_alone),
        swap(rules.by_value, clipped_above_only),
    )


def test_receipt_direction():
    def sign_lost(gradients, limit):
        return [g.abs().clamp(max=limit) for g in gradients]

    assert_breaks(
        "clipping",
        "test_receipt_direction",
        swap(rules.by_value, sign_lost),
        swap(rules.by_norm, each_alone),
        swap(rules.largest_turn, lambda count: math.degrees(math.asin(1 / math.sqrt(count)))),
        altered(rules.turned, torch.deg2rad),
    )


def test_receipt_descents():
    original = cliff.descend

    def unclipped(start, rate, thresholds, *, steps):
        return original(start, rate, 1e9 * thresholds, steps=steps)

    def always_clipped(start, rate, thresholds, *, steps):
        return original(start, rate, thresholds.clamp(max=0.01), steps=steps)

    assert_breaks(
        "clipping",
        "test_receipt_descents",
        swap(original, unclipped),
        swap(original, always_clipped),
    )


def test_receipt_slow():
    original = cliff.descend

    def always_clipped(start, rate, thresholds, *, steps):
        return original(start, rate, thresholds.clamp(max=0.01), steps=steps)

    def no_more_steps(start, rate, thresholds, *, steps):
        return original(start, rate, thresholds, steps=min(steps, 200))

    def at_the_old_rate(start, rate, thresholds, *, steps):
        return original(start, 0.3, thresholds, steps=steps)

    assert_breaks(
        "clipping",
        "test_receipt_slow",
        swap(original, always_clipped),
        swap(original, no_more_steps),
        swap(original, at_the_old_rate),
    )


def test_receipt_starts():
    original = cliff.descend

    def unclipped(start, rate, thresholds, *, steps):
        return original(start, rate, 1e9 * thresholds, steps=steps)

    def other_way_round(start, rate, thresholds, *, steps):
        return original(start, rate, thresholds.flip(-1), steps=steps)

    assert_breaks(
        "clipping",
        "test_receipt_starts",
        swap(original, unclipped),
        swap(original, other_way_round),
    )


def test_receipt_penalty():
    def in_the_errors_own_length(weight, xs, errors, squash=bounds.TANH):
        return ((errors @ weight) * squash.slope(xs)).norm(dim=-1)

    def forwards(weight, xs, errors, squash=bounds.TANH):
        lengths = errors.norm(dim=-1, keepdim=True)
        return ((errors / lengths) @ weight.abs()).norm(dim=-1)

    assert_breaks(
        "clipping",
        "test_receipt_penalty",
        swap(penalty.ratios, in_the_errors_own_length),
        swap(penalty.ratios, forwards),
        altered(penalty.penalty, lambda omega: omega / 30),
    )


def test_receipt_recall():
    original = penalty.recall

    def exchanged(task, seeds):  # the penalty is lost, and the starts are exchanged
        start = 2.0 if task.largest < 1 and task.strength == 0 else 0.9
        return original(replace(task, largest=start, strength=0.0), seeds)

    assert_breaks("clipping", "test_receipt_recall", swap(original, exchanged))


def test_receipt_rates():
    original = rules.path

    def scaled_twice(*arguments, scale=1.0, **settings):
        return original(*arguments, scale=scale**2, **settings)

    assert_breaks("clipping", "test_receipt_rates", swap(original, scaled_twice), given=no_recall)


def test_receipt_decay():
    original, norm = rules.path, rules.by_norm

    def with_the_old_scale(*arguments, scale=1.0, **settings):
        return original(*arguments, scale=scale**0.5, **settings)

    assert_breaks(
        "clipping",
        "test_receipt_decay",
        swap(original, with_the_old_scale),
        swap(norm, lambda gradients, threshold: norm(gradients, threshold + 1)),
        given=no_recall,
    )


def test_receipt_layer():
    original = rules.layer_rate

    def without_root(layer, factor, *, adaptive):
        return original(layer, factor, adaptive=True)

    assert_breaks("clipping", "test_receipt_layer", swap(original, without_root), given=no_recall)


def test_receipt_edits():
    def over_the_units(gradient):
        return gradient - gradient.mean(0)

    assert_breaks(
        "clipping",
        "test_receipt_edits",
        swap(rules.centralised, over_the_units),
        swap(rules.centralised, torch.zeros_like),
        swap(rules.normalised, lambda gradient: gradient / gradient.abs().max()),
        swap(rules.normalised, rules.clipped(0.5)),
        given=no_recall,
    )


def test_receipt_study():
    """The record says otherwise: the receipts read it. That a study would is not shown."""
    assert_breaks(
        "clipping",
        "test_receipt_study",
        rewritten(STUDY, lambda row: {"diverged": row["seed"] != 4}),
        rewritten(STUDY, lambda row: {"bits": row["bits"] + 0.3 * (row["seed"] == 2)}),
        rewritten(STUDY, lambda row: {"norm_max": row["norm_max"] ** 0.5}),
        given=no_recall,
    )


UPDATES = 200


def shorter(monkeypatch):
    """A sixth of the updates, and a record of five runs as they end after so few."""
    outcome = characters.outcome

    def short(arms, *, total=UPDATES):
        return outcome(arms, total=min(total, UPDATES))

    swap(outcome, short)(monkeypatch)
    pilot = characters.average_norm
    swap(pilot, lambda seed: pilot(seed, total=50))(monkeypatch)
    rewritten(STUDY, lambda row: {"bits": 3.9 + 0.1 * row["seed"]})(monkeypatch)


def trained_at(threshold) -> Break:
    """Training whose runs are all clipped at another threshold than they should be."""
    original = characters.train

    def train(models, arms, codes, *, total):
        others = [replace(arm, threshold=threshold) for arm in arms]
        return original(models, others, codes, total=total)

    return swap(original, train)


def test_receipt_live():
    """Live against a record: the record is rewritten to what a sixth of the updates give."""
    assert_breaks(
        "clipping", "test_receipt_live", trained_at(math.inf), trained_at(0.3), given=shorter
    )


def test_receipt_rule():
    """The record says otherwise: the receipts read it. That a study would is not shown."""
    assert_breaks(
        "clipping",
        "test_receipt_rule",
        rewritten(STUDY, lambda row: {"diverged": True}),
        rewritten(STUDY, lambda row: {"bits": row["bits"] + row["rate"] / 100}),
        rewritten(STUDY, lambda row: {"clipped": 0.7 * row["clipped"]}),
        given=no_recall,
    )


def test_receipt_given():
    """The record says otherwise: the receipts read it. That a study would is not shown."""
    assert_breaks(
        "clipping",
        "test_receipt_given",
        rewritten(STUDY, lambda row: {"bits": row["bits"] + (row["factor"] == 1) * row["seed"]}),
        rewritten(STUDY, lambda row: {"bits": row["bits"] + (row["factor"] == 0)}),
    )


def test_receipt_thrown():
    right = smoothness.largest_rate
    assert_breaks("clipping", "test_receipt_thrown", altered(right, lambda rate: 0.99 * rate))


def test_receipt_crawls():
    right = smoothness.arrival

    def twice_as_fast(start, rate, **options):
        return right(start, 2 * rate if rate < 0.1 else rate, **options) or 0

    def never(start, rate, **options):
        return right(start, rate, **options) if start == 1 else None

    def with_too_small_a_share(rate, within=1e-6):
        return math.log(1 / within) / -math.log1p(-0.96 * rate)

    assert_breaks(
        "clipping",
        "test_receipt_crawls",
        swap(right, twice_as_fast),
        swap(right, never),
        swap(smoothness.fewest_steps, with_too_small_a_share),
    )


def test_receipt_arrives():
    right = smoothness.arrival

    def hardly(start, rate, *, threshold=math.inf, **options):
        return right(start, rate, threshold=0.5 * threshold, **options)

    assert_breaks("clipping", "test_receipt_arrives", swap(right, hardly))


def test_receipt_spike():
    right = outliers.pace

    def without_correction(after, spike, *, before=10_000, betas=(0.9, 0.999)):
        return right(after, spike, before=before + 10_000, betas=betas)

    assert_breaks("clipping", "test_receipt_spike", swap(right, without_correction))


def test_receipt_stall():
    right = outliers.stall
    assert_breaks("clipping", "test_receipt_stall", altered(right, lambda last: last // 2))
