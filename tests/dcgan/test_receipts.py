"""The receipts of the chapter `dcgan`, broken on purpose."""

from __future__ import annotations

import torch
from chapters import Break, altered, assert_breaks, method, swap, told

from genbook.dcgan import concepts, latent, networks, norms, projection, strides, studies, training
from genbook.invertible import norms as stretch
from genbook.kit.machine import weights

GUIDELINES = "dcgan_guidelines"
LAYERS, MNIST, PHOTOS = "dcgan_architecture", "dcgan_mnist", "dcgan_photos"


def shortened(steps):
    """Shorter games and a with_one_recipe judge, where a receipt does not hang on how good G is."""

    def given(monkeypatch):
        right, scene = studies.game, studies.scene

        def game(given, recipe, seed, **_):
            return right(given, recipe, seed, steps=steps, every=steps)

        swap(right, game)(monkeypatch)
        if steps < 10:
            swap(scene, lambda *sets: scene(*sets, steps=20))(monkeypatch)

    return given


quick = shortened(2)


def where(column: str, value: float, study: str = GUIDELINES, **wanted) -> Break:
    """A record that says ``value`` in the rows with these settings."""
    return told(study, column, value, **wanted)


def test_receipt_adjoint():
    right = strides.up

    def turned(y, kernel, stride, padding=0, rest=0):
        return right(y, kernel.flip(2, 3), stride, padding, rest)

    assert_breaks(
        "dcgan",
        "test_receipt_adjoint",
        swap(right, turned),
        altered(strides.down, lambda read: 1.001 * read),
        altered(strides.down, lambda read: read.square()),
    )


def test_receipt_overlaps():
    right = strides.up

    assert_breaks(
        "dcgan",
        "test_receipt_overlaps",
        altered(strides.overlaps, lambda counts: counts.clamp(max=3)),
        altered(strides.overlaps, lambda counts: counts.clamp(min=1)),
        altered(strides.overlaps, lambda counts: counts + 1),
        swap(right, lambda *given: right(*given) ** 2),
    )


def test_receipt_factors():
    right = strides.up

    def turned(y, kernel, *where):
        return right(y, kernel * torch.arange(1.0, 4)[:, None, None, None], *where)

    assert_breaks(
        "dcgan",
        "test_receipt_factors",
        swap(right, turned),
        swap(right, lambda *given: right(*given) / 2),
        altered(strides.overlaps, lambda counts: counts.clamp(max=2)),
    )


def test_receipt_output():
    def with_another_eps(self, x, condition):
        variance, mean = torch.var_mean(x, (0, 2, 3), keepdim=True, correction=0)
        normal = (x - mean) / (variance + 1e-4).sqrt()
        return normal * self.scale[:, None, None] + self.shift[:, None, None]

    def each_by_itself(self, x, condition):
        scale, shift = self.coefficients(condition)
        variance, mean = torch.var_mean(x, (2, 3), keepdim=True, correction=0)
        normal = (x - mean) / (variance + 1e-5).sqrt()
        return normal * scale[:, :, None, None] + shift[:, :, None, None]

    def unshifted(self, x, condition):
        return self.plain(x) * self.scale[:, None, None]

    def unscaled(self, x, condition):
        return self.plain(x) + self.shift[:, None, None]

    assert_breaks(
        "dcgan",
        "test_receipt_output",
        method(norms.Norm, "forward", each_by_itself),
        method(norms.Norm, "forward", unshifted),
        method(norms.Norm, "forward", unscaled),
        method(norms.Norm, "forward", with_another_eps),
    )


def test_receipt_broken():
    last = studies.STEPS
    assert_breaks(
        "dcgan",
        "test_receipt_broken",
        where("distance", 12.0, setting="batch norm at G's output", step=last, seed=3),
        where("distance", 12.0, setting="β₁ = 0.9", step=last, seed=0),
        where("distance", 100.0, setting="guidelines", step=last, seed=4),
        where("distance", 40.0, setting="rate 0.001", step=last, seed=2),
        where("distance", 40.0, setting="kernels of 5", step=last, seed=1),
    )


