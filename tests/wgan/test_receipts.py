"""The receipts of the chapter `wgan`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds

from genbook.games import duality
from genbook.kit import data, seeds, studies
from genbook.wgan import contests, critics, depth, frechet, losses, transport


def changed(monkeypatch, module, name, change):
    """Let ``change`` alter whatever a function returns."""
    original = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(original(*a, **k)))


def rewritten(monkeypatch, column, factor, **where):
    """Load studies with a column changed in the rows that fit."""

    def change(result):
        return replace(
            result,
            rows=tuple(
                {**row, column: factor(row[column])}
                if column in row and all(row.get(k) == v for k, v in where.items())
                else row
                for row in result.rows
            ),
        )

    changed(monkeypatch, studies, "load", change)


def test_the_first_receipts_hold(monkeypatch):
    assert_holds("wgan", "test_receipt_gap", monkeypatch)


def test_receipt_gap(monkeypatch):
    changed(monkeypatch, transport, "solve", lambda t: replace(t, dual=t.dual + 0.01))
    assert_breaks("wgan", "test_receipt_gap", monkeypatch)


def test_receipt_offer(monkeypatch):
    def dear(t):
        return replace(t, potential_p=t.potential_p + 0.01)

    changed(monkeypatch, transport, "solve", dear)
    assert_breaks("wgan", "test_receipt_offer", monkeypatch)


def test_receipt_slack(monkeypatch):
    def cheap(t):
        return replace(t, potential_p=t.potential_p - 0.01)

    changed(monkeypatch, transport, "solve", cheap)
    assert_breaks("wgan", "test_receipt_slack", monkeypatch)


def test_receipt_pot(monkeypatch):
    changed(monkeypatch, transport, "solve", lambda t: replace(t, cost=1.001 * t.cost))
    assert_breaks("wgan", "test_receipt_pot", monkeypatch)


def test_receipt_line(monkeypatch):
    changed(monkeypatch, transport, "on_line", lambda area: 1.001 * area)
    assert_breaks("wgan", "test_receipt_line", monkeypatch)


def test_receipt_sorted(monkeypatch):
    monkeypatch.setattr(transport, "of_samples", lambda x, y: (x - y).abs().mean(-1))
    assert_breaks("wgan", "test_receipt_sorted", monkeypatch)


def test_receipt_critic(monkeypatch):
    changed(monkeypatch, transport, "potential", lambda b: replace(b, value=0.99 * b.value))
    assert_breaks("wgan", "test_receipt_critic", monkeypatch)


def test_receipt_lipschitz(monkeypatch):
    changed(monkeypatch, transport, "potential", lambda b: replace(b, f=1.01 * b.f))
    assert_breaks("wgan", "test_receipt_lipschitz", monkeypatch)


def test_receipt_extended(monkeypatch):
    changed(monkeypatch, transport, "extended", lambda f: 0.99 * f)
    assert_breaks("wgan", "test_receipt_extended", monkeypatch)


def test_receipt_lines(monkeypatch):
    original = transport.parallel_lines
    monkeypatch.setattr(transport, "parallel_lines", lambda theta, noise=0.0: original(2 * theta))
    assert_breaks("wgan", "test_receipt_lines", monkeypatch)


def test_receipt_constant(monkeypatch):
    changed(monkeypatch, duality, "divergence", lambda value: value / math.log(2))
    assert_breaks("wgan", "test_receipt_constant", monkeypatch)


def test_receipt_conjugate(monkeypatch):
    doubled = replace(duality.TRANSPORT, conjugate=lambda t: 2 * t)
    monkeypatch.setattr(duality, "TRANSPORT", doubled)
    assert_breaks("wgan", "test_receipt_conjugate", monkeypatch)


def test_receipt_spine(monkeypatch):
    monkeypatch.setattr(losses, "TRANSPORT", duality.KL)
    assert_breaks("wgan", "test_receipt_spine", monkeypatch)


def test_receipt_pull(monkeypatch):
    changed(monkeypatch, transport, "extended", lambda f: -f)
    assert_breaks("wgan", "test_receipt_pull", monkeypatch)


def test_receipt_slope(monkeypatch):
    changed(monkeypatch, transport, "extended", lambda f: 1.1 * f)
    assert_breaks("wgan", "test_receipt_slope", monkeypatch)


def test_receipt_certificate(monkeypatch):
    changed(monkeypatch, critics, "lipschitz", lambda steepest: 0.01 * steepest)
    assert_breaks("wgan", "test_receipt_certificate", monkeypatch)


def test_receipt_all(monkeypatch):
    changed(monkeypatch, critics, "lipschitz", lambda steepest: 1.1 * steepest)
    assert_breaks("wgan", "test_receipt_all", monkeypatch)


def test_receipt_penalty(monkeypatch):
    def over_the_batch(slopes):
        return torch.full_like(slopes, slopes.norm().item())

    changed(monkeypatch, losses, "slopes", over_the_batch)
    assert_breaks("wgan", "test_receipt_penalty", monkeypatch)


def test_receipt_batch_norm(monkeypatch):
    monkeypatch.setattr(seeds.SeedBatchNorm, "forward", lambda self, x: x)
    assert_breaks("wgan", "test_receipt_batch_norm", monkeypatch)


def test_receipt_surfaces(monkeypatch):
    rewritten(monkeypatch, "share", lambda share: 0.8 * share, clip=0.0, seed=1)
    assert_breaks("wgan", "test_receipt_surfaces", monkeypatch)


def test_receipt_vanish(monkeypatch):
    rewritten(monkeypatch, "decades", lambda decades: decades + 0.05, clip=0.01)
    assert_breaks("wgan", "test_receipt_vanish", monkeypatch)


def test_receipt_explode(monkeypatch):
    rewritten(monkeypatch, "decades", lambda decades: -decades, clip=0.1)
    assert_breaks("wgan", "test_receipt_explode", monkeypatch)


def test_receipt_level(monkeypatch):
    rewritten(monkeypatch, "decades", lambda decades: decades - 0.1, clip=0.0, seed=2)
    assert_breaks("wgan", "test_receipt_level", monkeypatch)


def test_receipt_qp(monkeypatch):
    changed(monkeypatch, losses, "quadratic_penalty", lambda charge: 2 * charge)
    assert_breaks("wgan", "test_receipt_qp", monkeypatch)


def test_receipt_saturates(monkeypatch):
    changed(monkeypatch, duality, "divergence", lambda value: value / 2)
    assert_breaks("wgan", "test_receipt_saturates", monkeypatch)


@pytest.fixture
def quick(monkeypatch):
    """Games of the live cell that last no time and end where the record is at step 100."""

    def compete(contest, table, judge, seeds, *, iterations, every):
        recorded = studies.load("wgan_mnist")
        for step in range(every, iterations + 1, every):
            where = {"images": "digits", "game": contest.objective.name, "iteration": 100}
            at = recorded.where(**where, seed=1)[0]
            values = (torch.tensor([float(at[key])]) for key in ("believed", "distance"))
            yield contests.Mark(step, *values, torch.rand(1, 1_000, 64))

    recorded = studies.load("wgan_critics").where(clip=0.1, seed=1)
    known = [critics.Certificate(r["value"], r["steepest"], r["exact"]) for r in recorded]
    monkeypatch.setattr(critics, "optimal", lambda clip, seed: None)
    monkeypatch.setattr(critics, "certificates", lambda critic, seed: known)
    norms = torch.logspace(0, 11 * 1.1, 12)[None]
    monkeypatch.setattr(depth, "deep", lambda clip, seed: (None, norms))
    judge = frechet.Judge(None, None, 0.0, 1.0)
    monkeypatch.setattr(frechet, "train_judge", lambda *_: judge)
    monkeypatch.setattr(contests, "compete", compete)


@pytest.mark.usefixtures("quick")
def test_receipt_tracks(monkeypatch):
    changed(monkeypatch, frechet, "rank_correlation", lambda rho: 0.9 * rho)
    assert_breaks("wgan", "test_receipt_tracks", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_blind(monkeypatch):
    changed(monkeypatch, frechet, "rank_correlation", lambda rho: rho.abs() + 0.1)
    assert_breaks("wgan", "test_receipt_blind", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_closest(monkeypatch):
    rewritten(monkeypatch, "distance", lambda far: 3 * far, game="WGAN-GP", critic_steps=1)
    assert_breaks("wgan", "test_receipt_closest", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_live_critic(monkeypatch):
    def steeper(found):
        return [replace(c, steepest=2 * c.steepest) for c in found]

    changed(monkeypatch, critics, "certificates", steeper)
    assert_breaks("wgan", "test_receipt_live_critic", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_live_depth(monkeypatch):
    changed(monkeypatch, depth, "decades_per_layer", lambda decades: 0.9 * decades)
    assert_breaks("wgan", "test_receipt_live_depth", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_separated(monkeypatch):
    table = data.digits("train").flat[None, :1_000]

    def separated(marks):
        return [
            replace(mark, believed=5 * losses.distance(table, mark.fakes).mean()[None])
            for mark in marks
        ]

    changed(monkeypatch, contests, "compete", separated)
    assert_holds("wgan", "test_receipt_separated", monkeypatch)

    def louder(marks):
        return [replace(mark, believed=1.3 * mark.believed) for mark in marks]

    changed(monkeypatch, contests, "compete", louder)
    assert_breaks("wgan", "test_receipt_separated", monkeypatch)


@pytest.mark.usefixtures("quick")
def test_receipt_live(monkeypatch):
    assert_holds("wgan", "test_receipt_live", monkeypatch)

    def halved(marks):
        return [replace(mark, distance=mark.distance / 2) for mark in marks]

    changed(monkeypatch, contests, "compete", halved)
    assert_breaks("wgan", "test_receipt_live", monkeypatch)
