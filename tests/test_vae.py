"""Laws that the VAE's distributions, bounds, gradients and training must keep."""

from __future__ import annotations

import math
import re

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from genbook import vae, vae_bounds, vae_exact, vae_scores, vae_study, vae_training
from genbook.figures import vae as figures
from genbook.kit import data, studies
from genbook.kit.device import pick, seeded
from genbook.kit.receipts import ReceiptError, check
from genbook.kit.training import NonFiniteLoss

F64 = torch.float64
quick = settings(max_examples=25, deadline=None)
finite = st.floats(-3, 3)


def tiny(pixels: int = 6, latent: int = 1, seed: int = 0) -> vae.VAE:
    model = vae.VAE(pixels, latent, hidden=(8,), generator=seeded(seed)).double()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(2)
    return model


def linear(pixels: int = 3, latent: int = 2, seed: int = 0, noise: float = 0.7):
    source = seeded(seed)
    weight = torch.randn(pixels, latent, generator=source, dtype=F64)
    bias = torch.randn(pixels, generator=source, dtype=F64)
    return vae_exact.LinearGaussian(weight, bias, noise)


def guess(count: int = 4, latent: int = 2, seed: int = 1) -> vae.Gaussian:
    source = seeded(seed)
    return vae.Gaussian(
        torch.randn(count, latent, generator=source, dtype=F64),
        torch.randn(count, latent, generator=source, dtype=F64),
    )


def points(count: int = 4, pixels: int = 3, seed: int = 2) -> Tensor:
    return torch.randn(count, pixels, generator=seeded(seed), dtype=F64)


# --- Distributions ----------------------------------------------------------------------------


@quick
@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=4))
def test_log_prob_agrees_with_torch(rows):
    mean, log_var, z = (torch.tensor(column, dtype=F64) for column in zip(*rows, strict=True))
    q = vae.Gaussian(mean, log_var)
    oracle = torch.distributions.Normal(mean, q.std)
    torch.testing.assert_close(q.log_prob(z), oracle.log_prob(z).sum())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    torch.testing.assert_close(vae.prior_log_prob(z), prior.log_prob(z).sum())
    torch.testing.assert_close(vae.gaussian_kl(q), torch.distributions.kl_divergence(oracle, prior))


@quick
@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=4))
def test_kl_is_nonnegative_and_zero_only_at_the_prior(rows):
    mean, log_var = (torch.tensor(column, dtype=F64) for column in zip(*rows, strict=True))
    assert (vae.gaussian_kl(vae.Gaussian(mean, log_var)) >= 0).all()
    at_prior = vae.gaussian_kl(vae.Gaussian(0 * mean, 0 * mean))
    assert torch.equal(at_prior, torch.zeros_like(mean))


def test_placed_noise_has_the_mean_and_the_variance(generator):
    q = guess(1, 3)
    z = q.place(torch.randn(200_000, 1, 3, generator=generator, dtype=F64))
    torch.testing.assert_close(z.mean(0), q.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(0), q.std**2, atol=0.05, rtol=0.02)


@quick
@given(st.integers(1, 8), st.integers(0, 10_000))
def test_bernoulli_probabilities_of_all_images_sum_to_one(pixels, seed):
    logits = 4 * torch.randn(pixels, generator=seeded(seed), dtype=F64)
    total = vae.bernoulli_log_prob(vae_exact.all_binary(pixels), logits).exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=F64))


def test_bernoulli_survives_extreme_logits():
    logits = torch.tensor([500.0, -500.0])
    assert vae.bernoulli_log_prob(torch.tensor([1.0, 0.0]), logits) == 0
    assert vae.bernoulli_log_prob(torch.tensor([0.0, 1.0]), logits) == -1000


