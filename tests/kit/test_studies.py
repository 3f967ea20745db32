"""Recorded studies: only valid ones exist, a killed one goes on, every slice still runs."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook import __main__ as terminal
from genbook.kit import studies, study_runs
from genbook.kit.device import seeded
from genbook.kit.studies import Spread, Study, StudyResult, load, save, spread
from genbook.kit.study_runs import record
from genbook.kit.training import load_checkpoint, save_checkpoint

TESTS = str(Path(__file__).parent)
GOOD = StudyResult(
    name="vae_toy",
    topic="vae",
    command="python -m genbook study vae",
    seeds=(0, 1),
    config={"rate": 0.1, "widths": [2, 3], "data": None},
    versions={"genbook": "0", "numpy": "2", "python": "3.11", "torch": "2.13"},
    device="cpu, 2 threads",
    date="2026-01-31",
    wall_seconds=12.5,
    rows=({"k": 1, "nll": 2.5, "solved": True}, {"k": 5, "nll": 1.5, "solved": False}),
)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A cache of its own."""
    monkeypatch.setenv("GENBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GENBOOK_DEVICE", "cpu")
    return tmp_path / "cache"


def whole(slice: bool):
    return [{"place": place, "slice": slice} for place in range(1 if slice else 3)]


def by_seed(slice: bool, seed: int):
    yield {"seed": seed, "x": torch.rand(1, generator=seeded(seed)).item()}


WHOLE = Study("toy_whole", "toy", whole, (7,), {"a": 1})
BY_SEED = Study("toy_seeds", "toy", by_seed, (5, 2, 9))


# Results


plain = st.one_of(
    st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=5),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
row = st.dictionaries(st.text(max_size=5), plain, min_size=1, max_size=4)


@settings(max_examples=25, deadline=None)
@given(st.lists(row, min_size=1, max_size=4), st.dictionaries(st.text(), plain, max_size=3))
def test_what_is_saved_is_loaded(tmp_path_factory, rows, config):
    result = replace(GOOD, rows=tuple(rows), config=config)
    folder = tmp_path_factory.mktemp("studies")
    path = save(result, folder)
    assert load("vae_toy", folder) == result
    assert json.loads(path.read_text(encoding="utf-8"))["schema"] == studies.SCHEMA
    assert len(path.read_text(encoding="utf-8").splitlines()) >= len(rows) + 10


@pytest.mark.parametrize(
    ("change", "says"),
    [({"schema": 2}, "expected schema 1, got 2"),
     ({"name": "toy"}, "name: expected vae_"), ({"name": "vae_Toy"}, "name: "),
     ({"name": "vae_../x"}, "name: "), ({"name": 3}, "name: "),
     ({"topic": "the vae"}, "topic: "), ({"topic": 3}, "topic: "),
     ({"command": " "}, "command: "), ({"device": 3}, "device: "),
     ({"seeds": (1, 1)}, "seeds: "), ({"seeds": (0.5,)}, "seeds: "), ({"seeds": 3}, "seeds: "),
     ({"config": {"f": math.nan}}, "config: f: expected a finite"),
     ({"config": {"f": {"g": [math.inf]}}}, "config: f: g: 0: expected a finite"),
     ({"config": {"f": print}}, "config: f: .*builtin_function"), ({"config": 3}, "config: "),
     ({"config": {3: 4}}, "expected names as keys"),
     ({"versions": {"python": "3"}}, "versions: genbook, numpy, torch missing"),
     ({"versions": "2.13"}, "versions: "),
     ({"date": "31.1.2026"}, "date: "), ({"date": None}, "date: "),
     ({"wall_seconds": -1.0}, "wall_seconds: "), ({"wall_seconds": math.nan}, "wall_seconds: "),
     ({"wall_seconds": "9"}, "wall_seconds: "), ({"wall_seconds": None}, "wall_seconds: "),
     ({"rows": ()}, "rows: expected at least one"), ({"rows": 3}, "rows: "),
     ({"rows": ({},)}, "row 0: expected names"), ({"rows": (3,)}, "row 0: expected names"),
     ({"rows": ({"a": 1}, {"a": math.inf})}, "row 1: a: expected a finite number, got inf"),
     ({"rows": ({"a": [1]},)}, "row 0: a: expected one plain value"),
     ({"rows": ({"a": None},)}, "row 0: a: expected one plain value"),
     ({"rows": ({"a": torch.tensor(1.0)},)}, r"got Tensor; convert it with float\(\)"),
     ({"rows": ({3: 1},)}, "row 0: expected names as keys")],
)  # fmt: skip
def test_an_invalid_result_cannot_be(change, says):
    with pytest.raises(ValueError, match=says):
        replace(GOOD, **change)


