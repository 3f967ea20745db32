"""Beyond twenty steps two right programs part; what they reach must be of one kind all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser import machines
from browser.conftest import Visits
from scipy.stats import mannwhitneyu

from genbook.collapse.machines import forgetting
from genbook.gan.machines import gan
from genbook.kit.machine.parts import Machine, Twin

SEEDS = 10
LOOKS = (100, 150, 200)
CHANCE = 0.01


@dataclass(frozen=True)
class Contest:
    """A machine that trains, on which data, and what its readout counts."""

    make: Callable[[], Machine]
    data: str
    counts: tuple[str, ...]
    slow: Mapping[str, Any]


CONTESTS = {
    "gan": Contest(gan, "ring", ("good", "covered"), {"generator_rate": 1e-4}),
    "collapse": Contest(forgetting, "grid", ("held",), {"generator_rate": 5e-3}),
}


def in_torch(contest: Contest, settings: Mapping[str, Any]) -> list[dict[str, float]]:
    """What ten seeds of torch's reach, the mean over the last looks; a dictionary a seed."""
    parts, found = contest.make(), []
    for seed in range(101, 101 + SEEDS):
        twin = Twin(parts, seed, {**parts.beginning(), **settings}, parts.data[contest.data])
        seen = dict.fromkeys(contest.counts, 0.0)
        for moment in range(1, LOOKS[-1] + 1):
            twin.step()
            if moment in LOOKS:
                twin.look()
                seen = {name: seen[name] + twin.targets[name].item() for name in seen}
        found.append({name: total / len(LOOKS) for name, total in seen.items()})
    return found


def on_the_page(contest: Contest, visits: Visits, folder: Path) -> list[dict[str, float]]:
    """The same of ten other seeds on the page."""
    parts, found = contest.make(), []
    page = visits.open(machines.written(parts, folder))
    machines.wait(page, parts.name)
    machines.settle_on(page, parts, {}, contest.data)
    for _ in range(SEEDS):
        seen, before = dict.fromkeys(contest.counts, 0.0), 0
        for moment in LOOKS:
            machines.step(page, parts.name, moment - before)
            before = moment
            shown = machines.dump(page, parts.name)["targets"]
            seen = {name: seen[name] + shown[name].item() for name in seen}
        found.append({name: total / len(LOOKS) for name, total in seen.items()})
        page.get_by_role("button", name="Another seed").click()
    page.context.close()
    return found


def chances(one: list[dict[str, float]], other: list[dict[str, float]]) -> list[float]:
    """For each count: how often two samples of one kind lie so far apart (Mann and Whitney)."""
    return [
        float(mannwhitneyu([x[name] for x in one], [x[name] for x in other]).pvalue)
        for name in one[0]
    ]


@pytest.mark.parametrize("name", CONTESTS)
def test_ten_seeds_of_the_page_reach_what_ten_seeds_of_torch_reach(
    name: str, visits: Visits, tmp_path: Path, report: dict[str, Any]
) -> None:
    contest = CONTESTS[name]
    shown, ours = on_the_page(contest, visits, tmp_path), in_torch(contest, {})
    report[f"machine, {name}: what ten seeds reach in {LOOKS[-1]} steps"] = {
        f"{count}, {where}": sum(x[count] for x in kind) / SEEDS
        for count in contest.counts
        for where, kind in (("page", shown), ("torch", ours))
    }
    assert min(chances(shown, ours)) > CHANCE, (shown, ours)
    slower = in_torch(contest, contest.slow)  # another game must be told apart
    assert min(chances(shown, slower)) < CHANCE / 10, (shown, slower)
