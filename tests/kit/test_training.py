"""Steps are frozen, bad losses are named, and a resumed run repeats the uninterrupted one."""

from __future__ import annotations

import copy
import io
import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import FrozenInstanceError
from itertools import islice
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genbook.kit import checkpoints, data, training
from genbook.kit.device import seeded
from genbook.kit.training import (
    Checkpoint,
    NonFiniteLoss,
    Step,
    checkpointed,
    finite,
    linear_decay,
    load_checkpoint,
    one_by_one,
    progress,
    save_checkpoint,
)

TOTAL = 24


class Run:
    """A noisy fit with everything that a checkpoint must hold."""

    def __init__(self, optimiser: str = "Adam", seed: int = 0, device: str = "cpu") -> None:
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
        with torch.no_grad():
            for place, parameter in enumerate(self.net.parameters()):
                parameter.normal_(generator=seeded(seed + place))
        self.net.to(device)
        make = {
            "Adam": lambda p: torch.optim.Adam(p, lr=1e-2, betas=(0.8, 0.99), amsgrad=True),
            "SGD": lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True),
            "Adagrad": lambda p: torch.optim.Adagrad(p, lr=1e-2),
            "RMSprop": lambda p: torch.optim.RMSprop(p, lr=1e-2, centered=True),
        }[optimiser]
        first, rest = self.net[0].parameters(), self.net[1:].parameters()
        self.optimiser = make([{"params": [*first]}, {"params": [*rest], "weight_decay": 0.01}])
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimiser, 5, gamma=0.7)
        self.rng = seeded(seed, device)
        x = torch.randn(30, 4, generator=seeded(5)).to(device)
        self.batches = data.batches([x, x.sum(1, keepdim=True)], 7, self.rng, steps=TOTAL)
        self.average = torch.zeros(1, device=device)

    @property
    def parts(self):
        return {
            "net": self.net,
            "optimiser": self.optimiser,
            "schedule": self.schedule,
            "rng": self.rng,
            "batches": self.batches,
            "average": self.average,
        }

    def steps(self, start: int = 0):
        for index in range(start, TOTAL):
            x, y = next(self.batches)
            noise = torch.randn(x.shape, generator=self.rng, device=x.device)
            loss = (self.net(x + 0.1 * noise) - y).square().mean()
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            self.average.mul_(0.9).add_(0.1 * loss.detach())
            terms = finite(
                index, loss=loss, average=self.average, rate=self.schedule.get_last_lr()[0]
            )
            yield Step(index, TOTAL, terms)

    def weights(self):
        return {name: tensor.clone() for name, tensor in self.net.state_dict().items()}


def same(a, b) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# Steps


def test_a_step_is_frozen_and_so_are_its_terms():
    terms = {"loss": 1.0}
    step = Step(0, 3, terms)
    terms["loss"] = 2.0
    assert step.terms == {"loss": 1.0}
    with pytest.raises(FrozenInstanceError):
        step.index = 1
    with pytest.raises(TypeError):
        step.terms["loss"] = 0.0
    assert (step.last, Step(2, 3, {}).last) == (False, True)


@pytest.mark.parametrize(("index", "total"), [(-1, 3), (3, 3), (0, 0)])
def test_a_step_is_within_its_total(index, total):
    with pytest.raises(ValueError, match="expected 0 ≤ index"):
        Step(index, total, {})


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.text("abc", min_size=1), st.floats(allow_nan=False, allow_infinity=False))
)
def test_finite_terms_come_back_as_they_are(terms):
    assert finite(0, **terms) == terms
    double = {name: torch.tensor(value, dtype=torch.float64) for name, value in terms.items()}
    assert finite(0, **double) == terms


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [float, torch.tensor])
def test_a_loss_that_is_not_finite_names_step_and_term(bad, wrap):
    with pytest.raises(NonFiniteLoss, match="step 12: the term 'kl' is") as caught:
        finite(12, loss=wrap(1.0), kl=wrap(bad))
    assert (caught.value.index, caught.value.term) == (12, "kl")


def test_a_loss_must_be_one_number():
    with pytest.raises(ValueError, match=r"expected one number for 'loss', got a tensor \[3\]"):
        finite(0, loss=torch.zeros(3))


