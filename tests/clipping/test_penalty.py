"""Laws of `genbook.clipping.penalty`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given

from genbook.clipping import penalty
from genbook.kit.seeds import Streams
from tests.clipping.given import DOUBLE, FEW, SEEDS, walk

SMALL = penalty.Recall(steps=4, hidden=5, batch=3, updates=3, strength=0.1)


@FEW
@given(SEEDS)
def test_ratios_obey_the_bound_of_the_chapter(seed):
    weight, xs, errors = walk(seed)
    assert penalty.ratios(weight, xs, torch.stack(errors[1:])).max() <= 1.3 * (1 + 1e-12)


@FEW
@given(SEEDS)
def test_the_gradient_is_the_closed_form_with_states_and_errors_held(seed):
    weight, xs, errors = walk(seed)
    back = torch.stack(errors[1:])
    (found,) = torch.autograd.grad(
        penalty.penalty(weight.requires_grad_(), xs, back), weight, create_graph=False
    )
    wanted = torch.zeros_like(found)
    for x, error in zip(xs, back, strict=True):
        slope = torch.cosh(x) ** -2
        arrived = (error @ weight.detach()) * slope
        ratio = arrived.norm() / error.norm()
        wanted += (
            2 * (ratio - 1) * torch.outer(error, arrived * slope) / (arrived.norm() * error.norm())
        )
    torch.testing.assert_close(found, wanted)


def test_the_gradient_passes_gradcheck():
    weight, xs, errors = walk(0)
    assert torch.autograd.gradcheck(
        lambda w: penalty.penalty(w, xs, torch.stack(errors[1:])), weight.requires_grad_()
    )


def test_lengths_far_below_single_precision_keep_their_direction():
    tiny = torch.full((2, 3), 1e-100, dtype=DOUBLE)
    found = penalty.ratios(2 * torch.eye(3, dtype=DOUBLE), torch.zeros(2, 3).double(), tiny)
    torch.testing.assert_close(found, torch.full((2,), 2.0, dtype=DOUBLE))


def test_seeds_together_are_the_same_runs_one_after_another():
    together = list(penalty.recall(SMALL, Streams([3, 4], dtype=DOUBLE)))
    for place, seed in enumerate((3, 4)):
        alone = list(penalty.recall(SMALL, Streams([seed], dtype=DOUBLE)))
        for one, both in zip(alone, together, strict=True):
            for name in ("losses", "penalties", "reach"):
                torch.testing.assert_close(getattr(one, name)[0], getattr(both, name)[place])


def test_the_first_loss_does_not_know_the_penalty_and_the_next_does():
    with_it, without = (
        list(penalty.recall(penalty.Recall(steps=4, hidden=5, updates=2, strength=a), Streams([0])))
        for a in (0.5, 0.0)
    )
    assert torch.equal(with_it[0].losses, without[0].losses)
    assert not torch.equal(with_it[1].losses, without[1].losses)


def test_an_update_is_no_longer_than_rate_times_threshold():
    weights = [torch.zeros(2, 3, 3), torch.zeros(2, 3), torch.zeros(2, 3)]
    gradients = [1e3 * torch.ones_like(weight) for weight in weights]
    task = penalty.Recall(rate=0.2, threshold=0.5)
    penalty._descend(weights, gradients, task)
    moved = torch.stack([w.flatten(1).square().sum(1) for w in weights]).sum(0).sqrt()
    torch.testing.assert_close(moved, torch.full((2,), 0.1))


def test_a_reach_of_one_means_that_nothing_was_lost():
    step = next(penalty.recall(penalty.Recall(steps=1, updates=1), Streams([0])))
    assert step.reach.item() == pytest.approx(1.0)
    assert math.isfinite(step.terms["loss"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: penalty.ratios(torch.eye(2), torch.ones(3, 2), torch.ones(2, 2)),
        lambda: penalty.ratios(torch.eye(2), torch.ones(3, 4), torch.ones(3, 4)),
        lambda: penalty.ratios(torch.eye(2), torch.ones(3, 2), torch.zeros(3, 2)),
        lambda: penalty.Recall(steps=0),
        lambda: penalty.Recall(rate=0.0),
        lambda: penalty.Recall(strength=-1.0),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(call):
    with pytest.raises(ValueError, match="expected"):
        call()
