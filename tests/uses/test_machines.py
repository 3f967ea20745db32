"""The machine that makes a page likelier: its costs are the table's, its steps the best ones."""

from __future__ import annotations

import pytest
import torch

from genbook.adversarial.networks import Classifier
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Machine, Twin
from genbook.kit.machine.weights import rounded
from genbook.uses import detectors, labels, machines, tables

SIZE = (4, 5)
SEEN = torch.bernoulli(torch.full((90, 20), 0.4), generator=seeded(2))
PLANE, NET = detectors.principal(SEEN, 3), Classifier([20, 6, 10], 0)


def given() -> tuple[tables.Table, labels.Labeller, torch.Tensor]:
    chances = 0.1 + 0.6 * torch.rand(4, 256, generator=seeded(0), dtype=torch.float64)
    own = labels.Labeller(tuple(tables.Table(row) for row in chances[1:]))
    page = torch.bernoulli(torch.full((20,), 0.5), generator=seeded(1))
    return tables.Table(chances[0]), own, page


def machine(table: tables.Table, own: labels.Labeller, page: torch.Tensor) -> Machine:
    return machines.descending(table, own, PLANE, NET, SEEN, SIZE, {"x": page})


def test_prices_are_the_tables_costs():
    table, _, page = given()
    found = machines.prices(table.ink.logit(), page.view(1, *SIZE).double())
    assert torch.allclose(found[0], table.costs(page.view(SIZE)), atol=1e-9)


def test_a_step_makes_the_best_single_change_until_none_helps():
    table, own, page = given()
    twin = Twin(machine(table, own, page), 1, {}, page)
    now, made = page.clone(), 0
    for _ in range(25):
        flips = (now - torch.eye(20)).abs()
        costs = table.nats(flips.view(-1, *SIZE))
        if costs.min() < table.nats(now.view(SIZE)):
            now, made = flips[costs.argmin()], made + 1
        twin.step()
    twin.look()
    assert torch.equal(twin.targets["now"], now)
    assert twin.targets["made"] == made > 2
    assert twin.targets["cost"].item() == pytest.approx(table.nats(now.view(SIZE)).item(), rel=1e-5)
    assert twin.targets["yours"].item() == pytest.approx(
        table.nats(page.view(SIZE)).item(), rel=1e-5
    )
    empty = table.nats(torch.zeros(SIZE)).item()
    assert twin.targets["empty"].item() == pytest.approx(empty, rel=1e-5)
    drawn = twin.targets["costs"].double().view(SIZE)
    assert torch.allclose(4 * drawn, table.costs(now.view(SIZE)), atol=1e-5)
    told = own.chances(now.view(1, *SIZE))[0]
    assert torch.allclose(twin.targets["told"].double(), told, atol=1e-5)
    assert twin.targets["label"] == told.argmax()


def test_another_page_begins_anew_and_grey_is_cut_at_half():
    table, own, page = given()
    twin = Twin(machine(table, own, page), 1, {}, page)
    twin.step()
    twin.data = torch.linspace(0, 1, 20)
    twin.look()
    assert twin.targets["made"] == 0
    assert torch.equal(twin.targets["now"], (twin.data > 0.5).float())


def test_four_detectors_say_what_their_own_functions_say():
    table, own, page = given()
    twin = Twin(machine(table, own, page), 1, {}, page)
    twin.step()
    twin.look()
    now = twin.targets["now"][None]
    assert not torch.equal(now[0], page)
    mean, basis, *weights = rounded([PLANE.mean[None], PLANE.basis, *NET.parameters()])
    plane = detectors.Subspace(mean[0], basis)

    def scores(x: torch.Tensor) -> list[torch.Tensor]:
        grids = x.view(-1, *SIZE)
        chances = detectors.told(NET, weights, x)
        return [table.nats(grids), own.whole(grids), plane.gaps(x), detectors.doubts(chances)]

    usual, found = scores(SEEN), scores(now)
    names = ("by_table", "by_ten", "by_copy", "by_net")
    for k, name in enumerate(names):
        share = twin.targets[name].item()
        below = (usual[k] < found[k]).double().mean().item()
        assert share == pytest.approx(below, abs=0.06)
        exact = detectors.share_below(found[k].float()[0], detectors.steps_of(usual[k]))
        assert share == pytest.approx(exact.item(), abs=1e-4)
        assert share == twin.targets["odd"][k]
    chances = detectors.told(NET, weights, now)[0]
    assert twin.targets["read"] == chances.argmax()
    assert twin.targets["certain"].item() == pytest.approx(chances.max().item(), abs=1e-6)
    copy = plane.redrawn(now)[0].clamp(0, 1)
    assert torch.allclose(twin.targets["copy"], copy, atol=1e-6)


def test_images_of_another_size_are_refused():
    table, own, page = given()
    with pytest.raises(ValueError, match="20 pixels"):
        machine(table, own, page[:10])


def test_a_change_that_gains_nothing_is_not_made():
    page = torch.tensor([0.0, 1.0, 1.0, 0.0])
    after, moved = machines.likelier(torch.zeros(256), page, (2, 2))
    assert torch.equal(after, page)
    assert moved == 0


def test_scores_are_in_nats_and_squared_pixels():
    table, own, _ = given()
    logits = torch.stack([table.ink, *(each.ink for each in own.tables)]).logit().flatten()
    held = [logits.float(), PLANE.mean[None], PLANE.basis, *NET.parameters()]
    with torch.no_grad():
        scores, apart, copies, chances = machines.oddness(held, NET, SEEN[:7], SIZE)
        read = NET(SEEN[:7]).softmax(1)
    grids = SEEN[:7].view(-1, *SIZE)
    wanted = [table.nats(grids), own.whole(grids), PLANE.gaps(SEEN[:7]), detectors.doubts(read)]
    assert torch.allclose(scores.double(), torch.stack(wanted, 1), rtol=1e-4, atol=1e-4)
    assert torch.allclose(apart.double(), own.nats(grids), rtol=1e-5)
    assert torch.equal(copies, PLANE.redrawn(SEEN[:7]))
    assert torch.allclose(chances, read, atol=1e-6)
