"""The machine that attacks a painted digit: when it stops, and what its noise is."""

from __future__ import annotations

import pytest
import torch

from genbook.adversarial import attacks, machines, networks
from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin


@pytest.fixture(scope="module")
def machine():
    images = data.digits("train", device="cpu")
    nets = {}
    for name, epsilon in (("plain", 0.0), ("on signs", 0.1)):
        nets[name] = networks.Classifier([64, 16, 10], 0)
        options = {"steps": 200, "seed": 0, "epsilon": epsilon}
        for _ in networks.train(nets[name], images.flat, images.labels, **options):
            pass
    examples = {"first": images.flat[0], "second": images.flat[1]}
    return machines.falling(nets, (8, 8), examples)


def played(machine, steps, **settings):
    twin = Twin(machine, 1, {**machine.beginning(), **settings}, machine.data["first"])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def test_before_the_first_step_nothing_is_changed(machine):
    seen = played(machine, 0).targets
    assert torch.equal(seen["attacked"], machine.data["first"])
    assert torch.equal(seen["noisy"], machine.data["first"])
    assert seen["strength_now"] == 0


def test_it_stops_at_the_first_strength_that_fools(machine):
    long = played(machine, 45)
    steps = round(float(long.targets["strength_now"]) / 0.01)
    assert 0 < steps < 45
    assert long.targets["reads"] != long.targets["read"]
    before = played(machine, steps - 1).targets
    assert before["reads"] == before["read"]


def test_pixels_stay_in_range_and_no_pixel_moves_farther_than_epsilon(machine):
    seen = played(machine, 5).targets
    for name in ("attacked", "noisy"):
        moved = (seen[name] - machine.data["first"]).abs()
        assert seen[name].min() >= 0
        assert seen[name].max() <= 1
        assert moved.max() <= seen["strength_now"] + 1e-6
        assert moved.max() > 0


def test_the_network_trained_on_signs_holds_out_at_least_as_long(machine):
    plain, hardened = (
        float(played(machine, 50, network=name).targets["strength_now"])
        for name in ("plain", "on signs")
    )
    assert hardened >= plain


def test_another_image_begins_at_zero(machine):
    twin = played(machine, 5)
    twin.data = machine.data["second"]
    twin.look()
    assert twin.targets["strength_now"] == 0


def test_the_coins_are_fair():
    net, chances = networks.Classifier([4, 3], 0), torch.tensor([0.0, 0.49, 0.51, 1.0])
    weights, start = list(net.parameters()), (torch.zeros(1), torch.zeros(4), torch.zeros(4))
    *_, coins = machines.stronger(net, weights, *start, torch.tensor(0.1), chances)
    assert coins.tolist() == [-1, -1, 1, 1]


def test_networks_of_two_forms_are_refused():
    nets = {"a": networks.Classifier([4, 2], 0), "b": networks.Classifier([4, 3, 2], 0)}
    with pytest.raises(ValueError, match="of one form"):
        machines.falling(nets, (2, 2), {"x": torch.zeros(4)})


def a_net_and_an_image(seed=0):
    net = networks.Classifier([12, 8, 10], seed)
    return net, list(net.parameters()), torch.rand(12, generator=seeded(seed))


def test_the_push_is_the_signed_step_against_the_networks_own_answer():
    net, weights, x = a_net_and_an_image()
    answer = net(x[None]).argmax(1)
    wanted = attacks.sign_step(net.loss(answer), x[None], 1.0) - x
    torch.testing.assert_close(machines.push(net, weights, x[None]), wanted)


