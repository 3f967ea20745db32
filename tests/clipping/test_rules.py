"""Laws of `genbook.clipping.rules`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from genbook.clipping import rules
from genbook.kit.device import seeded
from tests.clipping.given import DOUBLE, FEW, POINT, SEEDS, bowl

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
