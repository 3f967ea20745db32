"""Run every receipt of the book under other seeds, and write down which held how often.

All seeds of a chapter are shifted together: whatever is seeded with s is seeded with s + 1,000 k.
Each chapter runs in a process of its own, one for each core at a time, drawing is left out, and
outcomes are kept line by line, so that a run that was stopped goes on where it was::

    python benchmarks/receipts_under_seeds.py run --seeds 20 [chapter …]
    python benchmarks/receipts_under_seeds.py table > benchmarks/receipts_under_seeds.md
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from genbook.kit.notebooks import receipts

ROOT = Path(__file__).parents[1]
STRIDE = 1_000
FORKED = ["torch", "scipy.optimize", "sklearn.cluster", "matplotlib.pyplot"]
"""Imported once, before the processes of the chapters are forked."""


def stems() -> list[str]:
    """The notebooks, in alphabetical order."""
    return sorted(path.stem for path in (ROOT / "book").glob("*.ipynb"))


def shift_seeds(offset: int) -> None:
    """Let every generator that is seeded from now on begin ``offset`` further."""
    import numpy as np
    import torch

    class Shifted(torch.Generator):
        def manual_seed(self, seed: int) -> torch.Generator:
            return super().manual_seed(seed + offset)

    seed_all, default_rng = torch.manual_seed, np.random.default_rng
    torch.Generator = Shifted  # type: ignore[misc]
    torch.manual_seed = lambda seed: seed_all(seed + offset)
    np.random.default_rng = lambda seed=None: default_rng(
        seed + offset if isinstance(seed, int) else seed
    )


def chapter_under(stem: str, number: int) -> Iterator[dict[str, Any]]:
    """The outcome of each receipt of a chapter with all its seeds shifted."""
    os.environ |= {"GENBOOK_DATA": "none", "GENBOOK_DOWNLOAD": "0"}
    shift_seeds(STRIDE * number)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import matplotlib

    matplotlib.use("agg")
    from chapters import SILENT, chapter

    from genbook.kit import page
    from genbook.kit.receipts import ReceiptError, check

    found: list[dict[str, Any]] = []

    def record(claim: str, *relations: Any, recorded: bool = False, **names: str) -> None:
        try:
            check(claim, *relations, recorded=recorded, **names)
            outcome = "held"
        except ReceiptError:
            outcome = "failed"
        used = [r.used for r in relations if r.used is not None]
        found.append(
            {
                "claim": claim,
                "outcome": outcome,
                "recorded": recorded,
                "used": max(used, default=None),
                "measured": "; ".join(r.measured for r in relations),
            }
        )

    page.receipt = record
    for name in SILENT - {"print", "display"}:
        setattr(page, name, lambda *_, **__: None)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for statement in chapter(stem).statements:
        if statement.silent:
            continue
        try:
            with redirect_stdout(io.StringIO()):
                exec(compile(statement.code, f"{stem}, cell {statement.cell}", "exec"), namespace)
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            found.append(
                {"claim": f"cell {statement.cell}", "outcome": "raised", "measured": message}
            )
    yield from ({"chapter": stem, "number": number, **entry} for entry in found)


def run(chosen: list[str], seeds: int, keep: Path, workers: int) -> None:
    """Run what is missing in ``keep``, chapter by chapter, under each shift."""
    lines = keep.read_text(encoding="utf-8").splitlines() if keep.is_file() else []
    done = {(entry["chapter"], entry["number"]) for entry in map(json.loads, lines)}
    wanted = [(stem, number) for number in range(1, seeds + 1) for stem in chosen]
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(FORKED)
    with ProcessPoolExecutor(workers, processes, max_tasks_per_child=1) as pool:
        running = {pool.submit(_timed, *what): what for what in wanted if what not in done}
        for one in as_completed(running):
            stem, number = running[one]
            if one.exception():
                print(f"{stem} {number}: {one.exception()}", flush=True)
                continue
            found, took = one.result()
            with keep.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in found)
            bad = sum(entry["outcome"] != "held" for entry in found)
            print(f"{stem} {number}: {took:.0f} s, {bad} did not hold", flush=True)


def _timed(stem: str, number: int) -> tuple[list[dict[str, Any]], float]:
    begun = time.monotonic()
    return list(chapter_under(stem, number)), time.monotonic() - begun


def table(keep: Path) -> str:
    """The table of what held how often, in Markdown."""
    standing = {(stem, call.claim) for stem in stems() for call in receipts(_notebook(stem))}
    by_claim: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in map(json.loads, keep.read_text(encoding="utf-8").splitlines()):
        key = (entry["chapter"], entry["claim"])
        if key in standing:  # the book makes this claim still
            by_claim[key].append(entry)
    lines = []
    for (stem, claim), entries in by_claim.items():
        held = sum(entry["outcome"] == "held" for entry in entries)
        computed = len({entry["measured"] for entry in entries}) > 1
        if all(entry.get("recorded") for entry in entries) and not computed:
            continue
        used = [entry["used"] for entry in entries if entry.get("used") is not None]
        share = f"{max(used):.2g}" if used else "–"
        worst = next((e["measured"] for e in entries if e["outcome"] != "held"), "")
        lines.append((stem, claim, held, len(entries), share, worst))
    live = len(lines)
    whole = sum(held == count for _, _, held, count, *_ in lines)
    fewest, most = min(count for *_, count, _, _ in lines), max(count for *_, count, _, _ in lines)
    new = len(standing) - len(by_claim)
    head = (
        "# Receipts under other seeds\n\n"
        f"{fewest} to {most} shifts of each chapter; {new} claims of the book not run yet "
        "(`make seeds` goes on).\n\n"
        f"{live} receipts that compute something (those that only read a record are left out); "
        f"{whole} of them held under every shift of all their chapter's seeds. *Used*: the largest "
        "share of the tolerance that was used, where a receipt has one.\n\n"
        "| chapter | claim | held | used | where it did not |\n|---|---|---|---|---|\n"
    )
    order = sorted(lines, key=lambda line: (line[0], line[2] == line[3]))
    rows = (
        f"| {stem} | {_cell(claim)} | {held} of {count} | {share} | {_cell(worst)} |"
        for stem, claim, held, count, share, worst in order
    )
    return head + "\n".join(rows) + "\n"


def _notebook(stem: str) -> Path:
    return ROOT / "book" / f"{stem}.ipynb"


def _cell(text: str) -> str:
    """Text that does not end a cell of a table."""
    return text.replace("|", "\\|")


def main() -> None:
    """Run, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--keep", type=Path, default=ROOT / "_build" / "seeds.jsonl")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.action == "run":
        given.keep.parent.mkdir(parents=True, exist_ok=True)
        run(given.chapters or stems(), given.seeds, given.keep, given.workers)
    else:
        print(table(given.keep), end="")


if __name__ == "__main__":
    main()
