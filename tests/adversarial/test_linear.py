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


def ten_judges(classes, d, inputs=30):
    source = seeded(2)
    weight = torch.randn(classes, d, generator=source, dtype=torch.float64)
    bias = torch.randn(classes, generator=source, dtype=torch.float64)
    x = torch.randn(inputs, d, generator=source, dtype=torch.float64)
    return weight, bias, x, torch.randint(0, classes, (inputs,), generator=source)


@pytest.mark.parametrize("epsilon", [0.0, 0.2, 1.0])
def test_no_corner_leaves_less_than_the_least_lead_and_one_leaves_that(epsilon):
    weight, bias, x, y = ten_judges(4, 7)
    everywhere = x[:, None] + epsilon * attacks.corners(7, like=x)
    logits = everywhere @ weight.T + bias
    own = torch.nn.functional.one_hot(y, 4).bool()[:, None]
    rivals = logits.masked_fill(own, -torch.inf).amax(2)
    leads = logits.gather(2, y[:, None, None].expand(-1, logits.shape[1], 1))[..., 0] - rivals
    found = linear.least_lead(weight, bias, x, y, epsilon)
    torch.testing.assert_close(found, leads.amin(1), atol=1e-12, rtol=0)


def test_a_signed_step_against_the_nearest_rival_leaves_the_least_lead():
    parts = ten_judges(10, 40)
    weight, bias, x, y = parts
    moved = attacks.sign_step(lambda z: -linear.least_lead(weight, bias, z, y, 0.3), x, 0.3)
    left = linear.least_lead(weight, bias, moved, y, 0.0)
    torch.testing.assert_close(left, linear.least_lead(*parts, 0.3), atol=1e-12, rtol=0)


def test_of_two_classes_the_least_lead_is_what_the_theorem_leaves_of_the_margin():
    weight, bias, x, y = ten_judges(2, 6)
    judge, side = linear.Linear(weight[1] - weight[0], bias[1] - bias[0]), 2.0 * y - 1
    left = judge.margin(x, side) - 0.4 * judge.weight.abs().sum()
    found = linear.least_lead(weight, bias, x, y, 0.4)
    torch.testing.assert_close(found, left, atol=1e-12, rtol=0)
    share = linear.error_after(judge.margin(x, side), judge.weight, 0.4)
    assert share == (found <= 0).double().mean()


def test_the_sides_are_the_digits_that_were_asked_for():
    images = data.digits("test", device="cpu")
    x, side = linear.of_digits(images, 3, 7)
    for digit, sign in ((3, -1), (7, 1)):
        torch.testing.assert_close(x[side == sign], images.flat[images.labels == digit].double())
    assert len(x) == int(((images.labels == 3) | (images.labels == 7)).sum())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: linear.least_lead(*ten_judges(1, 3), 0.1), "2 classes or more"),
        (lambda: linear.least_lead(*ten_judges(3, 3), -0.1), "ε ≥ 0"),
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
