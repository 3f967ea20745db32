r"""LSTM: what the gates do.

``cells``
    LSTM cells that name their gates, a plain recurrent net, and the paths a gradient takes
    back.
``carriers``
    What carries a symbol over a long lag: the forget gates, or the ways through the hidden state?
``lag``
    The long-lag study: does a cell remember the first symbol of a sequence?
``paths``
    The paths a gradient takes back through an LSTM or a plain recurrent net, and their bounds.
``readers``
    Readers of sequences, how they are trained, and the long-lag study of the LSTM chapter.
``units``
    What a reader's units know about source code, and how sure we can be that it is not chance.
"""

from __future__ import annotations

from genbook.lstm.carriers import Carried, carried, held_run, hold_forget_gates
from genbook.lstm.cells import (
    Gates,
    LSTMCell,
    RNNCell,
    from_torch,
    hold,
    unroll,
    unroll_rnn,
    update,
)
from genbook.lstm.lag import (
    ARMS,
    LENGTHS,
    Arm,
    LagRun,
    arm_named,
    lag_accuracy,
    lag_run,
    lag_steps,
    long_lag,
)
from genbook.lstm.paths import (
    direct_path,
    jacobians,
    memory,
    norms,
    path_by_autograd,
    rnn_bound,
    rnn_path,
    spectral_radius,
    step_gap_bound,
    total_path,
)
from genbook.lstm.readers import (
    Reader,
    loss_and_accuracy,
    orders,
    row_batches,
    rows,
    spread_bias,
    streams,
    train,
)
from genbook.lstm.units import Evidence, auc, evidence, midranks, positions, recent

__all__ = [
    "ARMS",
    "LENGTHS",
    "Arm",
    "Carried",
    "Evidence",
    "Gates",
    "LSTMCell",
    "LagRun",
    "RNNCell",
    "Reader",
    "arm_named",
    "auc",
    "carried",
    "direct_path",
    "evidence",
    "from_torch",
    "held_run",
    "hold",
    "hold_forget_gates",
    "jacobians",
    "lag_accuracy",
    "lag_run",
    "lag_steps",
    "long_lag",
    "loss_and_accuracy",
    "memory",
    "midranks",
    "norms",
    "orders",
    "path_by_autograd",
    "positions",
    "recent",
    "rnn_bound",
    "rnn_path",
    "row_batches",
    "rows",
    "spectral_radius",
    "spread_bias",
    "step_gap_bound",
    "streams",
    "total_path",
    "train",
    "unroll",
    "unroll_rnn",
    "update",
]
