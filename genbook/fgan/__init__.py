r"""Every divergence has a game.

``conjugates``
    Conjugates by three roads, and the variational bound on a grid.
``signals``
    What the generator of an f-GAN feels: the pull of both generator losses, exactly and in
    batches.
``survival``
    f-GANs in the plane and on images: which row survives with which generator step.
``univariate``
    The f-GAN paper's univariate experiment: Algorithm 1, several games as one computation.
``windows``
    Eight f-GANs on images, scored with Parzen windows as the f-GAN paper scores its own.
"""

from __future__ import annotations

from genbook.fgan.conjugates import (
    REACH,
    as_divergence,
    autograd_conjugate,
    best_critic,
    biconjugate,
    bound_on_grid,
    check_domain,
    check_ratio,
    divergence_on_grid,
    fenchel_young,
    numeric_conjugate,
    raw_critic,
    row,
    sag_on_grid,
)
from genbook.fgan.signals import Signals, batch_gradients, divergence_gradient, expected_gradient
from genbook.fgan.survival import (
    CENTRES,
    DEVIATION,
    TWO,
    Outcome,
    contest,
    grey_share,
    lost,
    on_images,
    on_ring,
)
from genbook.fgan.univariate import (
    CONTESTS,
    FIVE,
    FIVE_CONTESTS,
    PUBLISHED_LEARNED,
    Contest,
    GaussianGenerator,
    Judged,
    Learned,
    SingleStep,
    grid,
    judge,
    learned,
    mixture_sampler,
    single_step,
)
from genbook.fgan.windows import PUBLISHED, SAMPLES, scored

__all__ = [
    "CENTRES",
    "CONTESTS",
    "DEVIATION",
    "FIVE",
    "FIVE_CONTESTS",
    "PUBLISHED",
    "PUBLISHED_LEARNED",
    "REACH",
    "SAMPLES",
    "TWO",
    "Contest",
    "GaussianGenerator",
    "Judged",
    "Learned",
    "Outcome",
    "Signals",
    "SingleStep",
    "as_divergence",
    "autograd_conjugate",
    "batch_gradients",
    "best_critic",
    "biconjugate",
    "bound_on_grid",
    "check_domain",
    "check_ratio",
    "contest",
    "divergence_gradient",
    "divergence_on_grid",
    "expected_gradient",
    "fenchel_young",
    "grey_share",
    "grid",
    "judge",
    "learned",
    "lost",
    "mixture_sampler",
    "numeric_conjugate",
    "on_images",
    "on_ring",
    "raw_critic",
    "row",
    "sag_on_grid",
    "scored",
    "single_step",
]
