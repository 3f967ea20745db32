r"""Readers of sequences, how they are trained, and the long-lag study of the LSTM chapter."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.studies import Study
from genbook.kit.training import Step, finite

State = Tensor | tuple[Tensor, Tensor]
Batch = tuple[Tensor, Tensor]


class Reader(nn.Module):
    r"""Reads a sequence and says, after each step, which of K answers it expects.

    The recurrent layer is PyTorch's own, which is fast and, as the chapter checks, computes what
    :class:`genbook.lstm.LSTMCell` computes.

    Args:
        kind: ``"rnn"`` (tanh) or ``"lstm"``.
        inputs: size D of each input, or the number of symbols when ``embedding`` is given.
        answers: K.
        hidden: size H of the state.
        forget_bias: where the forget gate's bias starts, a number or ``[H]`` (``"lstm"`` only);
            all other biases start at zero.
        input_bias: where the input gate's bias starts, a number or ``[H]`` (``"lstm"`` only).
        orthogonal: start the recurrent weights orthogonal, so that all singular values are 1
            (``"rnn"`` only).
        embedding: size of a vector for each symbol; inputs are then whole numbers ``[T, B]``.
        generator: draws the weights, uniform in :math:`\pm 1/\sqrt H`.

    Raises:
        ValueError: if the kind is unknown or an option belongs to the other kind.

    Example:
        >>> reader = Reader("lstm", 8, 4, hidden=5, generator=seeded(0))
        >>> reader(torch.zeros(7, 2, 8))[0].shape
        torch.Size([7, 2, 4])
    """

    def __init__(
        self,
        kind: str,
        inputs: int,
        answers: int,
        *,
        hidden: int,
        generator: torch.Generator,
        forget_bias: Tensor | float | None = None,
        input_bias: Tensor | float | None = None,
        orthogonal: bool = False,
        embedding: int | None = None,
    ) -> None:
        super().__init__()
        if kind not in ("rnn", "lstm"):
            raise ValueError(f"expected the kind 'rnn' or 'lstm', got {kind!r}")
        gated = forget_bias is not None or input_bias is not None
        if (orthogonal and kind == "lstm") or (gated and kind == "rnn"):
            raise ValueError(
                f"expected orthogonal with 'rnn' only and gates' biases with 'lstm' only, "
                f"got {kind!r}; leave the option out"
            )
        self.embed = None if embedding is None else nn.Embedding(inputs, embedding)
        layer = nn.LSTM if kind == "lstm" else nn.RNN
        self.recurrent = layer(embedding or inputs, hidden)
        self.readout = nn.Linear(hidden, answers)
        self._start(generator, hidden, orthogonal)
        with torch.no_grad():
            bias = self.recurrent.get_parameter("bias_ih_l0")
            for block, values in enumerate((input_bias, forget_bias)):
                if values is not None:
                    bias[block * hidden : (block + 1) * hidden] = values

    @torch.no_grad()
    def _start(self, generator: torch.Generator, hidden: int, orthogonal: bool) -> None:
        """Uniform weights, zero biases."""
        bound = 1 / math.sqrt(hidden)
        for name, values in self.named_parameters():
            if "bias" in name:
                values.zero_()
            elif "embed" in name:
                values.normal_(generator=generator)
            else:
                values.uniform_(-bound, bound, generator=generator)
        if orthogonal:
            weight = self.recurrent.get_parameter("weight_hh_l0")
            nn.init.orthogonal_(weight, generator=generator)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        r"""Read a sequence.

        Args:
            x: inputs ``[T, B, D]``, or symbols ``[T, B]`` with an embedding.
            state: what an earlier stretch left; zeros by default.

        Returns:
            Scores ``[T, B, K]`` (logits) and the state after the last step.
        """
        hidden, state = self.recurrent(x if self.embed is None else self.embed(x), state)
        return self.readout(hidden), state


def loss_and_accuracy(scores: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    r"""Cross-entropy and share of right answers.

    Args:
        scores: logits ``[T, B, K]``.
        answers: ``[B]``: one answer, asked after the last step; or ``[T, B]``: one after each.

    Returns:
        The mean negative log-likelihood in nats and the accuracy, both ``[]``.

    Raises:
        ValueError: if the answers have another shape.

    Example:
        >>> loss, accuracy = loss_and_accuracy(torch.zeros(7, 2, 4), torch.tensor([0, 1]))
        >>> round(loss.item(), 4), accuracy.item()
        (1.3863, 0.5)
    """
    if answers.shape == scores.shape[1:2]:
        scores = scores[-1:]
        answers = answers[None]
    if answers.shape != scores.shape[:2]:
        raise ValueError(
            f"expected answers of shape [B] or [T, B] for scores {list(scores.shape)}, "
            f"got {list(answers.shape)}"
        )
    flat, wanted = scores.flatten(0, 1), answers.flatten()
    return cross_entropy(flat, wanted), (flat.argmax(-1) == wanted).float().mean()


def train(
    reader: Reader,
    batches: Iterable[Batch],
    *,
    total: int,
    rate: float,
    clip: float = 1.0,
    decay: bool = False,
    carry: bool = False,
) -> Iterator[Step]:
    r"""Train a reader with Adam, the gradient's norm clipped.

    Args:
        reader: changed in place.
        batches: inputs ``[T, B, D]`` or ``[T, B]`` with answers ``[B]`` or ``[T, B]``; they are
            moved to the reader's device.
        total: how many batches to use.
        rate: learning rate.
        clip: largest norm of the gradient.
        decay: let the rate fall in a straight line to zero.
        carry: start each batch from the state the last one left (gradients stop there).

    Yields:
        Steps with ``loss`` (nats), ``accuracy`` and ``norm`` (of the gradient before clipping).

    Raises:
        ValueError: if ``total``, ``rate`` or ``clip`` is not positive.
        NonFiniteLoss: if the loss or the norm stops being finite.

    Example:
        >>> reader = Reader("rnn", 8, 4, hidden=5, generator=seeded(0))
        >>> [step.index for step in train(reader, orders(20, 2, seeded(1)), total=3, rate=1e-3)]
        [0, 1, 2]
    """
    if not (total >= 1 and rate > 0 and clip > 0):
        raise ValueError(
            f"expected total ≥ 1, rate > 0 and clip > 0, got {total}, {rate} and {clip}"
        )
    parameters = list(reader.parameters())
    device = parameters[0].device
    optimiser = torch.optim.Adam(parameters, rate)
    state: State | None = None
    for index, (x, y) in zip(range(total), batches, strict=False):
        if decay:
            optimiser.param_groups[0]["lr"] = rate * (1 - index / total)
        scores, state = reader(x.to(device), _detached(state) if carry else None)
        loss, accuracy = loss_and_accuracy(scores, y.to(device))
        optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, clip)
        terms = finite(index, loss=loss.detach(), accuracy=accuracy, norm=norm)
        optimiser.step()
        yield Step(index, total, terms)


def _detached(state: State | None) -> State | None:
    if isinstance(state, tuple):
        return state[0].detach(), state[1].detach()
    return None if state is None else state.detach()


# Where the batches come from


def orders(length: int, size: int, generator: torch.Generator) -> Iterator[Batch]:
    r"""Endless fresh batches of the temporal-order task.

    Args:
        length: T.
        size: B.
        generator: draws them.

    Yields:
        One-hot inputs ``[T, B, 8]`` and answers ``[B]``, one of four.

    Example:
        >>> x, y = next(orders(20, 3, seeded(0)))
        >>> x.shape, y.shape
        (torch.Size([20, 3, 8]), torch.Size([3]))
    """
    while True:
        x, y = data.temporal_order(size, length, generator)
        yield x.transpose(0, 1), y


def rows(images: Tensor) -> Tensor:
    r"""Images as sequences of their rows, top row first.

    Args:
        images: ``[B, 1, H, W]``.

    Returns:
        ``[H, B, W]``.

    Raises:
        ValueError: if there is more than one channel.

    Example:
        >>> rows(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([28, 2, 28])
    """
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"expected images of shape [B, 1, H, W], got {list(images.shape)}")
    return images[:, 0].transpose(0, 1)


def row_batches(
    images: data.ImageSet, size: int, generator: torch.Generator, steps: int
) -> Iterator[Batch]:
    r"""Shuffled batches of images read row by row, the label asked after each row.

    Args:
        images: the set.
        size: B.
        generator: draws the orders.
        steps: how many batches.

    Yields:
        Inputs ``[H, B, W]`` and answers ``[H, B]``.

    Example:
        >>> x, y = next(row_batches(data.digits("train"), 5, seeded(0), 1))
        >>> x.shape, y.shape
        (torch.Size([8, 5, 8]), torch.Size([8, 5]))
    """
    for batch, labels in data.batches(images, size, generator, steps=steps):
        x = rows(batch)
        yield x, labels.expand(len(x), -1)


def streams(codes: Tensor, *, size: int, length: int) -> Iterator[Batch]:
    r"""A text cut into B parallel streams, read a stretch at a time, over and over.

    Stretch n + 1 goes on where stretch n ended, so that a state can be carried along.

    Args:
        codes: the text, ``[N]``.
        size: B.
        length: T.

    Yields:
        Characters ``[T, B]`` and the characters that follow them, ``[T, B]``.

    Raises:
        ValueError: if the text is too short for one stretch in each stream.

    Example:
        >>> x, y = next(streams(torch.arange(20), size=2, length=3))
        >>> x.T.tolist(), y.T.tolist()
        ([[0, 1, 2], [10, 11, 12]], [[1, 2, 3], [11, 12, 13]])
    """
    each = len(codes) // size if size > 0 else 0
    if each <= length or length < 1:
        raise ValueError(
            f"expected more than size · length = {size * length} characters, "
            f"got {len(codes)}; shorten the stretches or take more text"
        )
    table = codes[: each * size].view(size, each).T
    while True:
        for start in range(0, each - length, length):
            yield table[start : start + length], table[start + 1 : start + length + 1]


# The long-lag study


def spread_bias(hidden: int, longest: int, generator: torch.Generator) -> Tensor:
    r"""Forget biases whose memories are spread evenly from about 1 step to the longest lag.

    .. math:: b_f = \log u, \qquad u \sim U(1, T - 1)

    Source:
        Tallec & Ollivier (2018), who also start the input gate's bias at :math:`-b_f`.

    Args:
        hidden: H.
        longest: T, at least 3.
        generator: draws u.

    Returns:
        Shape ``[H]``.

    Raises:
        ValueError: if T is below 3.

    Example:
        >>> bias = spread_bias(1_000, 100, seeded(0))
        >>> bool(((bias >= 0) & (bias <= math.log(99))).all())
        True
    """
    if longest < 3:
        raise ValueError(f"expected the longest lag to be at least 3 steps, got {longest}")
    return torch.log(1 + (longest - 2) * torch.rand(hidden, generator=generator))


@dataclass(frozen=True)
class Arm:
    r"""One contender of the study; all have 50 hidden units.

    Attributes:
        name: as the chapter calls it.
        kind: ``"rnn"`` or ``"lstm"``.
        orthogonal: whether the recurrent weights start orthogonal.
        forget_bias: where the forget gate's bias starts; ``None`` draws :func:`spread_bias`.
        quiet: whether the input gate's bias starts at minus the forget gate's.
    """

    name: str
    kind: str
    orthogonal: bool = False
    forget_bias: float | None = None
    quiet: bool = False

    def reader(self, length: int, generator: torch.Generator) -> Reader:
        """A fresh reader for sequences of this length."""
        if self.kind == "rnn":
            return Reader("rnn", 8, 4, hidden=50, orthogonal=self.orthogonal, generator=generator)
        bias = (
            spread_bias(50, length, generator)
            if self.forget_bias is None
            else torch.full((50,), self.forget_bias)
        )
        return Reader(
            "lstm",
            8,
            4,
            hidden=50,
            forget_bias=bias,
            input_bias=-bias if self.quiet else None,
            generator=generator,
        )


ARMS = (
    Arm("RNN", "rnn"),
    Arm("RNN, orthogonal", "rnn", orthogonal=True),
    Arm("LSTM, bias 0", "lstm", forget_bias=0.0),
    Arm("LSTM, bias 1", "lstm", forget_bias=1.0),
    Arm("LSTM, keep", "lstm"),
    Arm("LSTM, keep and shut", "lstm", quiet=True),
)


@dataclass(frozen=True)
class LagRun:
    r"""One run of the temporal-order task.

    Attributes:
        arm: the contender's name.
        length: T.
        seed: of weights and sequences.
        updates: how many were made; a run stops early once 1,000 fresh sequences in a row are
            answered without a mistake.
        accuracy: on 10,000 fresh sequences.
        solved: whether fewer than 1 % of them are wrong.
        seconds: wall time.
    """

    arm: str
    length: int
    seed: int
    updates: int
    accuracy: float
    solved: bool
    seconds: float


def arm_named(name: str) -> Arm:
    r"""The contender of this name.

    Args:
        name: one of ``ARMS``' names.

    Raises:
        ValueError: if there is none.

    Example:
        >>> arm_named("RNN").kind
        'rnn'
    """
    arms = {arm.name: arm for arm in ARMS}
    if name not in arms:
        raise ValueError(f"expected one of {sorted(arms)}, got {name!r}")
    return arms[name]


def lag_steps(
    reader: Reader, length: int, generator: torch.Generator, *, total: int, rate: float = 3e-3
) -> Iterator[Step]:
    r"""Train on the temporal-order task until 1,000 sequences in a row are right.

    Args:
        reader: changed in place.
        length: T.
        generator: draws the sequences, 20 a batch, each seen once.
        total: the largest number of updates.
        rate: learning rate.

    Yields:
        The steps of :func:`train`.

    Example:
        >>> reader = ARMS[0].reader(20, seeded(0))
        >>> len(list(lag_steps(reader, 20, seeded(1), total=5)))
        5
    """
    right = 0
    for step in train(reader, orders(length, 20, generator), total=total, rate=rate):
        yield step
        right = right + 1 if step.terms["accuracy"] == 1 else 0
        if right == 50:
            return


@torch.no_grad()
def lag_accuracy(
    reader: Reader, length: int, *, sequences: int = 10_000, seed: int = 10**6
) -> float:
    r"""Share of right answers on fresh sequences of the temporal-order task.

    Args:
        reader: trained.
        length: T.
        sequences: how many.
        seed: draws them.

    Returns:
        A number in [0, 1]; a guess gives 1/4.

    Example:
        >>> 0 <= lag_accuracy(ARMS[0].reader(20, seeded(0)), 20, sequences=40) <= 1
        True
    """
    generator, right, device = seeded(seed), 0.0, next(reader.parameters()).device
    chunk = min(sequences, 2_000)
    for _ in range(sequences // chunk):
        x, y = next(orders(length, chunk, generator))
        right += loss_and_accuracy(reader(x.to(device))[0], y.to(device))[1].item()
    return right / (sequences // chunk)


def lag_run(arm: str, length: int, seed: int, *, total: int = 3_000) -> LagRun:
    r"""One contender, one length, one seed: train, then test on 10,000 fresh sequences.

    Source:
        The task is 6a of Hochreiter & Schmidhuber (1997); 50 hidden units, batches of 20, clipping
        at 1 and success below 1 % error on 10,000 sequences as in Pascanu et al. (2013), who use
        plain SGD at 0.01 and up to 5 million updates where we use Adam at 0.003 and few thousand.

    Args:
        arm: the contender's name.
        length: T.
        seed: of weights and sequences.
        total: the largest number of updates.

    Returns:
        The run's record.

    Example:
        >>> lag_run("RNN", 20, 0, total=2).updates
        2
    """
    began = time.perf_counter()
    reader = arm_named(arm).reader(length, seeded(seed))
    updates = sum(1 for _ in lag_steps(reader, length, seeded(1_000 + seed), total=total))
    accuracy = lag_accuracy(reader, length)
    seconds = round(time.perf_counter() - began, 2)
    return LagRun(arm, length, seed, updates, round(accuracy, 4), accuracy > 0.99, seconds)


LENGTHS = (20, 50, 100)


def long_lag(slice: bool, seed: int) -> list[dict[str, str | int | float | bool]]:
    r"""One seed of the study: every contender at every length. The slice: three short runs.

    Args:
        slice: run a part that takes seconds.
        seed: of weights and sequences.

    Returns:
        One row a run, the fields of :class:`LagRun`.

    Example:
        >>> len(long_lag(slice=True, seed=0))
        3
    """
    if slice:
        return [asdict(lag_run(arm.name, 20, seed, total=40)) for arm in ARMS[::2]]
    return [asdict(lag_run(arm.name, length, seed)) for length in LENGTHS for arm in ARMS]


STUDIES = (
    Study(
        name="lstm_long_lag",
        topic="lstm",
        run=long_lag,
        seeds=(0, 1, 2, 3, 4),
        config={
            "task": "temporal order, four classes; every sequence is seen once",
            "network": "50 hidden units, one layer, read out after the last step",
            "training": "Adam at 0.003, batches of 20, norm clipped at 1, at most 3000 updates",
            "stop": "1000 training sequences in a row without a mistake",
            "solved": "below 1 % error on 10000 fresh sequences",
        },
    ),
)