def test_receipt_layers():
    last, kept = studies.STEPS, "guidelines"
    full, leaky = "a full hidden layer in both", "leaky ReLU in G"
    assert_breaks(
        "dcgan",
        "test_receipt_layers",
        where("distance", 120.0, LAYERS, setting=full, step=last, seed=3),
        where("distance", 40.0, LAYERS, setting="no tanh in G", step=last, seed=1),
        where("distance", 60.0, LAYERS, setting=kept, step=last, seed=4),
        where("distance", 200.0, LAYERS, setting=leaky, step=300, seed=2),
        where("distance", 15.0, LAYERS, setting=leaky, step=last, seed=0),
        where("distance", 5.0, LAYERS, setting="ReLU in D", step=900, seed=4),
        where("distance", 50.0, LAYERS, setting=kept, step=900, seed=1),
    )


def test_receipt_early():
    early, last = studies.STEPS // 2, studies.STEPS
    assert_breaks(
        "dcgan",
        "test_receipt_early",
        where("distance", 30.0, setting="rate 0.001", step=early, seed=3),
        where("distance", 15.0, setting="guidelines", step=early, seed=2),
        where("distance", 200.0, setting="no batch norm in D", step=last, seed=4),
        where("distance", 450.0, setting="no batch norm in D", step=last, seed=0),
        where("distance", 300.0, setting="guidelines", step=0, seed=7),
    )


def test_receipt_larger():
    last, out = studies.STEPS, "batch norm at G's output"
    assert_breaks(
        "dcgan",
        "test_receipt_larger",
        where("distance", 1.0, MNIST, setting="β₁ = 0.9", step=last, seed=2),
        where("distance", 1.0, PHOTOS, setting="no batch norm in D", step=last, seed=0),
        where("distance", 1.0, MNIST, setting=out, step=last, seed=1),
        where("distance", 1.0, PHOTOS, setting=out, step=last, seed=1),
        where("distance", 600.0, MNIST, setting="kernels of 5", step=last, seed=0),
        where("distance", 600.0, PHOTOS, setting="kernels of 5", step=last, seed=2),
    )