def test_a_diverging_run_stops_where_it_diverges():
    run = Run("SGD")
    for group in run.optimiser.param_groups:
        group["lr"] = 1e30
    run.schedule.base_lrs = [1e30, 1e30]
    steps = []
    with pytest.raises(NonFiniteLoss, match="the term 'loss'"):
        steps.extend(run.steps())
    assert len(steps) < TOTAL


# Progress


def test_progress_passes_every_step_on_and_closes_its_loop(monkeypatch):
    closed = []

    def loop():
        try:
            for index in range(5):
                yield Step(index, 5, {"loss": 1.0 / (index + 1)})
        finally:
            closed.append(True)

    assert [step.index for step in progress(loop())] == list(range(5))
    taken = progress(loop())
    next(taken)
    taken.close()
    assert len(closed) == 2


def test_progress_shows_the_latest_terms_to_people(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setenv("GENBOOK_PROGRESS", "1")
    monkeypatch.setattr(training, "tqdm", lambda **k: _bar(screen, **k))
    list(progress((Step(i, 40, {"loss": 0.5 + i}) for i in range(9, 40, 10)), description="fit"))
    shown = screen.getvalue()
    assert "fit" in shown
    assert "loss=39.5" in shown
    assert "40/40" in shown


def _bar(screen, **arguments):
    from tqdm import tqdm

    return tqdm(file=screen, **arguments | {"mininterval": 0})


def test_one_by_one_passes_every_run_on_and_counts_those_that_ended(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setenv("GENBOOK_PROGRESS", "1")
    monkeypatch.setattr(training, "tqdm", lambda **k: _bar(screen, **k))
    assert list(one_by_one(("KL", "reverse KL"), description="games")) == ["KL", "reverse KL"]
    assert "games" in screen.getvalue()
    assert "2/2" in screen.getvalue()
    assert list(one_by_one(())) == []


def test_progress_is_silent_when_nobody_watches(capfd):
    list(progress(Step(i, 3, {}) for i in range(3)))
    list(one_by_one([1, 2]))
    assert capfd.readouterr() == ("", "")


# Checkpoints


@pytest.mark.parametrize("optimiser", ["Adam", "SGD", "Adagrad", "RMSprop"])
@pytest.mark.parametrize("stop", [0, 1, 5, 13, TOTAL])
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(tmp_path, optimiser, stop):
    whole = Run(optimiser)
    trace = [dict(step.terms) for step in whole.steps()]

    killed = Run(optimiser)
    begun = [dict(step.terms) for step in islice(killed.steps(), stop)]
    save_checkpoint(tmp_path / "run", step=stop, notes={"begun": begun}, **killed.parts)

    resumed = Run(optimiser, seed=77)
    found = load_checkpoint(tmp_path / "run", **resumed.parts)
    rest = [dict(step.terms) for step in resumed.steps(found.step)]
    assert found.notes["begun"] + rest == trace
    assert same(resumed.weights(), whole.weights())
    assert torch.equal(resumed.rng.get_state(), whole.rng.get_state())


def test_batches_of_another_data_set_leave_every_part_as_it_was(tmp_path):
    saved = Run()
    list(islice(saved.steps(), 5))
    save_checkpoint(tmp_path / "run", step=5, **saved.parts)
    mine = Run(seed=77)
    list(islice(mine.steps(), 3))
    other = data.batches(torch.arange(7.0), 2, seeded(0))
    weights, numbers = mine.weights(), mine.rng.get_state()
    with pytest.raises(ValueError, match="the saved order is for"):
        load_checkpoint(tmp_path / "run", **{**mine.parts, "batches": other})
    assert same(mine.weights(), weights)
    assert torch.equal(mine.rng.get_state(), numbers)


@pytest.mark.parametrize("left_out", ["net", "optimiser", "schedule", "rng", "batches", "average"])
def test_a_run_that_forgets_a_part_does_not_repeat(tmp_path, left_out):
    """The test above can fail: it needs every part."""
    trace = [dict(step.terms) for step in Run().steps()]
    killed = Run()
    list(islice(killed.steps(), 13))
    resumed = Run(seed=77)
    kept = [name for name in killed.parts if name != left_out]
    save_checkpoint(tmp_path / "run", step=13, **{name: killed.parts[name] for name in kept})
    load_checkpoint(tmp_path / "run", **{name: resumed.parts[name] for name in kept})
    if left_out == "batches":
        resumed.batches.load_state_dict(
            {"order": torch.empty(0, dtype=torch.int64), "place": torch.tensor([0, 13])}
        )
    rest = [dict(step.terms) for step in resumed.steps(13)]
    assert rest != trace[13:]


def test_checkpointed_saves_in_time_and_at_the_end(tmp_path):
    path, run, made = tmp_path / "run", Run(), []
    for step in checkpointed(run.steps(), path, every=10, **run.parts):
        if path.exists():
            made.append(load_checkpoint(path, **Run().parts).step)
        assert path.exists() == (step.index + 1 >= 10)
    assert sorted(set(made)) == [10, 20, 24]


def test_checkpointed_keeps_count_when_steps_are_told_rarely(tmp_path):
    saved = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "save_checkpoint", lambda path, step, notes: saved.append(step))
        told = [Step(index, 100, {}) for index in (19, 39, 59, 79, 99)]
        list(checkpointed(told, tmp_path / "run", every=30))
    assert saved == [59 + 1, 99 + 1]


def test_what_is_saved_comes_back_whole(tmp_path, device):
    net = nn.Linear(3, 2, dtype=torch.bfloat16, device=device)
    tied = nn.Sequential(net, net)
    wide = torch.arange(12.0, device=device).view(3, 4).T
    notes = {"rate": 0.1, "shape": (1, 2), "names": ["a"], "none": None, "yes": True, "n": {3: "x"}}
    save_checkpoint(tmp_path / "c", step=3, notes=notes, tied=tied, wide=wide)
    other, back = copy.deepcopy(tied), torch.zeros(4, 3, device=device)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    assert load_checkpoint(tmp_path / "c", tied=other, wide=back) == Checkpoint(3, notes)
    assert same(other.state_dict(), tied.state_dict())
    assert torch.equal(back, wide)
    assert other[0].weight.device.type == device.type


def test_the_file_is_plain_safetensors(tmp_path):
    from safetensors import safe_open

    save_checkpoint(tmp_path / "c", step=0, net=nn.Linear(2, 1))
    with safe_open(tmp_path / "c", "pt") as file:
        assert sorted(file.keys()) == ["net/bias", "net/weight"]


@pytest.mark.parametrize(
    ("parts", "says"),
    [({"net": nn.Linear(3, 2)}, r"net/weight: expected torch.float32 \[1, 2\].*got.*\[2, 3\]"),
     ({"net": nn.Linear(2, 1, bias=False)}, r"only in the file: \['/bias'\]"),
     ({"net": nn.Linear(2, 1, dtype=torch.float64)}, "float64"),
     ({"net": nn.Sequential(nn.Linear(2, 1))}, r"only here: \['/0.bias', '/0.weight'\]"),
     ({"net": torch.Generator()}, "expected Module, which was saved, got Generator"),
     ({"other": nn.Linear(2, 1)}, r"expected the parts \['net'\].*got \['other'\]"),
     ({}, r"got \[\]"),
     ({"net": nn.Linear(2, 1), "rng": torch.Generator()}, r"got \['net', 'rng'\]")],
)  # fmt: skip
def test_other_parts_are_refused_and_left_alone(tmp_path, parts, says):
    def states():
        modules = [part for part in parts.values() if isinstance(part, nn.Module)]
        return [copy.deepcopy(module.state_dict()) for module in modules]

    save_checkpoint(tmp_path / "c", step=0, net=nn.Linear(2, 1))
    before = states()
    with pytest.raises(ValueError, match=says):
        load_checkpoint(tmp_path / "c", **parts)
    assert all(same(a, b) for a, b in zip(before, states(), strict=True))


def test_an_optimiser_of_another_kind_or_shape_is_refused(tmp_path):
    save_checkpoint(tmp_path / "c", step=0, optimiser=Run("Adam").optimiser)
    with pytest.raises(ValueError, match="expected Adam, which was saved, got SGD"):
        load_checkpoint(tmp_path / "c", optimiser=Run("SGD").optimiser)
    other = torch.optim.Adam([torch.zeros(3, requires_grad=True)])
    with pytest.raises(ValueError, match=r"expected parameters of shapes .* got \[\[\[3\]\]\]"):
        load_checkpoint(tmp_path / "c", optimiser=other)


def test_nothing_is_changed_when_a_later_part_is_refused(tmp_path):
    save_checkpoint(tmp_path / "c", step=0, net=nn.Linear(2, 1), tensor=torch.zeros(3))
    net = nn.Linear(2, 1)
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match="tensor: expected"):
        load_checkpoint(tmp_path / "c", net=net, tensor=torch.zeros(4))
    assert same(before, net.state_dict())


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused(tmp_path_factory, draw):
    path = tmp_path_factory.mktemp("c") / "run"
    save_checkpoint(path, step=1, net=nn.Linear(2, 1))
    content = bytearray(path.read_bytes())
    if draw.draw(st.booleans()):
        content = content[: draw.draw(st.integers(0, len(content) - 1))]
    else:
        content[draw.draw(st.integers(len(content) - 12, len(content) - 1))] ^= 1 << draw.draw(
            st.integers(0, 7)
        )
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        load_checkpoint(path, net=nn.Linear(2, 1))


