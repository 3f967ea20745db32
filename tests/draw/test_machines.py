"""The machine that redraws a digit: its steps are the network's, its outlines the window's."""

from __future__ import annotations

import copy

import pytest
import torch

from genbook.draw import machines, windows
from genbook.draw.network import DRAW, code_length, negative_bound
from genbook.kit.device import seeded
from genbook.kit.machine import weights
from genbook.kit.machine.parts import Twin

SIZE, STEPS = 9, 4


@pytest.fixture(scope="module")
def net():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = DRAW(SIZE, steps=STEPS, hidden=7, latent=3, reads=3, writes=4)
        with torch.no_grad():
            made.begin.normal_()
    for own, new in zip(made.parameters(), weights.rounded(list(made.parameters())), strict=True):
        own.data = new
    return made


@pytest.fixture(scope="module")
def machine(net):
    grey = torch.rand(SIZE, SIZE, generator=seeded(1))
    return machines.redrawing(net, {"grey": grey, "nothing": torch.zeros(SIZE, SIZE)})


def played(machine, steps, data="grey", **settings):
    twin = Twin(machine, 1, {**machine.beginning(), **settings}, machine.data[data])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def program_run(net, machine, source, image, seed, hold=(0.0, 0.0, 1.0)):
    """The canvas and the cost after all steps, with noise of torch's own."""
    numbers, held = seeded(seed), list(net.parameters())
    hold = [torch.tensor(value) for value in hold]
    state = machines.beginning(net, held)
    for _ in range(net.steps):
        z = torch.randn(1, net.latent, generator=numbers)[0]
        with torch.no_grad():
            state = (
                machine.acts[0]
                .programs[source]
                .run_flat([*held, *state, image.flatten(), z, *hold])
            )
    return state


