"""Traced programs are the functions they were traced from; what a page cannot do is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves

from genbook.kit.machine import UnknownOperation, javascript, noise, trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel, Slider, Twin
from genbook.kit.machine.rewrites import rewritten


def double(x):
    return 2 * x


def penalised(weights, x):
    weights = [w.detach().requires_grad_() for w in weights]
    x = x.detach().requires_grad_()
    out = torch.tanh(x @ weights[0]) @ weights[1]
    (slope,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    loss = out.mean() + ((slope.norm(dim=1) - 1) ** 2).mean()
    return torch.autograd.grad(loss, weights), loss


def lstm_step(weights, x, h, c):
    i, f, g, o = (x @ weights[0] + h @ weights[1] + weights[2]).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


CASES = {
    "a penalty on a slope, with its double backward": (
        penalised,
        lambda: ([torch.randn(3, 8), torch.randn(8, 1)], torch.randn(5, 3)),
    ),
    "a step of an LSTM": (
        lambda *a: lstm_step(*a),
        lambda: (
            [torch.randn(3, 16), torch.randn(4, 16), torch.randn(16)],
            torch.randn(2, 3),
            torch.randn(2, 4),
            torch.randn(2, 4),
        ),
    ),
    "a change in place": (
        lambda x: functional.relu(x.clone().add_(1), inplace=True),
        lambda: (torch.randn(7),),
    ),
    "named results": (lambda x: {"sum": x.sum(), "rest": [x, x + 1]}, lambda: (torch.randn(3),)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_program_run_in_python_gives_what_the_function_gives_bit_for_bit(name):
    function, example = CASES[name]
    torch.manual_seed(0)
    program = trace(function, *example())
    for _ in range(3):
        given = example()
        ours, theirs = program.run(*given), function(*given)
        assert len(tree_leaves(ours)) == len(tree_leaves(theirs))
        for one, other in zip(tree_leaves(ours), tree_leaves(theirs), strict=True):
            assert torch.equal(one, other.detach())


def test_equal_calls_are_made_once_and_unused_ones_never():
    def wasteful(x):
        torch.exp(x)
        return torch.tanh(x) + torch.tanh(x)

    assert trace(wasteful, torch.zeros(2)).operations() == {"add": 1, "tanh": 1}


def test_one_tensor_given_twice_is_two_arguments():
    one = torch.zeros(3)
    program = trace(lambda x, y: x - y, one, one)
    assert program.run(torch.ones(3), 3 * torch.ones(3)).tolist() == [-2.0, -2.0, -2.0]


def test_other_tensors_than_those_traced_are_refused_before_any_work():
    program = trace(double, torch.zeros(3))
    with pytest.raises(ValueError, match=r"expected tensor 0 of shape \(3,\), got \(4,\)"):
        program.run(torch.zeros(4))
    with pytest.raises(ValueError, match="expected arguments laid out as"):
        program.run(torch.zeros(3), torch.zeros(3))
    with pytest.raises(ValueError, match="expected 1 tensors, got 0"):
        program.run_flat([])


@pytest.mark.parametrize(
    ("function", "example", "words"),
    [
        (double, 3.0, "expected tensors, got float as leaf 0"),
        (double, torch.zeros(2, dtype=torch.float64), "expected float32, int64 or bool"),
        (lambda x: x + torch.rand(2), torch.zeros(2), "is given its random numbers"),
        (lambda x: torch.bernoulli(x), torch.zeros(2), "is given its random numbers"),
        (lambda x: functional.dropout(x, 0.5), torch.ones(2), "is given its random numbers"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_a_remedy(function, example, words):
    with pytest.raises(ValueError, match=words):
        trace(function, example)


def test_an_operation_that_no_page_knows_is_named_with_its_shape_its_line_and_a_remedy():
    def odd(x):
        return torch.special.erfinv(x + 1)  # an inverse

    with pytest.raises(UnknownOperation) as caught:
        javascript(trace(odd, torch.eye(3)))
    for words in ("erfinv", "(3, 3)", "torch.special.erfinv(x + 1)  # an inverse", "add a rule"):
        assert words in str(caught.value)


def test_a_program_keeps_torchs_calls_and_only_the_page_gets_others():
    def first_row(x):
        return functional.layer_norm(x, (4,)).unbind()[0]

    program = trace(first_row, torch.ones(3, 4))
    assert {"native_layer_norm", "unbind"} <= set(program.operations())
    x = torch.randn(3, 4)
    assert torch.equal(program.run(x), first_row(x))
    others = rewritten(program, lambda call: call.name.split(".")[0] == "no")
    assert not {"native_layer_norm", "unbind"} & set(others.operations())
    torch.testing.assert_close(others.run(x), first_row(x))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: functional.max_pool2d(x, 2, return_indices=True)[1], "result 1 of a call"),
        (lambda x: functional.interpolate(x, size=(7, 7)), "expected a whole multiple of rows"),
        (lambda x: functional.avg_pool2d(x, 3, ceil_mode=True), "expected a pool with ceil_mode"),
        (lambda x: functional.conv3d(x[None], torch.ones(1, 1, 1, 2, 2)), "one or two axes"),
    ],
)
def test_a_case_that_no_rule_covers_is_refused_with_its_line(function, words):
    with pytest.raises(UnknownOperation, match=words) as caught:
        javascript(trace(function, torch.ones(1, 1, 4, 4)))
    assert "test_machine.py, line" in str(caught.value)


def test_a_chain_of_element_wise_calls_is_one_loop():
    text = javascript(trace(lambda x: torch.tanh(2 * x + 1).sum(), torch.zeros(50)))
    assert text.count("for(") == 1


def test_buffers_are_used_again():
    def deep(x, w):
        for _ in range(12):
            x = torch.tanh(x @ w)
        return x

    text = javascript(trace(deep, torch.zeros(4, 4), torch.zeros(4, 4)))
    assert text.count("new Float32Array") <= 5


# Random numbers


def test_threefry_gives_the_published_words():
    """Known answers of Random123 for 20 rounds."""
    whole = np.array([0xFFFFFFFF], np.uint32)
    first, second = noise.threefry(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, whole)
    assert (int(first[0]), int(second[0])) == (0x1CB996FC, 0xBB002BE7)
    digits = np.array([0x85A308D3], np.uint32)
    first, second = noise.threefry(0x13198A2E, 0x03707344, 0x243F6A88, digits)
    assert (int(first[0]), int(second[0])) == (0xC4923A9C, 0x483DF7A0)


def test_numbers_are_uniform_and_normal_and_streams_and_steps_have_their_own():
    drawn = noise.uniform(100_000, key=7, stream=1, step=0)
    assert 0 <= drawn.min() < drawn.max() < 1
    assert abs(drawn.mean() - 1 / 2) < 0.005
    assert abs(drawn.var() - 1 / 12) < 0.002
    bell = noise.normal(100_000, key=7, stream=1, step=0)
    assert abs(bell.mean()) < 0.02
    assert abs(bell.var() - 1) < 0.03
    assert abs((bell[::2] * bell[1::2]).mean()) < 0.02
    for other in ({"stream": 2, "step": 0}, {"stream": 1, "step": 1}):
        assert (noise.uniform(100, key=7, **other) != drawn[:100]).mean() > 0.9
    assert (noise.uniform(101, key=7, stream=1, step=0) == drawn[:101]).all()


# The twin


def counter():
    """A machine that adds a control to what it keeps, and shows the mean of the data."""

    def act(kept, step):
        return [kept[0] + step]

    def look(kept, points, count):
        return points.sum(0) / count, kept[0]

    kept = [torch.zeros(2)]
    return Machine(
        name="counter",
        groups={"kept": Group(((2,),), (0.0,))},
        acts=(
            Act(
                {"": trace(act, kept, torch.tensor(1.0))},
                ("kept", "control:size"),
                ("kept",),
                times="turns",
            ),
        ),
        view=Act(
            {"": trace(look, kept, torch.zeros(5, 2), torch.tensor(1.0))},
            ("kept", "data", "count"),
            ("mean", "shown"),
        ),
        controls=(Slider("size", "size", (0.5, 2.0)), Slider("turns", "turns", (1, 3))),
        data={"two": torch.tensor([[1.0, 2.0], [3.0, 6.0]])},
        most=5,
        panels=(
            Panel((0, 9), (0, 9), (Layer("points", "data", "--gb-data"),), Hand("points", "")),
        ),
        words="{shown}",
    )


def test_the_twin_obeys_its_controls_and_its_data():
    machine = counter()
    twin = Twin(machine, 1, {"size": 2.0, "turns": 3}, machine.data["two"])
    twin.step()
    twin.step()
    twin.look()
    assert twin.targets["shown"].tolist() == [12.0, 12.0]
    assert twin.targets["mean"].tolist() == [2.0, 4.0]


def test_a_group_begins_within_its_bounds_and_another_seed_begins_elsewhere():
    group = Group(((1000,), (3,)), (0.5, 0.0))
    machine = counter()
    parts = {**vars(machine), "groups": {"kept": group}}
    one, two = (Twin(Machine(**parts), seed, {}, torch.zeros(1, 2)) for seed in (1, 2))
    assert one.state["kept"][0].abs().max() <= 0.5
    assert one.state["kept"][0].abs().max() > 0.49
    assert one.state["kept"][1].tolist() == [0, 0, 0]
    assert not torch.equal(one.state["kept"][0], two.state["kept"][0])


def test_a_module_is_traced_with_weights_that_are_given():
    net = nn.Linear(3, 2)

    def call(weight, bias, x):
        return torch.func.functional_call(net, {"weight": weight, "bias": bias}, (x,))

    given = torch.randn(2, 3), torch.randn(2), torch.randn(4, 3)
    assert torch.equal(trace(call, *given).run(*given), call(*given))
