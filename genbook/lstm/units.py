r"""What a reader's units know about source code, and how sure we can be that it is not chance."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from scipy.stats import rankdata
from torch import Tensor
from torch.nn.functional import one_hot

from genbook.lstm import cells as lstm_cells
from genbook.lstm.readers import Reader

STRINGS = {"FSTRING_START": 1, "FSTRING_END": -1, "TSTRING_START": 1, "TSTRING_END": -1}


def positions(source: str) -> dict[str, Tensor]:
    r"""For each character of Python source, where in the code the reader is after reading it.

    Python's own tokenizer decides. Source cut off in the middle is labelled up to the last token
    that can be told.

    Args:
        source: Python code, N characters.

    Returns:
        Three masks, each ``[N]``, bool: ``"quotes"`` (a string literal is open, one of several
        lines included), ``"brackets"`` (a bracket is open), ``"indentation"`` (the line began with
        8 spaces or more, as far as they are read).

    Example:
        >>> found = positions("f('a')\n")
        >>> "".join("^" if here else "." for here in found["quotes"].tolist())
        '..^^...'
        >>> "".join("^" if here else "." for here in found["brackets"].tolist())
        '.^^^^..'
    """
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    quotes, brackets = torch.zeros(2, len(source) + 1, dtype=torch.int64)
    for token in _tokens(source):
        begin = starts[token.start[0] - 1] + token.start[1]
        end = starts[token.end[0] - 1] + token.end[1]
        turn = STRINGS.get(tokenize.tok_name[token.type])
        if token.type == tokenize.STRING:
            quotes[begin] += 1
            quotes[end - 1] -= 1
        elif turn is not None:
            quotes[begin if turn > 0 else end - 1] += turn
        elif token.type == tokenize.OP and token.string in "([{":
            brackets[begin] += 1
        elif token.type == tokenize.OP and token.string in ")]}":
            brackets[begin] -= 1
    return {
        "quotes": quotes.cumsum(0)[:-1] > 0,
        "brackets": brackets.cumsum(0)[:-1] > 0,
        "indentation": _deep(source),
    }


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens up to the first that cannot be read."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(source, newline="\n").readline)
    except (tokenize.TokenError, SyntaxError):
        return


def _deep(source: str) -> Tensor:
    """Whether at least 8 spaces open the line, as far as it is read."""
    found: list[bool] = []
    for line in source.split("\n"):
        spaces = len(line) - len(line.lstrip(" "))
        found.extend(place >= 7 and spaces >= 8 for place in range(len(line) + 1))
    return torch.tensor(found[: len(source)], dtype=torch.bool)


def recent(codes: Tensor, count: int, size: int, generator: torch.Generator) -> Tensor:
    r"""Random functions of the last characters: what needs no memory and no training.

    .. math:: \tanh\Big(\sum_{k<K} E_k[x_{t-k}]\Big),\qquad E_k[\cdot] \sim \mathcal N(0, 1)

    Args:
        codes: the text, ``[N]``; before it stands character 0.
        count: K, how many characters each function sees.
        size: H, how many functions.
        generator: draws them.

    Returns:
        Shape ``[N, H]``.

    Raises:
        ValueError: if K or H is not positive, or there is no text.

    Example:
        >>> text = torch.tensor([5, 1, 2, 9, 1, 2])
        >>> seen = recent(text, 2, 4, torch.Generator().manual_seed(0))
        >>> torch.equal(seen[2], seen[5]), torch.equal(seen[1], seen[4])
        (True, False)
    """
    if min(count, size) < 1 or codes.ndim != 1 or len(codes) == 0:
        raise ValueError(
            f"expected count ≥ 1, size ≥ 1 and a text [N], got {count}, {size} and "
            f"{list(codes.shape)}"
        )
    tables = torch.randn(
        count, int(codes.max()) + 1, size, generator=generator, device=generator.device
    ).to(codes.device)
    padded = torch.cat([codes.new_zeros(count - 1), codes])
    places = torch.arange(count - 1, len(padded), device=codes.device)
    return torch.stack([tables[k][padded[places - k]] for k in range(count)]).sum(0).tanh()


def midranks(values: Tensor, strata: Tensor) -> Tensor:
    r"""Ranks from 1 within each stratum; equal values share their mean rank.

    Args:
        values: shape ``[N, H]``.
        strata: whole numbers, shape ``[N]``.

    Returns:
        Shape ``[N, H]``, float64.

    Example:
        >>> midranks(torch.tensor([[3.0], [1.0], [3.0], [9.0]]), torch.tensor([0, 0, 0, 1])).T
        tensor([[2.5000, 1.0000, 2.5000, 1.0000]], dtype=torch.float64)
    """
    ranks = torch.empty(values.shape, dtype=torch.float64, device=values.device)
    for stratum in set(strata.tolist()):
        here = strata == stratum
        ranks[here] = torch.from_numpy(rankdata(values[here].cpu().numpy(), axis=0)).to(ranks)
    return ranks


def auc(scores: Tensor, labels: Tensor, strata: Tensor | None = None) -> Tensor:
    r"""Probability that a score is higher inside than outside; ties count half.

    .. math:: \mathrm{AUC} = \frac{\sum_s U_s}{\sum_s n_s^+ n_s^-},\qquad
        U_s = \sum_{i \in s^+} \mathrm{rank}_s(i) - \tfrac12 n_s^+(n_s^+ + 1)

    With strata, only pairs from one stratum are compared (van Elteren's stratified
    Wilcoxon–Mann–Whitney statistic with equal weight for each pair). If the stratum is the current
    character, a score that depends on the current character only gets exactly ½.

    Args:
        scores: shape ``[N, H]``.
        labels: bool, shape ``[N]`` or several labellings ``[K, N]``.
        strata: whole numbers, shape ``[N]``; one stratum by default.

    Returns:
        Shape ``[H]`` or ``[K, H]``, float64, in [0, 1].

    Raises:
        ValueError: if shapes do not fit, or no stratum holds both labels.

    Example:
        >>> auc(torch.tensor([[0.1], [0.4], [0.9]]), torch.tensor([False, False, True])).item()
        1.0
    """
    if strata is None:
        strata = torch.zeros(labels.shape[-1], dtype=torch.int64, device=labels.device)
    _check(scores, labels, strata)
    members = one_hot(strata).double()
    return _statistic(midranks(scores, strata), members, labels.double())


def _check(scores: Tensor, labels: Tensor, strata: Tensor) -> None:
    fits = scores.ndim == 2 and labels.shape[-1:] == strata.shape == scores.shape[:1]
    if not fits or labels.dtype is not torch.bool:
        raise ValueError(
            "expected scores [N, H], bool labels [N] or [K, N] and strata [N], got "
            f"{list(scores.shape)}, {labels.dtype} {list(labels.shape)} and {list(strata.shape)}"
        )


def _statistic(ranks: Tensor, members: Tensor, labels: Tensor) -> Tensor:
    """The stratified AUC from ranks ``[N, H]``, members ``[N, S]``, labels ``[..., N]``."""
    inside = labels @ members
    pairs = (inside * (members.sum(0) - inside)).sum(-1)
    if not bool((pairs > 0).all()):
        raise ValueError(
            "expected a stratum that holds both labels, found none; take more text or fewer strata"
        )
    lowest = (inside * (inside + 1) / 2).sum(-1)
    return (labels @ ranks - lowest[..., None]) / pairs[..., None]


@dataclass(frozen=True, eq=False)
class Evidence:
    r"""What one label's test found.

    Attributes:
        unit: the unit with the AUC furthest from ½ on the text for choosing.
        auc: its AUC on the text for testing, turned so that high is inside.
        null: the largest :math:`|\mathrm{AUC}-\frac12|` of *any* unit for each shift, ``[K]``.
        p_value: share of shifts, the unshifted labels included, that do at least as well.
        sign: +1 if the unit is high inside, -1 if it is low.
    """

    unit: int
    auc: float
    null: Tensor
    p_value: float
    sign: int


def evidence(
    scores: Tensor,
    labels: Mapping[str, Tensor],
    strata: Tensor,
    *,
    shifts: int,
    generator: torch.Generator,
) -> dict[str, Evidence]:
    r"""For each label: does a unit track it better than chance allows, searching all units?

    The unit is chosen on the first half of the text and judged on the second. For the null
    distribution the labels of the second half are rotated against the units by a random stretch,
    which keeps the runs of both and breaks only their alignment; of each rotation the best of all
    units counts.

    Args:
        scores: each unit's value at each character, in the order of the text, ``[N, H]``.
        labels: name → bool, ``[N]``.
        strata: the current character, ``[N]``.
        shifts: how many rotations K.
        generator: draws them.

    Returns:
        Name → finding.

    Raises:
        ValueError: if shapes do not fit, there is no shift, or a half holds one label only.

    Example:
        >>> time = torch.arange(400)
        >>> label = (time // 20) % 2 == 0
        >>> units = torch.stack([label + 0.1 * torch.sin(time), torch.cos(time)], 1)
        >>> found = evidence(
        ...     units, {"on": label}, time % 3, shifts=19, generator=torch.Generator()
        ... )
        >>> found["on"].unit, found["on"].auc
        (0, 1.0)
    """
    if shifts < 1:
        raise ValueError(f"expected at least one shift, got {shifts}")
    for label in labels.values():
        _check(scores, label, strata)
    half = len(strata) // 2
    choose, judge = (
        _Ranked(midranks(scores[part], strata[part]), one_hot(strata[part]).double())
        for part in (slice(half), slice(half, None))
    )
    return {
        name: _judge(choose.auc(label[:half]), judge, label[half:], shifts, generator)
        for name, label in labels.items()
    }


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Ranks of the units ``[N, H]`` and the strata as rows of zeros and a one ``[N, S]``."""

    ranks: Tensor
    members: Tensor

    def auc(self, labels: Tensor) -> Tensor:
        return _statistic(self.ranks, self.members, labels.double())


def _judge(
    chosen: Tensor, text: _Ranked, labels: Tensor, shifts: int, generator: torch.Generator
) -> Evidence:
    """Judge the unit that was best on other text."""
    unit = int((chosen - 0.5).abs().argmax())
    sign = 1 if chosen[unit] >= 0.5 else -1
    real = sign * (text.auc(labels)[unit].item() - 0.5)
    count = len(labels)
    by = torch.randint(
        count // 10,
        count - count // 10,
        (shifts, 1),
        generator=generator,
        device=generator.device,
    ).to(labels.device)
    turned = labels[(torch.arange(count, device=labels.device) + by) % count]
    null = (text.auc(turned) - 0.5).abs().amax(-1)
    p_value = (1 + int((null >= real).sum())) / (1 + shifts)
    return Evidence(unit, real + 0.5, null, p_value, sign)


@torch.no_grad()
def record_cells(reader: Reader, codes: Tensor, *, streams: int) -> Tensor:
    r"""Every cell of a character reader after every character of a text.

    The text is cut into streams that are read side by side, each from a state of zeros.

    Args:
        reader: an LSTM with an embedding.
        codes: the text, ``[N]``; what does not fill the streams is left out.
        streams: how many.

    Returns:
        Shape ``[streams · (N // streams), H]``, in the order of the text, on the CPU.

    Raises:
        ValueError: if the reader is of another kind, or the text shorter than the streams are many.

    Example:
        >>> from genbook.kit.device import seeded
        >>> reader = Reader("lstm", 96, 96, hidden=5, embedding=4, generator=seeded(0))
        >>> record_cells(reader, torch.arange(90), streams=4).shape
        torch.Size([88, 5])
    """
    layer = reader.recurrent
    if reader.embed is None or not isinstance(layer, torch.nn.LSTM):
        raise ValueError(f"expected an LSTM reader with an embedding, got {reader}")
    each = len(codes) // streams if streams > 0 else 0
    if each < 1:
        raise ValueError(f"expected 1 to {len(codes)} streams, got {streams}")
    side_by_side = codes[: each * streams].view(streams, each).T
    cells = lstm_cells.unroll(lstm_cells.from_torch(layer), reader.embed(side_by_side)).cell
    return cells.transpose(0, 1).reshape(each * streams, -1).cpu()
