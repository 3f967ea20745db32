"""Laws of `genbook.collapse.digits`."""

from __future__ import annotations

import torch

from genbook.collapse import digits


def test_the_reader_counts_every_sample_once():
    train, reader = digits.reading("digits")
    counts = reader.classes(train.flat[None, :500])
    assert counts.sum().item() == 500
    truth = torch.bincount(train.labels[:500], minlength=10)
    assert (counts[0] - truth).abs().sum() < 60


def test_captured_digits_need_more_than_one_sample_in_a_hundred():
    classes = torch.tensor([[500, 490, 10] + [0] * 7])
    assert digits.Drawn(torch.empty(1, 1000, 4), classes).captured.tolist() == [2]