@pytest.mark.parametrize(
    ("damage", "says"),
    [(lambda text: text[:-20], "expected JSON"),
     (lambda text: text.replace('"nll": 2.5', '"nll": NaN'), "NaN is not finite"),
     (lambda text: text.replace('"seeds"', '"sedes"'), r"\['seeds'\], unknown: \['sedes'\]"),
     (lambda text: "[1, 2]", "missing"),
     (lambda text: text.replace('"schema": 1', '"schema": 0'), "expected schema 1"),
     (lambda text: text.replace("vae_toy", "vae_other"), "expected the study 'vae_toy'")],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_name(tmp_path, damage, says):
    path = save(GOOD, tmp_path)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        load("vae_toy", tmp_path)


def test_a_missing_study_is_named_with_those_there_are(tmp_path):
    save(GOOD, tmp_path)
    with pytest.raises(ValueError, match=r"no recorded study 'vae_no'; there are \['vae_toy'\]"):
        load("vae_no", tmp_path)


def test_rows_are_found_by_their_columns():
    assert GOOD.where(k=5) == [GOOD.rows[1]]
    assert GOOD.column("nll") == [2.5, 1.5]
    assert GOOD.column("nll", solved=True) == [2.5]
    with pytest.raises(ValueError, match=r"no row has {'k': 9}; there are {'k': \['1', '5'\]}"):
        GOOD.where(k=9)
    with pytest.raises(ValueError, match="no column 'loss' in every row; there are"):
        GOOD.column("loss")


@pytest.mark.parametrize(
    ("seconds", "said"), [(12.5, "12 s"), (119, "119 s"), (300, "5 min"), (9000, "2.5 h")]
)
def test_a_caption_says_where_the_numbers_come_from(seconds, said):
    line = replace(GOOD, wall_seconds=seconds).provenance
    assert line == (
        "Recorded 2026-01-31 with “python -m genbook study vae”, seeds 0, 1; cpu, 2 threads, "
        f"torch 2.13, {said}."
    )
    assert "seeds" not in replace(GOOD, seeds=()).provenance


# The spread


numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(numbers)
def test_the_spread_is_that_of_torch(values):
    found = spread([{"x": x} for x in values], "x")
    tensor = torch.tensor(values, dtype=torch.float64)
    deviation = tensor.std().item() if len(values) > 1 else 0.0
    assert (found.count, found.min, found.max) == (len(values), min(values), max(values))
    assert found.mean == pytest.approx(tensor.mean().item(), abs=1e-6)
    assert found.std == pytest.approx(deviation, abs=1e-6, rel=1e-9)


def test_the_spread_is_over_the_rows_that_fit():
    assert spread(GOOD.rows, "nll", k=1) == Spread(1, 2.5, 2.5, 2.5, 0.0)
    assert spread(GOOD.rows, "solved").mean == 0.5
    for bad, says in [
        (lambda: spread(GOOD.rows, "nll", k=2), "no row has {'k': 2}"),
        (lambda: spread([], "nll"), "no row has been recorded"),
        (lambda: spread(GOOD.rows, "loss"), "no column 'loss'"),
        (lambda: spread([{"a": "x"}], "a"), "expected numbers in 'a', got 'x'"),
    ]:
        with pytest.raises(ValueError, match=says):
            bad()


# Studies and their runs


@pytest.mark.parametrize(
    ("bad", "says"),
    [({"run": 3}, r"expected run\(slice, …\)"), ({"run": lambda: []}, r"expected run\(slice, …\)"),
     ({"run": by_seed, "seeds": ()}, "run takes a seed, but seeds is empty"),
     ({"name": "other_toy"}, "name: expected toy_"), ({"seeds": (1, True)}, "seeds: "),
     ({"config": {"d": torch.float32}}, "config: d: ")],
)  # fmt: skip
def test_a_bad_study_is_refused_when_it_is_made(bad, says):
    with pytest.raises(ValueError, match=says):
        replace(WHOLE, **bad)


def test_a_result_tells_how_it_came_to_be():
    result = record(WHOLE)
    assert result is not None
    assert [dict(row) for row in result.rows] == whole(slice=False)
    assert result.command == "python -m genbook study toy"
    assert (result.seeds, result.config, result.device.split(",")[0]) == ((7,), {"a": 1}, "cpu")
    assert result.versions["torch"] == torch.__version__
    assert abs((date.fromisoformat(result.date) - date.today()).days) <= 1


def test_a_slice_says_so_and_leaves_nothing(cache):
    assert [dict(row) for row in record(WHOLE, slice=True).rows] == whole(slice=True)
    result = record(BY_SEED, slice=True)
    assert result.command.endswith(" --slice")
    assert result.seeds == (5,)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_found_out_before_the_work(cache):
    ran = []

    def run(slice, seed):
        ran.append(seed)
        yield from by_seed(slice, seed)

    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(ValueError, match="GENBOOK_CACHE: expected a folder that can be written to"):
        record(replace(BY_SEED, run=run))
    assert ran == []


def test_seeds_are_run_one_by_one_in_order():
    assert [row["seed"] for row in record(BY_SEED).rows] == [5, 2, 9]


@pytest.mark.parametrize("value", [math.nan, [1], None, torch.tensor(1.0)])
def test_a_bad_row_stops_the_study_at_once(value):
    seen = []

    def run(slice):
        for place in range(5):
            seen.append(place)
            yield {"loss": value if place == 2 else 1.0}

    with pytest.raises(ValueError, match="study 'toy_bad': row 2: loss: "):
        record(Study("toy_bad", "toy", run))
    assert seen == [0, 1, 2]


def test_a_study_that_stopped_goes_on_with_the_missing_seeds(cache):
    ran, broken = [], [True]

    def run(slice, seed):
        ran.append(seed)
        if seed == 9 and broken:
            raise KeyboardInterrupt
        yield from by_seed(slice, seed)

    study = replace(BY_SEED, run=run)
    with pytest.raises(KeyboardInterrupt):
        record(study)
    broken.clear()
    result = record(study)
    assert ran == [5, 2, 9, 9]
    assert result.rows == record(BY_SEED).rows
    assert list((cache / "studies").iterdir()) == []


@pytest.mark.parametrize("what", ["config", "seeds", "code"])
def test_what_is_left_of_another_study_is_not_used(cache, monkeypatch, tmp_path, what):
    ran = []

    def run(slice, seed):
        ran.append(seed)
        if len(ran) == 2:
            raise KeyboardInterrupt
        yield from by_seed(slice, seed)

    with pytest.raises(KeyboardInterrupt):
        record(replace(BY_SEED, run=run))
    if what == "code":
        (tmp_path / "changed.py").write_text("")
        monkeypatch.setattr(study_runs.genbook, "__file__", str(tmp_path / "__init__.py"))
    changed = {"config": {"config": {"b": 2}}, "seeds": {"seeds": (5, 2)}, "code": {}}[what]
    record(replace(BY_SEED, run=run, **changed))
    assert ran[2] == 5


def long_run(slice: bool, seed: int, checkpoint: Path | None):
    """Sums of random numbers, saved at each step; says where it is; slow if asked."""
    rng, total, start = seeded(seed), torch.zeros(1), 0
    if checkpoint and checkpoint.is_file():
        start = load_checkpoint(checkpoint, rng=rng, total=total).step
    for step in range(start, 2 if slice else 20):
        total += torch.rand(1, generator=rng)
        if checkpoint:
            save_checkpoint(checkpoint, step=step + 1, rng=rng, total=total)
        print("made", seed, step, flush=True)
        time.sleep(float(os.environ.get("SLOW", "0")))
    yield {"seed": seed, "total": total.item()}


LONG = Study("toy_long", "toy", long_run, (0, 1))
RUN = f"""
import sys
sys.path.insert(0, {TESTS!r})
from test_studies import *
result = record({{}})
if result: save(result, sys.argv[1])
"""


def test_a_killed_study_goes_on_from_its_checkpoint(cache, tmp_path, capsys):
    expected = record(LONG).rows
    command = [sys.executable, "-c", RUN.format("LONG"), str(tmp_path)]
    slow = os.environ | {"SLOW": "0.02"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=slow)
    while process.stdout.readline() != "made 1 7\n":
        assert process.poll() is None, "the run ended by itself"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    capsys.readouterr()
    assert record(LONG).rows == expected
    made = capsys.readouterr().out.splitlines()
    assert "made 0 19" not in made
    assert "made 1 6" not in made
    assert made[-1] == "made 1 19"
    assert record(LONG, slice=True).seeds == (0,)


def test_processes_share_the_seeds(cache, tmp_path):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    script = tmp_path / "launched.py"
    script.write_text(RUN.format("BY_SEED"))
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, script, tmp_path], env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = load("toy_seeds", tmp_path)
    assert result.rows == record(BY_SEED).rows
    assert result.device.startswith("2 × cpu")


