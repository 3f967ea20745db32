r"""How far may a layer stretch: norms of layers, residual blocks that invert, and their densities.

``angles``
    The angle between filters, read from signs; the self-orthogonality penalty.
``flows``
    An invertible residual network, its likelihood and its training.
``inverses``
    The way back through a residual block, its rate, and where it is lost.
``levels``
    From grey levels to a density and back to bits a dimension.
``norms``
    The norm of a matrix, of a convolution, of a stack of layers.
``studies``
    The recorded study on 8 × 8 digits.
``traces``
    The logarithm of a determinant as a series of traces, and its estimates.
"""

from __future__ import annotations

from genbook.invertible.angles import (
    agreement,
    from_angles,
    opened,
    self_orthogonality,
    smooth_agreement,
)
from genbook.invertible.flows import (
    IResNet,
    Straight,
    behind,
    exact,
    folds,
    in_double,
    mass,
    on_a_roll,
    roll,
    train,
    truncated,
)
from genbook.invertible.inverses import (
    KINDS,
    bend,
    bent,
    error_bound,
    on_images,
    round_trip,
    soft_brush,
    twins,
    way_back,
)
from genbook.invertible.levels import Scales, bits, dequantise, pixel_table
from genbook.invertible.norms import (
    as_matrix,
    cold_start,
    convolution_norm,
    convolve,
    estimates,
    expected_estimates,
    normed,
    reshaped_norm,
    shortened,
    steepest,
)
from genbook.invertible.studies import fitted, judged
from genbook.invertible.traces import (
    estimate_variance,
    every,
    log_det,
    log_det_series,
    truncation_bound,
)

__all__ = [
    "KINDS",
    "IResNet",
    "Scales",
    "Straight",
    "agreement",
    "as_matrix",
    "behind",
    "bend",
    "bent",
    "bits",
    "cold_start",
    "convolution_norm",
    "convolve",
    "dequantise",
    "error_bound",
    "estimate_variance",
    "estimates",
    "every",
    "exact",
    "expected_estimates",
    "fitted",
    "folds",
    "from_angles",
    "in_double",
    "judged",
    "log_det",
    "log_det_series",
    "mass",
    "normed",
    "on_a_roll",
    "on_images",
    "opened",
    "pixel_table",
    "reshaped_norm",
    "roll",
    "round_trip",
    "self_orthogonality",
    "shortened",
    "smooth_agreement",
    "soft_brush",
    "steepest",
    "train",
    "truncated",
    "truncation_bound",
    "twins",
    "way_back",
]
