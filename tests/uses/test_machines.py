"""The machine that makes a page likelier: its costs are the table's, its steps the best ones."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin
from genbook.uses import labels, machines, tables

SIZE = (4, 5)


def given() -> tuple[tables.Table, labels.Labeller, torch.Tensor]:
    chances = 0.1 + 0.6 * torch.rand(4, 256, generator=seeded(0), dtype=torch.float64)
    own = labels.Labeller(tuple(tables.Table(row) for row in chances[1:]))
    page = torch.bernoulli(torch.full((20,), 0.5), generator=seeded(1))
    return tables.Table(chances[0]), own, page


def test_prices_are_the_tables_costs():
    table, _, page = given()
    found = machines.prices(table.ink.logit(), page.view(1, *SIZE).double())
    assert torch.allclose(found[0], table.costs(page.view(SIZE)), atol=1e-9)


def test_a_step_makes_the_best_single_change_until_none_helps():
    table, own, page = given()
    twin = Twin(machines.descending(table, own, SIZE, {"x": page}), 1, {}, page)
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
    told = own.chances(now.view(1, *SIZE))[0]
    assert torch.allclose(twin.targets["told"].double(), told, atol=1e-5)
    assert twin.targets["label"] == told.argmax()


def test_another_page_begins_anew_and_grey_is_cut_at_half():
    table, own, page = given()
    twin = Twin(machines.descending(table, own, SIZE, {"x": page}), 1, {}, page)
    twin.step()
    twin.data = torch.linspace(0, 1, 20)
    twin.look()
    assert twin.targets["made"] == 0
    assert torch.equal(twin.targets["now"], (twin.data > 0.5).float())


def test_images_of_another_size_are_refused():
    table, own, page = given()
    with pytest.raises(ValueError, match="20 pixels"):
        machines.descending(table, own, SIZE, {"x": page[:10]})