def test_binarised_pixels_are_coins_with_the_grey_value_as_bias(generator):
    grey = torch.tensor([0.0, 0.25, 1.0])
    coins = vae.binarise(grey.expand(40_000, 3), generator)
    assert set(coins.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(coins.mean(0), grey, atol=0.01, rtol=0)


# --- Models -----------------------------------------------------------------------------------


def test_models_do_not_touch_the_global_generator():
    before = torch.random.get_rng_state()
    first = vae.VAE(9, 2, hidden=(4,), generator=seeded(3))
    assert torch.equal(before, torch.random.get_rng_state())
    second = vae.VAE(9, 2, hidden=(4,), generator=seeded(3))
    for left, right in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(left, right)


def test_samples_are_probabilities(device):
    model = vae.VAE(9, 2, hidden=(4,), generator=seeded(0)).to(device)
    images = model.sample(5, seeded(1, device))
    assert images.shape == (5, 9)
    assert ((images > 0) & (images < 1)).all()


def test_gradients_of_the_elbo_pass_gradcheck():
    model, x = tiny(3, 2), vae_exact.all_binary(3)[:3]
    noise = torch.randn(3, 2, generator=seeded(4), dtype=F64)

    def bound(z: Tensor, log_var: Tensor) -> Tensor:
        q = vae.Gaussian(z, log_var)
        return model.log_likelihood(x, q.place(noise)) - vae.gaussian_kl(q).sum(-1)

    q = guess(3, 2)
    assert torch.autograd.gradcheck(bound, (q.mean.requires_grad_(), q.log_var.requires_grad_()))


def test_a_peeking_pixel_sees_only_the_pixels_before_it():
    model = vae.PeekingVAE(7, 2, hidden=(4,), peek=16, generator=seeded(0)).double()
    x = torch.rand(7, generator=seeded(1), dtype=F64)
    jacobian = torch.autograd.functional.jacobian(model.peek, x)
    assert torch.equal(jacobian, jacobian.tril(-1))
    assert (jacobian.tril(-1).abs().sum(0)[:-1] > 0).all()


def test_a_peeking_decoder_still_defines_a_distribution():
    model = vae.PeekingVAE(6, 2, hidden=(4,), peek=16, generator=seeded(0)).double()
    x = vae_exact.all_binary(6)
    z = torch.randn(2, generator=seeded(1), dtype=F64).expand(len(x), 2)
    torch.testing.assert_close(model.log_likelihood(x, z).exp().sum().item(), 1.0)


def test_an_autoencoder_does_not_know_its_codes_scale():
    model = vae.Autoencoder(6, 2, hidden=(8,), generator=seeded(0)).double()
    x = vae_exact.all_binary(6)
    before = model.decode(model.encode(x))
    vae.rescale(model, torch.tensor([[3.0, 1.0], [-1.0, 0.2]], dtype=F64))
    torch.testing.assert_close(model.decode(model.encode(x)), before)


# --- Bounds -----------------------------------------------------------------------------------


@quick
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_elbo_plus_gap_is_log_prob(pixels, latent, seed):
    model, x = linear(pixels, latent, seed), points(4, pixels, seed + 1)
    q = guess(4, latent, seed + 2)
    torch.testing.assert_close(model.elbo(x, q) + model.gap(x, q), model.log_prob(x))
    assert (model.gap(x, q) >= -1e-9).all()


def test_log_prob_agrees_with_quadrature():
    for latent in (1, 2):
        model, x = linear(2, latent, seed=3), points(4, 2)
        torch.testing.assert_close(
            vae_exact.quadrature_log_prob(model, x, nodes=100), model.log_prob(x)
        )


def test_with_one_latent_unit_the_diagonal_guess_is_the_posterior():
    model, x = linear(3, 1), points()
    torch.testing.assert_close(model.elbo(x, model.encode(x)), model.log_prob(x))


def test_no_diagonal_guess_beats_the_best_one(generator):
    model, x = linear(), points()
    best = model.encode(x)
    bound = model.elbo(x, best)
    for _ in range(20):
        shift, stretch = torch.randn(2, 4, 2, generator=generator, dtype=F64) * 0.3
        other = vae.Gaussian(best.mean + shift, best.log_var + stretch)
        assert (model.elbo(x, other) <= bound + 1e-12).all()


def test_sampled_elbo_agrees_with_the_closed_form(generator):
    model, x, q = linear(), points(), guess()
    noise = torch.randn(100_000, 4, 2, generator=generator, dtype=F64)
    log_w = vae_bounds.log_weights(model, q, x, noise)
    error = log_w.std(0) / math.sqrt(len(log_w))
    assert ((log_w.mean(0) - model.elbo(x, q)).abs() < 5 * error).all()


def test_both_forms_of_the_elbo_lie_below_log_prob():
    model, x = tiny(), vae_exact.all_binary(6)
    joint, split = vae_exact.elbo_forms(model, x, nodes=100)
    torch.testing.assert_close(joint, split)
    assert (joint <= vae_exact.quadrature_log_prob(model, x, nodes=100)).all()


def test_weights_of_the_exact_posterior_do_not_vary(generator):
    model, x = linear(3, 1), points()
    noise = torch.randn(5, 4, 1, generator=generator, dtype=F64)
    log_w = vae_bounds.log_weights(model, model.encode(x), x, noise)
    torch.testing.assert_close(log_w, model.log_prob(x).expand(5, 4))


@quick
@given(st.lists(st.floats(-50, 50), min_size=8, max_size=8))
def test_doubled_bounds_never_fall(values):
    bounds = vae_bounds.doubling_bounds(torch.tensor(values, dtype=F64))
    assert (bounds.diff() >= -1e-12).all()
    torch.testing.assert_close(bounds[0].item(), sum(values) / 8)
    torch.testing.assert_close(bounds[-1], vae_bounds.iwae_bound(torch.tensor(values, dtype=F64)))


def test_importance_sampling_finds_the_exact_log_prob():
    model, x = tiny(), vae_exact.all_binary(6)[::7]
    exact = vae_exact.quadrature_log_prob(model, x, nodes=200)
    estimate = vae_bounds.importance_log_prob(
        model, x, samples=20_000, generator=seeded(5), rows=7_000
    )
    torch.testing.assert_close(estimate, exact, atol=0.05, rtol=0)


def test_importance_sampling_in_portions_counts_every_sample(monkeypatch):
    seen = []

    def constant(model, q, x, noise):
        seen.append(noise.shape[0])
        return torch.full(noise.shape[:2], -3.0, dtype=F64)

    monkeypatch.setattr(vae_bounds, "log_weights", constant)
    estimate = vae_bounds.importance_log_prob(
        tiny(), vae_exact.all_binary(6)[:5], samples=10, generator=seeded(0), rows=8
    )
    torch.testing.assert_close(estimate, torch.full((5,), -3.0, dtype=F64))
    assert sum(seen) == 50


def test_a_unit_that_ignores_the_image_is_inactive():
    model = tiny(6, 2)
    with torch.no_grad():
        model.encoder[-1].weight[0] = 0
    activity = vae_bounds.activity(model, vae_exact.all_binary(6))
    assert activity[0] == 0
    assert activity[1] > 1e-2


# --- Gradients --------------------------------------------------------------------------------


def exact_gradient(model, x, q):
    mean, log_var = q.mean.clone().requires_grad_(), q.log_var.clone().requires_grad_()
    bound = model.elbo(x, vae.Gaussian(mean, log_var)).sum()
    return torch.cat(torch.autograd.grad(bound, (mean, log_var)), dim=-1)[0]


@pytest.mark.parametrize("estimator", [vae_bounds.path_gradients, vae_bounds.score_gradients])
def test_both_gradient_estimators_are_unbiased(estimator, generator):
    model, x, q = linear(), points(1), guess(1)
    row = vae.Gaussian(q.mean[0], q.log_var[0])
    noise = torch.randn(400_000, 2, generator=generator, dtype=F64)

    def f(z: Tensor) -> Tensor:
        return model.log_likelihood(x, z[:, None])[:, 0] + vae.prior_log_prob(z)

    entropy = torch.tensor([0.0, 0.0, 0.5, 0.5], dtype=F64)
    rows = estimator(f, row, noise) + entropy
    error = rows.std(0) / math.sqrt(len(rows))
    assert ((rows.mean(0) - exact_gradient(model, x, q)).abs() < 5 * error).all()


def test_the_path_varies_less_than_the_score(generator):
    q = vae.Gaussian(torch.zeros(2, dtype=F64), torch.zeros(2, dtype=F64))
    noise = torch.randn(50_000, 2, generator=generator, dtype=F64)

    def f(z: Tensor) -> Tensor:
        return -(z**2).sum(-1) - 10

    path, score = (
        g(f, q, noise).var(0) for g in (vae_bounds.path_gradients, vae_bounds.score_gradients)
    )
    assert (score > 10 * path).all()
    calmer = vae_bounds.score_gradients(f, q, noise, baseline=-12.0).var(0)
    assert (calmer < score / 5).all()


def test_encoder_noise_is_the_variance_of_the_gradient():
    model, x = tiny(6, 2), vae_exact.all_binary(6)[:5]
    total = vae_training.encoder_noise(model, x, "path", draws=30, generator=seeded(8))
    source, rows = seeded(8), []
    for _ in range(30):
        noise = torch.randn(1, 5, 2, generator=source, dtype=F64)
        loss, _ = vae_training.objective(model, x, vae_training.TrainConfig(steps=1), 1.0, noise)
        slopes = torch.autograd.grad(loss, list(model.encoder.parameters()))
        rows.append(torch.cat([slope.flatten() for slope in slopes]))
    assert total == pytest.approx(float(torch.stack(rows).var(0).sum()))
    assert vae_training.encoder_noise(model, x, "score", draws=30, generator=seeded(8)) > total


def test_a_baseline_does_not_move_the_mean_of_the_score():
    q = vae.Gaussian(torch.zeros(1, dtype=F64), torch.zeros(1, dtype=F64))
    noise = torch.tensor([[-1.0], [1.0]], dtype=F64)  # mean 0 and variance 1, exactly
    means = [
        vae_bounds.score_gradients(lambda z: z.sum(-1), q, noise, baseline=b).mean(0)
        for b in (0.0, 9.0)
    ]
    assert torch.equal(*means)


def test_both_estimators_of_the_training_loss_agree_on_average():
    model, x = tiny(6, 2), vae_exact.all_binary(6)[:1].expand(60_000, 6)
    noise = torch.randn(1, len(x), 2, generator=seeded(6), dtype=F64)
    gradients = []
    for estimator in ("path", "score"):
        config = vae_training.TrainConfig(steps=1, estimator=estimator)
        loss, _ = vae_training.objective(model, x, config, 1.0, noise)
        gradients.append(torch.autograd.grad(loss, model.encoder[-1].bias)[0])
    torch.testing.assert_close(*gradients, atol=0.05, rtol=0)


# --- Training ---------------------------------------------------------------------------------


def test_training_raises_the_bound_and_is_repeatable():
    images = data.digits("train", device="cpu").flat
    runs = []
    for _ in range(2):
        model = vae.VAE(64, 2, hidden=(32,), generator=seeded(0))
        config = vae_training.TrainConfig(steps=60, lr=5e-3, every=20)
        runs.append(list(vae_training.train(model, images, config, generator=seeded(1))))
    assert runs[0] == runs[1]
    assert [step.index for step in runs[0]] == [19, 39, 59]
    assert runs[0][-1].terms["bound"] > runs[0][0].terms["bound"]
    terms = runs[0][-1].terms
    assert terms["bound"] == pytest.approx(terms["reconstruction"] - terms["kl"], abs=1e-4)


@pytest.mark.parametrize(
    "options", [{"samples": 3}, {"warm_up": 5}, {"free_nats": 0.5}, {"estimator": "score"}]
)
def test_every_option_trains(options):
    model = vae.VAE(9, 2, hidden=(8,), generator=seeded(0))
    config = vae_training.TrainConfig(steps=8, batch=4, every=4, **options)
    images = torch.rand(20, 9, generator=seeded(2))
    assert len(list(vae_training.train(model, images, config, generator=seeded(1)))) == 2


def test_a_strong_divergence_collapses_the_posterior_and_a_weak_one_does_not():
    images = data.digits("train", device="cpu").flat
    spent = []
    for beta in (20.0, 0.2):
        model = vae.VAE(64, 4, hidden=(32,), generator=seeded(0))
        config = vae_training.TrainConfig(steps=300, lr=5e-3, beta=beta)
        *_, last = vae_training.train(model, images, config, generator=seeded(1))
        spent.append(last.terms["kl"])
    assert spent[0] < 0.05 < 3 < spent[1]


def test_free_nats_cost_nothing_until_they_are_spent():
    kl = torch.tensor([[0.1, 2.0], [0.3, 4.0]])
    torch.testing.assert_close(vae_training.kl_cost(kl), kl.sum(1).mean())
    torch.testing.assert_close(vae_training.kl_cost(kl, 0.5), torch.tensor(3.5))
    leaf = kl.clone().requires_grad_()
    (slope,) = torch.autograd.grad(vae_training.kl_cost(leaf, 0.5), leaf)
    assert torch.equal(slope, torch.tensor([[0.0, 0.5], [0.0, 0.5]]))


def test_the_autoencoder_learns_to_redraw():
    images = data.digits("train", device="cpu").flat
    model = vae.Autoencoder(64, 2, hidden=(32,), generator=seeded(0))
    config = vae_training.TrainConfig(steps=60, lr=5e-3, every=20)
    first, *_, last = vae_training.train_autoencoder(model, images, config, generator=seeded(1))
    assert last.terms["reconstruction"] > first.terms["reconstruction"]


def test_a_loss_that_is_no_number_is_named():
    model = vae.VAE(9, 2, hidden=(4,), generator=seeded(0))
    with torch.no_grad():
        model.decoder[-1].bias[0] = math.nan
    config = vae_training.TrainConfig(steps=2, batch=4, every=1)
    with pytest.raises(NonFiniteLoss, match="loss"):
        list(vae_training.train(model, torch.rand(8, 9), config, generator=seeded(1)))


# --- Judging ----------------------------------------------------------------------------------


@quick
@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
)
def test_auc_counts_the_pairs(inliers, outliers):
    pairs = [(a > b) + 0.5 * (a == b) for a in inliers for b in outliers]
    left, right = torch.tensor(inliers).float(), torch.tensor(outliers).float()
    assert vae_scores.auc(left, right) == pytest.approx(sum(pairs) / len(pairs))
    assert vae_scores.auc(left, right) + vae_scores.auc(right, left) == pytest.approx(1)


