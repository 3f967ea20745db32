r"""Pictures into pictures.

``cyclegan``
    CycleGAN: pictures into pictures without a pair.
``networks``
    Networks that turn a picture into a picture, and those that judge them.
``pairs``
    Pictures to translate: pairs made from digits and photographs, and two styles without pairs.
``photographs``
    Photographs: drawings turned into colour, and what that is worth.
``pix2pix``
    Pix2Pix: a picture into a picture, learned from pairs.
``scores``
    Scores that a machine can give to translations, and the recorded ablations.
``studies``
    The recorded studies of the translation chapter: ablations on digits, λ, patches, cycles.
"""

from __future__ import annotations

from genbook.translation.cyclegan import (
    CycleNets,
    CycleRecipe,
    CycleStep,
    ImagePool,
    cycle_loss,
    recipe_weight,
    square_loss,
    train_cycle,
    turn,
)
from genbook.translation.networks import (
    PATCHES,
    Noise,
    PatchCritic,
    Residual,
    ResNetGenerator,
    UNet,
    changed,
    initialise,
    receptive_field,
    seen_by_gradient,
    sensitivity_rank,
    silenced,
)
from genbook.translation.pairs import (
    Domains,
    Pairs,
    coarse,
    domains,
    edges,
    grey,
    in_blocks,
    outline,
    outlines,
    thumbnails,
)
from genbook.translation.photographs import (
    OneColour,
    StillGrey,
    colour,
)
from genbook.translation.pix2pix import (
    ABLATION,
    PairStep,
    Recipe,
    adam,
    at_least_one,
    best_constant,
    critic_loss,
    critic_view,
    descend,
    fooling_loss,
    train_pairs,
)
from genbook.translation.scores import (
    CycleScore,
    PairScore,
    domain_judge,
    judged_right,
    midtones,
    perturbed,
    reader,
    score_cycle,
    score_pairs,
    share_read,
    sharpness,
    steepness,
)
from genbook.translation.studies import (
    CYCLES,
    HIDING,
    LEVELS,
    WEIGHTS,
    WITHOUT_SKIPS,
    moment,
    run_pairs,
    small_scores,
)

__all__ = [
    "ABLATION",
    "CYCLES",
    "HIDING",
    "LEVELS",
    "PATCHES",
    "WEIGHTS",
    "WITHOUT_SKIPS",
    "CycleNets",
    "CycleRecipe",
    "CycleScore",
    "CycleStep",
    "Domains",
    "ImagePool",
    "Noise",
    "OneColour",
    "PairScore",
    "PairStep",
    "Pairs",
    "PatchCritic",
    "Recipe",
    "ResNetGenerator",
    "Residual",
    "StillGrey",
    "UNet",
    "adam",
    "at_least_one",
    "best_constant",
    "changed",
    "coarse",
    "colour",
    "critic_loss",
    "critic_view",
    "cycle_loss",
    "descend",
    "domain_judge",
    "domains",
    "edges",
    "fooling_loss",
    "grey",
    "in_blocks",
    "initialise",
    "judged_right",
    "midtones",
    "moment",
    "outline",
    "outlines",
    "perturbed",
    "reader",
    "receptive_field",
    "recipe_weight",
    "run_pairs",
    "score_cycle",
    "score_pairs",
    "seen_by_gradient",
    "sensitivity_rank",
    "share_read",
    "sharpness",
    "silenced",
    "small_scores",
    "square_loss",
    "steepness",
    "thumbnails",
    "train_cycle",
    "train_pairs",
    "turn",
]
