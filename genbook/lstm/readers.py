r"""Readers of sequences, how they are trained, and the long-lag study of the LSTM chapter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbook.kit import data
from genbook.kit.training import Step, finite, linear_decay

State = Tensor | tuple[Tensor, Tensor]
Batch = tuple[Tensor, Tensor]


class Reader(nn.Module):
    r"""Reads a sequence and says, after each step, which of K answers it expects.

    The recurrent layer is PyTorch's own, which is fast and, as the chapter checks, computes what
    :class:`genbook.lstm.cells.LSTMCell` computes.

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
        >>> from genbook.kit.device import seeded
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
        self.to(generator.device)
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
    reader: nn.Module,
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
        reader: a :class:`Reader`, or what reads as one; changed in place.
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
        >>> from genbook.kit.device import seeded
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
            optimiser.param_groups[0]["lr"] = rate * linear_decay(index, total)
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
        >>> from genbook.kit.device import seeded
        >>> x, y = next(orders(20, 3, seeded(0)))
        >>> x.shape, y.shape
        (torch.Size([20, 3, 8]), torch.Size([3]))
    """
    while True:
        x, y = data.temporal_order(size, length, generator)
        yield x.transpose(0, 1), y


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
        >>> from genbook.kit.device import seeded
        >>> bias = spread_bias(1_000, 100, seeded(0))
        >>> bool(((bias >= 0) & (bias <= math.log(99))).all())
        True
    """
    if longest < 3:
        raise ValueError(f"expected the longest lag to be at least 3 steps, got {longest}")
    return torch.log(
        1 + (longest - 2) * torch.rand(hidden, generator=generator, device=generator.device)
    )
