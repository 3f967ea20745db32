r"""Drawing step by step, and judging by battle.

``battle``
    The battle of two generators (GAM) as a result object, GAM-II, Wilson's interval.
``convolutional``
    The paper's networks, small: a recurrent generator of convolutions (GRAN), a discriminator.
``exact_battles``
    Is the battle right? Best discriminators on a line, where every truth is known exactly.
``judges``
    Fresh judges: discriminators trained against a generator that stands still.
``neighbours``
    What a battle does not see: copies of training images, and digits that are missing.
``referee``
    A fight between two trained pairs, by the paper's raw rule or by a calibrated referee.
``rivals``
    Why Parzen windows mislead: models that learn nothing, and a case with a closed form.
``studies``
    The recorded study: T = 1, 3, 5, and every referee's verdict.
``training``
    Train a pair, and keep averages and snapshots of its weights.
"""

from __future__ import annotations

from genbook.gran.battle import (
    BAND,
    Battle,
    Collection,
    Rates,
    gam_2,
    interval,
    mistakes,
    ratio,
    verdicts,
)
from genbook.gran.convolutional import GRAN, STEPS, Discriminator, StepNorm
from genbook.gran.exact_battles import (
    MODES,
    Census,
    Truth,
    bayes_rates,
    best_rates,
    census,
    cycle,
    degraded,
    from_line,
    learned_rates,
    line,
    mixture,
    truth,
)
from genbook.gran.judges import errors_about, fresh_judge
from genbook.gran.neighbours import Coverage, Repeater, copied, coverage, nearest, yardstick
from genbook.gran.referee import (
    MISS,
    Contestant,
    Evidence,
    Fight,
    contestants,
    curve,
    fight,
    gather,
    judge,
    rates,
    threshold,
)
from genbook.gran.rivals import drowned, one_point, true_samples, widths
from genbook.gran.studies import Hall, Setting, contest_rows, hall, recorded_strokes, train_all
from genbook.gran.training import Pair, Recipe, Record, Run, fit, follow, new_pair

__all__ = [
    "BAND",
    "GRAN",
    "MISS",
    "MODES",
    "STEPS",
    "Battle",
    "Census",
    "Collection",
    "Contestant",
    "Coverage",
    "Discriminator",
    "Evidence",
    "Fight",
    "Hall",
    "Pair",
    "Rates",
    "Recipe",
    "Record",
    "Repeater",
    "Run",
    "Setting",
    "StepNorm",
    "Truth",
    "bayes_rates",
    "best_rates",
    "census",
    "contest_rows",
    "contestants",
    "copied",
    "coverage",
    "curve",
    "cycle",
    "degraded",
    "drowned",
    "errors_about",
    "fight",
    "fit",
    "follow",
    "fresh_judge",
    "from_line",
    "gam_2",
    "gather",
    "hall",
    "interval",
    "judge",
    "learned_rates",
    "line",
    "mistakes",
    "mixture",
    "nearest",
    "new_pair",
    "one_point",
    "rates",
    "ratio",
    "recorded_strokes",
    "threshold",
    "train_all",
    "true_samples",
    "truth",
    "verdicts",
    "widths",
    "yardstick",
]