def test_a_study_without_seeds_is_not_shared(monkeypatch):
    monkeypatch.setattr(study_runs, "_Crew", lambda: SimpleNamespace(size=2, rank=0))
    with pytest.raises(ValueError, match="expected one process, got 2"):
        record(WHOLE)


# The command


@pytest.fixture
def topics(monkeypatch, tmp_path):
    """The studies of two made-up topics, recorded in a folder of their own."""
    other = Study("other_thing", "other", whole)
    modules = {
        "genbook.a": SimpleNamespace(STUDIES=(WHOLE, BY_SEED)),
        "genbook.b": SimpleNamespace(STUDIES=(other,)),
        "genbook.c": SimpleNamespace(),
    }
    found = [SimpleNamespace(name=name) for name in modules]
    monkeypatch.setattr(terminal.pkgutil, "walk_packages", lambda *_: found)
    monkeypatch.setattr(terminal.importlib, "import_module", modules.__getitem__)
    folder = tmp_path / "studies"
    folder.mkdir()
    monkeypatch.setattr(studies, "FOLDER", folder)
    return folder


def test_the_command_records_the_studies_of_a_topic(topics, capsys):
    assert terminal.main(["study", "toy"]) == 0
    assert [path.name for path in studies.recorded()] == ["seeds.json", "whole.json"]
    assert "whole.json" in capsys.readouterr().out
    assert terminal.main(["study", "all", "--only", "other_thing"]) == 0
    assert load("other_thing").topic == "other"