def test_neighbours_of_the_training_set_are_itself():
    digits = data.digits("train", device="cpu").take(200)
    codes = digits.flat
    assert vae_scores.neighbour_accuracy(codes, digits.labels, codes, digits.labels) == 1


def test_impostors_keep_what_they_promise(generator):
    images = torch.rand(6, 1, 8, 8, generator=generator)
    others = vae_scores.impostors(images, torch.rand(3, 1, 8, 8, generator=generator), generator)
    flat = images.flatten(1)
    assert torch.equal(others["noise"].sort(1).values, flat.sort(1).values)
    assert not torch.equal(others["noise"], flat)
    torch.testing.assert_close(others["negatives"] + flat, torch.ones_like(flat))
    assert torch.equal(others["upside down"].flip(1), flat)
    assert torch.equal(others["half and half"][:, :32], flat[:, :32])
    assert others["blank"].sum() == 0
    assert all(((kind >= 0) & (kind <= 1)).all() for kind in others.values())


# --- The study --------------------------------------------------------------------------------


def test_the_schedule_is_the_papers():
    recipe = vae_study.RECIPES["mnist"]
    assert sum(recipe.passes(index) for index in range(vae_study.LONGEST)) == 3280
    assert recipe.config(0, 60_000, 1).steps == 3_000
    assert recipe.config(7, 60_000, 1).lr == pytest.approx(1e-4)


