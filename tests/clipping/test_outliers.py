"""Laws of `genbook.clipping.outliers`."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.clipping.outliers import pace, stall


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.0, 0.99)])
@pytest.mark.parametrize("spike", [1.0, 0.0, 30.0, -5.0])
def test_the_pace_is_that_of_torchs_adam(betas, spike):
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    stepper = torch.optim.Adam([weight], lr=1.0, betas=betas, eps=0.0)
    for step in range(60):
        weight.grad = torch.full_like(weight, spike if step == 20 else 1.0)
        before = weight.item()
        stepper.step()
        if step >= 20:
            wanted = pace(step - 20, spike, before=20, betas=betas)
            assert before - weight.item() == pytest.approx(wanted, rel=1e-9)


def test_the_spikes_own_step_has_a_limit():
    limit = 0.1 / math.sqrt(0.001)
    assert pace(0, 1e9, before=100_000) == pytest.approx(limit, rel=1e-6)
    assert max(pace(0, 10 ** (k / 50)) for k in range(500)) < 3.3


@pytest.mark.parametrize("spike", [20.0, 100.0, 1e4])
def test_the_stall_is_the_last_slow_step(spike):
    last = stall(spike)
    if last:
        assert pace(last, spike) < 0.5 <= pace(last + 1, spike)
        assert last == pytest.approx(1000 * math.log(1e-3 * spike**2 / 3), rel=2e-3)


def test_no_spike_and_a_short_memory_do_not_stall():
    assert stall(1.0) == 0
    assert stall(100.0, betas=(0.9, 0.9)) < 100


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pace(-1, 2.0), "steps ≥ 0"),
        (lambda: pace(0, 2.0, betas=(0.9, 1.0)), "β in"),
        (lambda: stall(2.0, share=1.0), "share in"),
    ],
)
def test_bad_numbers_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