def test_all_steps_are_the_networks(net, machine):
    image = torch.rand(SIZE, SIZE, generator=seeded(2))
    state = program_run(net, machine, "your digit", image, 3)
    drawing = net(image[None], seeded(3))
    torch.testing.assert_close(state[0], drawing.canvases[-1].flatten(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state[6], code_length(drawing), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state[9], drawing.strokes[-1].flatten(), rtol=1e-5, atol=1e-5)
    where = windows.window(drawing.written[-1, 0], SIZE, 4)
    torch.testing.assert_close(state[10], machines.outline(where, 4, SIZE))


def test_from_the_prior_it_is_the_networks_sample_and_the_digit_plays_no_part(net, machine):
    state = program_run(net, machine, "the prior", torch.rand(SIZE, SIZE), 3)
    drawing = net.sample(1, seeded(3))
    torch.testing.assert_close(state[0], drawing.canvases[-1].flatten(), rtol=1e-5, atol=1e-5)
    assert state[6] == 0
    one, other = (
        played(machine, STEPS, data, source="the prior").targets for data in ("grey", "nothing")
    )
    assert torch.equal(one["canvas"], other["canvas"])


def test_after_the_last_step_nothing_changes(machine):
    last, later = (played(machine, steps) for steps in (STEPS, STEPS + 3))
    assert later.targets["count"] == STEPS
    for name, found in last.targets.items():
        assert torch.equal(found, later.targets[name]), name
    assert not torch.equal(played(machine, STEPS - 1).targets["canvas"], last.targets["canvas"])


def test_before_the_first_step_it_shows_the_first_canvas_and_no_window(net, machine):
    seen = played(machine, 0).targets
    torch.testing.assert_close(seen["canvas"], net.begin.flatten().sigmoid())
    assert torch.equal(seen["added"], torch.full((SIZE**2,), 0.5))
    assert max(seen["reading"].max(), seen["writing"].max()) < 0
    assert seen["nats"] == 0


def test_what_it_says_of_a_black_and_white_digit_is_the_bound(net):
    image = torch.rand(SIZE, SIZE, generator=seeded(4)).round()
    machine = machines.redrawing(net, {"ink": image})
    state = program_run(net, machine, "your digit", image, 5)
    look = machine.view.programs["your digit"]
    hold = [torch.tensor(value) for value in (0.0, 0.0, 1.0)]
    *_, nats, miss = look.run_flat([*state, image.flatten(), *hold])
    bound = negative_bound(net(image[None], seeded(5)), image[None])[0]
    torch.testing.assert_close(nats + miss, bound, rtol=1e-5, atol=1e-4)


def test_a_window_over_the_whole_page_reads_the_page_and_one_on_grey_reads_grey():
    page = torch.rand(1, SIZE, SIZE, generator=seeded(6))
    sharp = torch.tensor([0.0, 0.0, -9.0, 0.0, 0.7])
    seen, corners = machines.glimpse(sharp, page, SIZE)
    torch.testing.assert_close(seen, page)
    low, high = 0.5, SIZE - 0.5
    wanted = [low, low, high, low, high, high, low, high, low, low]
    torch.testing.assert_close(corners, torch.tensor(wanted))
    somewhere = torch.tensor([0.9, -2.0, 1.0, -0.5, 3.0])
    grey, _ = machines.glimpse(somewhere, torch.full((1, SIZE, SIZE), 0.3), 3)
    torch.testing.assert_close(grey, torch.full((1, 3, 3), 0.3))


def test_an_outline_below_the_middle_is_drawn_below_the_middle():
    lower = windows.window(torch.tensor([0.0, 0.5, 0.0, -1.0, 0.0]), SIZE, 3)
    assert machines.outline(lower, 3, SIZE)[1::2].mean() < SIZE / 2
    raw, patch = torch.tensor([0.0, 0.5, -3.0, -2.0, 0.0]), torch.ones(3, 3)
    left, _ = machines.stroke(raw, patch, SIZE)
    assert left[SIZE // 2 + 1 :].sum() > 0.99 * left.sum()
    torch.testing.assert_close(left, windows.write(patch, windows.window(raw, SIZE, 3), SIZE))


def test_a_network_without_windows_and_a_digit_of_another_size_are_refused(net):
    with pytest.raises(ValueError, match="DRAW with windows"):
        machines.redrawing(DRAW(8, steps=1, hidden=4, latent=2), {})
    with pytest.raises(ValueError, match="for 'small'"):
        machines.redrawing(net, {"small": torch.zeros(3, 3)})


HOLD = (0.5, -0.75, 0.4)
"""To the right and below the middle, 0.4 of the page wide."""


def test_the_readers_window_is_a_network_whose_window_stands_there(net, machine):
    image = torch.rand(SIZE, SIZE, generator=seeded(2))
    state = program_run(net, machine, "your digit, your window", image, 3, HOLD)
    still, stride = copy.deepcopy(net), 0.4 * (SIZE - 1) / 2
    with torch.no_grad():
        still.to_read.weight[:4] = 0
        still.to_read.bias[:4] = torch.tensor(
            [0.5, 0.75, 2 * torch.tensor(stride / 2).log(), torch.tensor(0.4).log()]
        )
    drawing = still(image[None], seeded(3))
    torch.testing.assert_close(state[0], drawing.canvases[-1].flatten(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state[6], code_length(drawing), rtol=1e-5, atol=1e-5)
    own = net(image[None], seeded(3))
    assert (state[0] - own.canvases[-1].flatten()).abs().max() > 1e-3


def test_the_readers_window_is_seen_where_it_is_held_before_it_reads(machine):
    settings = dict(zip(machines.HELD, HOLD, strict=True), source="your digit, your window")
    seen, page = played(machine, 0, **settings).targets, machine.data["grey"].view(1, SIZE, SIZE)
    middle, half = (SIZE + 1) / 2, 0.4 * (SIZE - 1) / 2
    x, y = 1.5 * middle - 0.5, SIZE - 1.75 * middle + 0.5
    wanted = [x - half, y - half, x + half, y - half, x + half, y + half, x - half, y + half]
    torch.testing.assert_close(seen["reading"][:8], torch.tensor(wanted))
    raw = torch.tensor([0.5, 0.75, 2 * torch.tensor(half / 2).log(), torch.tensor(0.4).log(), 0.0])
    read = windows.read(page, windows.window(raw, SIZE, 3), 3)
    torch.testing.assert_close(seen["seen"], read.flatten())
    after = played(machine, 2, **settings).targets
    torch.testing.assert_close(after["reading"], seen["reading"])


def test_the_sliders_move_nothing_but_the_readers_window(machine):
    for source in ("your digit", "the prior"):
        one, other = (
            played(machine, STEPS, source=source, x=x, y=x, width=width).targets
            for x, width in ((0.0, 1.0), (0.5, 0.25))
        )
        for name, found in one.items():
            assert torch.equal(found, other[name]), name


def test_what_it_shows_of_the_canvas_and_of_the_last_stroke_are_shares_of_ink(net, machine):
    before, after = played(machine, 1), played(machine, 2)
    odds = [twin.targets["canvas"].logit() for twin in (before, after)]
    torch.testing.assert_close(
        after.targets["added"], (odds[1] - odds[0]).sigmoid(), rtol=1e-4, atol=1e-5
    )
    assert after.targets["count"] == 2
    assert after.targets["nats"] > before.targets["nats"] > 0


def test_its_panels_and_choices_say_what_they_hold(machine):
    layers = [[layer.of for layer in panel.layers] for panel in machine.panels]
    assert layers == [["data", "reading"], ["seen"], ["canvas", "writing"], ["added"]]
    assert [panel.layers[0].other for panel in machine.panels] == ["9", "3", "9", "9"]
    assert machine.beginning() == {"source": "your digit", "x": 0.0, "y": 0.0, "width": 0.35}
    assert machine.panels[0].hand.kind == "paint"
    assert f"of {STEPS} strokes" in machine.words