def test_the_command_records_no_slice(topics, capsys):
    assert terminal.main(["study", "all", "--slice"]) == 0
    assert "--slice" in capsys.readouterr().out
    assert studies.recorded() == []


@pytest.mark.parametrize("asked", [["gan"], ["toy", "--only", "other_thing"]])
def test_the_command_names_the_studies_there_are(topics, capsys, asked):
    assert terminal.main(["study", *asked]) == 2
    assert "there are: toy_whole, toy_seeds, other_thing" in capsys.readouterr().err


def test_two_studies_of_one_name_are_refused():
    twice = [SimpleNamespace(STUDIES=(WHOLE,)), SimpleNamespace(STUDIES=(replace(WHOLE),))]
    with pytest.raises(ValueError, match="two studies are called 'toy_whole'"):
        list(studies.find(twice))
    assert list(studies.find([twice[0], twice[0]])) == [WHOLE]


def test_every_command_explains_itself(capsys):
    for command in terminal.COMMANDS:
        with pytest.raises(SystemExit) as done:
            terminal.main([command, "--help"])
        assert done.value.code == 0
        assert terminal.COMMANDS[command].help in capsys.readouterr().out


# The book's own


def test_every_recorded_study_is_valid_and_known():
    for path in studies.recorded():
        result = load(f"{path.parent.name}_{path.stem}")
        (study,) = terminal.chosen_studies(result.topic, result.name)
        assert set(result.seeds) == set(study.seeds)
        assert result.config == json.loads(json.dumps(study.config))
        assert "--slice" not in result.command


def every_study():
    try:
        return terminal.chosen_studies("all")
    except ValueError:
        return []


@pytest.mark.parametrize("study", every_study(), ids=lambda study: study.name)
def test_a_slice_of_every_study_still_runs(study, monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    result = record(study, slice=True)
    assert result is not None
    kept = studies.file_of(study.name)
    if kept.is_file():
        recorded = [set(row) for row in load(study.name).rows]
        always, ever = set.intersection(*recorded), set.union(*recorded)
        assert all(always <= set(row) <= ever for row in result.rows)
