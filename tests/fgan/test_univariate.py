"""Laws of `genbook.fgan.univariate`."""

from __future__ import annotations

import pytest
import torch

from genbook.divergences import densities, fitting
from genbook.fgan import univariate
from genbook.games import duality
from genbook.kit.seeds import Streams, mlp
from genbook.kit.training import NonFiniteLoss


def short_run(contests, seed=0, iterations=4, **options):
    streams = Streams([seed] * len(contests), dtype=torch.float64)
    generator = univariate.GaussianGenerator(streams)
    critic = mlp([1, 6, 1], streams, torch.nn.Tanh)
    steps = univariate.single_step(
        contests,
        generator,
        critic,
        univariate.mixture_sampler,
        streams,
        iterations=iterations,
        batch=32,
        **options,
    )
    return list(steps)


def test_games_trained_together_equal_games_trained_alone():
    contests = univariate.CONTESTS
    together = short_run(contests)
    for place, contest in enumerate(contests):
        alone = short_run((contest,))
        for joint, single in zip(together, alone, strict=True):
            torch.testing.assert_close(joint.theta[place : place + 1], single.theta)
            torch.testing.assert_close(joint.bounds[place : place + 1], single.bounds)


def test_the_first_step_is_the_gradient_of_the_bound():
    (step,) = short_run((univariate.Contest(duality.PEARSON),), iterations=1)
    streams = Streams([0], dtype=torch.float64)
    generator = univariate.GaussianGenerator(streams)
    critic = mlp([1, 6, 1], streams, torch.nn.Tanh)
    z, real = streams.normal(32, 1), univariate.mixture_sampler(streams, 32)
    v_p, v_q = critic(real), critic(generator(z))
    value = duality.bound(v_p[..., 0], v_q[..., 0], duality.PEARSON.conjugate).sum()
    mu, log_sigma = torch.autograd.grad(value, list(generator.parameters()))
    torch.testing.assert_close(step.bounds[0], value.detach())
    torch.testing.assert_close(step.theta[0, 0], -0.01 * mu.flatten()[0])
    torch.testing.assert_close(step.theta[0, 1], torch.exp(-0.01 * log_sigma.flatten()[0]))


def test_a_game_that_blows_up_is_named():
    with pytest.raises(NonFiniteLoss, match="KL"):
        short_run((univariate.Contest(duality.KL),), iterations=60, rate=1e4)


def test_the_sampler_draws_the_reconstructed_mixture():
    drawn = univariate.mixture_sampler(Streams([3], dtype=torch.float64), 200_000)
    p = densities.fgan_mixture()
    assert drawn.mean().item() == pytest.approx(p.mean.item(), abs=0.02)
    assert drawn.std().item() == pytest.approx(p.stddev.item(), abs=0.02)


def test_exact_optima_reproduce_the_published_fifteen():
    x, log_p = univariate.grid()
    judged = univariate.judge(univariate.FIVE, log_p, x)
    for convex, fit in zip(univariate.FIVE, judged.fits, strict=True):
        paper = fitting.PUBLISHED_FITS[convex.name]
        assert fit.value == pytest.approx(paper.value, abs=4e-4)
        assert fit.mu == pytest.approx(paper.mu, abs=4e-4)
        assert fit.sigma == pytest.approx(paper.sigma, abs=4e-4)


def test_the_fit_under_each_divergence_is_the_best_under_it():
    x, log_p = univariate.grid()
    scores = univariate.judge(univariate.FIVE, log_p, x).scores
    assert (scores >= scores.diagonal()[None, :] - 1e-12).all()


def test_the_univariate_record_reports_every_game_at_each_stop():
    found = list(univariate.univariate(0, iterations=4, every=2))
    assert [row["iteration"] for row in found] == [2] * 6 + [4] * 6
    assert [row["game"] for row in found[:6]] == [game.name for game in univariate.CONTESTS]
    assert all(row["bound"] <= row["divergence"] for row in found)


def test_learned_scores_a_constant_critic_at_its_exact_bound():
    theta = torch.tensor([[0.5, 1.5]])
    (found,) = univariate.learned(
        (univariate.Contest(duality.PEARSON),), theta, lambda x: torch.full_like(x, 0.2)
    )
    assert found[1].bound == pytest.approx(0.2 - (0.2**2 / 4 + 0.2), abs=1e-6)
    assert found[2] > 0