def test_judging_many_loosely_and_few_tightly_is_judging_all_tightly_when_k_agrees():
    model, x = tiny(), vae_exact.all_binary(6)
    wide = vae_study.Judge(samples=4_000)(model, x)
    narrow = vae_study.Judge(samples=4, tight=4_000, few=len(x))(model, x)
    assert narrow["nll"] == pytest.approx(wide["nll"], abs=0.02)
    assert narrow["nll_k"] > wide["nll_k"]


def test_a_learning_curve_has_one_row_a_stage_and_falls():
    digits, recipe = data.digits("train", device="cpu").flat, vae_study.RECIPES["digits"]
    rows = list(
        vae_study.learning_curve(
            digits[:200],
            digits[200:300],
            dataset="digits",
            samples=2,
            seed=0,
            stages=2,
            judge=vae_study.Judge(samples=20),
            device=pick("cpu"),
        )
    )
    assert [row["passes"] for row in rows] == [recipe.unit, 4 * recipe.unit]
    assert rows[1]["nll"] < rows[0]["nll"]
    assert {row["objective"] for row in rows} == {"IWAE"}


# --- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vae.Gaussian(torch.zeros(2), torch.zeros(3)), "one shape"),
        (lambda: guess().place(torch.zeros(4, 3)), "noise"),
        (lambda: guess().log_prob(torch.zeros(4, 3)), "expected z"),
        (lambda: vae.bernoulli_log_prob(torch.zeros(3), torch.zeros(2)), "logits"),
        (lambda: vae.binarise(torch.tensor([2.0]), seeded(0)), "divide bytes"),
        (lambda: vae.network([3], seeded(0)), "two widths"),
        (lambda: vae.rescale(torch.nn.Linear(1, 1), torch.eye(2)), "Autoencoder"),
        (lambda: vae_bounds.iwae_bound(torch.zeros(0, 3)), "k ≥ 1"),
        (lambda: vae_bounds.doubling_bounds(torch.zeros(3)), "power of two"),
        (lambda: vae_bounds.activity(tiny(), vae_exact.all_binary(6)[:1]), "two images"),
        (lambda: vae_bounds.activity(tiny(), vae_exact.all_binary(6)[0]), "flatten"),
        (lambda: vae_exact.LinearGaussian(torch.eye(2), torch.zeros(3), 1.0), "bias"),
        (lambda: vae_exact.LinearGaussian(torch.eye(2), torch.zeros(2), 0.0), "positive"),
        (lambda: linear().log_prob(torch.zeros(1, 2)), "expected x"),
        (lambda: vae_exact.all_binary(17), "1 to 16"),
        (
            lambda: vae_exact.quadrature_log_prob(tiny(6, 3), vae_exact.all_binary(6)),
            "1 or 2 latent",
        ),
        (lambda: vae_exact.elbo_forms(tiny(6, 2), vae_exact.all_binary(6)), "one latent unit"),
        (lambda: vae_training.TrainConfig(steps=0), "steps ≥ 1"),
        (lambda: vae_training.TrainConfig(steps=1, beta=-1), "beta ≥ 0"),
        (lambda: vae_training.TrainConfig(steps=1, lr=0), "lr > 0"),
        (lambda: vae_training.TrainConfig(steps=1, estimator="guess"), "estimator"),
        (lambda: vae_training.TrainConfig(steps=1, samples=2, beta=2), "samples=1"),
        (lambda: vae_training.kl_cost(torch.zeros(2)), "expected kl"),
        (lambda: vae_scores.auc(torch.zeros(0), torch.zeros(1)), "inliers"),
        (lambda: vae_scores.auc(torch.tensor([math.nan]), torch.zeros(1)), "inliers"),
        (
            lambda: vae_scores.impostors(torch.rand(2, 1, 8, 8), torch.rand(2, 1, 9, 9), seeded(0)),
            "size",
        ),
        (
            lambda: vae_training.encoder_noise(
                tiny(), vae_exact.all_binary(6), "path", draws=1, generator=seeded(0)
            ),
            "two draws",
        ),
        (lambda: vae_study.build("fashion", 0), "data set"),
        (lambda: vae_study.RECIPES["mnist"].passes(8), "stage"),
        (
            lambda: vae_scores.neighbour_accuracy(*(torch.zeros(n, 1) for n in (2, 1, 1, 1))),
            "one label a code",
        ),
        (
            lambda: vae_bounds.importance_log_prob(
                tiny(), vae_exact.all_binary(6), samples=0, generator=seeded(0)
            ),
            "samples ≥ 1",
        ),
        (
            lambda: list(
                vae_training.train(
                    tiny(),
                    torch.full((4, 6), 255.0),
                    vae_training.TrainConfig(steps=1),
                    generator=seeded(0),
                )
            ),
            "divide bytes",
        ),
    ],
)
def test_bad_input_says_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- Receipts can fail ------------------------------------------------------------------------


