r"""Clipping: gradients that explode and vanish.

``bounds``
    Gradients through many steps: when they vanish, when they explode, and their bounds.
``characters``
    A character model that explodes: many runs as one computation, and the recorded study.
``cliff``
    The cliff: one unit, fifty steps, and the error as a function of its two parameters.
``outliers``
    What one long gradient does to Adam, and what clipping it spares.
``penalty``
    Against vanishing: a penalty that keeps the length of the error on its way back.
``rules``
    What may be done to a gradient between the backward pass and the step.
``smoothness``
    Why clipping helps: a valley whose walls grow as steep as they are curved.
"""

from __future__ import annotations

from genbook.clipping.bounds import (
    KINDS,
    LINEAR,
    SIGMOID,
    SQUASHES,
    TANH,
    Squash,
    held_norms,
    hold_at,
    lower_bound,
    products,
    states,
    tilted,
    upper_bound,
    with_largest,
)
from genbook.clipping.characters import (
    GAIN,
    HIDDEN,
    UNIFORM,
    Arm,
    Models,
    Outcome,
    Update,
    average_norm,
    bits,
    grid,
    outcome,
    saturated,
    stretches,
    thresholds,
    train,
)
from genbook.clipping.cliff import (
    STEPS,
    Descent,
    descend,
    error,
    final_state,
    gradient,
    slopes,
    starts_below,
    wall,
    wall_factor,
    wall_slope,
)
from genbook.clipping.outliers import pace, stall
from genbook.clipping.penalty import Recall, RecallStep, ratios, recall
from genbook.clipping.rules import (
    Scaled,
    by_norm,
    by_value,
    centralised,
    clipped,
    edited,
    effective_rate,
    largest_turn,
    layer_rate,
    norm,
    normalised,
    path,
    threshold_rule,
    turned,
)
from genbook.clipping.smoothness import arrival, fewest_steps, largest_rate

__all__ = [
    "GAIN",
    "HIDDEN",
    "KINDS",
    "LINEAR",
    "SIGMOID",
    "SQUASHES",
    "STEPS",
    "TANH",
    "UNIFORM",
    "Arm",
    "Descent",
    "Models",
    "Outcome",
    "Recall",
    "RecallStep",
    "Scaled",
    "Squash",
    "Update",
    "arrival",
    "average_norm",
    "bits",
    "by_norm",
    "by_value",
    "centralised",
    "clipped",
    "descend",
    "edited",
    "effective_rate",
    "error",
    "fewest_steps",
    "final_state",
    "gradient",
    "grid",
    "held_norms",
    "hold_at",
    "largest_rate",
    "largest_turn",
    "layer_rate",
    "lower_bound",
    "norm",
    "normalised",
    "outcome",
    "pace",
    "path",
    "products",
    "ratios",
    "recall",
    "saturated",
    "slopes",
    "stall",
    "starts_below",
    "states",
    "stretches",
    "threshold_rule",
    "thresholds",
    "tilted",
    "train",
    "turned",
    "upper_bound",
    "wall",
    "wall_factor",
    "wall_slope",
    "with_largest",
]
