"""Laws of `genbook.lstm.carriers`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit import studies
from genbook.kit.device import seeded
from genbook.lstm import carriers, cells, lag, paths, readers


def after_updates(hold: bool) -> tuple[dict, dict]:
    reader = lag.arm_named("LSTM, bias 1").reader(10, seeded(0))
    if hold:
        carriers.hold_forget_gates(reader)
    first = {name: w.detach().clone() for name, w in reader.recurrent.named_parameters()}
    for _ in lag.lag_steps(reader, 10, seeded(1), total=3):
        pass
    return first, {name: w.detach() for name, w in reader.recurrent.named_parameters()}


@pytest.mark.parametrize("hold", [True, False])
def test_held_gates_stay_and_all_others_move(hold):
    first, last = after_updates(hold)
    for name in first:
        moved = [
            not torch.equal(a, b)
            for a, b in zip(first[name].chunk(4), last[name].chunk(4), strict=True)
        ]
        assert moved == [True, not hold, True, True], name


def test_a_plain_net_has_no_gates_to_hold():
    with pytest.raises(ValueError, match="expected a reader with an LSTM"):
        carriers.hold_forget_gates(lag.arm_named("RNN").reader(10, seeded(0)))


def test_what_is_carried_is_what_autograd_finds():
    reader = lag.arm_named("LSTM, bias 1").reader(12, seeded(0))
    found = carriers.carried(reader, 12, 4, sequences=1)
    x, _ = next(readers.orders(12, 1, seeded(10**6)))
    cell = cells.from_torch(reader.recurrent)
    whole = paths.path_by_autograd(cell, x[:, 0], 5).detach()
    alone = paths.path_by_autograd(cell, x[:, 0], 5, through_hidden=False).detach()
    assert found.total == pytest.approx(float(paths.norms(whole)), rel=1e-4)
    assert found.direct == pytest.approx(float(alone.diagonal().max()), rel=1e-4)


@pytest.mark.parametrize("step", [-1, 12])
def test_a_step_outside_the_sequence_is_refused(step):
    reader = lag.arm_named("LSTM, bias 1").reader(12, seeded(0))
    with pytest.raises(ValueError, match="expected a step from 0 to 11"):
        carriers.carried(reader, 12, step)


def test_the_study_holds_both_arms_of_five_seeds():
    rows = studies.load("lstm_held").rows
    assert {(row["seed"], row["held"]) for row in rows} == {
        (seed, held) for seed in range(5) for held in (False, True)
    }