def holds(error: float | Tensor, tol: float) -> None:
    check("claim", error=error, tol=tol, label="label", test="test")


def fails(error: float | Tensor, tol: float) -> None:
    with pytest.raises(ReceiptError):
        holds(error, tol)


@torch.no_grad()
def test_receipt_codes():
    x, matrix = vae_exact.all_binary(6), torch.randn(2, 2, generator=seeded(2), dtype=F64)
    model = vae.Autoencoder(6, 2, hidden=(8,), generator=seeded(0)).double()
    before = model.decode(model.encode(x))
    vae.rescale(model, matrix)
    holds((model.decode(model.encode(x)) - before).abs().max(), 1e-8)
    model.encoder[-1].bias += 0.1  # the codes move, the decoder does not follow
    fails((model.decode(model.encode(x)) - before).abs().max(), 1e-8)


def test_receipt_elbo_gap():
    model, x, q = linear(5, 3), points(4, 5), guess(4, 3)
    holds((model.elbo(x, q) + model.gap(x, q) - model.log_prob(x)).abs().max(), 1e-9)
    wider = vae.Gaussian(q.mean, q.log_var + 0.01)  # a gap that belongs to another q
    fails((model.elbo(x, q) + model.gap(x, wider) - model.log_prob(x)).abs().max(), 1e-9)


