r"""What the optimal discriminator knows.

``algorithm``
    The discriminator alone, Algorithm 1, and the runs of the chapter on GANs.
``bilinear``
    A game that gradient descent circles: V(x, y) = xy, the smallest minimax problem.
``costs``
    What the generator descends: three costs, their pushes and the divergences behind them.
``images``
    A small GAN for images, and what Parzen windows make of it: the recorded study.
``optimum``
    What the optimal discriminator knows: D*, the game's value, and what its gradients descend.
``scenes``
    Runs in the plane and on anything else: a game to scrub through, a race of two costs.
"""

from __future__ import annotations

from genbook.gan.algorithm import (
    Momentum,
    algorithm_1,
    fit_discriminator,
    gradient_norms,
    side_by_side,
)
from genbook.gan.bilinear import (
    METHODS,
    SmallGame,
    alternating,
    conserved,
    extragradient,
    growth,
    orbit,
    simultaneous,
    update_matrix,
)
from genbook.gan.costs import (
    COSTS,
    LIKELIHOOD,
    NON_SATURATING,
    SATURATING,
    Cost,
    divergence_gradient,
    generator_gradient,
    objective,
    pushes,
    saturation_bound,
    smoothed,
)
from genbook.gan.images import (
    GAME,
    LATENT,
    SAMPLES,
    Split,
    image_players,
    parzen_rows,
    split,
    trained_on,
    yardsticks,
)
from genbook.gan.optimum import (
    criterion,
    disjoint_intervals,
    optimal_discriminator,
    optimal_logit,
    smoothed_discriminator,
    value,
)
from genbook.gan.scenes import MODES, Race, Scene, fate, forked_run, lattice, near, race, scene

__all__ = [
    "COSTS",
    "GAME",
    "LATENT",
    "LIKELIHOOD",
    "METHODS",
    "MODES",
    "NON_SATURATING",
    "SAMPLES",
    "SATURATING",
    "Cost",
    "Momentum",
    "Race",
    "Scene",
    "SmallGame",
    "Split",
    "algorithm_1",
    "alternating",
    "conserved",
    "criterion",
    "disjoint_intervals",
    "divergence_gradient",
    "extragradient",
    "fate",
    "fit_discriminator",
    "forked_run",
    "generator_gradient",
    "gradient_norms",
    "growth",
    "image_players",
    "lattice",
    "near",
    "objective",
    "optimal_discriminator",
    "optimal_logit",
    "orbit",
    "parzen_rows",
    "pushes",
    "race",
    "saturation_bound",
    "scene",
    "side_by_side",
    "simultaneous",
    "smoothed",
    "smoothed_discriminator",
    "split",
    "trained_on",
    "update_matrix",
    "value",
    "yardsticks",
]
