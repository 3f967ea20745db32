"""Device, budget and seed: an argument beats the environment; nonsense is named."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook.kit import device as devices
from genbook.kit.device import Device, budget, pick, seeded
from genbook.kit.environment import flag, watched


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("GENBOOK_DEVICE", "GENBOOK_PROFILE", "GENBOOK_PROGRESS", "GENBOOK_STATIC"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many CUDA devices, and MPS or not."""

    def build(cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return build


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(0, False, "cpu"), (0, True, "cpu"), (2, True, "cuda")]
)
def test_the_best_device_is_picked(machine, cuda, mps, best):
    machine(cuda, mps)
    assert pick().type == best
    assert pick("auto").type == best


def test_an_argument_beats_the_environment_beats_the_best(machine, monkeypatch):
    machine(cuda=2)
    monkeypatch.setenv("GENBOOK_DEVICE", " CUDA:1 ")
    assert pick().device == torch.device("cuda:1")
    assert pick("cpu").device == torch.device("cpu")
    monkeypatch.setenv("GENBOOK_DEVICE", "auto")
    assert pick().device == torch.device("cuda")


def test_a_device_is_kept_with_its_dtype():
    double = pick("cpu", torch.float64)
    assert pick(double) == double
    assert pick(double, torch.float32) == Device(torch.device("cpu"))
    assert pick(torch.device("cpu")).dtype is torch.float32


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", 3.5, "cpu:7", [1]])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(ValueError, match="device: "):
        pick(name)


def test_an_unknown_device_in_the_environment_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("GENBOOK_DEVICE", "tpu")
    with pytest.raises(ValueError, match=r"GENBOOK_DEVICE: expected .* got 'tpu'"):
        pick()


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:0"])
def test_an_absent_device_is_refused(machine, name):
    machine()
    with pytest.raises(ValueError, match="this machine has none"):
        pick(name)


def test_a_device_beyond_the_last_is_refused(machine):
    machine(cuda=2)
    with pytest.raises(ValueError, match="cuda:2 was asked for, but this machine has 2"):
        pick("cuda:2")


@pytest.mark.parametrize("dtype", [torch.int64, "float32", torch.bool])
def test_only_floating_dtypes(dtype):
    with pytest.raises(ValueError, match="dtype: "):
        pick("cpu", dtype)


def test_mps_has_no_double_precision(machine):
    machine(mps=True)
    with pytest.raises(ValueError, match="MPS has no float64"):
        pick("mps", torch.float64)


def test_autocast_computes_in_bfloat16_on_cuda_only(device):
    a = torch.ones(2, 2, device=device)
    with pick(device).autocast():
        product = a @ a
    assert product.dtype is (torch.bfloat16 if device.type == "cuda" else torch.float32)
    with pick(device, torch.float64).autocast():
        assert (a.double() @ a.double()).dtype is torch.float64


def test_autocast_asks_cuda_for_bfloat16(machine, monkeypatch):
    machine(cuda=1)
    asked = []
    monkeypatch.setattr(torch, "autocast", lambda *a, **k: asked.append((a, k)))
    pick("cuda").autocast()
    pick("cuda", torch.float64).autocast()
    pick("cpu").autocast()
    assert asked == [(("cuda",), {"dtype": torch.bfloat16})]


@pytest.mark.parametrize(
    ("profile", "device", "steps"),
    [("fast", "cpu", 100), ("fast", "cuda", 100), ("normal", "cpu", 2_000),
     ("normal", "cuda", 50_000), ("full", "cpu", 50_000), ("full", "cuda", 50_000),
     (None, "cpu", 2_000)],
)  # fmt: skip
def test_a_budget_is_of_its_device_and_profile(machine, monkeypatch, profile, device, steps):
    machine(cuda=1)
    assert budget(cpu=2_000, gpu=50_000, device=device, profile=profile) == steps
    if profile:
        monkeypatch.setenv("GENBOOK_PROFILE", profile)
    assert budget(cpu=2_000, gpu=50_000, device=device) == steps
    monkeypatch.setenv("GENBOOK_DEVICE", device)
    assert budget(cpu=2_000, gpu=50_000) == steps


def test_a_profile_argument_beats_the_environment(monkeypatch):
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")
    assert budget(cpu=100, gpu=200, device="cpu", profile="full") == 200
    monkeypatch.setenv("GENBOOK_PROFILE", "")
    assert budget(cpu=100, gpu=200, device="cpu") == 100


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 10**6))
def test_a_fast_budget_is_at_least_one_step(cpu):
    assert budget(cpu=cpu, gpu=cpu, device="cpu", profile="fast") == max(1, cpu // 20)


@pytest.mark.parametrize("bad", [0, -1, 2.0, True, None])
def test_a_budget_is_a_whole_number(bad):
    with pytest.raises(ValueError, match="expected cpu to be a whole number"):
        budget(cpu=bad, gpu=1)
    with pytest.raises(ValueError, match="expected gpu to be a whole number"):
        budget(cpu=1, gpu=bad)


def test_an_unknown_profile_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"profile: .*'slow'"):
        budget(cpu=1, gpu=1, profile="slow")
    monkeypatch.setenv("GENBOOK_PROFILE", "turbo")
    with pytest.raises(ValueError, match=r"GENBOOK_PROFILE: .*'turbo'"):
        budget(cpu=1, gpu=1)


def test_a_seed_is_a_stream_of_its_own(device):
    before = torch.get_rng_state()
    one, two, other = seeded(5, device), seeded(5, device), seeded(6, device)
    a, b, c = (torch.rand(9, generator=g, device=device) for g in (one, two, other))
    assert one.device.type == device.type
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("bad", [-1, 2**63, 1.0, True, None, "0"])
def test_a_seed_is_a_whole_number(bad):
    with pytest.raises(ValueError, match="seed: "):
        seeded(bad)


def test_a_device_says_its_name():
    assert (str(pick("cpu")), pick("cpu").type) == ("cpu", "cpu")


def test_the_divisor_is_the_documented_one():
    assert devices.FAST_DIVISOR == 20


@pytest.mark.parametrize(
    ("progress", "static", "tty", "pytest_runs", "expected"),
    [(None, None, True, False, True), (None, None, False, False, False),
     (None, "1", True, False, False), (None, "0", True, False, True),
     (None, None, True, True, False), ("1", "1", False, True, True),
     ("0", None, True, False, False)],
)  # fmt: skip
def test_bars_are_for_people(monkeypatch, progress, static, tty, pytest_runs, expected):
    for name, value in (("GENBOOK_PROGRESS", progress), ("GENBOOK_STATIC", static)):
        if value is not None:
            monkeypatch.setenv(name, value)
    if not pytest_runs:
        monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.delitem(__import__("sys").modules, "ipykernel", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: tty, raising=False)
    assert watched() is expected


def test_a_flag_is_zero_or_one(monkeypatch):
    monkeypatch.setenv("GENBOOK_STATIC", "yes")
    with pytest.raises(ValueError, match="GENBOOK_STATIC: expected 0 or 1, got 'yes'"):
        flag("GENBOOK_STATIC", default=False)