def test_receipt_normalised(monkeypatch):
    model, x = tiny(), vae_exact.all_binary(6)
    holds((vae_exact.quadrature_log_prob(model, x).exp().sum() - 1).abs(), 1e-12)
    honest = vae.bernoulli_log_prob
    monkeypatch.setattr(vae, "bernoulli_log_prob", lambda x, logits: honest(x, logits) / 6)
    fails((vae_exact.quadrature_log_prob(model, x).exp().sum() - 1).abs(), 1e-12)


def test_receipt_two_forms(monkeypatch):
    model, x = tiny(), vae_exact.all_binary(6)
    joint, split = vae_exact.elbo_forms(model, x)
    holds((joint - split).abs().max(), 1e-12)
    monkeypatch.setattr(
        vae_exact, "gaussian_kl", lambda q: 0.5 * (q.mean**2 + q.std - 1 - q.log_var)
    )
    joint, split = vae_exact.elbo_forms(model, x)
    fails((joint - split).abs().max(), 1e-12)


def kl_error(kl: Tensor, q: vae.Gaussian) -> float:
    z = q.place(torch.randn(200_000, 3, generator=seeded(3), dtype=F64))
    rows = q.log_prob(z) - vae.prior_log_prob(z)
    return float((rows.mean() - kl.sum()).abs() / (rows.std() / math.sqrt(len(rows))))


