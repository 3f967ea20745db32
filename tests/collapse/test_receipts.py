"""The receipts of the chapter `collapse`, with the code behind each broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.collapse import causes, critics, limits, machines, remedies
from genbook.games import classifier, modes, play


def test_receipt_ceiling():
    score = modes.score
    assert_breaks(
        "collapse",
        "test_receipt_ceiling",
        swap(limits.ceiling, lambda deviations=3.0: math.erf(deviations / math.sqrt(2))),
        swap(score, lambda x, centres, std: score(x, centres, std, deviations=2.95)),
    )


def test_receipt_floor():
    assert_breaks(
        "collapse",
        "test_receipt_floor",
        swap(limits.histogram_floor, lambda modes, samples: modes / (2 * samples)),
        altered(modes.histogram_kl, lambda kl: kl / math.log(2)),
    )


def test_receipt_trap():
    assert_breaks("collapse", "test_receipt_trap", swap(modes.distinct, len))


def test_receipt_wish():
    kept_modes = limits.kept_modes
    assert_breaks(
        "collapse",
        "test_receipt_wish",
        swap(kept_modes, lambda convex, kept, of: kept_modes(convex, of - kept + 1, of)),
        altered(kept_modes, lambda value: value / math.log(2)),
    )


def test_receipt_order():
    stale = causes.stale
    assert_breaks(
        "collapse",
        "test_receipt_order",
        swap(stale, lambda s, r, k, n: stale(s, 1.01 * r, k, n)),
        swap(stale, lambda s, r, k, n: stale(s, 1.5 * r, k, n)),
    )


def test_receipt_silence():
    """The shouting reaches the fakes, or does not reach the lost mode."""
    build = causes.Elsewhere.__init__

    def everywhere(self, critic, centre, radius, height):
        build(self, critic, 0 * centre, 3 * radius, height)

    def wide(self, critic, centre, radius, height):
        build(self, critic, centre, 6 * radius, height)

    silent = method(causes.Elsewhere, "forward", lambda self, x: self.critic(x))
    assert_breaks(
        "collapse",
        "test_receipt_silence",
        method(causes.Elsewhere, "__init__", everywhere),
        method(causes.Elsewhere, "__init__", wide),
        silent,
    )


def test_receipt_unroll():
    unrolled = play.unrolled

    def still(critic, objective, real, fake, streams, *, steps, rate):
        return unrolled(critic, objective, real, fake.detach(), streams, steps=steps, rate=rate)

    assert_breaks("collapse", "test_receipt_unroll", swap(unrolled, still))


def test_receipt_spiral():
    step = causes.bilinear_step
    assert_breaks(
        "collapse",
        "test_receipt_spiral",
        swap(step, lambda k, *, look, rate: step(0, look=look, rate=rate)),
        swap(step, lambda k, *, look, rate: step(k + 1, look=look, rate=rate)),
    )


def test_receipt_pack():
    packed_tv = limits.packed_tv
    assert_breaks(
        "collapse", "test_receipt_pack", swap(packed_tv, lambda p, q, m: packed_tv(p, q, 1))
    )


def test_receipt_junk():
    """Junk that lies on the data, and packs that are never packed on one side."""
    honest = limits.packed_tv

    def on_the_data(p, q, m):
        return honest(p, q, m) if len(p) > 2 or p[1] > 0 else honest(p, 0.5 * (p + q), m)

    assert_breaks("collapse", "test_receipt_junk", swap(honest, on_the_data))


def test_receipt_touch():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "collapse",
        "test_receipt_touch",
        rewritten("collapse_unroll", lambda row: {"good": 2 * row["good"]}),
    )


def test_receipt_diverged():
    """Shows that one run that stays, or one that leaves, would be seen."""
    stays = {"points": "0 0 " * 100}
    leaves = {"points": "900 900 " * 100}
    assert_breaks(
        "collapse",
        "test_receipt_diverged",
        rewritten(
            "collapse_grid",
            lambda row: stays if row["seed"] == 2 and row["method"] == "f-GAN, KL" else {},
        ),
        rewritten(
            "collapse_grid",
            lambda row: leaves if row["seed"] == 2 and row["method"] == "f-GAN, reverse KL" else {},
        ),
    )


def test_receipt_spectral():
    """A norm over rows instead of singular values; a matrix not divided at all; a scale of 1.01."""
    spectral_norm, build = critics.spectral_norm, critics.SpectralMLP.__init__

    def largest_row(weight, u, steps=1):
        return weight.norm(dim=2).amax(1)[:, None, None], u

    def undivided(weight, u, steps=1):
        return torch.full((len(weight), 1, 1), 0.02, dtype=weight.dtype), u

    assert_breaks(
        "collapse",
        "test_receipt_spectral",
        swap(spectral_norm, largest_row),
        swap(spectral_norm, undivided),
        method(critics.SpectralMLP, "__init__", lambda self, sizes, s: build(self, sizes, s, 1.01)),
    )


def test_receipt_returns():
    original = machines.lost_and_found

    def for_good(counts):
        return original(counts.cummin(0).values)

    def never_lost(counts):
        return original(counts + 1)

    assert_breaks(
        "collapse",
        "test_receipt_returns",
        swap(original, for_good),
        swap(original, never_lost),
        altered(machines.held, lambda counts: counts + machines.LEAST),
    )


def test_receipt_ahead():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "collapse", "test_receipt_ahead", rewritten("collapse_unroll", lambda row: {"modes": 4})
    )


def test_receipt_recorded():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "collapse",
        "test_receipt_recorded",
        rewritten("collapse_grid", lambda row: {"modes": 12, "good": 0.5}),
    )


def test_receipt_goal():
    """Shows that one run that reaches the goal would be seen."""
    assert_breaks(
        "collapse",
        "test_receipt_goal",
        rewritten(
            "collapse_grid",
            lambda row: {"modes": 25, "good": 0.936} if row["seed"] == 3 else {},
        ),
    )


def test_receipt_hops():
    """Shows that points which stay, or never stop, would be seen."""
    assert_breaks(
        "collapse",
        "test_receipt_hops",
        rewritten("collapse_grid", lambda row: {"points": "0 0 " * 45}),
        rewritten(
            "collapse_grid",
            lambda row: {"points": ("0 0 " if row["iteration"] < 3000 else "400 400 ") * 45},
        ),
    )


def test_receipt_ring():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "collapse",
        "test_receipt_ring",
        rewritten("collapse_ring", lambda row: {"modes": 6 if row["seed"] == 2 else row["modes"]}),
    )


def test_receipt_unit():
    assert_breaks("collapse", "test_receipt_unit", method(remedies.Benchmark, "unit", 1.0))


def test_receipt_patience():
    """Shows that one seed with a mode or a percent too few would be seen."""
    assert_breaks(
        "collapse",
        "test_receipt_patience",
        rewritten(
            "collapse_patience",
            lambda row: {"modes": 24, "good": 0.93} if row["seed"] == 1 else {},
        ),
    )


def test_receipt_reader():
    """A classifier that is trained on labels that do not belong to the images."""
    learn = classifier.learn_to_read

    def confused(train, test, **options):
        return learn(replace(train, labels=train.labels.roll(1)), test, **options)

    assert_breaks("collapse", "test_receipt_reader", swap(learn, confused))


def test_receipt_digits():
    """Shows that the claim is read from the record."""
    assert_breaks(
        "collapse",
        "test_receipt_digits",
        rewritten("collapse_digits", lambda row: {"captured": 5}),
    )


def test_receipt_live():
    """Two remedies that are mixed up would be seen."""
    find = remedies.method
    other = {"GAN": "WGAN-GP", "WGAN-GP": "GAN"}
    assert_breaks(
        "collapse", "test_receipt_live", swap(find, lambda name: find(other.get(name, name)))
    )
