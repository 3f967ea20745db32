"""Laws of exploding and vanishing gradients, of clipping, and the chapter's receipts broken."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from genbook import clipping, lstm
from genbook import clipping_cliff as cliff
from genbook import clipping_penalty as penalty
from genbook import clipping_rules as rules
from genbook import clipping_training as training
from genbook.kit import studies
from genbook.kit.device import seeded

BRIEF = penalty.Recall(steps=2, hidden=3, batch=2, updates=1)
FEW = settings(max_examples=25, deadline=None)
DOUBLE = torch.float64
SEEDS = st.integers(0, 10_000)
INFINITE = math.inf


def net(seed: int, kind: str = "random", largest: float = 1.5, size: int = 6) -> tuple[Tensor, ...]:
    source = seeded(seed)
    weight = clipping.with_largest(kind, size, largest, source)
    return weight, torch.randn(20, size, generator=source, dtype=DOUBLE), torch.zeros(size).double()


# Gradients through many steps


@FEW
@given(SEEDS)
@pytest.mark.parametrize("squash", clipping.SQUASHES, ids=lambda s: s.name)
def test_products_equal_autograd(squash, seed):
    weight, drives, start = net(seed, size=4)
    xs = clipping.states(weight, drives, start, squash)
    wanted = torch.autograd.functional.jacobian(
        lambda x: clipping.states(weight, drives, x, squash)[-1], start
    )
    torch.testing.assert_close(clipping.products(weight, xs, squash)[-1], wanted)


@FEW
@given(SEEDS, st.floats(0.3, 8))
@pytest.mark.parametrize("kind", clipping.KINDS)
@pytest.mark.parametrize("squash", clipping.SQUASHES, ids=lambda s: s.name)
def test_the_gradient_lies_between_both_bounds(squash, kind, seed, largest):
    weight, drives, start = net(seed, kind, largest)
    xs = clipping.states(weight, drives, start, squash)
    norms = lstm.norms(clipping.products(weight, xs, squash))
    upper = clipping.upper_bound(weight, 20, squash.gamma)
    lower = clipping.lower_bound(weight, xs, squash)
    assert bool((norms <= upper * (1 + 1e-9)).all())
    assert bool((norms >= lower * (1 - 1e-9)).all())


def test_the_lower_bound_is_the_root_of_the_determinant():
    weight, drives, start = net(3)
    xs = clipping.states(weight, drives, start)
    wanted = torch.linalg.det(clipping.products(weight, xs)).abs() ** (1 / 6)
    torch.testing.assert_close(clipping.lower_bound(weight, xs), wanted)


@FEW
@given(SEEDS, st.floats(0.2, 5))
def test_both_bounds_meet_for_a_linear_rotation(seed, largest):
    weight, drives, start = net(seed, "rotation", largest)
    xs = clipping.states(weight, drives, start, clipping.LINEAR)
    torch.testing.assert_close(
        clipping.lower_bound(weight, xs, clipping.LINEAR), clipping.upper_bound(weight, 20)
    )


@pytest.mark.parametrize("squash", clipping.SQUASHES, ids=lambda s: s.name)
def test_the_slope_is_the_derivative_and_gamma_its_maximum(squash):
    x = torch.linspace(-6, 6, 401, dtype=DOUBLE, requires_grad=True)
    (slope,) = torch.autograd.grad(squash.function(x).sum(), x)
    torch.testing.assert_close(squash.slope(x.detach()), slope)
    assert slope.max().item() == pytest.approx(squash.gamma)


@FEW
@given(st.floats(0.3, 4), st.floats(0, 90), st.floats(0, 1))
def test_the_two_unit_net_follows_its_closed_form(largest, degrees, slope):
    slopes = torch.tensor([1.0, slope], dtype=DOUBLE)
    weight = clipping.tilted(largest, degrees)
    torch.testing.assert_close(
        clipping.held_norms(weight, slopes, 12),
        clipping.tilted_norms(largest, degrees, slopes, 12),
        rtol=1e-7,
        atol=1e-9,
    )


@FEW
@given(st.floats(0.3, 4), st.floats(0, 90))
def test_the_angle_sets_the_eigenvalue_and_leaves_the_singular_value(largest, degrees):
    weight = clipping.tilted(largest, degrees)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(largest)
    cosine = math.cos(math.radians(degrees))
    assert lstm.spectral_radius(weight).item() == pytest.approx(largest * cosine, abs=1e-6)


@FEW
@given(SEEDS)
def test_a_held_state_stays(seed):
    weight, _, _ = net(seed, largest=0.9)
    state = torch.randn(6, generator=seeded(seed), dtype=DOUBLE)
    drive = clipping.hold_at(weight, state)
    xs = clipping.states(weight, drive.expand(30, 6), state)
    torch.testing.assert_close(xs, state.expand(31, 6))


def test_one_way_weights_forget_after_as_many_steps_as_units():
    weight, drives, start = net(1, "one-way", 3.0)
    xs = clipping.states(weight, drives, start)
    assert clipping.products(weight, xs)[6:].abs().max() == 0
    assert not clipping.vanishes_for_sure(weight)


# The cliff

POINTS = st.tuples(st.floats(-3.9, 6.5), st.floats(-4, 1))


@FEW
@given(POINTS)
def test_the_gradient_carried_forward_is_autograds(point):
    at = torch.tensor(point, dtype=DOUBLE, requires_grad=True)
    (wanted,) = torch.autograd.grad(cliff.error(at[0], at[1], 20), at)
    torch.testing.assert_close(cliff.gradient(at.detach(), 20)[1], wanted, rtol=1e-6, atol=1e-9)


def test_the_surface_passes_gradcheck():
    at = torch.tensor([[3.0, -1.0], [2.0, -2.0]], dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: cliff.error(p[:, 0], p[:, 1], 10), (at,))


@FEW
@given(st.floats(0, 6))
def test_on_the_wall_the_slope_is_a_geometric_sum(weight):
    w = torch.tensor(weight, dtype=DOUBLE)
    x, by = cliff.slopes(w, cliff.wall(w))
    assert x.item() == pytest.approx(0.5, abs=1e-6)
    assert by[1].item() == pytest.approx(cliff.wall_slope(w).item(), rel=1e-5)
    assert by[0].item() == pytest.approx(by[1].item() * torch.sigmoid(x).item(), rel=1e-5)


@FEW
@given(st.floats(0, 3.99), st.floats(-6, 6))
def test_left_of_four_there_is_no_cliff(weight, bias):
    _, by = cliff.slopes(torch.tensor(weight).double(), torch.tensor(bias).double())
    assert by.abs().max().item() <= 1 / (1 - weight / 4) + 1e-9


def test_a_walk_never_clipped_is_torchs_gradient_descent():
    walk = cliff.descend((3.0, -2.0), 0.2, torch.tensor(INFINITE), steps=15)
    at = nn.Parameter(torch.tensor([3.0, -2.0], dtype=DOUBLE))
    stepper = torch.optim.SGD([at], lr=0.2)
    for _ in range(15):
        stepper.zero_grad()
        cliff.error(at[0], at[1]).backward()
        stepper.step()
    torch.testing.assert_close(walk.points[-1], at.detach())


@FEW
@given(st.floats(0.01, 5), st.floats(0.05, 2))
def test_no_clipped_step_is_longer_than_rate_times_threshold(threshold, rate):
    walk = cliff.descend((4.5, -3.0), rate, torch.tensor([threshold]), steps=40)
    longest = walk.points.diff(dim=0).norm(dim=-1).max().item()
    assert longest <= rate * threshold * (1 + 1e-6)


# Clipping


def some(seed: int, scale: float = 1.0) -> list[Tensor]:
    source = seeded(seed)
    return [scale * torch.randn(n, 3, generator=source, dtype=DOUBLE) for n in (1, 4, 2)]


def given_to(gradients: list[Tensor]) -> list[nn.Parameter]:
    parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    return parameters


@FEW
@given(SEEDS, st.floats(0.1, 20))
def test_by_norm_equals_torch_up_to_its_epsilon(seed, threshold):
    gradients = some(seed)
    parameters = given_to(gradients)
    total = clip_grad_norm_(parameters, threshold)
    torch.testing.assert_close(total, rules.norm(gradients))
    for mine, parameter in zip(rules.by_norm(gradients, threshold), parameters, strict=True):
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-5, atol=1e-9)


@FEW
@given(SEEDS, st.floats(0.1, 3))
def test_by_value_equals_torch(seed, limit):
    gradients = some(seed)
    parameters = given_to(gradients)
    clip_grad_value_(parameters, limit)
    for mine, parameter in zip(rules.by_value(gradients, limit), parameters, strict=True):
        assert torch.equal(mine, parameter.grad)


@FEW
@given(SEEDS, st.floats(0.01, 50), st.floats(0.01, 10))
def test_by_norm_keeps_the_direction_bounds_the_length_and_is_idempotent(seed, threshold, scale):
    gradients = some(seed, scale)
    cut = rules.by_norm(gradients, threshold)
    assert rules.turned(gradients, cut).item() < 1e-6
    assert rules.norm(cut).item() <= threshold * (1 + 1e-12)
    for once, twice in zip(cut, rules.by_norm(cut, threshold), strict=True):
        torch.testing.assert_close(once, twice)


@FEW
@given(SEEDS, st.floats(0.001, 10), st.integers(1, 40), st.floats(0, 3))
def test_by_value_turns_less_than_the_bound(seed, limit, count, spread):
    gradient = torch.randn(count, generator=seeded(seed), dtype=DOUBLE)
    gradient = gradient.sign() * (spread * gradient).exp()
    angle = rules.turned([gradient], rules.by_value([gradient], limit)).item()
    assert angle <= rules.largest_turn(count) + 1e-9


def test_the_bound_on_the_turn_is_approached():
    gradient = torch.ones(9, dtype=DOUBLE)
    gradient[0] = 1e9
    angle = rules.turned([gradient], rules.by_value([gradient], 1.0)).item()
    assert angle == pytest.approx(rules.largest_turn(9), abs=1e-6)


@FEW
@given(SEEDS)
def test_an_edit_by_hook_is_the_edit_of_the_gradient(seed):
    x = torch.randn(8, 3, generator=seeded(seed))
    layer = nn.Linear(3, 2)
    layer(x).square().sum().backward()
    raw = [parameter.grad.clone() for parameter in layer.parameters()]
    for edit in (rules.clipped(0.5), rules.normalised, rules.centralised):
        layer.zero_grad()
        with rules.edited(layer.parameters(), edit):
            layer(x).square().sum().backward()
        for parameter, gradient in zip(layer.parameters(), raw, strict=True):
            torch.testing.assert_close(parameter.grad, edit(gradient))
    layer.zero_grad()
    layer(x).square().sum().backward()
    assert all(torch.equal(p.grad, g) for p, g in zip(layer.parameters(), raw, strict=True))


def test_clipping_each_tensor_alone_turns_the_whole_gradient():
    gradients = some(0)
    alone = [rules.clipped(0.5)(gradient) for gradient in gradients]
    assert rules.turned(gradients, alone).item() > 5


def test_centralised_is_a_projection_and_leaves_vectors():
    gradient = torch.randn(4, 3, 2, 2, generator=seeded(0), dtype=DOUBLE)
    once = rules.centralised(gradient)
    assert once.flatten(1).sum(1).abs().max() < 1e-12
    torch.testing.assert_close(rules.centralised(once), once)
    assert torch.equal(rules.centralised(gradient[0, 0, 0]), gradient[0, 0, 0])


def test_a_gradient_of_zero_stays_zero():
    zero = torch.zeros(3)
    assert torch.equal(rules.normalised(zero), zero)
    assert torch.equal(rules.by_norm([zero], 1.0)[0], zero)


# A rate for each layer


def bowl(x: Tensor) -> Tensor:
    return (torch.tensor([1.0, 4.0], dtype=DOUBLE) * x.square()).sum() / 2 + x.prod().sin()


POINT = torch.tensor([1.5, -0.7], dtype=DOUBLE)


@FEW
@given(st.floats(0.2, 4))
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_sees_the_square_of_the_scale(momentum, scale):
    def sgd(rate):
        return lambda p: torch.optim.SGD(p, lr=rate, momentum=momentum)

    scaled = rules.path(sgd(0.01), bowl, POINT, steps=10, scale=scale)
    torch.testing.assert_close(scaled, rules.path(sgd(0.01 * scale**2), bowl, POINT, steps=10))


@FEW
@given(st.floats(0.2, 4))
def test_adam_sees_the_scale_itself(scale):
    def adam(rate, eps):
        return lambda p: torch.optim.Adam(p, lr=rate, eps=eps)

    scaled = rules.path(adam(0.01, 1e-8), bowl, POINT, steps=10, scale=scale)
    plain = rules.path(adam(0.01 * scale, 1e-8 / scale), bowl, POINT, steps=10)
    torch.testing.assert_close(scaled, plain)


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_layers_rate_equals_a_parameter_group(adaptive):
    make = torch.optim.Adam if adaptive else torch.optim.SGD
    nets = []
    for scaled in (True, False):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        groups = [{"params": list(model[0].parameters()), "lr": 0.09}]
        groups += [{"params": list(model[2].parameters()), "lr": 0.01}]
        if scaled:
            rules.layer_rate(model[0], 9.0, adaptive=adaptive)
            groups = [{"params": list(model.parameters()), "lr": 0.01}]
        nets.append((model, make(groups)))
    x = torch.randn(16, 3, generator=seeded(0), dtype=DOUBLE)
    for model, stepper in nets:
        for _ in range(20):
            stepper.zero_grad()
            (model(x) - x.sum(1, keepdim=True)).square().mean().backward()
            stepper.step()
    torch.testing.assert_close(nets[0][0](x), nets[1][0](x), rtol=1e-6, atol=1e-6)


def test_decoupled_weight_decay_does_not_see_the_scale():
    def still(p):
        return torch.optim.AdamW(p, lr=0.1, weight_decay=0.5)

    for scale in (1.0, 3.0):
        end = rules.path(still, lambda x: 0 * x.sum(), POINT, steps=1, scale=scale)[-1]
        torch.testing.assert_close(end, 0.95 * POINT)


# Training


def arms(*thresholds: float) -> list[training.Arm]:
    return [training.Arm(0, 0.5, threshold) for threshold in thresholds]


TEXT = torch.randint(96, (400,), generator=seeded(0))


def test_models_equal_a_loop_of_matrix_products():
    models = training.Models(arms(INFINITE, 1.0))
    table, recurrent, bias, readout, offset = (p[1] for p in models.parameters)
    x = TEXT[:6]
    hidden = torch.zeros(1, training.HIDDEN)
    for now in x:
        hidden = torch.tanh(hidden @ recurrent + table[now] + bias)
    wanted = hidden @ readout + offset
    scores = models.scores(x[None, :, None].expand(2, -1, -1))[1, -1]
    torch.testing.assert_close(scores, wanted[0], rtol=1e-4, atol=1e-5)


def test_many_arms_are_the_same_runs_one_after_another():
    both = arms(INFINITE, 0.1)
    together = list(training.train(models := training.Models(both), both, TEXT, total=4))
    for place, arm in enumerate(both):
        alone = list(training.train(single := training.Models([arm]), [arm], TEXT, total=4))
        torch.testing.assert_close(together[-1].losses[place], alone[-1].losses[0])
        for p, q in zip(models.parameters, single.parameters, strict=True):
            torch.testing.assert_close(p[place], q[0])


def test_one_clipped_update_is_torchs():
    arm = arms(0.1)
    ours, theirs = training.Models(arm), training.Models(arm)
    update = next(training.train(ours, arm, TEXT, total=1))
    text = training.stretches(TEXT, [seeded(10_000)])
    theirs.losses(text).sum().backward()
    length = clip_grad_norm_(theirs.parameters, 0.1)
    torch.optim.SGD(theirs.parameters, lr=0.5).step()
    torch.testing.assert_close(update.norms[0], length)
    for p, q in zip(ours.parameters, theirs.parameters, strict=True):
        torch.testing.assert_close(p, q)


def test_an_arm_that_breaks_stays_and_the_others_go_on():
    both = [training.Arm(0, 1.0, 1.0), training.Arm(0, 1.0, 1.0)]
    models = training.Models(both)
    models.parameters[4].data[0] = math.nan
    before = models.parameters[1].detach().clone()
    list(training.train(models, both, TEXT, total=2))
    assert torch.equal(models.parameters[1][0], before[0])
    assert not torch.equal(models.parameters[1][1], before[1])
    assert bool(models.parameters[1].isfinite().all())


def test_recurrent_weights_start_at_about_twice_the_gain():
    models = training.Models([training.Arm(s, 1.0, gain=g) for s in range(3) for g in (0.4, 1.8)])
    ratio = models.singular() / torch.tensor([0.4, 1.8] * 3)
    assert bool(((ratio > 1.8) & (ratio < 2.1)).all())


# Bad input


@pytest.mark.parametrize(
    "call",
    [
        lambda: clipping.states(torch.ones(2, 3), torch.ones(1, 2), torch.ones(2)),
        lambda: clipping.states(torch.eye(2), torch.ones(1, 3), torch.ones(2)),
        lambda: clipping.hold_at(torch.ones(2, 3), torch.ones(3)),
        lambda: clipping.products(torch.eye(2), torch.ones(3, 1)),
        lambda: clipping.upper_bound(torch.ones(3), 2),
        lambda: clipping.lower_bound(torch.ones(2, 1), torch.ones(3, 1)),
        lambda: clipping.vanishes_for_sure(torch.ones(2)),
        lambda: clipping.with_largest("round", 3, 1.0, seeded(0)),
        lambda: clipping.with_largest("random", 3, 0.0, seeded(0)),
        lambda: clipping.tilted(-1.0, 0.0),
        lambda: clipping.held_norms(torch.ones(2, 3), torch.ones(3), 2),
        lambda: cliff.final_state(torch.ones(1), torch.ones(1), -1),
        lambda: cliff.descend((1.0, 1.0), 0.0, torch.ones(1)),
        lambda: cliff.descend((1.0, 1.0), 1.0, torch.zeros(1)),
        lambda: rules.norm([]),
        lambda: rules.by_norm([torch.ones(1)], 0.0),
        lambda: rules.by_value([torch.ones(1)], math.nan),
        lambda: rules.turned([torch.ones(1)], [torch.zeros(1)]),
        lambda: rules.largest_turn(0),
        lambda: rules.threshold_rule(torch.tensor([1.0, INFINITE])),
        lambda: rules.threshold_rule(torch.ones(2), factor=-1.0),
        lambda: rules.clipped(0.0),
        lambda: rules.Scaled(0.0),
        lambda: rules.layer_rate(nn.Linear(1, 1), -1.0, adaptive=True),
        lambda: rules.path(torch.optim.SGD, bowl, POINT, steps=-1),
        lambda: training.Arm(0, 0.0),
        lambda: training.Models([]),
        lambda: next(training.train(training.Models(arms(1.0)), arms(1.0), TEXT[:20])),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(call):
    with pytest.raises(ValueError, match="expected"):
        call()


# The chapter's receipts, broken


def changed(monkeypatch, module, name: str, change) -> None:
    original = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(original(*a, **k)))


def test_receipts_hold(monkeypatch):
    assert_holds("clipping", "test_receipt_counterexamples", monkeypatch)


def test_receipt_bounds(monkeypatch):
    changed(monkeypatch, clipping, "upper_bound", lambda bound: 0.5 * bound)
    changed(monkeypatch, clipping, "lower_bound", lambda bound: 2 * bound)
    assert_breaks("clipping", "test_receipt_bounds", monkeypatch)


def test_receipt_linear(monkeypatch):
    changed(monkeypatch, lstm, "spectral_radius", lambda radius: 1.02 * radius)
    assert_breaks("clipping", "test_receipt_linear", monkeypatch)


def test_receipt_counterexamples(monkeypatch):
    monkeypatch.setattr(clipping, "tilted", lambda largest, _: largest * torch.eye(2).double())
    assert_breaks("clipping", "test_receipt_counterexamples", monkeypatch)


def test_receipt_cliff(monkeypatch):
    changed(monkeypatch, cliff, "gradient", lambda found: (found[0], 1.01 * found[1]))
    assert_breaks("clipping", "test_receipt_cliff", monkeypatch)


def test_receipt_tame(monkeypatch):
    changed(monkeypatch, cliff, "slopes", lambda found: (found[0], 10 * found[1]))
    assert_breaks("clipping", "test_receipt_tame", monkeypatch)


def test_receipt_wall(monkeypatch):
    changed(monkeypatch, cliff, "wall", lambda b: b + 0.01)
    assert_breaks("clipping", "test_receipt_wall", monkeypatch)


def test_receipt_curvature(monkeypatch):
    changed(monkeypatch, cliff, "wall", lambda b: b + 0.5)
    assert_breaks("clipping", "test_receipt_curvature", monkeypatch)


def test_receipt_torch(monkeypatch):
    changed(monkeypatch, rules, "by_norm", lambda cut: [1.01 * g for g in cut])
    changed(monkeypatch, rules, "by_value", lambda cut: [1.01 * g for g in cut])
    assert_breaks("clipping", "test_receipt_torch", monkeypatch)


def test_receipt_direction(monkeypatch):
    changed(monkeypatch, rules, "turned", lambda degrees: 0.9 * degrees + 1)
    assert_breaks("clipping", "test_receipt_direction", monkeypatch)


def test_receipt_descents(monkeypatch):
    original = cliff.descend
    monkeypatch.setattr(
        cliff, "descend", lambda start, rate, limits, steps: original(start, rate, 1e9 * limits)
    )
    assert_breaks("clipping", "test_receipt_descents", monkeypatch)


def test_receipt_penalty(monkeypatch):
    changed(monkeypatch, penalty, "penalty", lambda omega: omega + 1e-3)
    assert_breaks("clipping", "test_receipt_penalty", monkeypatch)


def test_receipt_recall(monkeypatch):
    original = penalty.recall

    def swapped(task, seeds):  # who should forget remembers, and the other way round
        forgets = task.largest < 1 and task.strength == 0
        return original(replace(task, largest=2.0 if forgets else 0.9, strength=0.0), seeds)

    monkeypatch.setattr(penalty, "recall", swapped)
    assert_breaks("clipping", "test_receipt_recall", monkeypatch)


@pytest.fixture
def one_walk(monkeypatch):
    """Chapter cells after the descents, without their two hundred walks or their nets."""
    recall = penalty.recall
    monkeypatch.setattr(penalty, "recall", lambda task, seeds: recall(BRIEF, seeds))
    original = cliff.descend
    monkeypatch.setattr(
        cliff, "descend", lambda start, rate, limits, steps: original(start, rate, limits, steps=1)
    )


def test_receipt_rates(monkeypatch, one_walk):
    original = rules.path
    monkeypatch.setattr(rules, "path", lambda *a, scale=1.0, **k: original(*a, scale=scale**2, **k))
    assert_breaks("clipping", "test_receipt_rates", monkeypatch)


def test_receipt_layer(monkeypatch, one_walk):
    original = rules.layer_rate
    monkeypatch.setattr(
        rules, "layer_rate", lambda layer, factor, adaptive: original(layer, factor, adaptive=True)
    )
    assert_breaks("clipping", "test_receipt_layer", monkeypatch)


def test_receipt_edits(monkeypatch, one_walk):
    monkeypatch.setattr(rules, "centralised", lambda gradient: gradient)
    monkeypatch.setattr(rules, "normalised", lambda gradient: gradient)
    assert_breaks("clipping", "test_receipt_edits", monkeypatch)


@pytest.fixture
def no_training(monkeypatch, one_walk):
    """The chapter's live runs, replaced by what they come to when nothing explodes."""

    def calm(arms, total=0):
        both = torch.full((2,), 4.5)
        singular = torch.full((2, 2), 3.6)
        return training.Outcome(arms, both, both, both, torch.zeros(2), singular)

    monkeypatch.setattr(training, "average_norm", lambda seed: 0.6)
    monkeypatch.setattr(training, "outcome", calm)


def altered_rows(monkeypatch, change) -> None:
    changed(
        monkeypatch,
        studies,
        "load",
        lambda found: replace(found, rows=tuple({**row, **change(row)} for row in found.rows)),
    )


def test_receipt_study(monkeypatch, no_training):
    altered_rows(monkeypatch, lambda row: {"bits": 3.6, "diverged": False})
    assert_breaks("clipping", "test_receipt_study", monkeypatch)


def test_receipt_live(monkeypatch, no_training):
    assert_breaks("clipping", "test_receipt_live", monkeypatch)


def test_receipt_rule(monkeypatch, no_training):
    altered_rows(monkeypatch, lambda row: {"bits": row["bits"] + row["rate"], "diverged": True})
    assert_breaks("clipping", "test_receipt_rule", monkeypatch)