def test_receipt_kl():
    q = vae.Gaussian(*torch.randn(2, 3, generator=seeded(2), dtype=F64))
    holds(kl_error(vae.gaussian_kl(q), q), 4)
    as_std = 0.5 * (q.mean**2 + q.std - 1 - 0.5 * q.log_var)  # variance taken for its root
    fails(kl_error(as_std, q), 4)


def gradient_errors(estimator, bend: float = 0.0) -> float:
    model, x, q = linear(), points(1), guess(1)
    row = vae.Gaussian(q.mean[0], q.log_var[0])
    noise = torch.randn(100_000, 2, generator=seeded(4), dtype=F64)

    def f(z: Tensor) -> Tensor:
        return model.log_likelihood(x, z[:, None])[:, 0] + vae.prior_log_prob(z)

    rows = estimator(f, row, noise) + torch.tensor([0.0, 0.0, 0.5, 0.5], dtype=F64) + bend
    error = rows.std(0) / math.sqrt(len(rows))
    return float(((rows.mean(0) - exact_gradient(model, x, q)).abs() / error).max())


def test_receipt_path():
    holds(gradient_errors(vae_bounds.path_gradients), 4)
    fails(gradient_errors(vae_bounds.path_gradients, bend=0.5), 4)


def test_receipt_score():
    holds(gradient_errors(vae_bounds.score_gradients), 4)
    fails(gradient_errors(vae_bounds.score_gradients, bend=2.0), 4)


def test_receipt_variance():
    model, x = tiny(6, 2), vae_exact.all_binary(6)[:20]
    path, score = (
        vae_training.encoder_noise(model, x, name, draws=50, generator=seeded(5))
        for name in ("path", "score")
    )
    holds(max(0.0, 10 - score / path), 0)
    fails(max(0.0, 10 - path / path), 0)


def collapsed() -> vae.VAE:
    model = tiny(6, 2)
    with torch.no_grad():
        for parameter in (*model.encoder[-1].parameters(), model.decoder[0].weight):
            parameter.zero_()
    return model


@torch.no_grad()
def test_receipt_collapse():
    model, x = collapsed(), vae_exact.all_binary(6)
    noise = torch.randn(8, len(x), 2, generator=seeded(6), dtype=F64)
    bound = vae_bounds.elbo(model, x, noise[0])
    alone = vae.bernoulli_log_prob(x, model.decode(torch.zeros(2, dtype=F64)))
    holds(bound.kl.abs().max(), 0)
    holds((bound.value - alone).abs().max(), 1e-12)
    model.encoder[-1].bias[0] = 0.1  # one unit stirs
    stirred = vae_bounds.elbo(model, x, noise[0])
    fails(stirred.kl.abs().max(), 0)
    fails((stirred.value - alone).abs().max(), 1e-12)


def test_receipt_doubling():
    model, x = linear(), points(1)
    noise = torch.randn(64, 1, 2, generator=seeded(7), dtype=F64)
    log_w = vae_bounds.log_weights(model, guess(1), x, noise)
    bounds = vae_bounds.doubling_bounds(log_w)
    holds((-bounds.diff(dim=0)).clamp_min(0).max(), 1e-12)
    without_mean = bounds - torch.arange(7, dtype=F64)[:, None] * math.log(2)
    fails((-without_mean.diff(dim=0)).clamp_min(0).max(), 1e-12)


