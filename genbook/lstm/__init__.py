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
``relatives``
    The LSTM's relatives by the same clock: a GRU's unit, and a cell with peepholes.
``truncation``
    How far back a gradient is sent, and what is missing from it when it is stopped early.
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
    spread_bias,
    streams,
    train,
)
from genbook.lstm.relatives import held_gru, held_peephole, lifetime
from genbook.lstm.truncation import (
    Truncated,
    apart,
    bias_bound,
    leaky,
    own_reader,
    recurrent_gradient,
    truncated_gradient,
    window_run,
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
    "Truncated",
    "apart",
    "arm_named",
    "auc",
    "bias_bound",
    "carried",
    "direct_path",
    "evidence",
    "from_torch",
    "held_gru",
    "held_peephole",
    "held_run",
    "hold",
    "hold_forget_gates",
    "jacobians",
    "lag_accuracy",
    "lag_run",
    "lag_steps",
    "leaky",
    "lifetime",
    "long_lag",
    "loss_and_accuracy",
    "memory",
    "midranks",
    "norms",
    "orders",
    "own_reader",
    "path_by_autograd",
    "positions",
    "recent",
    "recurrent_gradient",
    "rnn_bound",
    "rnn_path",
    "spectral_radius",
    "spread_bias",
    "step_gap_bound",
    "streams",
    "total_path",
    "train",
    "truncated_gradient",
    "unroll",
    "unroll_rnn",
    "update",
    "window_run",
]
