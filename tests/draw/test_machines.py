"""The machine that redraws a digit: its steps are the network's, its outlines the window's."""

from __future__ import annotations

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


def program_run(net, machine, source, image, seed):
    """The canvas and the cost after all steps, with noise of torch's own."""
    numbers, held = seeded(seed), list(net.parameters())
    state = machines.beginning(net, held)
    for _ in range(net.steps):
        z = torch.randn(1, net.latent, generator=numbers)[0]
        with torch.no_grad():
            state = machine.acts[0].programs[source].run_flat([*held, *state, image.flatten(), z])
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
    look = machine.view.programs[""]
    *_, nats, miss = look.run_flat([*state, image.flatten()])
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
