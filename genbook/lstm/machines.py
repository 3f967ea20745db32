r"""The chapter's machine: type a text, watch a unit read it, and let the network go on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genbook.kit.data.text import ALPHABET
from genbook.kit.machine import trace, weights
from genbook.kit.machine.parts import (
    Act,
    Choice,
    Group,
    Hand,
    Layer,
    Machine,
    Panel,
    Slider,
    Twin,
)
from genbook.lstm.cells import Gates, LSTMCell, from_torch
from genbook.lstm.readers import Reader

COLUMNS, ROWS = 36, 7
GUESSES = 8
Held = Sequence[Tensor]


def open_weights(reader: Reader) -> list[Tensor]:
    r"""What a page needs of a reader: its letters, its cell, its readout.

    Args:
        reader: an LSTM with an embedding.

    Returns:
        The embedding **[A, E]**, the cell's :math:`W_x`, :math:`W_h` and b, and the readout's
        weight **[A, H]** and bias, on the CPU.

    Raises:
        ValueError: If the reader is of another kind.

    Example:
        >>> from genbook.kit.device import seeded
        >>> reader = Reader("lstm", 96, 96, hidden=5, embedding=4, generator=seeded(0))
        >>> [tuple(weight.shape) for weight in open_weights(reader)]
        [(96, 4), (20, 4), (20, 5), (20,), (96, 5), (96,)]
    """
    layer = reader.recurrent
    if reader.embed is None or not isinstance(layer, nn.LSTM):
        raise ValueError(
            f"expected an LSTM reader with an embedding, got {reader}; "
            'make it with Reader("lstm", …, embedding=32)'
        )
    held = [reader.embed.weight, *from_torch(layer).parameters(), *reader.readout.parameters()]
    return [weight.detach().float().cpu() for weight in held]


def as_on_page(reader: Reader) -> Reader:
    r"""The reader with the weights that a page has, 8 bits each.

    Args:
        reader: an LSTM with an embedding.

    Returns:
        Another reader, on the CPU; its recurrent layer carries the sum of its two biases in one.

    Raises:
        ValueError: If the reader is of another kind.

    Example:
        >>> from genbook.kit.device import seeded
        >>> reader = Reader("lstm", 96, 96, hidden=5, embedding=4, generator=seeded(0))
        >>> codes = torch.tensor([[7], [8]])
        >>> bool((as_on_page(reader)(codes)[0] - reader(codes)[0]).abs().max() < 0.05)
        True
    """
    held = weights.rounded(open_weights(reader))
    other = copy.deepcopy(reader).float().cpu()
    names = (
        "embed.weight", "recurrent.weight_ih_l0", "recurrent.weight_hh_l0",
        "recurrent.bias_ih_l0", "readout.weight", "readout.bias",
    )  # fmt: skip
    given = dict(zip(names, held, strict=True))
    given["recurrent.bias_hh_l0"] = torch.zeros_like(held[3])
    other.load_state_dict(given)
    return other


def hidden_states(twin: Twin) -> Tensor:
    r"""What a machine in Python has on its sheet.

    .. math:: h_t = o_t\odot\tanh c_t

    Args:
        twin: of :func:`reading`.

    Returns:
        **[T, H]**, zeros where no letter stands.
    """
    *_, shown, _, cell = twin.state["sheet"][1].chunk(5, -1)
    return shown * torch.tanh(cell)


def read_letter(cell: LSTMCell, held: Held, state: tuple[Tensor, Tensor], letter: Tensor) -> Gates:
    r"""One letter read by :class:`genbook.lstm.cells.LSTMCell`.

    Args:
        cell: its form.
        held: see :func:`open_weights`.
        state: ``(hidden, cell)``, each **[H]**.
        letter: its place in the alphabet, a scalar.

    Returns:
        The gates and the new state, each **[H]**.

    Example:
        >>> from genbook.kit.device import seeded
        >>> reader = Reader("lstm", 96, 96, hidden=5, embedding=4, generator=seeded(0))
        >>> cell, state = LSTMCell(4, 5), (torch.zeros(5), torch.zeros(5))
        >>> read_letter(cell, open_weights(reader), state, torch.tensor(7.0)).cell.shape
        torch.Size([5])
    """
    embed, weight_x, weight_h, bias = held[:4]
    given = {"weight_x": weight_x, "weight_h": weight_h, "bias": bias}
    return functional_call(cell, given, (embed[letter.long()[None]][0], state))


def drawn_letter(scores: Tensor, dice: Tensor, temperature: Tensor) -> Tensor:
    r"""A letter drawn from scores by the inverse of its distribution.

    .. math:: k = \#\Big\{j : \sum_{l\le j}p_l\le u\Big\},\qquad p = \operatorname{softmax}(s/T)

    Args:
        scores: s, **[A]**.
        dice: u in [0, 1), **[1]**.
        temperature: T > 0, a scalar; below 1 likely letters become likelier.

    Returns:
        Its place, a scalar.

    Example:
        >>> scores = torch.tensor([0.25, 0.5, 0.25]).log()
        >>> dice = torch.tensor([[0.2], [0.3], [0.8]])
        >>> [drawn_letter(scores, u, torch.tensor(1.0)).item() for u in dice]
        [0.0, 1.0, 2.0]
    """
    below = torch.softmax(scores / temperature, -1).cumsum(-1) <= dice
    return below.float().sum().clamp(max=len(scores) - 1.0)


def reading(
    reader: Reader, texts: Mapping[str, str], *, unit: int = 0, length: int = 240, typed: int = 160
) -> Machine:
    r"""A text of the reader's own, coloured by one unit of a network, which can go on with it.

    The opening reads the text a letter at a time, from the first place that is new; a step draws
    the next letter, reads it, and so on to the end of the sheet.

    Args:
        reader: an LSTM with an embedding, for the 96 characters of
            :data:`genbook.kit.data.text.ALPHABET`.
        texts: to begin with, by name, of at least one character.
        unit: the first one shown.
        length: of the sheet, in characters.
        typed: how many of them may be the reader's.

    Returns:
        The machine.

    Raises:
        ValueError: If the network is of another kind, or a text is empty, too long or has a
            character that is not in the alphabet.
    """
    for name, text in texts.items():
        if not 1 <= len(text) <= typed or set(text) - set(ALPHABET):
            raise ValueError(
                f"expected 1 to {typed} printable ASCII characters or newlines, got {text!r} for "
                f"{name!r}; shorten it or leave others out."
            )
    own = open_weights(reader)
    units = own[2].shape[1]
    if len(own[0]) != len(ALPHABET) or not 0 <= unit < units:
        raise ValueError(
            f"expected a network of {len(ALPHABET)} letters and a unit below {units}, got "
            f"{len(own[0])} letters and unit {unit}."
        )
    places, cell = torch.arange(length), LSTMCell(own[0].shape[1], units)

    def scores(held: Held, hidden: Tensor) -> Tensor:
        return held[4] @ hidden + held[5]

    def row_at(record: Tensor, place: Tensor) -> list[Tensor]:
        """The gates i, f, o, g and the cell after the letter at a place; zeros before the first."""
        row = record[place.clamp(min=0).long()[None]][0] * (place >= 0)
        return list(row.chunk(5))

    def absorbed(
        held: Held, codes: Tensor, record: Tensor, place: Tensor, letter: Tensor, free: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The sheet with one more letter at a place, and nothing behind it."""
        *_, shown, _, memory = row_at(record, place - 1)
        gates = read_letter(cell, held, (shown * torch.tanh(memory), memory), letter)
        row = torch.cat([gates.input, gates.forget, gates.output, gates.candidate, gates.cell])
        here = ((places == place) & free).float()
        before = (places < place).float()
        codes = before * codes + here * (letter + 1)
        return codes, before[:, None] * record + here[:, None] * row

    def read(
        held: Held, codes: Tensor, record: Tensor, data: Tensor, count: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        new = (codes != data + 1) | (places >= count)
        place = (new.float().cumsum(0) == 0).float().sum()
        letter = (data * (places == place)).sum()
        codes, record = absorbed(held, codes, record, place, letter, place < count)
        return codes, record, (count - place - 1).clamp(min=0)

    def write(
        held: Held, codes: Tensor, record: Tensor, written: Tensor, count: Tensor, dice: Tensor,
        temperature: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        place = count + written[0]
        *_, shown, _, memory = row_at(record, place - 1)
        letter = drawn_letter(scores(held, shown * torch.tanh(memory)), dice, temperature)
        codes, record = absorbed(held, codes, record, place, letter, place < length)
        return codes, record, written + (place < length)

    def look(what: str) -> Callable[..., tuple[Tensor, ...]]:
        def seen(
            held: Held, codes: Tensor, record: Tensor, written: Tensor, count: Tensor, at: Tensor,
            chosen: Tensor,
        ) -> tuple[Tensor, ...]:  # fmt: skip
            end = count + written[0]
            spot = torch.where((at < 0) | (at >= end), end - 1, at)
            mine = (torch.arange(units) == chosen).float()
            along = (record.view(length, 5, units) * mine).sum(-1)
            lines = _lines(*along.unbind(1))
            here = (places == spot).float()
            filled = (places < end).float()
            mark = (places >= count).float() + 2 * here
            letters = torch.stack([codes * filled, lines[what] * filled, mark], 1)
            *_, shown, _, inside = row_at(record, spot)
            said = torch.softmax(scores(held, shown * torch.tanh(inside)), -1)
            chances, order = said.topk(GUESSES)
            guesses = torch.stack([order.float() + 1, chances], 1)
            bars = torch.stack([(line * here).sum() for line in _bars(*along.unbind(1))])
            memory = (along[:, 4] * here).sum()
            letter = (codes * here).sum() - 1
            return (
                letters, bars, guesses, torch.linspace(-1, 1, 5), letter, *bars[:3].unbind(),
                memory, bars[5], order[0].float(), chances[0],
            )  # fmt: skip

        return seen

    sheet = torch.zeros(length), torch.zeros(length, 5 * units)
    one, data = torch.ones(()), torch.zeros(length)
    written = torch.zeros(1)
    ends = ("--gb-model", "--gb-data")
    return Machine(
        name="lstm",
        groups={
            "weights": Group.trained(own),
            "sheet": Group(((length,), (length, 5 * units)), (0.0, 0.0), lasting=True),
            "written": Group(((1,),), (0.0,)),
        },
        opening=(
            Act(
                {"": trace(read, own, *sheet, data, one)},
                ("weights", "sheet", "data", "count"),
                ("sheet", "unread"),
                until="unread",
            ),
        ),
        acts=(
            Act(
                {"": trace(write, own, *sheet, written, one, written, one)},
                ("weights", "sheet", "written", "count", "uniform:1", "control:temperature"),
                ("sheet", "written"),
            ),
        ),
        view=Act(
            {what: trace(look(what), own, *sheet, written, one, one, one) for what in SHOWN},
            ("weights", "sheet", "written", "count", "at", "control:unit"),
            (
                "letters",
                "bars",
                "guesses",
                "legend",
                "letter",
                "i",
                "f",
                "o",
                "c",
                "h",
                "likely",
                "chance",
            ),
            chosen="shown",
        ),
        controls=(
            Choice("shown", "colour by", SHOWN, restarts=False),
            Slider("unit", "unit", tuple(range(units)), unit),
            Slider("temperature", "temperature", (0.25, 0.5, 0.75, 1.0, 1.25), 2),
        ),
        data={
            name: torch.tensor([float(ALPHABET.index(letter)) for letter in text])
            for name, text in texts.items()
        },
        most=typed,
        panels=(
            Panel(
                (0.0, float(COLUMNS)),
                (0.0, float(ROWS)),
                (Layer("letters", "letters", *ends),),
                Hand(
                    "text",
                    "The text, each letter coloured by the unit. Type in the field below. The "
                    "pointer or the arrow keys choose the letter that is looked at.",
                    grain=1,
                ),
                title="the text; underlined: written by the network",
            ),
            Panel(
                (0.0, 5.0),
                (0.0, 1.0),
                (Layer("shades", "legend", *ends),),
                ticks=("−1, shut", "−½", "0", "½", "1, open"),
            ),
            Panel(
                (0.0, 6.0),
                (-1.0, 1.0),
                (Layer("bars", "bars", "--gb-critic"),),
                title="the unit at the framed letter",
                ylabel=" ",
                ticks=("i", "f", "o", "g", "tanh c", "h"),
            ),
            Panel(
                (0.0, float(GUESSES)),
                (-0.3, 1.25),
                (Layer("guesses", "guesses", "--gb-model"),),
                title="what may come next",
            ),
        ),
        words="At {letter@} the unit has i = {i}, f = {f}, o = {o}, c = {c}, h = {h}. Likeliest "
        "next: {likely@}, {chance%}.",
        empty="Type some text in the field.",
        size=(4.45, 5.6),
        across=1,
        heights=(2.6, 0.25, 1.1, 1.1),
        alphabet=ALPHABET,
        pace=1,
    )


def _lines(i: Tensor, f: Tensor, o: Tensor, g: Tensor, c: Tensor) -> dict[str, Tensor]:
    """What the letters can be coloured by, in [−1, 1]."""
    shades = (torch.tanh(c), 2 * f - 1, 2 * i - 1, 2 * o - 1, g, o * torch.tanh(c))
    return dict(zip(SHOWN, shades, strict=True))


def _bars(i: Tensor, f: Tensor, o: Tensor, g: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    return i, f, o, g, torch.tanh(c), o * torch.tanh(c)


SHOWN = ("cell, tanh c", "forget gate f", "input gate i", "output gate o", "candidate g", "shown h")