def test_receipt_fast():
    last = studies.STEPS
    assert_breaks(
        "dcgan",
        "test_receipt_fast",
        where("distance", 100.0, PHOTOS, setting="rate 0.001", step=last // 2, seed=2),
        where("distance", 1.0, PHOTOS, setting="rate 0.001", step=last, seed=0),
        where("distance", 100.0, PHOTOS, setting="rate 0.001", step=last, seed=2),
    )


def test_receipt_larger_boards():
    last = studies.STEPS
    assert_breaks(
        "dcgan",
        "test_receipt_larger_boards",
        where("board", 0.01, PHOTOS, setting="guidelines", step=last, seed=1),
        where("board", 0.01, PHOTOS, setting="kernels of 5", step=last, seed=2),
        where("board", 0.04, PHOTOS, setting="rate 0.001", step=last, seed=0),
        where("board", 0.1, PHOTOS, setting="data"),
    )


def test_receipt_probe():
    assert_breaks(
        "dcgan",
        "test_receipt_probe",
        where("trained", 0.87, MNIST, labels=1_000, seed=1),
        where("untrained", 0.87, MNIST, labels=1_000, seed=0),
        where("trained", 0.99, MNIST, labels=1_000, seed=2),
        where("trained", 0.5, MNIST, labels=10, seed=0),
        where("pixels", 0.95, MNIST, labels=1_000),
    )


def test_receipt_start():
    right = networks.begin

    def always_narrow(net, generator, spread=None):
        right(net, generator, 0.02)

    def always_wide(net, generator, spread=None):
        right(net, generator, None)

    assert_breaks(
        "dcgan",
        "test_receipt_start",
        swap(right, always_narrow),
        swap(right, always_wide),
        altered(networks.fan_in, lambda n: 4 * n),
        given=quick,
    )


def test_receipt_wider():
    for_g, for_d = ("none in G, wider start", "none in D, wider start")
    assert_breaks(
        "dcgan",
        "test_receipt_wider",
        where("distance", 120.0, setting=for_g, step=studies.STEPS, seed=3),
        where("distance", 120.0, setting=for_d, step=studies.STEPS, seed=0),
        where("distance", 17.0, setting=for_g, step=studies.STEPS, seed=1),
        where("distance", 17.0, setting=for_d, step=studies.STEPS, seed=2),
    )


def test_receipt_boards():
    assert_breaks(
        "dcgan",
        "test_receipt_boards",
        where("board", 0.05, setting="kernels of 5", step=0, seed=2),
        where("board", 0.05, setting="guidelines", step=0, seed=1),
        where("board", 0.013, setting="kernels of 5", step=studies.STEPS, seed=2),
        altered(strides.checkerboard, lambda share: 2 * share),
        given=quick,
    )


def test_receipt_live():
    right = training.train

    def with_one_recipe(pair, recipe, images, labels, **options):
        other = training.Recipe(recipe.design, 1e-3)
        yield from right(pair, other, images, labels, **options)

    assert_breaks(
        "dcgan",
        "test_receipt_live",
        swap(right, with_one_recipe),
        method(training.Recipe, "adam", lambda self, net: torch.optim.SGD(net.parameters(), 1e-5)),
        given=shortened(600),
    )


def test_receipt_three():
    assert_breaks(
        "dcgan",
        "test_receipt_three",
        swap(latent.arithmetic, lambda a, b, c: a.sum(-2) - b.sum(-2) + c.sum(-2)),
        swap(latent.arithmetic, lambda a, b, c: a[..., 0, :] - b[..., 0, :] + c[..., 0, :]),
        swap(latent.arithmetic, lambda a, b, c: a.mean(-2) - b.mean(-2)),
        altered(latent.spread_of_sum, lambda v: v / 3),
        given=quick,
    )


def test_receipt_walk():
    assert_breaks(
        "dcgan",
        "test_receipt_walk",
        swap(latent.line, lambda a, b, t: (1 - t) ** 0.5 * a + t**0.5 * b),
        swap(latent.line, lambda a, b, t: a + t * b),
        swap(latent.arc, lambda a, b, t: (1 - t) * a + t * b),
        given=quick,
    )


def test_receipt_grey():
    def given(monkeypatch):
        right = studies.game

        def game(given, recipe, seed, **_):  # the rate that is faster at first
            steps = 400 if recipe == training.Recipe() else 1
            return right(given, training.Recipe(rate=1e-3), seed, steps=steps, every=steps)

        swap(right, game)(monkeypatch)

    def straight(net, z):
        return (0.5 + z.mean(1) / 2)[:, None, None].expand(-1, 8, 8)

    assert_breaks(
        "dcgan",
        "test_receipt_grey",
        swap(concepts.drawn, straight),
        swap(latent.line, lambda a, b, t: a),
        given=given,
    )


def test_receipt_sums():
    assert_breaks(
        "dcgan",
        "test_receipt_sums",
        where("right", 0.2, exemplars=3, seed=4),
        where("right", 0.4, exemplars=30, seed=0),
        where("pixels", 0.2, exemplars=10, seed=1),
        where("variance", 1.2, exemplars=3, seed=1),
        where("variance", 0.1, exemplars=30, seed=2),
        where("variance", 3.0, exemplars=1, seed=0),
    )


def test_receipt_rounded():
    def coarse(tensors):
        return [(3 * t / t.abs().max()).round() * t.abs().max() / 3 for t in tensors]

    assert_breaks(
        "dcgan",
        "test_receipt_rounded",
        swap(weights.rounded, coarse),
        swap(weights.rounded, list),
        given=shortened(40),
    )


def test_receipt_self():
    def loud(self, condition):
        rows = len(condition)
        return self.scale + 0.1 * condition[:, :1], self.shift.expand(rows, -1)

    def flat(self, condition):
        rows = len(condition)
        return self.scale.expand(rows, -1), self.shift + self.read(condition).mean(1, keepdim=True)

    assert_breaks(
        "dcgan",
        "test_receipt_self",
        method(norms.SelfNorm, "coefficients", loud),
        method(norms.SelfNorm, "coefficients", flat),
    )


def test_receipt_norms():
    def unbiased(self, x, condition):
        variance, mean = torch.var_mean(x, (0, 2, 3), keepdim=True)
        normal = (x - mean) / (variance + 1e-5).sqrt()
        return normal * self.scale[:, None, None] + self.shift[:, None, None]

    def rolled(self, condition):
        return condition.roll(1, 1) @ self.scale, condition @ self.shift

    def narrower(monkeypatch):
        narrow = lambda channels, condition: norms.SelfNorm(channels, condition, 31)  # noqa: E731
        monkeypatch.setitem(norms.NORMS, "self", narrow)

    assert_breaks(
        "dcgan",
        "test_receipt_norms",
        method(norms.Norm, "forward", unbiased),
        method(norms.ClassNorm, "coefficients", rolled),
        narrower,
    )


def test_receipt_paired():
    own = "self-modulation"
    assert_breaks(
        "dcgan",
        "test_receipt_paired",
        where("distance", 500.0, setting=own, step=300),
        where("distance", 500.0, setting=own, step=600),
        where("distance", 0.0, setting=own, step=studies.STEPS),
        altered(studies.paired_wins, lambda wins: 10 - wins),
    )


def test_receipt_projection():
    def one_width(self, x):
        away = (x[:, None] - self.means).square().sum(-1)
        return self.weights.log() - 0.5 * away

    assert_breaks(
        "dcgan",
        "test_receipt_projection",
        altered(projection.linear_parts, lambda parts: (parts[0], parts[1] + 0.01)),
        altered(projection.linear_parts, lambda parts: (parts[0].flip(0), parts[1])),
        altered(projection.off_projection, lambda rest: rest + 1e-6),
        altered(projection.optimal_logit, lambda logit: 1.001 * logit),
        method(projection.Classes, "log_joint", one_width),
    )


def test_receipt_asked():
    see, blind = studies.CONDITIONAL
    assert_breaks(
        "dcgan",
        "test_receipt_asked",
        where("asked", 0.3, "dcgan_classes", setting=see, step=studies.STEPS, seed=2),
        where("asked", 0.5, "dcgan_classes", setting=blind, step=studies.STEPS, seed=0),
        where("distance", 6.0, "dcgan_classes", setting=see, step=studies.STEPS, seed=1),
        where("distance", 12.0, "dcgan_classes", setting=blind, step=studies.STEPS, seed=2),
    )


def test_receipt_spectral():
    last, own = studies.STEPS, "spectral norm in D"
    assert_breaks(
        "dcgan",
        "test_receipt_spectral",
        where("distance", 5.0, setting=own, step=last, seed=2),
        where("distance", 60.0, setting=own, step=last, seed=0),
        where("distance", 25.0, setting="guidelines", step=last, seed=0),
    )


def test_receipt_norm():
    assert_breaks(
        "dcgan",
        "test_receipt_norm",
        altered(stretch.reshaped_norm, lambda norm: 2 * norm),
        altered(stretch.reshaped_norm, lambda norm: 0.5 * norm),
        altered(strides.as_matrix, lambda matrix: matrix[: len(matrix) // 4]),
        altered(strides.as_matrix, lambda matrix: matrix[:, :1]),
    )
