r"""KL and reverse KL: who pays for which mistake.

``densities``
    Densities to compare: Gaussians, mixtures, their moments on a grid.
``fitting``
    The model that a divergence prefers: one Gaussian or two, fitted on a grid or to samples.
``measures``
    Divergences between two distributions, exactly: on atoms and on grids.
``order``
    How strong each convergence is: a share of the mass, put a distance away.
``samples``
    Divergences and likelihoods estimated from samples.
``witness``
    Total variation as an integral metric: the best bounded critic, the closest pair.
"""

from __future__ import annotations

from genbook.divergences.densities import (
    check_grid,
    fgan_mixture,
    gaussian_kl,
    gaussian_log_density,
    grid,
    mixture,
    moments,
)
from genbook.divergences.fitting import (
    PUBLISHED_FITS,
    Fit,
    MixtureFit,
    best_gaussian,
    fit_gaussian,
    fit_mixture,
    fit_two_gaussians,
)
from genbook.divergences.measures import (
    DIVERGENCES,
    JEFFREY,
    JENSEN_SHANNON,
    KL,
    NEYMAN,
    PEARSON,
    REVERSE_KL,
    SQUARED_HELLINGER,
    TOTAL_VARIATION,
    Divergence,
    entropy,
    on_atoms,
    on_grid,
)
from genbook.divergences.order import misplaced, misplaced_atoms
from genbook.divergences.samples import Estimate, draw, empirical, from_samples, nll
from genbook.divergences.witness import Found, best_bounded, closest_pair

__all__ = [
    "DIVERGENCES",
    "JEFFREY",
    "JENSEN_SHANNON",
    "KL",
    "NEYMAN",
    "PEARSON",
    "PUBLISHED_FITS",
    "REVERSE_KL",
    "SQUARED_HELLINGER",
    "TOTAL_VARIATION",
    "Divergence",
    "Estimate",
    "Fit",
    "Found",
    "MixtureFit",
    "best_bounded",
    "best_gaussian",
    "check_grid",
    "closest_pair",
    "draw",
    "empirical",
    "entropy",
    "fgan_mixture",
    "fit_gaussian",
    "fit_mixture",
    "fit_two_gaussians",
    "from_samples",
    "gaussian_kl",
    "gaussian_log_density",
    "grid",
    "misplaced",
    "misplaced_atoms",
    "mixture",
    "moments",
    "nll",
    "on_atoms",
    "on_grid",
]
