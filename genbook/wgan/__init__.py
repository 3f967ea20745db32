r"""Moving earth: the Wasserstein distance and its games.

``contests``
    Four games on handwritten digits with equal budgets: does the loss say how good the fakes
    are?
``critics``
    Critics trained to optimality against a generator that stands still.
``depth``
    The gradient that reaches each layer of a deep critic, and the weights it leaves behind.
``dirac``
    The smallest WGAN: data at 0, one fake at θ, a critic ψx, and what each leash does to it.
``empirical``
    What n samples can know of W₁: its floor, its exact mean on the line, its fall in the cube.
``frechet``
    A judge of fake images: the Fréchet distance in the features of a small classifier.
``losses``
    The transport dual as a game: Wasserstein losses and ways to bound the critic's slope.
``sinkhorn``
    Transport with blur: entropic plans by Sinkhorn's iterations, and the debiased divergence.
``transport``
    The Wasserstein-1 distance, exactly: transport plans, dual potentials, and the line.
"""

from __future__ import annotations

from genbook.wgan.contests import BUDGETS, Budget, Contest, Mark, compete
from genbook.wgan.critics import (
    CLIPS,
    TOYS,
    Certificate,
    Fitting,
    certificates,
    certify,
    fit,
    optimal,
    pair,
    shallow,
    surface,
    toys,
)
from genbook.wgan.depth import (
    Factors,
    chain_factors,
    decades_per_layer,
    deep,
    hidden_weights,
    layer_norms,
)
from genbook.wgan.dirac import LEASHES, Leash, eigenvalues, field, orbit
from genbook.wgan.empirical import (
    Matching,
    expected_to_uniform,
    floor,
    in_cube,
    match,
    slope,
    to_uniform,
)
from genbook.wgan.frechet import Judge, Moments, moments, rank_correlation, train_judge
from genbook.wgan.losses import (
    NORMS,
    best_at_points,
    between,
    clip_weights,
    distance,
    gan_qp,
    gradient_penalty,
    qp_at_points,
    quadratic_penalty,
    slopes,
    wgan,
    wgan_gp,
)
from genbook.wgan.sinkhorn import Blurred, debiased, entropic
from genbook.wgan.transport import (
    NAMES,
    Potential,
    Reading,
    Transport,
    extended,
    line_atoms,
    lipschitz,
    of_samples,
    on_line,
    parallel_lines,
    potential,
    solve,
)

__all__ = [
    "BUDGETS",
    "CLIPS",
    "LEASHES",
    "NAMES",
    "NORMS",
    "TOYS",
    "Blurred",
    "Budget",
    "Certificate",
    "Contest",
    "Factors",
    "Fitting",
    "Judge",
    "Leash",
    "Mark",
    "Matching",
    "Moments",
    "Potential",
    "Reading",
    "Transport",
    "best_at_points",
    "between",
    "certificates",
    "certify",
    "chain_factors",
    "clip_weights",
    "compete",
    "debiased",
    "decades_per_layer",
    "deep",
    "distance",
    "eigenvalues",
    "entropic",
    "expected_to_uniform",
    "extended",
    "field",
    "fit",
    "floor",
    "gan_qp",
    "gradient_penalty",
    "hidden_weights",
    "in_cube",
    "layer_norms",
    "line_atoms",
    "lipschitz",
    "match",
    "moments",
    "of_samples",
    "on_line",
    "optimal",
    "orbit",
    "pair",
    "parallel_lines",
    "potential",
    "qp_at_points",
    "quadratic_penalty",
    "rank_correlation",
    "shallow",
    "slope",
    "slopes",
    "solve",
    "surface",
    "to_uniform",
    "toys",
    "train_judge",
    "wgan",
    "wgan_gp",
]
