"""Laws of `genbook.lstm.lag`."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from genbook.kit import studies
from genbook.kit.device import seeded
from genbook.lstm import lag


def test_the_same_seed_gives_the_same_run():
    first, second = (lag.lag_run("LSTM, bias 1", 20, 3, total=20) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)


def test_training_lowers_the_loss_and_stops_when_all_is_right():
    reader = lag.arm_named("LSTM, keep and shut").reader(10, seeded(0))
    losses = [step.terms["loss"] for step in lag.lag_steps(reader, 10, seeded(1), total=2_000)]
    assert len(losses) < 2_000
    assert sum(losses[-50:]) < 0.1 * sum(losses[:50])
    assert lag.lag_accuracy(reader, 10, sequences=2_000) > 0.98


class Guess(torch.nn.Module):
    """Answers at random and counts what it is given to read."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.read = 0

    def forward(self, x):
        self.read += x.shape[1]
        return torch.randn(len(x), x.shape[1], 4, generator=seeded(self.read)), None


@pytest.mark.parametrize("sequences", [1, 7, 2_000, 2_001, 3_000, 5_000])
def test_as_many_sequences_are_tested_as_were_asked_for(sequences):
    guess = Guess()
    share = lag.lag_accuracy(guess, 10, sequences=sequences)
    assert guess.read == sequences
    assert share * sequences == pytest.approx(round(share * sequences))


def test_no_sequence_is_refused():
    with pytest.raises(ValueError, match="at least one sequence"):
        lag.lag_accuracy(Guess(), 10, sequences=0)


def test_the_study_holds_every_contender_at_every_length_for_five_seeds():
    result = studies.load("lstm_long_lag")
    there = {(row["arm"], row["length"], row["seed"]) for row in result.rows}
    wanted = {
        (arm.name, length, seed)
        for arm in lag.ARMS
        for length in lag.LENGTHS
        for seed in result.seeds
    }
    assert there == wanted
    assert len(result.seeds) >= 5
