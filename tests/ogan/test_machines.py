"""The machine that encodes and draws again computes what the players compute."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin
from genbook.ogan import codes, machines, training


@pytest.fixture(scope="module")
def pair() -> training.Players:
    return training.Players(12, 3, code=6, hidden=9)


def twin(pair: training.Players, **settings: float) -> Twin:
    images = torch.rand(2, 12, generator=seeded(0))
    machine = machines.redrawing(pair, (4, 3), {"one": images[0], "other": images[1]})
    return Twin(machine, 1, {**machine.beginning(), **settings}, images[0])


def held(played: Twin, pair: training.Players) -> training.Players:
    """Players with the machine's rounded weights."""
    rounded = training.Players(12, 3, code=6, hidden=9)
    with torch.no_grad():
        for own, leaf in zip(rounded.parameters(), played.state["weights"], strict=True):
            own.copy_(leaf)
    return rounded


def test_unpushed_it_draws_the_players_copy_and_gives_ds_score(pair):
    played = twin(pair)
    played.look()
    own, x = held(played, pair), played.data[None]
    assert torch.allclose(played.targets["copy"], own.again(x)[0], atol=1e-6)
    assert torch.allclose(played.targets["score"], own.judge(x)[0], atol=1e-6)
    told = codes.correlation(codes.parts(own.encode(x)).direction, own.encode(own.again(x)))
    assert played.targets["rho"].item() == pytest.approx(told.item(), abs=1e-5)


def test_black_and_white_are_drawn_as_black_and_white(pair):
    loud = [100 * weight.detach() for weight in pair.parameters()]
    own = training.Players(12, 3, code=6, hidden=9)
    with torch.no_grad():
        for weight, given in zip(own.parameters(), loud, strict=True):
            weight.copy_(given)
    z = torch.randn(20, 6, generator=seeded(1))
    shown = machines.drawn(pair, loud, z)
    assert torch.equal(shown, own.draw(z))
    assert shown.min() < 1e-3
    assert shown.max() > 1 - 1e-3


def test_each_step_is_one_more_round_trip_and_another_image_begins_anew(pair):
    played = twin(pair)
    own, picture = held(played, pair), played.data[None]
    for made in (1, 2, 3):
        played.step()
        played.look()
        picture = own.again(picture)
        assert played.targets["made"] == made
        assert torch.allclose(played.targets["now"], picture[0], atol=1e-5)
    played.data = played.machine.data["other"]
    played.look()
    assert played.targets["made"] == 0
    assert torch.equal(played.targets["now"], played.data)
    played.step()
    played.look()
    assert played.targets["made"] == 1
    assert torch.allclose(played.targets["now"], own.again(played.data[None])[0], atol=1e-5)


def test_a_push_raises_its_own_number_and_the_direction_stays_one(pair):
    still, moved = twin(pair), twin(pair, which=4.0, push=2.0)
    for played in (still, moved):
        played.look()
    before, after = still.targets["direction"], moved.targets["direction"]
    assert (after - before).argmax() == 3
    assert after.mean().item() == pytest.approx(0, abs=1e-6)
    assert after.square().mean().item() == pytest.approx(1, abs=1e-5)


def test_the_bar_of_a_number_stands_over_the_number_that_the_slider_names(pair):
    machine = machines.redrawing(pair, (4, 3), {"x": torch.zeros(12)})
    (slider,) = (c for c in machine.controls if c.name == "which")
    left, right = machine.panels[-1].x
    each = (right - left) / pair.code
    middles = [left + each * (k + 0.5) for k in range(pair.code)]
    assert middles == pytest.approx(list(slider.values))


def test_the_copy_has_ds_score_of_the_copy_pushed_or_not(pair):
    for settings in ({}, {"which": 2.0, "push": -3.0}):
        played = twin(pair, **settings)
        played.look()
        own, copy = held(played, pair), played.targets["copy"]
        assert torch.allclose(played.targets["score_copy"], own.judge(copy[None])[0], atol=1e-6)
        again = own.draw(played.targets["direction"][None])[0]
        assert torch.allclose(copy, again, atol=1e-6)
        told = codes.correlation(played.targets["direction"], own.encode(copy[None])[0])
        assert played.targets["rho"].item() == pytest.approx(told.item(), abs=1e-5)


def test_players_of_another_size_are_refused(pair):
    with pytest.raises(ValueError, match="12"):
        machines.redrawing(pair, (4, 4), {"x": torch.zeros(16)})
