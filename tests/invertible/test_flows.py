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


@pytest.mark.parametrize("block", range(4))
def test_each_block_is_two_hidden_layers_with_its_own_weights(net, block):
    x = normal(5, 3)
    with torch.no_grad():
        a, b, c = (
            w / max(1, torch.linalg.matrix_norm(w, 2) / 0.9 ** (1 / 3))
            for w in (layer[block] for layer in net.maps)
        )
        p, q, r = (shift[block] for shift in net.shifts)
        elu = torch.nn.ELU()
        by_hand = elu(elu(x @ a + p) @ b + q) @ c + r
        found = net.straight(x, block, net.weights()).value
    torch.testing.assert_close(found, by_hand)


def test_blocks_follow_one_another_and_each_adds(net):
    x = normal(5, 3)
    by_hand = x
    for block in range(4):
        by_hand = by_hand + net.straight(by_hand, block, net.weights()).value
    torch.testing.assert_close(net(x)[0], by_hand)


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


def test_long_weights_leave_a_branch_of_the_length_allowed():
    net = flows.in_double(flows.IResNet(3, 8, 2, seeded(), c=0.8))
    with torch.no_grad():
        for weight in net.maps:
            weight.mul_(100)
    for weights in net.weights():
        norms = [torch.linalg.matrix_norm(w, 2).item() for w in weights]
        assert math.prod(norms) == pytest.approx(0.8)
        assert norms == pytest.approx([norms[0]] * 3)


def test_a_network_begins_with_weights_that_keep_variance_and_small_shifts():
    net = flows.IResNet(100, 400, 3, seeded())
    for weight in net.maps:
        assert weight.std().item() == pytest.approx(weight.shape[1] ** -0.5, rel=0.05)
    for shift in net.shifts:
        assert shift.std().item() == pytest.approx(0.1, rel=0.2)


def test_a_network_begins_with_vectors_that_see_nearly_the_whole_norm():
    net = flows.IResNet(16, 32, 3, seeded())
    for layer, weight in enumerate(net.maps):
        u = getattr(net, f"u{layer}")
        seen = (weight @ u).norm(dim=(1, 2)) / torch.linalg.matrix_norm(weight, 2)
        assert (seen > 0.97).all()


def test_how_far_kept_vectors_fall_behind_is_what_one_iteration_misses():
    """For W = diag(2, 1) and u ∝ (1, 1): σ̂² = (2⁴ + 1) / (2² + 1)."""
    net = flows.IResNet(2, 2, 2, seeded()).double()
    with torch.no_grad():
        net.maps[1][1] = torch.diag(torch.tensor([2.0, 1.0]))
        net.u1[1] = 0.5**0.5
    kept = net.u1.clone()
    found = flows.behind(net)
    assert found[1, 1].item() == pytest.approx(2 / math.sqrt(17 / 5))
    assert (found >= 1 - 1e-12).all()
    assert torch.equal(net.u1, kept)


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


def test_each_point_has_its_own_signs(net):
    x = normal(1, 3).expand(8, -1)
    at = net.straight(x, 0, net.weights())
    assert flows.truncated(5, seeded())(at).unique().numel() > 2
    assert flows.truncated(5)(at).diff().abs().max() < 1e-12


def test_signs_are_fair():
    """With J = [[0, 1], [0, 0]] one term is u₁u₂, whose mean is 0."""
    one = torch.ones(20_000, 1, 2, dtype=torch.float64)
    j = torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    at = flows.Straight(one[:, 0], (j, eye, eye), (one, one))
    found = flows.truncated(1, seeded())(at)
    assert set(found.tolist()) == {-1.0, 1.0}
    assert abs(found.mean().item()) < 5 / math.sqrt(20_000)


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


def trained_by_hand(net, draw, rule, steps, rate, batch):
    optimiser = torch.optim.Adam(net.parameters())
    told = []
    for k in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * math.cos(math.pi * k / steps / 2) ** 2
        net.zero_grad()
        cost = -net.log_prob(draw(batch), rule).sum() / batch
        cost.backward()
        optimiser.step()
        told.append(cost.item())
    return told


def test_training_is_adam_on_the_mean_cost_with_a_cosine():
    ours, theirs = (flows.IResNet(2, 6, 2, seeded()).double() for _ in range(2))
    one, two = seeded(1), seeded(1)
    steps = list(
        flows.train(ours, lambda n: flows.roll(n, one).double(), steps=5, rate=0.01, batch=32)
    )
    told = trained_by_hand(theirs, lambda n: flows.roll(n, two).double(), flows.exact, 5, 0.01, 32)
    assert [step.terms["nll"] for step in steps] == pytest.approx(told)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


@pytest.mark.parametrize("terms", [1, 5])
def test_a_roll_is_learned_by_the_rule_from_the_seeds_own_points(terms):
    rule = flows.truncated(terms)
    ours = flows.on_a_roll(rule, seed=3, steps=2)
    theirs, drawing = flows.IResNet(2, 32, 8, seeded(3)), seeded(flows.ROLLS.seed(3))
    trained_by_hand(theirs, lambda n: flows.roll(n, drawing), rule, 2, 5e-3, 256)
    assert not ours.training
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_a_roll_has_about_unit_deviation():
    assert flows.roll(20_000, seeded()).std(0).tolist() == pytest.approx([1, 1], abs=0.1)


def test_folds_are_the_lowest_real_parts_on_the_way():
    net = flows.in_double(flows.IResNet(3, 8, 3, seeded(4)))
    x = 2 * normal(6, 3)
    for point, found in zip(x, flows.folds(net, x), strict=True):
        lowest = 0.0
        for block in range(3):

            def value(row, k=block):
                return net.straight(row[None], k, net.weights()).value[0]

            j = torch.autograd.functional.jacobian(value, point)
            lowest = min(lowest, torch.linalg.eigvals(j).real.min().item())
            point = point + value(point)
        assert found.item() == pytest.approx(lowest)


def test_mass_is_counted_by_the_rule_that_is_given():
    net = flows.IResNet(2, 4, 2, seeded()).eval()

    def twice(at):  # as many times as there are blocks
        return flows.exact(at) + math.log(2) / 2

    assert flows.mass(net, twice) == pytest.approx(2 * flows.mass(net, flows.exact), rel=1e-4)
    half = flows.mass(net, flows.exact, edge=1.0)
    assert half < 0.9 * flows.mass(net, flows.exact)


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
    assert not sharp.training


@pytest.mark.parametrize(("width", "c"), [(0, 0.9), (4, 0.0)])
def test_what_does_not_fit_is_refused(width, c):
    with pytest.raises(ValueError, match="sizes ≥ 1 and c > 0"):
        flows.IResNet(2, width, 1, seeded(), c=c)


def test_the_series_of_a_block_is_the_series_of_its_jacobian(net):
    at = net.straight(normal(3, 3), 2, net.weights())
    j = at.jacobian()
    by_hand = traces.log_det_series(lambda v: v @ j, traces.every(3, j).expand(3, 3, 3), 5)
    torch.testing.assert_close(flows.truncated(5)(at), by_hand)
