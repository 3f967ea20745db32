r"""Run a study: on one process or several, in one go or after a kill.

With ``accelerate launch -m genbook study <topic>`` the seeds of a study by seed are shared among
the processes, on as many GPUs and machines as Accelerate was told of; each process sees its own GPU
as ``cuda``.
"""

from __future__ import annotations

import atexit
import hashlib
import inspect
import json
import os
import platform
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

import genbook
from genbook.kit.device import pick
from genbook.kit.environment import cache_folder, watched
from genbook.kit.files import check_folder, replace_file
from genbook.kit.studies import Row, Study, StudyResult, check_row


@dataclass(frozen=True)
class Part:
    """The rows of one seed (``None``: of the whole study) and the seconds they took."""

    seed: int | None
    seconds: float
    rows: list[dict[str, Any]]


def record(study: Study, *, slice: bool = False, command: str = "") -> StudyResult | None:
    r"""Run a study.

    A study by seed leaves each seed's rows in the cache as soon as they are there; if it is killed,
    the next call does only what is missing. What is left of another version of the package, of the
    settings or of another kind of device is not used.

    Args:
        study: What to run.
        slice: Only the part that takes less than a minute (for a study by seed, its first seed).
        command: What was typed; ``python -m genbook study <topic>`` by default.

    Returns:
        The result; ``None`` in all but the first of several processes.

    Raises:
        ValueError: If a row is not valid, or several processes are to share a study that is not by
            seed.
    """
    crew = _Crew()
    if crew.size > 1 and not study.by_seed:
        raise ValueError(
            f"study {study.name!r}: expected one process, got {crew.size}; its run has no "
            "parameter seed, so there is nothing to share."
        )
    work = None if slice else _work_folder(study)
    if work is not None:
        check_folder(work.parent, "GENBOOK_CACHE")
    every: Sequence[int | None] = study.seeds if study.by_seed else (None,)
    seeds = every[:1] if slice else every
    mine = [_part(study, seed, slice, work) for seed in seeds[crew.rank :: crew.size]]
    parts = sorted(crew.gather(mine), key=lambda part: seeds.index(part.seed))
    if crew.rank > 0:
        return None
    result = _result(study, parts, slice, command, crew.size)
    if work is not None:
        for left in work.parent.glob(f"{study.name}-*"):
            shutil.rmtree(left, ignore_errors=True)
    return result


class _Crew:
    """The processes that work together; alone unless ``accelerate launch`` started several."""

    def __init__(self) -> None:
        self.size, self.rank = int(os.environ.get("WORLD_SIZE", "1")), 0
        if self.size > 1:
            from accelerate import PartialState

            state = PartialState(cpu=pick().type == "cpu")
            self.rank = state.process_index
            # a group that is still open when the interpreter ends can abort the process
            atexit.register(state.destroy_process_group)

    def gather(self, parts: list[Part]) -> list[Part]:
        """Everybody's parts."""
        if self.size == 1:
            return parts
        from accelerate.utils import gather_object

        return list(gather_object(parts))


def _part(study: Study, seed: int | None, slice: bool, work: Path | None) -> Part:
    """The rows of a seed: from the last, killed run if it got so far, else new."""
    kept = work / f"{seed}.json" if work and study.by_seed else None
    if kept and kept.is_file():
        return Part(**json.loads(kept.read_text()))
    asked: dict[str, Any] = {"seed": seed} if study.by_seed else {}
    if "checkpoint" in inspect.signature(study.run).parameters:
        asked["checkpoint"] = (
            work / f"{'whole' if seed is None else seed}.safetensors" if work else None
        )
        if work:
            work.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    rows = _watch(study.name, study.run(slice=slice, **asked))
    part = Part(seed, round(time.perf_counter() - start, 2), rows)
    if kept:
        replace_file(kept, json.dumps(vars(part), allow_nan=False).encode())
    return part


def _watch(name: str, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as a list, each checked as it comes, with a count for people."""
    kept: list[dict[str, Any]] = []
    for row in tqdm(rows, name, unit=" rows", disable=not watched()):
        check_row(f"study {name!r}: row {len(kept)}", row)
        kept.append(dict(row))
    return kept


def _result(
    study: Study, parts: list[Part], slice: bool, command: str, processes: int
) -> StudyResult:
    """The rows of all parts with their provenance."""
    typed = f"python -m genbook study {study.topic}{' --slice' if slice else ''}"
    by_seed = tuple(part.seed for part in parts if part.seed is not None)
    return StudyResult(
        name=study.name,
        topic=study.topic,
        command=command or typed,
        seeds=by_seed or study.seeds,
        config=study.config,
        versions={
            "genbook": genbook.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        device=_device_name(processes),
        date=datetime.now(UTC).date().isoformat(),
        wall_seconds=round(sum(part.seconds for part in parts), 2),
        rows=tuple(row for part in parts for row in part.rows),
    )


def _device_name(processes: int) -> str:
    """What the work ran on."""
    where = pick()
    if where.type == "cuda":
        name = torch.cuda.get_device_name(where.device)
    else:
        name = f"{where.type}, {torch.get_num_threads()} threads"
    return name if processes == 1 else f"{processes} × {name}"


def _work_folder(study: Study) -> Path:
    """A folder for what a killed run leaves; another for other code, settings or kind of device."""
    told = [study.name, study.seeds, study.config, torch.__version__, pick().type]
    digest = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8)
    package = Path(genbook.__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    return cache_folder() / "studies" / f"{study.name}-{digest.hexdigest()}"
