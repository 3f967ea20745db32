"""The receipts of the page on machines, broken on purpose."""

from __future__ import annotations

import numpy as np
import torch
from chapters import assert_breaks, method, swap

from genbook.kit.machine import noise, weights
from genbook.kit.machine import program as programs


def test_receipt_program():
    original = programs.Program.run_flat

    def off_by_a_bit(self, leaves):
        return [torch.nextafter(leaf, leaf + 1) for leaf in original(self, leaves)]

    assert_breaks(
        "machines", "test_receipt_program", method(programs.Program, "run_flat", off_by_a_bit)
    )


def test_receipt_waste():
    def all_used(calls, outputs):
        return {call.result for call in calls} | set(outputs) | set(range(99))

    assert_breaks("machines", "test_receipt_waste", swap(programs._used, all_used))


def test_receipt_threefry():
    def one_turn_less(monkeypatch):
        monkeypatch.setattr(noise, "ROTATIONS", ((13, 15, 26, 6), (17, 29, 16, 23)))

    assert_breaks("machines", "test_receipt_threefry", one_turn_less)


def test_receipt_in_turn():
    """All first words, then all second; a counter for each number; the lower 24 bits."""
    original = noise.uniform

    def words(size, key, stream, step):
        counters = np.arange(size, dtype=np.uint32)
        return noise.threefry(key, stream, step, counters)

    def one_after_the_other(size, *, key, stream, step):
        found = original(size, key=key, stream=stream, step=step)
        return np.concatenate([found[::2], found[1::2]])

    def a_counter_each(size, *, key, stream, step):
        return (words(size, key, stream, step)[0] >> np.uint32(8)) / np.float32(1 << 24)

    def from_below(size, *, key, stream, step):
        first, second = (w & np.uint32(0xFFFFFF) for w in words(size, key, stream, step))
        return np.stack([first, second], 1).reshape(-1)[:size] / np.float32(1 << 24)

    assert_breaks(
        "machines",
        "test_receipt_in_turn",
        swap(original, one_after_the_other),
        swap(original, a_counter_each),
        swap(original, from_below),
    )


def test_receipt_alone():
    original = noise.threefry

    def counted_from_the_end(key, stream, first, second):
        return original(key, stream, first, second[::-1])

    assert_breaks("machines", "test_receipt_alone", swap(original, counted_from_the_end))


def test_receipt_others():
    original = noise.threefry

    def one_stream(key, stream, first, second):
        return original(key, 0, first, second)

    def one_step(key, stream, first, second):
        return original(key, stream, 0, second)

    assert_breaks(
        "machines", "test_receipt_others", swap(original, one_stream), swap(original, one_step)
    )


def test_receipt_weights():
    def cut_off(monkeypatch):
        monkeypatch.setattr(np, "rint", np.trunc)

    def one_scale(tensors):
        return [torch.stack([w * 127 / w.abs().max() for w in tensors]).round()[0]
                * tensors[0].abs().max() / 127]  # fmt: skip

    assert_breaks("machines", "test_receipt_weights", cut_off, swap(weights.rounded, one_scale))
