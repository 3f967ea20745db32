"""The linear judge: its fit and what the theorem promises."""

from __future__ import annotations

import pytest
import torch

from genbook.adversarial import attacks, linear
from genbook.kit import data
from genbook.kit.device import seeded


@pytest.fixture(scope="module")
def threes_and_sevens():
    return linear.of_digits(data.digits("train", device="cpu"), 3, 7)


@pytest.mark.parametrize("decay", [1e-3, 1e-2])
def test_at_the_fit_the_slopes_in_weight_and_bias_are_zero(threes_and_sevens, decay):
    x, side = threes_and_sevens
    judge = linear.fitted(x, side, decay=decay)
    weight, bias = (part.clone().requires_grad_() for part in (judge.weight, judge.bias))
    cost = linear.Linear(weight, bias).loss(x, side).mean() + decay / 2 * weight.square().sum()
    for slope in torch.autograd.grad(cost, (weight, bias)):
        assert slope.abs().max() < 1e-9


def test_on_the_border_counts_as_wrong():
    weight, margins = torch.tensor([0.5, -0.5]), torch.tensor([0.9, 1.0, 1.1])
    assert linear.error_after(margins, weight, 1.0) == pytest.approx(2 / 3)


def test_the_error_after_is_that_of_the_attacked_inputs():
    source = seeded(0)
    x = torch.randn(300, 8, generator=source, dtype=torch.float64)
    w = torch.randn(8, generator=source, dtype=torch.float64)
    judge = linear.Linear(w, w.new_tensor(0.2))
    side = torch.where(judge.logit(x) + torch.randn(300, generator=source).double() > 0, 1.0, -1.0)
    side = side.double()
    for epsilon in (0.0, 0.05, 0.3):
        moved = attacks.sign_step(lambda z: judge.loss(z, side), x, epsilon)
        wrong = (judge.margin(moved, side) <= 0).double().mean()
        assert linear.error_after(judge.margin(x, side), w, epsilon) == wrong


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: linear.Linear(torch.zeros(2, 2), torch.tensor(0.0)), r"weight \[d\]"),
        (lambda: linear.fitted(torch.zeros(2, 1), torch.tensor([0.0, 1.0]), decay=0.1), "sides ±1"),
        (lambda: linear.fitted(torch.zeros(1, 1), torch.ones(1), decay=0.0), "decay > 0"),
        (lambda: linear.error_after(torch.zeros(1), torch.ones(1), -1.0), "ε ≥ 0"),
        (
            lambda: linear.of_digits(data.digits("test", device="cpu"), 3, 11),
            "of 3 and of 11",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
