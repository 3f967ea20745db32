r"""Recorded studies: what needs many seeds or a GPU is run once and kept with its provenance.

A chapter's room lists its studies in ``STUDIES``; ``python -m genbook study <stem>`` runs them (see
:mod:`genbook.kit.study_runs`) and leaves one JSON file each in ``book/studies/<stem>``. A chapter
loads the file, says where its numbers come from (:attr:`StudyResult.provenance`), runs one seed
live, and a receipt holds the live number against the recorded :func:`spread`.
"""

from __future__ import annotations

import inspect
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import genbook
from genbook.kit.files import replace_file

SCHEMA = 1
"""The version of the layout of a recorded study."""

FOLDER = Path(genbook.__file__).parent.parent / "book" / "studies"
"""Where the book keeps its recorded studies."""

VERSIONS = ("genbook", "numpy", "python", "torch")
"""What a recorded study names the versions of."""

Value = str | int | float | bool
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Study:
    r"""An experiment too long for a page.

    Attributes:
        name: The name of its file: lower case, begins with the topic, as ``lstm_long_lag``.
        topic: The stem of the chapter.
        run: ``run(slice)`` gives the rows, flat mappings from names to plain values; with
            ``slice=True`` it does a part that takes less than a minute. If it also has a parameter
            ``seed``, it is called once for each of ``seeds``, so that a killed study goes on with
            the seeds that are missing and several processes share them. If it also has a parameter
            ``checkpoint``, it gets a path for its own checkpoint (``None`` in a slice).
        seeds: What the random generators begin with.
        config: The settings that the numbers depend on.

    Raises:
        ValueError: If the name, the seeds or the settings are not of that kind.

    Example:
        >>> Study("vae_coins", "vae", lambda slice: [{"heads": 1}]).by_seed
        False
    """

    name: str
    topic: str
    run: Callable[..., Iterable[Row]]
    seeds: tuple[int, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what will be written into the file."""
        _names(f"Study {self.name!r}", self.name, self.topic)
        _seeds(f"Study {self.name!r}", self.seeds)
        _plain(f"Study {self.name!r}: config", self.config)
        if not callable(self.run) or "slice" not in inspect.signature(self.run).parameters:
            raise ValueError(f"Study {self.name!r}: expected run(slice, …), got {self.run!r}.")
        if self.by_seed and not self.seeds:
            raise ValueError(f"Study {self.name!r}: run takes a seed, but seeds is empty.")

    @property
    def by_seed(self) -> bool:
        """Whether ``run`` does one seed at a time."""
        return "seed" in inspect.signature(self.run).parameters


@dataclass(frozen=True)
class StudyResult:
    r"""What a study found, and how.

    Attributes:
        name: The study's name.
        topic: The stem of its chapter.
        command: What was typed.
        seeds: The seeds that were run.
        config: The settings.
        versions: Of Python, torch, numpy and genbook.
        device: What it ran on.
        date: The day it ended (UTC), as ``2026-01-31``.
        wall_seconds: How long it took; for a study by seed, the sum over the seeds.
        rows: The numbers.
        schema: :data:`SCHEMA`.

    Raises:
        ValueError: If a field is missing, of another kind, or not finite; the error names it.
    """

    name: str
    topic: str
    command: str
    seeds: tuple[int, ...]
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    device: str
    date: str
    wall_seconds: float
    rows: tuple[Row, ...]
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        """Validate, so that no other result can exist."""
        for name, kind in (("seeds", tuple), ("rows", tuple), ("config", dict), ("versions", dict)):
            try:
                object.__setattr__(self, name, kind(getattr(self, name)))
            except (TypeError, ValueError):
                raise ValueError(
                    f"study {self.name!r}: {name}: expected a {kind.__name__}, got "
                    f"{getattr(self, name)!r}."
                ) from None
        self.validate()

    def validate(self) -> None:
        r"""Check every field.

        Raises:
            ValueError: As said above.
        """
        where = f"study {self.name!r}"
        if self.schema != SCHEMA:
            raise ValueError(
                f"{where}: expected schema {SCHEMA}, got {self.schema!r}; run it again."
            )
        _names(where, self.name, self.topic)
        _seeds(where, self.seeds)
        _plain(f"{where}: config", self.config)
        for name in ("command", "device"):
            if not isinstance(value := getattr(self, name), str) or not value.strip():
                raise ValueError(f"{where}: {name}: expected some words, got {value!r}.")
        if missing := [name for name in VERSIONS if not self.versions.get(name)]:
            raise ValueError(f"{where}: versions: {', '.join(missing)} missing.")
        _day(where, self.date)
        seconds = self.wall_seconds
        real = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if not real or not 0 <= seconds < math.inf:
            raise ValueError(f"{where}: wall_seconds: expected ≥ 0, got {seconds!r}.")
        if not self.rows:
            raise ValueError(f"{where}: rows: expected at least one, got none.")
        for place, row in enumerate(self.rows):
            check_row(f"{where}: row {place}", row)

    @property
    def provenance(self) -> str:
        r"""One line for a caption, which says when, with what, on what and how long."""
        seeds = f", seeds {', '.join(map(str, self.seeds))}" if self.seeds else ""
        return (
            f"Recorded {self.date} with “{self.command}”{seeds}; {self.device}, torch "
            f"{self.versions['torch']}, {_duration(self.wall_seconds)}."
        )

    def where(self, **wanted: Value) -> list[Row]:
        r"""The rows whose columns have these values.

        Args:
            **wanted: Column and value; no column means all rows.

        Returns:
            The rows, in their order.

        Raises:
            ValueError: If no row is like that; the error lists the values there are.
        """
        rows = [row for row in self.rows if all(row.get(k) == v for k, v in wanted.items())]
        if not rows:
            there = {key: sorted({str(row.get(key)) for row in self.rows}) for key in wanted}
            raise ValueError(f"study {self.name!r}: no row has {wanted}; there are {there}.")
        return rows

    def column(self, key: str, **wanted: Value) -> list[Any]:
        r"""One column of the rows that :meth:`where` finds.

        Args:
            key: The column.
            **wanted: As in :meth:`where`.

        Returns:
            Its values.

        Raises:
            ValueError: If a row has no such column.
        """
        return _column(self.where(**wanted), key)

    def to_json(self) -> str:
        """JSON with a row a line, so that a difference shows the rows that differ."""
        content = asdict(self)
        rows = content.pop("rows")
        head = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
        body = ",\n    ".join(lines)
        return f'{head[:-2]},\n  "rows": [\n    {body}\n  ]\n}}\n'

    @classmethod
    def from_json(cls, text: str, where: str = "study") -> StudyResult:
        r"""A result from its JSON.

        Args:
            text: As :meth:`to_json` gives it.
            where: What to call it in an error.

        Returns:
            The result.

        Raises:
            ValueError: If the text is no JSON or the result not valid.
        """
        try:
            content = json.loads(text, parse_constant=_refuse_constant)
        except ValueError as trouble:
            raise ValueError(f"{where}: expected JSON of finite numbers: {trouble}.") from trouble
        names = {entry.name for entry in fields(cls)}
        if not isinstance(content, dict) or content.keys() != names:
            there = set(content) if isinstance(content, dict) else set()
            raise ValueError(
                f"{where}: expected the fields of a StudyResult; missing: "
                f"{sorted(names - there)}, unknown: {sorted(there - names)}; run it again."
            )
        return cls(**content)


@dataclass(frozen=True)
class Spread:
    r"""How recorded values of one quantity lie.

    Attributes:
        count: How many there are.
        min: The least.
        max: The greatest.
        mean: Their mean.
        std: Their sample standard deviation (with n − 1); 0 for a single value.
    """

    count: int
    min: float
    max: float
    mean: float
    std: float


def spread(rows: Iterable[Row], key: str, **where: Value) -> Spread:
    r"""The range, mean and standard deviation of a column over the rows that fit.

    Args:
        rows: The rows of a result.
        key: A column of numbers.
        **where: Column and value that a row must have; all rows by default.

    Returns:
        The spread.

    Raises:
        ValueError: If no row fits, or the column is missing or not a number in one of them.

    Example:
        >>> rows = [{"k": 1, "nll": 2.0}, {"k": 1, "nll": 4.0}, {"k": 5, "nll": 1.0}]
        >>> spread(rows, "nll", k=1)
        Spread(count=2, min=2.0, max=4.0, mean=3.0, std=1.4142135623730951)
    """
    kept = [row for row in rows if all(row.get(name) == value for name, value in where.items())]
    if not kept:
        raise ValueError(f"spread: no row has {where or 'been recorded'}; look at the rows.")
    values = _column(kept, key)
    for value in values:
        if isinstance(value, str):
            raise ValueError(f"spread: expected numbers in {key!r}, got {value!r}.")
    numbers = [float(value) for value in values]
    deviation = stdev(numbers) if len(numbers) > 1 else 0.0
    return Spread(len(numbers), min(numbers), max(numbers), fmean(numbers), deviation)


def file_of(name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    r"""Where a study is kept: ``<topic>/<rest of the name>.json``.

    Args:
        name: The study's name, ``<topic>_<rest>``.
        folder: Where to look; the book's ``studies`` folder by default.

    Returns:
        The path, whether or not there is such a file.

    Raises:
        ValueError: If the name does not begin with a topic.

    Example:
        >>> file_of("vae_nll", "studies").as_posix()
        'studies/vae/nll.json'
    """
    topic, _, rest = name.partition("_")
    _names("file_of", name, topic)
    return Path(folder or FOLDER) / topic / f"{rest}.json"


def _nothing(name: str, folder: str | os.PathLike[str] | None) -> str:
    """What to say where there is no such study: a wheel brings none along."""
    if folder is None and not FOLDER.is_dir():
        return (
            f"load: no recorded study {name!r}, nor any other: they stand in the book's checkout. "
            "Get it and install with “pip install -e .” from there."
        )
    there = [f"{path.parent.name}_{path.stem}" for path in recorded(folder)]
    return f"load: no recorded study {name!r}; there are {there}."


def load(name: str, folder: str | os.PathLike[str] | None = None) -> StudyResult:
    r"""Read a recorded study.

    Args:
        name: The study's name.
        folder: Where to look; the book's ``studies`` folder by default.

    Returns:
        The result, validated.

    Raises:
        ValueError: If there is none of that name, or its file is not valid.
    """
    path = file_of(name, folder)
    if not path.is_file():
        raise ValueError(_nothing(name, folder))
    result = StudyResult.from_json(path.read_text(encoding="utf-8"), str(path))
    if result.name != name:
        raise ValueError(f"{path}: expected the study {name!r}, got {result.name!r}; rename it.")
    return result


def save(result: StudyResult, folder: str | os.PathLike[str] | None = None) -> Path:
    r"""Write a result to its :func:`file_of`, whole or not at all.

    Args:
        result: What to write.
        folder: Where; the book's ``studies`` folder by default.

    Returns:
        The file.
    """
    result.validate()
    path = file_of(result.name, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, result.to_json().encode())
    return path


def recorded(folder: str | os.PathLike[str] | None = None) -> list[Path]:
    r"""The files of all recorded studies.

    Args:
        folder: Where to look; the book's ``studies`` folder by default.

    Returns:
        Paths, sorted.
    """
    return sorted(Path(folder or FOLDER).glob("*/*.json"))


def find(modules: Iterable[object]) -> Iterator[Study]:
    r"""The studies that modules list in ``STUDIES``.

    Args:
        modules: Modules, with or without such a list.

    Yields:
        Each study once, in order.

    Raises:
        ValueError: If two studies have one name.
    """
    seen: dict[str, Study] = {}
    for module in modules:
        for study in getattr(module, "STUDIES", ()):
            if seen.setdefault(study.name, study) is not study:
                raise ValueError(f"find: two studies are called {study.name!r}; rename one.")
    yield from seen.values()


def _names(where: str, name: str, topic: str) -> None:
    """Raise unless the name is a file's name that begins with the topic."""
    if not isinstance(topic, str) or not re.fullmatch(r"[a-z][a-z0-9]*", topic):
        raise ValueError(f"{where}: topic: expected a chapter's stem, got {topic!r}.")
    if not isinstance(name, str) or not re.fullmatch(rf"{topic}_[a-z0-9_]+", name):
        raise ValueError(f"{where}: name: expected {topic}_ and a lower-case word, got {name!r}.")


def _seeds(where: str, seeds: Sequence[int]) -> None:
    """Raise unless the seeds are different whole numbers."""
    whole = all(isinstance(seed, int) and not isinstance(seed, bool) for seed in seeds)
    if not whole or len(set(seeds)) < len(seeds):
        raise ValueError(f"{where}: seeds: expected different whole numbers, got {seeds!r}.")


def _plain(where: str, value: Any) -> None:
    """Raise unless the value is made of what JSON has, with finite numbers."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where}: expected names as keys, got {key!r}.")
            _plain(f"{where}: {key}", inner)
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            _plain(f"{where}: {place}", inner)
    elif value is not None and not isinstance(value, (str, bool, int, float)):
        raise ValueError(
            f"{where}: expected a number, a string or a bool, got {type(value).__name__}; "
            "convert it with float(), int() or str()."
        )
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}: expected a finite number, got {value}; leave the row out.")


def check_row(where: str, row: Row) -> None:
    r"""Refuse a row that is not flat, or has a value that is not plain and finite.

    Args:
        where: What to call it in an error.
        row: Names with values.

    Raises:
        ValueError: If it is not such a row; the error names the column.
    """
    if not isinstance(row, Mapping) or not row:
        raise ValueError(f"{where}: expected names with values, got {row!r}.")
    for key, value in row.items():
        if value is None or isinstance(value, (Mapping, list, tuple)):
            raise ValueError(f"{where}: {key}: expected one plain value, got {value!r}.")
    _plain(where, row)


def _column(rows: Iterable[Row], key: str) -> list[Any]:
    """A column, which every row must have."""
    try:
        return [row[key] for row in rows]
    except KeyError:
        there = sorted({name for row in rows for name in row})
        raise ValueError(f"no column {key!r} in every row; there are {there}.") from None


def _day(where: str, day: str) -> None:
    """Raise unless ``day`` is an ISO date."""
    try:
        date.fromisoformat(day)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: date: expected as 2026-01-31, got {day!r}.") from None


def _refuse_constant(word: str) -> float:
    """NaN and infinity are no JSON."""
    raise ValueError(f"{word} is not finite")


def _duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