def test_what_is_seen_is_read_from_the_image_the_step_and_the_coins():
    net, weights, x = a_net_and_an_image(1)
    strength, coins = torch.tensor([0.3]), attacks.random_signs(torch.zeros(1, 12), 1.0, seeded(4))
    found = machines.seen(net, weights, strength, x, coins[0], x)
    attacked, noisy, clean, after, epsilon, *read = found
    answer = net(x[None]).argmax(1)
    wanted = attacks.sign_step(net.loss(answer), x[None], 0.3).clamp(0, 1)
    torch.testing.assert_close(attacked[None], wanted)
    torch.testing.assert_close(noisy[None], (x + 0.3 * coins).clamp(0, 1))
    torch.testing.assert_close(clean, net(x[None]).softmax(1)[0])
    torch.testing.assert_close(after, net(wanted).softmax(1)[0])
    assert epsilon == strength[0]
    for place, image in enumerate((x[None], wanted, noisy[None])):
        chances = net(image).softmax(1)[0]
        assert read[2 * place] == chances.argmax()
        torch.testing.assert_close(read[2 * place + 1], chances.max())


def test_a_network_that_reads_one_digit_always_is_attacked_up_to_the_most():
    net = networks.Classifier([4, 3], 0)
    with torch.no_grad():
        weight, bias = net.parameters()
        bias.copy_(torch.tensor([9.0, 0.0, 0.0]).reshape(bias.shape))
        weight.mul_(0.1)
    x, strength = torch.full((4,), 0.5), torch.tensor([machines.MOST - 0.015])
    for wanted in (machines.MOST - 0.005, machines.MOST, machines.MOST):
        parts = (strength, x, x, torch.tensor(0.01), torch.rand(4, generator=seeded(0)))
        strength, _, _ = machines.stronger(net, list(net.parameters()), *parts)
        assert strength.item() == pytest.approx(wanted)


def test_a_strength_reached_on_another_image_does_not_count():
    net, weights, x = a_net_and_an_image(2)
    parts = (torch.tensor([0.4]), x, x.flip(0), torch.tensor(0.02), torch.full((12,), 0.9))
    strength, image, _ = machines.stronger(net, weights, *parts)
    assert strength.item() == pytest.approx(0.02)
    assert torch.equal(image, x.flip(0))


@pytest.mark.parametrize("stride", machines.STRIDES)
def test_epsilon_grows_by_the_stride_that_was_chosen(machine, stride):
    assert played(machine, 1, stride=stride).targets["strength_now"] == pytest.approx(stride)


def test_each_step_throws_new_coins(machine):
    twin = played(machine, 1)
    first = twin.state["coins"][0].clone()
    twin.step()
    assert not torch.equal(first, twin.state["coins"][0])
    assert set(twin.state["coins"][0].unique().tolist()) == {-1.0, 1.0}


def test_each_panel_shows_what_its_title_says(machine):
    shown = [panel.layers[0].of for panel in machine.panels]
    assert shown == ["data", "attacked", "noisy", "clean"]
    assert [panel.title for panel in machine.panels] == [
        "paint here", "plus ε · sign", "plus ε · coins", "how sure: clean, attacked",
    ]  # fmt: skip
    bars = machine.panels[3]
    assert [layer.of for layer in bars.layers] == ["clean", "after"]
    assert (bars.x, bars.layers[0].colour) == ((-0.5, 9.5), machine.panels[0].layers[0].colour)
    assert bars.layers[1].colour == machine.panels[1].layers[0].colour


def test_the_readout_names_what_is_seen(machine):
    said = machine.words.split("Plus ε times")
    assert [part in said[0] for part in ("{strength_now}", "{read#}", "{sure%}")] == [True] * 3
    assert "the sign: read as {reads#}, {surely%}" in said[1]
    assert "coins: read as {reads_noise#}, {surely_noise%}" in said[2]
    order = machine.view.outputs
    assert order[4:] == ("strength_now", "read", "sure", "reads", "surely", "reads_noise",
                         "surely_noise")  # fmt: skip


def test_a_network_that_does_not_fit_the_size_is_refused():
    with pytest.raises(ValueError, match="read 6 pixels"):
        machines.falling({"a": networks.Classifier([4, 2], 0)}, (2, 3), {"x": torch.zeros(6)})
