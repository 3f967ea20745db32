r"""The theory and the loops that several adversarial chapters share.

``classifier``
    A small classifier of images, trained on the spot, that reads what a generator draws.
``duality``
    From a convex function to a game: conjugates, the variational bound, and the losses they
    give.
``modes``
    Modes found and samples that are good, counted; everything carries the seed axis **[S, …]**.
``parzen``
    Parzen windows: the log-likelihood of test points under kernels around a generator's
    samples.
``play``
    Two players, many seeds: one loop that trains every GAN of this book.
"""

from __future__ import annotations

from genbook.games.classifier import Reader, fit_classifier, learn_to_read
from genbook.games.duality import (
    GAN,
    JEFFREY,
    JENSEN_SHANNON,
    KL,
    NEYMAN,
    PEARSON,
    REVERSE_KL,
    SQUARED_HELLINGER,
    TABLE,
    TOTAL_VARIATION,
    TRANSPORT,
    ConvexFunction,
    bound,
    critic_loss,
    divergence,
    generator_loss,
    practical_generator_loss,
    wright_omega,
)
from genbook.games.modes import Score, distinct, histogram_kl, nearest, score
from genbook.games.parzen import ParzenScore, cluster_centres, parzen_score
from genbook.games.play import (
    Adam,
    Duel,
    Game,
    Objective,
    RMSProp,
    Round,
    critic_step,
    descend,
    from_convex,
    generate,
    generator_step,
    scores,
    unrolled,
)

__all__ = [
    "GAN",
    "JEFFREY",
    "JENSEN_SHANNON",
    "KL",
    "NEYMAN",
    "PEARSON",
    "REVERSE_KL",
    "SQUARED_HELLINGER",
    "TABLE",
    "TOTAL_VARIATION",
    "TRANSPORT",
    "Adam",
    "ConvexFunction",
    "Duel",
    "Game",
    "Objective",
    "ParzenScore",
    "RMSProp",
    "Reader",
    "Round",
    "Score",
    "bound",
    "cluster_centres",
    "critic_loss",
    "critic_step",
    "descend",
    "distinct",
    "divergence",
    "fit_classifier",
    "from_convex",
    "generate",
    "generator_loss",
    "generator_step",
    "histogram_kl",
    "learn_to_read",
    "nearest",
    "parzen_score",
    "practical_generator_loss",
    "score",
    "scores",
    "unrolled",
    "wright_omega",
]
