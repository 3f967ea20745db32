"""The chapter's machine: heaps, plan, critic and steps against linear programs and limits."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.divergences import measures
from genbook.kit.machine.parts import Twin
from genbook.wgan import machines, transport

FAR = (torch.arange(16)[:, None] - torch.arange(16)[None]).abs().double()


def drawn(seed, gaps=0.4):
    """Bars of a reader who leaves some bins empty."""
    source = torch.Generator().manual_seed(seed)
    bars = 8 * torch.rand(32, generator=source)
    return bars * (torch.rand(32, generator=source) > gaps)


def said(bars):
    earth, fakes, weight = machines.heaps(bars)
    return (earth, fakes, weight), machines.scores(earth, fakes, weight)


@pytest.fixture(scope="module")
def machine():
    return machines.two_heaps()


@pytest.mark.parametrize("seed", range(12))
def test_area_plan_and_critic_are_the_linear_programs_value_without_a_gap(seed):
    (earth, fakes, weight), (area, cost, lead, _, _) = said(drawn(seed))
    p, q = earth.double() / weight.double(), fakes.double() / weight.double()
    found = transport.solve(p, q, FAR)
    assert area.item() == cost.item() == lead.item()
    assert area.item() == pytest.approx(found.cost, abs=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_is_one_and_moves_only_where_the_critic_pays_for_it(seed):
    (earth, fakes, weight), _ = said(drawn(seed))
    plan = machines.plan(earth, fakes)
    assert plan.min() >= 0
    assert torch.equal(plan.sum(1), earth)
    assert torch.equal(plan.sum(0), fakes)
    f = machines.critic(machines.crossing(earth, fakes), weight)
    assert f.diff().abs().max() <= 1
    gain = f[:, None] - f[None]
    assert torch.equal(gain[plan > 0], FAR.float()[plan > 0])


@pytest.mark.parametrize("seed", range(12))
def test_js_and_kl_are_those_of_the_first_chapter(seed):
    (earth, fakes, weight), (*_, js, kl) = said(drawn(seed, gaps=0.2 * (seed % 2)))
    p, q = earth.double() / weight.double(), fakes.double() / weight.double()
    p, q = p / p.sum(), q / q.sum()
    wanted = [measures.on_atoms(d, p, q) for d in (measures.JENSEN_SHANNON, measures.KL)]
    assert js.item() == pytest.approx(wanted[0].item(), abs=1e-6)
    assert kl[0].item() == pytest.approx(wanted[1].item(), abs=1e-5)


def test_the_first_opening_has_no_bin_in_common_and_eleven_to_go():
    _, (area, _, _, js, kl) = said(machines.presets()["far apart"])
    assert area.item() == 11
    assert js.item() == pytest.approx(math.log(2), abs=1e-6)
    assert kl[0].item() == math.inf


def test_equal_heaps_have_nothing_to_move_at_any_weight():
    bars = drawn(3)
    bars[16:] = bars[:16]
    (earth, fakes, weight), scores = said(bars)
    assert [value.flatten()[0].item() for value in scores] == pytest.approx([0] * 5, abs=1e-6)
    assert machines.critic(machines.crossing(earth, fakes), weight).abs().max() == 0
    after, moved = machines.climb(earth, fakes, torch.tensor(0.5))
    assert torch.equal(after, fakes)
    assert moved.item() == 0


def test_a_heap_without_earth_counts_as_a_plain():
    (earth, fakes, weight), (area, *_) = said(torch.zeros(32))
    assert torch.equal(earth, torch.ones(16) * 16)
    assert torch.equal(fakes, earth)
    assert weight.item() == 256
    assert area.item() == 0


def test_heights_are_whole_shovelfuls():
    bars = torch.full((32,), 1.4)
    bars[0], bars[2], bars[3], bars[16] = 2.6, 1.51, 9.0, -5.0
    earth, fakes, _ = machines.heaps(bars)
    assert (earth / earth[1])[:4].tolist() == [3, 1, 2, 8]
    assert fakes[0].item() == 0


@pytest.mark.parametrize("name", machines.presets())
def test_each_step_lowers_w1_by_what_it_moves_down_to_nothing(machine, name):
    twin = Twin(machine, 1, {"share": 0.5}, machine.data[name])
    twin.look()
    before = twin.targets["area"].item()
    for _ in range(60):
        twin.step()
        twin.look()
        now = twin.targets["area"].item()
        assert before - now == pytest.approx(twin.targets["moved"].item(), abs=1e-5)
        assert twin.targets["fakes"].min() >= 0
        assert twin.targets["lead"].item() == pytest.approx(now, abs=1e-4)
        assert twin.targets["cost"].item() == pytest.approx(now, abs=1e-4)
        before = now
    assert before < 0.02


def test_js_stands_while_w1_falls(machine):
    """Nothing arrives in the first six steps: JS does not tell that anything comes nearer."""
    twin = Twin(machine, 1, {"share": 0.5}, machine.data["far apart"])
    for _ in range(6):
        twin.step()
    twin.look()
    assert twin.targets["area"].item() < 8.1
    assert twin.targets["js"].item() == pytest.approx(math.log(2), abs=0.001)


def test_one_heap_between_two_parts_in_its_middle(machine):
    twin = Twin(machine, 1, {"share": 0.5}, machine.data["two against one"])
    for _ in range(60):
        twin.step()
    twin.look()
    fakes = twin.targets["fakes"]
    assert fakes[:8].sum().item() == pytest.approx(fakes[8:].sum().item(), abs=1e-4)
    assert fakes.sum().item() == pytest.approx(16, abs=1e-4)


def test_who_shovels_anew_begins_anew(machine):
    data = machine.data["far apart"]
    twin = Twin(machine, 1, {"share": 0.5}, data)
    for _ in range(5):
        twin.step()
    twin.data = machine.data["two ramps"]
    twin.look()
    assert torch.equal(twin.targets["fakes"], twin.data[16:])


def test_openings_are_whole_and_fit_the_panels():
    for bars in machines.presets().values():
        assert bars.shape == (32,)
        assert torch.equal(bars, bars.round())
        assert bars.min() >= 0
        assert bars.max() <= machines.HIGH


@pytest.mark.parametrize("seed", range(4))
def test_the_page_draws_whole_shovelfuls_and_the_critic_half_as_high(seed):
    bars = drawn(seed)
    bars[:16] *= seed > 0  # once there is no earth
    fakes, line, *_ = machines.view(torch.zeros(32), torch.zeros(16), bars)
    assert torch.equal(fakes, torch.floor(bars[16:] + 0.5))
    earth, moved, weight = machines.heaps(bars)
    f = machines.critic(machines.crossing(earth, moved), weight)
    assert torch.equal(line[:, 0], torch.arange(16.0))
    assert line[:, 1].min() == 0
    assert torch.equal(2 * line[:, 1].diff(), f.diff())
