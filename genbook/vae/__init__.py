r"""From autoencoder to ELBO: a code you can draw from.

``bounds``
    Bounds on log p(x), and two ways to a gradient. Shapes, units: see
    :mod:`genbook.vae.models`.
``checks``
    What the VAE modules share: checks of shapes and grey values, noise, portions.
``exact``
    Models whose log p(x) is known: linear Gaussians, all binary images, quadrature.
``gaps``
    The gap of the ELBO, split: what a Gaussian cannot say, and what the encoder misses.
``linear``
    The linear VAE: which units collapse, known in closed form.
``models``
    From the autoencoder to the evidence lower bound: densities and models.
``scores``
    Judge a model of images by what it does with them.
``study``
    The recorded study: likelihoods of VAE and IWAE on the paper's schedule.
``training``
    Train an autoencoder or a VAE; measure the noise of its gradient.
"""

from __future__ import annotations

from genbook.vae.bounds import (
    Bound,
    activity,
    doubling_bounds,
    elbo,
    importance_log_prob,
    iwae_bound,
    log_weights,
    path_gradients,
    score_gradients,
)
from genbook.vae.checks import check_grey, check_last_axis, check_matrix, noise_of, portions
from genbook.vae.exact import LinearGaussian, all_binary, elbo_forms, quadrature_log_prob
from genbook.vae.gaps import Plane, Split, best_guess, plane_of, split_gap
from genbook.vae.linear import (
    best_linear,
    best_log_prob,
    climb,
    collapse_curvature,
    covariance,
    mean_bound,
    measured_curvature,
)
from genbook.vae.models import (
    VAE,
    Autoencoder,
    Gaussian,
    InferenceModel,
    LatentModel,
    PeekingVAE,
    bernoulli_log_prob,
    gaussian_kl,
    network,
    prior_log_prob,
    rescale,
)
from genbook.vae.scores import neighbour_accuracy
from genbook.vae.study import (
    LONGEST,
    RECIPES,
    Judge,
    NllConfig,
    Recipe,
    build,
    learning_curve,
    nll_rows,
    probe,
)
from genbook.vae.training import (
    TrainConfig,
    annealed,
    encoder_noise,
    fit,
    kl_cost,
    objective,
    train,
    train_autoencoder,
)

__all__ = [
    "LONGEST",
    "RECIPES",
    "VAE",
    "Autoencoder",
    "Bound",
    "Gaussian",
    "InferenceModel",
    "Judge",
    "LatentModel",
    "LinearGaussian",
    "NllConfig",
    "PeekingVAE",
    "Plane",
    "Recipe",
    "Split",
    "TrainConfig",
    "activity",
    "all_binary",
    "annealed",
    "bernoulli_log_prob",
    "best_guess",
    "best_linear",
    "best_log_prob",
    "build",
    "check_grey",
    "check_last_axis",
    "check_matrix",
    "climb",
    "collapse_curvature",
    "covariance",
    "doubling_bounds",
    "elbo",
    "elbo_forms",
    "encoder_noise",
    "fit",
    "gaussian_kl",
    "importance_log_prob",
    "iwae_bound",
    "kl_cost",
    "learning_curve",
    "log_weights",
    "mean_bound",
    "measured_curvature",
    "neighbour_accuracy",
    "network",
    "nll_rows",
    "noise_of",
    "objective",
    "path_gradients",
    "plane_of",
    "portions",
    "prior_log_prob",
    "probe",
    "quadrature_log_prob",
    "rescale",
    "score_gradients",
    "split_gap",
    "train",
    "train_autoencoder",
]