def test_receipt_below():
    model, x = linear(), points(1)
    q = model.encode(x)
    q = vae.Gaussian(q.mean, q.log_var + 1)
    noise = torch.randn(64, 1, 2, generator=seeded(7), dtype=F64)
    top = vae_bounds.doubling_bounds(vae_bounds.log_weights(model, q, x, noise))[2]
    holds((top - model.log_prob(x)).clamp_min(0).max(), 0)
    fails((top + math.log(4) - model.log_prob(x)).clamp_min(0).max(), 0)  # a sum, not a mean


def test_receipt_importance():
    model, x = tiny(), vae_exact.all_binary(6)[::7]
    exact = vae_exact.quadrature_log_prob(model, x, nodes=200)
    estimate = vae_bounds.importance_log_prob(model, x, samples=20_000, generator=seeded(5))
    single = vae_bounds.importance_log_prob(model, x, samples=1, generator=seeded(5))
    holds((estimate - exact).abs().max(), 0.05)
    fails((single - exact).abs().max(), 0.05)


def test_receipt_live():
    recorded = studies.load("vae_nll")
    digits = {split: data.digits(split, device="cpu").flat for split in ("train", "test")}
    live = vae_study.probe(
        digits["train"], digits["test"], dataset="digits", seed=7, device=pick("cpu")
    )
    before = studies.spread(recorded.rows, "nll", part="probe", dataset="digits")
    holds(studies.outside(float(live["nll"]), before), 1.0)
    fails(studies.outside(float(live["nll"]) + 2.0, before), 1.0)
    fails(studies.outside(float(live["nll"]) / 64, before), 1.0)  # nats a pixel


def recorded_order(shift: float) -> float:
    rows = studies.load("vae_nll").where(part="curve", dataset="mnist", passes=13)
    final = {k: [float(row["nll"]) for row in rows if row["k"] == k] for k in (1, 5, 50)}
    final[50] = [value + shift for value in final[50]]
    pairs = ((1, 5), (5, 50))
    return max(
        b - a for left, right in pairs for a, b in zip(final[left], final[right], strict=True)
    )


def test_receipt_order():
    holds(max(0.0, recorded_order(0.0)), 0)
    fails(max(0.0, recorded_order(5.0)), 0)


# --- Figures ----------------------------------------------------------------------------------


def test_the_bound_figure_reads_out_a_sum_that_holds():
    figure = figures.bound_gap(0.5, 0.7)
    bound, gap, evidence = map(float, re.findall(r"-?\d+\.\d+", figure.get_label()))
    assert bound + gap == pytest.approx(evidence, abs=0.02)
    best = figures.one_dimensional().posterior(torch.tensor([[figures.OBSERVED]], dtype=F64))
    exact = figures.bound_gap(float(best.mean), float(best.stddev))
    assert "gap 0.00" in exact.get_label()


def test_explorable_figures_keep_their_axes_still():
    plane = vae.VAE(64, 2, hidden=(8,), generator=seeded(0))
    other = vae.VAE(64, 2, hidden=(8,), generator=seeded(1))
    auto = vae.Autoencoder(64, 2, hidden=(8,), generator=seeded(0))
    images = vae.binarise(torch.rand(12, 1, 8, 8, generator=seeded(1)), seeded(2))
    codes = torch.randn(12, 2, generator=seeded(3))
    drawings = {
        figures.bound_gap: [(-1.0, 0.1), (3.0, 1.5)],
        figures.bound_cloud: [(0, 0.4), (8, 3.0)],
        figures.latent_plane(plane, codes, torch.arange(12) % 10, (8, 8)): [
            (-3.2, 0.0),
            (0.0, 3.2),
        ],
        figures.between(auto, plane, images): [("1", 0.0), ("6", 1.0)],
        figures.rate_distortion({1: plane, 4: other}, images, codes): [(1,), (4,)],
    }
    for draw, values in drawings.items():
        first, second = ([(a.get_xlim(), a.get_ylim()) for a in draw(*v).axes] for v in values)
        assert first == second


def test_the_papers_numbers_are_drawn_beside_ours():
    rows = [
        {"part": "curve", "dataset": "mnist", "k": k, "passes": passes, "nll": 100.0, "active": 9}
        for k in (1, 5, 50)
        for passes in (1, 4)
    ]
    (axes,) = figures.learning_curves(rows).axes
    assert [row[-1] for row in figures.nll_cells(rows)][::2] == list(figures.PAPER.values())
    stars = [line.get_ydata()[0] for line in axes.get_lines() if line.get_marker() == "*"]
    assert stars == list(figures.PAPER.values())
