"""Laws of `genbook.invertible.flows`."""

from __future__ import annotations

import math

import pytest
import torch
from invertible.given import normal, seeded

from genbook.invertible import flows, traces
from genbook.kit.training import NonFiniteLoss


@pytest.fixture(scope="module")
def net():
    return flows.in_double(flows.IResNet(3, 16, 4, seeded(), c=0.9))


def jacobians(function, x):
    return torch.stack([torch.autograd.functional.jacobian(function, row) for row in x])


def test_a_block_knows_its_jacobian(net):
    x, weights = normal(5, 3), net.weights()
    at = net.straight(x, 1, weights)
    by_torch = jacobians(lambda row: net.straight(row[None], 1, weights).value[0], x)
    torch.testing.assert_close(at.jacobian(), by_torch.mT)
    v = normal(5, 2, 3, seed=1)
    torch.testing.assert_close(at.push(v), v @ at.jacobian())


def test_the_volume_is_the_whole_networks(net):
    x = normal(4, 3)
    _, volume = net(x)
    whole = jacobians(lambda row: net(row[None])[0][0], x)
    torch.testing.assert_close(volume, torch.linalg.slogdet(whole).logabsdet)


def test_no_branch_is_longer_than_c(net):
    for weights in net.weights():
        norms = [torch.linalg.matrix_norm(w, 2) for w in weights]
        assert math.prod(norms) <= 0.9 + 1e-9
    a, b = 3 * normal(200, 3), 3 * normal(200, 3, seed=1)
    far = net.straight(a, 0, net.weights()).value - net.straight(b, 0, net.weights()).value
    assert (far.norm(dim=1) <= 0.9 * (a - b).norm(dim=1)).all()


def test_short_weights_are_let_be():
    net = flows.in_double(flows.IResNet(2, 4, 1, seeded()))
    with torch.no_grad():
        for weight in net.maps:
            weight.mul_(0.01)
    for kept, weight in zip(net.weights()[0], net.maps, strict=True):
        assert torch.equal(kept, weight[0])


def test_the_way_back_undoes_the_network_and_its_blocks_in_turn(net):
    x = 2 * normal(50, 3)
    torch.testing.assert_close(net.inverse(net(x)[0], 400), x, atol=1e-9, rtol=0)


def test_training_keeps_its_vectors_and_judging_leaves_them():
    net = flows.IResNet(2, 8, 1, seeded())
    with torch.no_grad():
        net.maps[0].copy_(torch.randn(net.maps[0].shape, generator=seeded(3)))
    before = net.u0.clone()
    net.eval().weights()
    assert torch.equal(net.u0, before)
    net.train().weights()
    assert not torch.equal(net.u0, before)


def test_rules_agree_where_the_series_converges(net):
    at = net.straight(normal(6, 3), 0, net.weights())
    exact = flows.exact(at)
    torch.testing.assert_close(flows.truncated(300)(at), exact)
    coins = torch.stack([flows.truncated(5, seeded(k))(at) for k in range(2_000)])
    mean, expected = coins.mean(0), flows.truncated(5)(at)
    assert ((mean - expected).abs() <= 5 * coins.std(0) / math.sqrt(2_000)).all()
    assert torch.equal(coins[0], flows.truncated(5, seeded(0))(at))


def test_the_rules_gradient_is_the_exact_ones():
    net = flows.in_double(flows.IResNet(2, 8, 2, seeded(), c=0.5))
    x = normal(20, 2)
    slopes = [
        torch.autograd.grad(net.log_prob(x, rule).sum(), list(net.parameters()))
        for rule in (flows.exact, flows.truncated(80))
    ]
    for ours, theirs in zip(*slopes, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-7)


def test_a_network_of_zeros_is_a_standard_normal():
    net = flows.IResNet(2, 4, 3, seeded()).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    x = normal(5, 2).float()
    normal_of = torch.distributions.Normal(0, 1)
    torch.testing.assert_close(net.log_prob(x), normal_of.log_prob(x).sum(1))
    assert flows.mass(net, flows.exact) == pytest.approx(1, abs=1e-4)


def test_training_lowers_the_cost_and_stops_where_it_is_no_number():
    net, drawing = flows.IResNet(2, 16, 4, seeded()), seeded(1)
    run = flows.train(net, lambda n: flows.roll(n, drawing), steps=60)
    costs = [step.terms["nll"] for step in run]
    assert sum(costs[-10:]) < sum(costs[:10])
    with pytest.raises(NonFiniteLoss, match="nll"):
        list(flows.train(net, lambda n: torch.full((n, 2), torch.nan), steps=1))


def test_a_copy_in_double_precision_leaves_the_network():
    net = flows.on_a_roll(flows.exact, seed=1, steps=2)
    sharp = flows.in_double(net)
    x = flows.roll(9, seeded(2))
    torch.testing.assert_close(sharp(x.double())[0].float(), net(x)[0])
    assert net.maps[0].dtype is torch.float32


@pytest.mark.parametrize(("width", "c"), [(0, 0.9), (4, 0.0)])
def test_what_does_not_fit_is_refused(width, c):
    with pytest.raises(ValueError, match="sizes ≥ 1 and c > 0"):
        flows.IResNet(2, width, 1, seeded(), c=c)


def test_the_series_of_a_block_is_the_series_of_its_jacobian(net):
    at = net.straight(normal(3, 3), 2, net.weights())
    j = at.jacobian()
    by_hand = traces.log_det_series(lambda v: v @ j, traces.every(3, j).expand(3, 3, 3), 5)
    torch.testing.assert_close(flows.truncated(5)(at), by_hand)