def test_files_of_others_are_refused(tmp_path, monkeypatch):
    from safetensors.torch import save_file

    with pytest.raises(ValueError, match="found none at"):
        load_checkpoint(tmp_path / "none")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(ValueError, match="expected a checkpoint written by save_checkpoint"):
        load_checkpoint(tmp_path / "foreign")
    monkeypatch.setattr(checkpoints, "FORMAT", 2)
    save_checkpoint(tmp_path / "later", step=0)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="expected format 1, got 2"):
        load_checkpoint(tmp_path / "later")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"step": -1}, "step: "), ({"step": 1.0}, "step: "), ({"step": True}, "step: "),
     ({"step": 0, "net": 3}, "net: expected a module"),
     ({"step": 0, "notes": {"f": print}}, "notes/f: expected a tensor, number"),
     ({"step": 0, "notes": {"t": torch.zeros(1)}}, "notes/t: "),
     ({"step": 0, "notes": {(1, 2): 3}}, "notes: expected string or whole-number keys")],
)  # fmt: skip
def test_what_cannot_be_saved_is_refused_and_leaves_the_old_file(tmp_path, arguments, says):
    save_checkpoint(tmp_path / "c", step=5)
    with pytest.raises(ValueError, match=says):
        save_checkpoint(tmp_path / "c", **arguments)
    assert load_checkpoint(tmp_path / "c").step == 5
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_every_is_a_whole_number(tmp_path):
    for bad in (0, 1.5, True):
        with pytest.raises(ValueError, match="every: "):
            list(checkpointed([], tmp_path / "c", every=bad))


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "c", step=5)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path / "c", step=6)
    monkeypatch.undo()
    assert load_checkpoint(tmp_path / "c").step == 5
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_training import Run, checkpointed
run = Run()
for step in checkpointed(run.steps(), {path!r}, every=1, **run.parts):
    print(step.index, flush=True)
    if step.index == 9:
        import os, time
        from genbook.kit import checkpoints, files
        def slow(descriptor):
            print("writing", flush=True)
            time.sleep(60)
        files.os.fsync = slow
"""


def test_a_kill_amid_writing_leaves_the_last_good_checkpoint(tmp_path):
    path = tmp_path / "run"
    script = KILLED.format(tests=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = ""
    while said != "writing\n":
        said = process.stdout.readline()
        assert said, "the run ended by itself"
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    resumed = Run(seed=77)
    found = load_checkpoint(path, **resumed.parts)
    assert found.step == 10
    trace = [dict(step.terms) for step in Run().steps()]
    assert [dict(step.terms) for step in resumed.steps(found.step)] == trace[10:]


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_a_linear_decay_begins_at_one_ends_at_zero_and_falls_by_equal_steps(share):
    factors = [linear_decay(index, 100, share) for index in range(101)]
    begin = round(100 * (1 - share))
    assert factors[: begin + 1] == [1.0] * (begin + 1)
    assert factors[-1] == 0
    falls = [a - b for a, b in itertools.pairwise(factors[begin:])]
    assert falls == pytest.approx([1 / (100 * share)] * len(falls))


def test_no_share_means_no_decay():
    assert [linear_decay(index, 3, 0.0) for index in range(3)] == [1.0] * 3
