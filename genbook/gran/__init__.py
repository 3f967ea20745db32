r"""Drawing step by step, and judging by battle.

``arena``
    The reader's arena: two trained pairs swap discriminators and read the verdict.
``battle``
    The battle of two generators (GAM) as a result object, GAM-II, and how sure a verdict is.
``draw``
    DRAW: a variational autoencoder that writes to a canvas step by step through a window.
``draw_study``
    Train DRAW on binary images; the recorded study with and without attention.
``exact_battles``
    Is the battle right? Best discriminators on a line, where every truth is known exactly.
``players``
    Battles among trained generators: players, judges, the cross table.
``recurrent``
    The recurrent generator (GRAN): a canvas that grows by increments, for many seeds at once.
``rivals``
    Why Parzen windows mislead: models that learn nothing, and a case with a closed form.
``speckle``
    Why more strokes lose, and a broader brush: speckle seen by judges with and without
    spectacles.
``studies``
    The recorded tournament of the GRAN chapter, and its tables as rows.
"""

from __future__ import annotations

from genbook.gran.arena import (
    Fight,
    Tally,
    collection_rows,
    count,
    fight,
    rough,
    roughness,
    score_card,
    strokes,
)
from genbook.gran.battle import (
    BAND,
    Battle,
    Collection,
    Confidence,
    Rates,
    bootstrap,
    gam_2,
    interval,
    mistakes,
    ratio,
    tally,
    verdicts,
)
from genbook.gran.draw import (
    DRAW,
    Drawing,
    Window,
    code_length,
    filter_bank,
    negative_bound,
    open_windows,
    read,
    window,
    write,
)
from genbook.gran.draw_study import (
    ABLATION,
    CAUSES,
    FIVE,
    FOUR_GLIMPSES,
    MEAN,
    RIM,
    TWO,
    WHOLE,
    WINDOW,
    Looks,
    bound,
    build,
    gains,
    mean_image_bound,
)
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
from genbook.gran.players import (
    GRAN1,
    GRAN3,
    GRAN5,
    LATENT,
    WIDTH,
    Arena,
    Fogged,
    Player,
    Spectacles,
    Table,
    Trained,
    cross_table,
    judge_net,
    tournament,
    train_judge,
)
from genbook.gran.recurrent import STEPS, Recurrent, smooth
from genbook.gran.rivals import drowned, one_point, true_samples, widths
from genbook.gran.speckle import BRUSH, PLAIN, compare, eyes, outcomes, tallies, with_brush
from genbook.gran.studies import from_rows, table_rows

__all__ = [
    "ABLATION",
    "BAND",
    "BRUSH",
    "CAUSES",
    "DRAW",
    "FIVE",
    "FOUR_GLIMPSES",
    "GRAN1",
    "GRAN3",
    "GRAN5",
    "LATENT",
    "MEAN",
    "MODES",
    "PLAIN",
    "RIM",
    "STEPS",
    "TWO",
    "WHOLE",
    "WIDTH",
    "WINDOW",
    "Arena",
    "Battle",
    "Census",
    "Collection",
    "Confidence",
    "Drawing",
    "Fight",
    "Fogged",
    "Looks",
    "Player",
    "Rates",
    "Recurrent",
    "Spectacles",
    "Table",
    "Tally",
    "Trained",
    "Truth",
    "Window",
    "bayes_rates",
    "best_rates",
    "bootstrap",
    "bound",
    "build",
    "census",
    "code_length",
    "collection_rows",
    "compare",
    "count",
    "cross_table",
    "cycle",
    "degraded",
    "drowned",
    "eyes",
    "fight",
    "filter_bank",
    "from_line",
    "from_rows",
    "gains",
    "gam_2",
    "interval",
    "judge_net",
    "learned_rates",
    "line",
    "mean_image_bound",
    "mistakes",
    "mixture",
    "negative_bound",
    "one_point",
    "open_windows",
    "outcomes",
    "ratio",
    "read",
    "rough",
    "roughness",
    "score_card",
    "smooth",
    "strokes",
    "table_rows",
    "tallies",
    "tally",
    "tournament",
    "train_judge",
    "true_samples",
    "truth",
    "verdicts",
    "widths",
    "window",
    "with_brush",
    "write",
]
