"""The receipts of the chapter `gan`, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds

from genbook.games import play
from genbook.gan import algorithm, figures, images, optimum
from genbook.gan import costs as gan_costs
from genbook.gan import scenes as gan_runs
from genbook.gan.bilinear import SmallGame
from genbook.kit import studies
from genbook.kit.training import Step


def standing(norms=(1.0, 1.0)):
    """A race in which every seed has moved as far as any other."""

    def race(players, costs, *_, **__):
        count = len(costs)
        course = torch.tensor(norms)[:, None].expand(-1, count)
        seen = {cost.symbol: course for cost in (gan_costs.SATURATING, gan_costs.NON_SATURATING)}
        samples = torch.zeros(count, 50, 2)
        return gan_runs.Race([0, 20], seen, samples, samples + 1)

    return race


@pytest.fixture
def quick(monkeypatch):
    """Leave out the trainings, and pictures of them."""

    def untrained(*_, **__):
        yield Step(0, 1, {})

    def generators(table, seeds, milestones):
        streams = play.Streams(seeds)
        generator, _ = images.image_players(table.shape[1], streams)
        yield milestones[-1], generator, streams

    monkeypatch.setattr(algorithm, "fit_discriminator", untrained)
    monkeypatch.setattr(play, "play", untrained)
    monkeypatch.setattr(algorithm, "algorithm_1", untrained)
    monkeypatch.setattr(gan_runs, "forked_run", lambda *_, **__: {})
    monkeypatch.setattr(gan_runs, "race", standing())
    monkeypatch.setattr(images, "trained_on", generators)
    for name in ("learned", "on_the_line", "galleries", "head_start", "pinned", "costs"):
        monkeypatch.setattr(figures, name, lambda *_, **__: None)


def breaks(monkeypatch, test):
    assert_breaks("gan", test, monkeypatch)


def scaled(monkeypatch, module, name, change):
    honest = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(honest(*a, **k)))


def test_receipt_losses(monkeypatch):
    def halved(game):  # as the tutorial of 2016 prints them
        return replace(
            game,
            critic_loss=lambda a, b: game.critic_loss(a, b) / 2,
            generator_loss=lambda v: game.generator_loss(v) / 2,
        )

    scaled(monkeypatch, gan_costs, "objective", halved)
    breaks(monkeypatch, "test_receipt_losses")


def test_receipt_dstar(monkeypatch):
    scaled(monkeypatch, optimum, "optimal_logit", lambda v: -v)  # the probability of a fake
    breaks(monkeypatch, "test_receipt_dstar")


def test_receipt_js(monkeypatch):
    scaled(monkeypatch, optimum, "criterion", lambda value: value - 1)
    breaks(monkeypatch, "test_receipt_js")


def test_receipt_pinned(monkeypatch):
    honest = optimum.disjoint_intervals
    monkeypatch.setattr(optimum, "disjoint_intervals", lambda theta, x: honest(theta / 4, x))
    breaks(monkeypatch, "test_receipt_pinned")


def test_receipt_costs(monkeypatch):
    scaled(monkeypatch, gan_costs, "divergence_gradient", lambda gradient: gradient / 2)
    breaks(monkeypatch, "test_receipt_costs")


def test_receipt_saturation(monkeypatch):
    honest = gan_costs.pushes
    monkeypatch.setattr(
        gan_costs, "pushes", lambda _, *rest: honest(gan_costs.NON_SATURATING, *rest)
    )
    breaks(monkeypatch, "test_receipt_saturation")


def test_receipt_smooth(monkeypatch):
    honest = optimum.smoothed_discriminator
    monkeypatch.setattr(
        optimum,
        "smoothed_discriminator",
        lambda p, g, alpha, beta: honest(p, g, alpha=beta, beta=alpha),
    )
    breaks(monkeypatch, "test_receipt_smooth")


def test_receipt_circle(monkeypatch):
    def both_descend(game, point):
        x, y = point[..., 0], point[..., 1]
        return torch.stack([-game.x_rate * y, -game.y_rate * (x - game.curvature * y)], -1)

    monkeypatch.setattr(SmallGame, "field", both_descend)
    breaks(monkeypatch, "test_receipt_circle")


def test_receipt_algorithm(monkeypatch):
    honest = algorithm.algorithm_1
    monkeypatch.setattr(
        algorithm,
        "algorithm_1",
        lambda *a, **k: honest(*a, **{**k, "critic_steps": 1}),
    )
    breaks(monkeypatch, "test_receipt_algorithm")


@pytest.mark.usefixtures("quick")
def test_receipt_learned(monkeypatch):
    scaled(monkeypatch, optimum, "value", lambda value: value + 3)
    breaks(monkeypatch, "test_receipt_learned")


def stubborn(bias):
    """Instead of training, a discriminator that is sure of everything."""

    def setting(critic):
        with torch.no_grad():
            list(critic.parameters())[-1].fill_(bias)
        yield Step(0, 1, {})

    return setting


@pytest.mark.usefixtures("quick")
def test_receipt_reassuring(monkeypatch):
    monkeypatch.setattr(play, "play", lambda g, d, *_: stubborn(2.0)(d))
    monkeypatch.setattr(algorithm, "fit_discriminator", lambda d, *_, **__: stubborn(9.0)(d))
    breaks(monkeypatch, "test_receipt_reassuring")


@pytest.mark.usefixtures("quick")
def test_receipt_race(monkeypatch):
    breaks(monkeypatch, "test_receipt_race")


@pytest.mark.usefixtures("quick")
def test_receipt_images(monkeypatch):
    monkeypatch.setattr(gan_runs, "race", standing(norms=(1.0, 0.5)))
    breaks(monkeypatch, "test_receipt_images")


@pytest.mark.usefixtures("quick")
def test_receipt_parzen(monkeypatch):
    honest, made_up = studies.load, {"GAN": 300.0, "training images": 100.0}

    def load(name):
        found = honest(name)
        rows = ({**row, "parzen": made_up.get(row["model"], 50.0)} for row in found.rows)
        return replace(found, rows=tuple(rows))

    monkeypatch.setattr(studies, "load", load)
    breaks(monkeypatch, "test_receipt_parzen")


@pytest.mark.parametrize("test", ["test_receipt_circle", "test_receipt_algorithm"])
def test_receipts_hold_as_the_chapter_stands(test, monkeypatch):
    assert_holds("gan", test, monkeypatch)
