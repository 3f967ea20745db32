"""Conjugates, bounds and games of the f-GAN chapter, and its receipts broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs
from torch.distributions import Normal

from genbook import divergences as dv
from genbook import duality, fgan, fgan_parzen, fgan_play, fgan_signals, fgan_training
from genbook.adversarial import Game
from genbook.figures import fgan as figures
from genbook.gan_images import Split
from genbook.kit import studies
from genbook.kit.receipts import ReceiptError
from genbook.kit.training import NonFiniteLoss
from genbook.seeds import Streams, mlp

FEW = settings(max_examples=15, deadline=None)
GRID = torch.linspace(-40, 40, 8001, dtype=torch.float64)
SMOOTH = [convex for convex in duality.TABLE if convex.name != "total variation"]
each = pytest.mark.parametrize("convex", duality.TABLE, ids=lambda convex: convex.name)
smooth = pytest.mark.parametrize("convex", SMOOTH, ids=lambda convex: convex.name)


def slopes_of(convex, count=21):
    low, high = convex.slopes
    return torch.linspace(max(low, -4) + 0.01, min(high, 4) - 0.01, count, dtype=torch.float64)


# --- Conjugates -------------------------------------------------------------------------------


@each
def test_three_roads_lead_to_one_conjugate(convex):
    t = slopes_of(convex)
    closed = convex.conjugate(t)
    torch.testing.assert_close(fgan.numeric_conjugate(convex, t), closed, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(fgan.autograd_conjugate(convex, t), closed, rtol=1e-9, atol=1e-9)


@each
def test_the_supremum_is_infinite_exactly_above_the_domain(convex):
    end = convex.domain[1]
    if math.isfinite(end):
        t = torch.tensor([end - 0.05, end + 0.05], dtype=torch.float64)
        assert fgan.numeric_conjugate(convex, t).isinf().tolist() == [False, True]
    else:
        assert fgan.numeric_conjugate(convex, torch.tensor([3.0])).isfinite().all()


def test_below_the_slopes_of_f_the_supremum_sits_at_zero():
    for convex, t in ((duality.PEARSON, -5.0), (duality.TOTAL_VARIATION, -3.0)):
        found = fgan.numeric_conjugate(convex, torch.tensor([t])).item()
        assert found == pytest.approx(-convex.f(torch.zeros(())).item(), abs=1e-9)


@each
@FEW
@given(u=st.floats(0.05, 20))
def test_the_conjugate_of_the_conjugate_is_f(convex, u):
    ratio = torch.tensor([u], dtype=torch.float64)
    torch.testing.assert_close(
        fgan.biconjugate(convex, ratio), convex.f(ratio), rtol=1e-6, atol=1e-6
    )


@smooth
def test_fenchel_young_vanishes_at_the_slope_and_nowhere_else(convex):
    u = torch.tensor([0.3, 0.9, 2.5], dtype=torch.float64)
    slope = convex.derivative(u)
    assert fgan.fenchel_young(convex, u, slope).abs().max() < 1e-12
    shifted = slope - 0.2
    assert fgan.fenchel_young(convex, u, shifted).min() > 1e-4


def test_total_variation_is_tight_for_every_slope_at_the_kink():
    t = torch.linspace(-0.49, 0.49, 9, dtype=torch.float64)
    gap = fgan.fenchel_young(duality.TOTAL_VARIATION, torch.ones(9, dtype=torch.float64), t)
    assert gap.abs().max() == 0


@each
def test_the_raw_critic_becomes_the_slope_of_f(convex):
    ell = torch.linspace(-3, 3, 13, dtype=torch.float64)[[0, 3, 5, 8, 12]]
    torch.testing.assert_close(
        fgan.best_critic(convex, ell), convex.derivative(ell.exp()), rtol=1e-9, atol=1e-9
    )


@each
def test_a_critic_above_its_threshold_votes_for_p(convex):
    ell = torch.tensor([-0.5, 0.5], dtype=torch.float64)
    votes = fgan.best_critic(convex, ell) > convex.threshold
    assert votes.tolist() == [False, True]


# --- The bound --------------------------------------------------------------------------------


@smooth
@FEW
@given(pair=gaussian_pairs())
def test_grid_divergences_equal_the_closed_forms(convex, pair: GaussianPair):
    exact = pair.exact.get(convex.name, math.inf)
    if math.isfinite(exact) and exact < 1e4:
        log_p, log_q = pair.p.log_prob(GRID), pair.q.log_prob(GRID)
        value = fgan.divergence_on_grid(convex, log_p, log_q, GRID).item()
        assert value == pytest.approx(exact, rel=1e-5, abs=1e-8)


@each
@FEW
@given(shift=st.floats(-1.5, 1.5), tilt=st.floats(-0.5, 0.5))
def test_no_critic_beats_the_divergence_and_the_sag_is_the_difference(convex, shift, tilt):
    x = torch.linspace(-7, 7, 701, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(0.4, 1.1).log_prob(x)
    raw = fgan.raw_critic(convex, log_p - log_q).clamp(-15, 15) + shift + tilt * x
    t = convex.activation(raw)
    most = fgan.divergence_on_grid(convex, log_p, log_q, x)
    value = fgan.bound_on_grid(convex, t, log_p, log_q, x)
    lost = fgan.sag_on_grid(convex, t, log_p, log_q, x)
    assert value <= most + 1e-6
    torch.testing.assert_close(most - value, lost, rtol=1e-5, atol=1e-5)


def test_a_shifted_kl_critic_loses_exactly_what_the_formula_says():
    x = torch.linspace(-9, 9, 1801, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(1.0, 1.0).log_prob(x)
    best = fgan.best_critic(duality.KL, log_p - log_q)
    lost = fgan.sag_on_grid(duality.KL, best + 0.3, log_p, log_q, x).item()
    assert lost == pytest.approx(math.exp(0.3) - 1 - 0.3, abs=1e-9)


# --- What the generator feels -----------------------------------------------------------------


@smooth
def test_signals_are_the_curvature_of_f_times_powers_of_u(convex):
    u = torch.tensor([0.05, 0.7, 1.0, 6.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(convex.f(u).sum(), u, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), u)
    pull = fgan_signals.signals(convex, u)
    torch.testing.assert_close(pull.practical, u.detach() * bend, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(pull.minimax, u.detach() ** 2 * bend, rtol=1e-9, atol=1e-9)


def test_total_variation_pulls_nowhere():
    pull = fgan_signals.signals(duality.TOTAL_VARIATION, torch.tensor([0.1, 3.0]))
    assert not pull.minimax.any()
    assert not pull.practical.any()


def gradient(divergence: dv.Divergence, log_p, theta, x):
    theta = theta.clone().requires_grad_()
    log_q = dv.gaussian_log_density(x, theta[0], theta[1].exp())
    return torch.autograd.grad(dv.on_grid(divergence, log_p, log_q, x), theta)[0]


@smooth
@FEW
@given(mu=st.floats(-1, 1), log_sigma=st.floats(-0.1, 0.3))
def test_the_minimax_step_follows_the_divergence_itself(convex, mu, log_sigma):
    x = torch.linspace(-14, 14, 2801, dtype=torch.float64)
    log_p = Normal(0.2, 1.1).log_prob(x)
    theta = torch.tensor([mu, log_sigma], dtype=torch.float64)
    step = fgan_signals.expected_gradient(convex, log_p, theta, x, practical=False)
    exact = gradient(fgan.as_divergence(convex), log_p, theta, x)
    torch.testing.assert_close(step, exact, rtol=1e-4, atol=1e-6)


PRACTICAL = {
    "KL": lambda g: g(dv.REVERSE_KL),
    "reverse KL": lambda g: g(dv.NEYMAN) / 2,
    "Pearson χ²": lambda g: 2 * g(dv.KL),
    "Jeffrey": lambda g: g(dv.REVERSE_KL) + g(dv.NEYMAN) / 2,
    "Jensen–Shannon": lambda g: g(dv.REVERSE_KL) - 2 * g(dv.JENSEN_SHANNON),
    "GAN": lambda g: g(dv.REVERSE_KL) - 2 * g(dv.JENSEN_SHANNON),
}


@pytest.mark.parametrize("name", PRACTICAL)
def test_the_practical_step_follows_another_divergence(name):
    x = torch.linspace(-14, 14, 2801, dtype=torch.float64)
    log_p = Normal(0.2, 1.1).log_prob(x)
    theta = torch.tensor([-0.6, 0.2], dtype=torch.float64)
    step = fgan_signals.expected_gradient(fgan.row(name), log_p, theta, x, practical=True)
    other = PRACTICAL[name](lambda divergence: gradient(divergence, log_p, theta, x))
    torch.testing.assert_close(step, other, rtol=1e-6, atol=1e-8)


@smooth
def test_batches_agree_with_the_expectation_where_the_supports_overlap(convex, generator):
    x = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    theta = torch.tensor([0.5, 0.0], dtype=torch.float64)
    log_p = Normal(0.0, 1.0).log_prob(x)
    for practical in (False, True):
        batches = fgan_signals.batch_gradients(
            convex, 0.5, batches=40, size=2000, generator=generator, practical=practical
        )
        exact = fgan_signals.expected_gradient(convex, log_p, theta, x, practical=practical)[0]
        assert abs(batches.mean() - exact) < 5 * batches.std() / math.sqrt(40) + 1e-9


# --- Algorithm 1 ------------------------------------------------------------------------------


def short_run(contests, seed=0, iterations=4, **options):
    streams = Streams([seed] * len(contests), dtype=torch.float64)
    generator = fgan_training.GaussianGenerator(streams)
    critic = mlp([1, 6, 1], streams, torch.nn.Tanh)
    steps = fgan_training.single_step(
        contests,
        generator,
        critic,
        fgan_training.mixture_sampler,
        streams,
        iterations=iterations,
        batch=32,
        **options,
    )
    return list(steps)


def test_games_trained_together_equal_games_trained_alone():
    contests = fgan_training.CONTESTS
    together = short_run(contests)
    for place, contest in enumerate(contests):
        alone = short_run((contest,))
        for joint, single in zip(together, alone, strict=True):
            torch.testing.assert_close(joint.theta[place : place + 1], single.theta)
            torch.testing.assert_close(joint.bounds[place : place + 1], single.bounds)


def test_the_first_step_is_the_gradient_of_the_bound():
    (step,) = short_run((fgan_training.Contest(duality.PEARSON),), iterations=1)
    streams = Streams([0], dtype=torch.float64)
    generator = fgan_training.GaussianGenerator(streams)
    critic = mlp([1, 6, 1], streams, torch.nn.Tanh)
    z, real = streams.normal(32, 1), fgan_training.mixture_sampler(streams, 32)
    v_p, v_q = critic(real), critic(generator(z))
    value = duality.bound(v_p[..., 0], v_q[..., 0], duality.PEARSON.conjugate).sum()
    mu, log_sigma = torch.autograd.grad(value, list(generator.parameters()))
    torch.testing.assert_close(step.bounds[0], value.detach())
    torch.testing.assert_close(step.theta[0, 0], -0.01 * mu.flatten()[0])
    torch.testing.assert_close(step.theta[0, 1], torch.exp(-0.01 * log_sigma.flatten()[0]))


def test_a_game_that_blows_up_is_named():
    with pytest.raises(NonFiniteLoss, match="KL"):
        short_run((fgan_training.Contest(duality.KL),), iterations=60, rate=1e4)


def test_the_sampler_draws_the_reconstructed_mixture():
    drawn = fgan_training.mixture_sampler(Streams([3], dtype=torch.float64), 200_000)
    p = dv.fgan_mixture()
    assert drawn.mean().item() == pytest.approx(p.mean.item(), abs=0.02)
    assert drawn.std().item() == pytest.approx(p.stddev.item(), abs=0.02)


def test_exact_optima_reproduce_the_published_fifteen():
    x, log_p = fgan_training.grid()
    judged = fgan_training.judge(fgan_training.FIVE, log_p, x)
    for convex, fit in zip(fgan_training.FIVE, judged.fits, strict=True):
        paper = dv.PUBLISHED_FITS[convex.name]
        assert fit.value == pytest.approx(paper.value, abs=4e-4)
        assert fit.mu == pytest.approx(paper.mu, abs=4e-4)
        assert fit.sigma == pytest.approx(paper.sigma, abs=4e-4)


def test_the_fit_under_each_divergence_is_the_best_under_it():
    x, log_p = fgan_training.grid()
    scores = fgan_training.judge(fgan_training.FIVE, log_p, x).scores
    assert (scores >= scores.diagonal()[None, :] - 1e-12).all()


# --- Games in the plane and on images ---------------------------------------------------------


def test_a_mode_counts_once_however_many_samples_it_has():
    centres = fgan_play.CENTRES
    near = centres[[0, 0, 3]] + 2.9 * fgan_play.DEVIATION / math.sqrt(2)
    far = centres[[5]] * 1.2
    samples = torch.stack([torch.cat([near, far]), torch.full((4, 2), math.nan)])
    assert fgan_play.modes(samples) == [2, 0]


def poisoned_game(keep_going, poison=math.inf):
    """A game of two seeds; the data of the first are infinite at the third step."""
    calls = []

    def sample(streams, n):
        calls.append(n)
        spoilt = torch.tensor([poison if len(calls) == 3 else 0.0, 0.0])
        return streams.normal(n, 2) + spoilt[:, None, None]

    streams = Streams([0, 1])
    players = mlp([2, 4, 2], streams), mlp([2, 4, 1], streams)
    game = Game(iterations=6, batch=8)
    return fgan_play.contest(
        duality.GAN,
        *players,
        sample,
        game,
        streams,
        practical=False,
        draws=5,
        keep_going=keep_going,
    )


def test_a_dead_seed_is_dated_and_the_others_do_not_notice():
    outcome, healthy = poisoned_game(keep_going=True), poisoned_game(keep_going=True, poison=0.0)
    assert outcome.died == (2, -1)
    assert healthy.died == (-1, -1)
    torch.testing.assert_close(outcome.bounds[:, 1], healthy.bounds[:, 1])
    torch.testing.assert_close(outcome.samples[1], healthy.samples[1])
    assert not outcome.bounds[2:, 0].isfinite().any()


def test_a_death_stops_the_game_unless_told_otherwise():
    with pytest.raises(NonFiniteLoss, match="step 2"):
        poisoned_game(keep_going=False)


def test_a_game_in_the_plane_draws_500_samples_a_seed():
    outcome = fgan_play.on_ring(duality.TOTAL_VARIATION, (0, 4), practical=False, iterations=3)
    assert outcome.samples.shape == (2, 500, 2)
    assert outcome.bounds.abs().max() <= 1  # total variation is at most 1


def test_grey_means_near_a_half_in_the_mean_pixel():
    grey, sharp = torch.full((9,), 0.5), torch.tensor([0.0, 1, 0, 0, 1, 0, 0, 0, 1])
    edge = torch.full((9,), 0.751)
    assert fgan_play.grey_share(torch.stack([grey, sharp, edge, edge])[None]) == [0.25]


def test_images_are_drawn_within_their_range():
    images = torch.rand(40, 16, generator=torch.Generator().manual_seed(1))
    outcome = fgan_play.on_images(duality.PEARSON, images, (0, 1), practical=True, iterations=3)
    assert outcome.samples.shape == (2, 100, 16)
    assert outcome.samples.min() >= 0
    assert outcome.samples.max() <= 1


RECORDS = [fgan_play.record_ring, fgan_play.record_images, fgan_parzen.record]


@pytest.mark.parametrize("record", RECORDS)
def test_a_slice_of_a_study_holds_a_row_for_each_seed(record, monkeypatch):
    for module in (fgan_play, fgan_parzen):
        monkeypatch.setattr(module, "SEEDS", (0, 1))
    found = list(record(slice=True))
    games = {(row["row"], row.get("practical")) for row in found}
    assert len(found) == 2 * len(games)
    assert {row["seed"] for row in found} == {0, 1}


def test_parzen_scores_of_a_game_that_fits_beat_those_of_a_game_that_died(monkeypatch):
    points = torch.rand(60, 4, generator=torch.Generator().manual_seed(2))
    images = Split(points[:20], points[20:40], points[40:])
    samples = torch.stack([points[:20], points[:20] + 3, torch.full((20, 4), math.nan)])
    outcome = fgan_play.Outcome(samples, torch.zeros(5, 3), (-1, -1, 2))
    monkeypatch.setattr(fgan_parzen, "on_images", lambda *_, **__: outcome)
    near, far, dead = fgan_parzen.scored(duality.KL, images, (0, 1, 2), iterations=5, samples=20)
    assert near["parzen"] > far["parzen"]
    assert (dead["died"], dead["sigma"]) == (2, 0.0)


def test_the_univariate_record_reports_every_game_at_each_stop():
    found = list(fgan_training.univariate(0, iterations=4, every=2))
    assert [row["iteration"] for row in found] == [2] * 6 + [4] * 6
    assert [row["game"] for row in found[:6]] == [game.name for game in fgan_training.CONTESTS]
    assert all(row["bound"] <= row["divergence"] for row in found)


def test_learned_scores_a_constant_critic_at_its_exact_bound():
    theta = torch.tensor([[0.5, 1.5]])
    (found,) = fgan_training.learned(
        (fgan_training.Contest(duality.PEARSON),), theta, lambda x: torch.full_like(x, 0.2)
    )
    assert found[1].bound == pytest.approx(0.2 - (0.2**2 / 4 + 0.2), abs=1e-6)
    assert found[2] > 0


ONE = torch.ones(2)
IMAGES = torch.rand(12, 4, generator=torch.Generator().manual_seed(0))
BAD_INPUT = {
    "unknown row": lambda: fgan.row("Wasserstein"),
    "slope that f has nowhere": lambda: fgan.autograd_conjugate(duality.REVERSE_KL, ONE),
    "ratio of zero": lambda: fgan.biconjugate(duality.KL, 0 * ONE),
    "negative ratio": lambda: fgan_signals.signals(duality.KL, -ONE),
    "critic outside the domain": lambda: fgan.check_domain(duality.REVERSE_KL, ONE),
    "gap outside the domain": lambda: fgan.fenchel_young(duality.GAN, ONE, ONE),
    "bound outside the domain": lambda: fgan.bound_on_grid(
        duality.GAN, ONE, -ONE, -ONE, torch.arange(2.0)
    ),
    "NaN critic": lambda: fgan.check_domain(duality.KL, math.nan * ONE),
    "row of another table": lambda: fgan.raw_critic(duality.TRANSPORT, ONE),
    "theta of another shape": lambda: fgan_signals.expected_gradient(
        duality.KL, ONE, torch.ones(3), ONE, practical=True
    ),
    "nothing to draw": lambda: fgan_play.contest(
        duality.GAN,
        torch.nn.Identity(),
        torch.nn.Identity(),
        fgan_training.mixture_sampler,
        Game(iterations=1),
        Streams([0]),
        practical=True,
        draws=0,
    ),
    "divergence's theta of another shape": lambda: fgan_signals.divergence_gradient(
        dv.KL, ONE, torch.ones(3), ONE
    ),
    "no sample to score": lambda: list(
        fgan_parzen.scored(duality.KL, Split(IMAGES, IMAGES, IMAGES), (0,), iterations=1, samples=0)
    ),
    "no batch": lambda: fgan_signals.batch_gradients(
        duality.KL, 1.0, batches=0, size=1, generator=torch.Generator(), practical=True
    ),
    "a fit too few": lambda: fgan_training.judge(
        fgan_training.FIVE, *fgan_training.grid()[::-1], fits=((0.0, 1.0),)
    ),
    "a game without a stream": lambda: next(
        fgan_training.single_step(
            fgan_training.FIVE_CONTESTS,
            fgan_training.GaussianGenerator(Streams([0])),
            torch.nn.Identity(),
            fgan_training.mixture_sampler,
            Streams([0]),
            iterations=1,
        )
    ),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert not isinstance(caught.value, ReceiptError)


# --- Drawings ---------------------------------------------------------------------------------

FRAMES = {
    "tangent": (figures.tangent, [("KL", -3.0), ("reverse KL", 2.0), ("total variation", 0.25)]),
    "sag": (figures.sag, [("KL", "shift", 1.0), ("Pearson χ²", "bump", -0.5)]),
    "blow up": (figures.blow_up, [("Neyman χ²", -3.0), ("GAN", 2.5)]),
}


@pytest.mark.parametrize(("draw", "places"), FRAMES.values(), ids=FRAMES.keys())
def test_the_axes_of_an_explorable_stand_still(draw, places):
    limits = [[(*a.get_xlim(), *a.get_ylim()) for a in draw(*at).axes] for at in places]
    assert all(frame == limits[0] for frame in limits)


def test_total_variation_loses_in_proportion_to_the_error_of_its_critic():
    shares, _ = figures._shares("total variation", "shift")
    assert shares[12::3] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0], abs=1e-6)


@each
def test_a_line_that_the_table_lacks_is_said_to_be_missing(convex):
    titles = {t: figures.tangent(convex.name, t).axes[1].get_title(loc="left") for t in (-2.0, 2.0)}
    steep = "no line of this slope" in titles[2.0]
    assert steep == math.isfinite(convex.domain[1])
    assert ("the table stops" in titles[-2.0]) == math.isfinite(convex.domain[0])


def test_the_drawn_line_touches_f_and_the_gap_is_fenchel_young():
    figure = figures.tangent("Pearson χ²", 1.0)
    title = figure.axes[1].get_title(loc="left")
    assert "−f*(t) = −1.25" in title
    assert "gap at u = 2: 0.25" in title


# --- The chapter's receipts, broken on purpose ------------------------------------------------


def broken_rows(monkeypatch, change, *names):
    """Put a changed row, or changed rows, into the table that the chapter reads."""
    rows = tuple(change(c) if not names or c.name in names else c for c in duality.TABLE)
    monkeypatch.setattr(duality, "TABLE", rows)


def lowered(amount):
    return lambda c: replace(c, conjugate=lambda t: c.conjugate(t) - amount)


def stale_rows(monkeypatch, name, change):
    """Let a recorded study hold other numbers."""
    honest = studies.load

    def load(wanted):
        found = honest(wanted)
        if wanted != name:
            return found
        return replace(found, rows=tuple({**row, **change(row)} for row in found.rows))

    monkeypatch.setattr(studies, "load", load)


@pytest.fixture
def quick(monkeypatch):
    """Leave out what no receipt looks at: pictures, and live games beside recorded ones."""

    def ring(convex, seeds, *, keep_going=True, **_):
        if not keep_going:
            raise NonFiniteLoss(0, "critic", math.inf)
        count = len(seeds)
        return fgan_play.Outcome(torch.zeros(count, 500, 2), torch.zeros(9, count), (-1,) * count)

    def drawn(convex, images, seeds, **_):
        return fgan_play.Outcome(torch.zeros(1, 100, images.shape[1]), torch.zeros(9, 1), (-1,))

    monkeypatch.setattr(fgan_play, "on_ring", ring)
    monkeypatch.setattr(fgan_play, "on_images", drawn)
    for name in ("parting", "clouds", "drawn_images"):
        monkeypatch.setattr(figures, name, lambda *_, **__: None)


AT_600 = studies.load("fgan_univariate").where(iteration=600, seed=0)
"""What stands in for the live run where a receipt after it is broken."""


def breaks(monkeypatch, test):
    assert_breaks("fgan", test, monkeypatch)


def test_receipt_roads(monkeypatch):
    broken_rows(monkeypatch, lowered(1e-6), "Jeffrey")
    breaks(monkeypatch, "test_receipt_roads")


def test_receipt_biconjugate(monkeypatch):
    broken_rows(monkeypatch, lowered(1e-5), "Neyman χ²")
    breaks(monkeypatch, "test_receipt_biconjugate")


def test_receipt_domain(monkeypatch):
    broken_rows(monkeypatch, lambda c: replace(c, domain=(-math.inf, 0.1)), "GAN")
    breaks(monkeypatch, "test_receipt_domain")


def test_receipt_young(monkeypatch):
    broken_rows(monkeypatch, lowered(0.1), "squared Hellinger")
    breaks(monkeypatch, "test_receipt_young")


def another_conjugate(monkeypatch, conjugate):
    """Let the bound subtract something else than f*(T)."""
    honest = fgan.bound_on_grid
    monkeypatch.setattr(
        fgan, "bound_on_grid", lambda c, *rest: honest(replace(c, conjugate=conjugate), *rest)
    )


def test_receipt_bound(monkeypatch):
    another_conjugate(monkeypatch, torch.zeros_like)
    breaks(monkeypatch, "test_receipt_bound")


def test_receipt_sag(monkeypatch):
    another_conjugate(monkeypatch, torch.clone)
    breaks(monkeypatch, "test_receipt_sag")


def test_receipt_tight(monkeypatch):
    honest = fgan.raw_critic
    monkeypatch.setattr(fgan, "raw_critic", lambda c, ell: honest(c, 1.01 * ell))
    breaks(monkeypatch, "test_receipt_tight")


def test_receipt_threshold(monkeypatch):
    honest = fgan.raw_critic
    monkeypatch.setattr(fgan, "raw_critic", lambda c, ell: honest(c, ell) - 0.1)
    breaks(monkeypatch, "test_receipt_threshold")


def test_receipt_names(monkeypatch):
    honest = fgan.divergence_on_grid  # halved, as the paper prints the integral
    monkeypatch.setattr(fgan, "divergence_on_grid", lambda *a: honest(*a) / 2)
    breaks(monkeypatch, "test_receipt_names")


def test_receipt_published(monkeypatch):
    wrong = {**dv.PUBLISHED_FITS, "Jeffrey": replace(dv.PUBLISHED_FITS["Jeffrey"], sigma=1.7024)}
    monkeypatch.setattr(dv, "PUBLISHED_FITS", wrong)
    breaks(monkeypatch, "test_receipt_published")


def test_receipt_diagonal(monkeypatch):
    honest = fgan_training.judge

    def shuffled(convexes, *rest):
        judged = honest(convexes, *rest)
        return replace(judged, scores=judged.scores[::-1])

    monkeypatch.setattr(fgan_training, "judge", shuffled)
    breaks(monkeypatch, "test_receipt_diagonal")


def test_receipt_recorded(monkeypatch):
    def elsewhere(row):  # the KL game ends far away, with a bound above its divergence
        far = row["game"] == "KL"
        return {"mu": 3.0, "bound": row["divergence"] + 1e-4} if far else {}

    stale_rows(monkeypatch, "fgan_univariate", elsewhere)
    breaks(monkeypatch, "test_receipt_recorded")


def test_receipt_signals(monkeypatch):
    honest = fgan_signals.raw_critic
    monkeypatch.setattr(fgan_signals, "raw_critic", lambda c, ell: 1.001 * honest(c, ell))
    breaks(monkeypatch, "test_receipt_signals")


def steps_swapped(monkeypatch, test):
    honest = fgan_signals.expected_gradient
    monkeypatch.setattr(
        fgan_signals,
        "expected_gradient",
        lambda *a, practical: honest(*a, practical=not practical),
    )
    breaks(monkeypatch, test)


def test_receipt_minimax(monkeypatch):
    steps_swapped(monkeypatch, "test_receipt_minimax")


def test_receipt_practical(monkeypatch):
    steps_swapped(monkeypatch, "test_receipt_practical")


def test_receipt_lands(monkeypatch):
    forward = {"mu": 1.01, "sigma": 1.8308}  # as if the practical step left the goal alone
    stale_rows(
        monkeypatch,
        "fgan_univariate",
        lambda row: forward if row["game"] == "KL, practical" else {},
    )
    breaks(monkeypatch, "test_receipt_lands")


@pytest.mark.usefixtures("quick")
def test_receipt_batches(monkeypatch):
    honest = fgan_signals.batch_gradients
    monkeypatch.setattr(
        fgan_signals,
        "batch_gradients",
        lambda *a, practical, **k: honest(*a, practical=not practical, **k),
    )
    breaks(monkeypatch, "test_receipt_batches")


@pytest.mark.usefixtures("quick")
def test_receipt_deaths(monkeypatch):
    stale_rows(monkeypatch, "fgan_ring", lambda row: {"died": 700, "modes": 8})
    breaks(monkeypatch, "test_receipt_deaths")


@pytest.mark.usefixtures("quick")
def test_receipt_grey(monkeypatch):
    stale_rows(monkeypatch, "fgan_images", lambda row: {"grey": 0.1 * row["practical"]})
    breaks(monkeypatch, "test_receipt_grey")


@pytest.mark.usefixtures("quick")
def test_receipt_parzen(monkeypatch):
    stale_rows(monkeypatch, "fgan_parzen", lambda row: {"parzen": float(len(row["row"]))})
    monkeypatch.setattr(fgan_training, "univariate", lambda *_, **__: iter(AT_600))
    breaks(monkeypatch, "test_receipt_parzen")


@pytest.mark.usefixtures("quick")
def test_receipt_live(monkeypatch):
    honest = fgan_training.univariate

    def unplayed(seed, *, iterations, contests):
        for row in honest(seed, iterations=1, every=1, contests=contests):
            yield {**row, "iteration": iterations}

    monkeypatch.setattr(fgan_training, "univariate", unplayed)
    breaks(monkeypatch, "test_receipt_live")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "test", ["test_receipt_bound", "test_receipt_batches", "test_receipt_grey"]
)
def test_receipts_hold_as_the_chapter_stands(test, monkeypatch):
    assert_holds("fgan", test, monkeypatch)
