r"""The chapter's machines: seven books to move about, and a word to type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from genbook.kit.machine import trace, weights
from genbook.kit.machine.parts import (
    Act,
    Group,
    Hand,
    Layer,
    Machine,
    Panel,
    Slider,
)
from genbook.words import shelf
from genbook.words.neighbours import cosines

BOOKS = "ABCDEFG"
LOYALTIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
DUST = 0.01
FRIENDS = torch.eye(7)[list(shelf.FRIENDS)]


def readers(data: Tensor, loyalty: Tensor) -> Tensor:
    r"""p(i, j) of the popularity that was drawn; a little dust keeps it from being 0.

    Args:
        data: popularity and heights, **[14]**.
        loyalty: λ, a scalar.

    Returns:
        **[7, 7]**.

    Example:
        >>> round(readers(torch.zeros(14), torch.tensor(0.5)).sum().item(), 5)
        1.0
    """
    return shelf.with_friends(torch.relu(data[:7]) + DUST, FRIENDS, loyalty)


def laid(data: Tensor) -> Tensor:
    r"""The places of the books by the heights that were drawn.

    Args:
        data: popularity and heights, **[14]**.

    Returns:
        1 to 7, **[7]**.

    Example:
        >>> laid(torch.arange(14.0)).tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    return shelf.ranks(data[7:])


def swapped(places: Tensor, data: Tensor, loyalty: Tensor) -> Tensor:
    r"""The swap of two books that saves most.

    Args:
        places: **[7]**.
        data: popularity and heights, **[14]**.
        loyalty: λ, a scalar.

    Returns:
        Places, **[7]**.
    """
    return shelf.better(readers(data, loyalty), places)


def priced(places: Tensor, data: Tensor, loyalty: Tensor) -> tuple[Tensor, ...]:
    r"""What is drawn of a shelf, with the cheapest of all orders beside it.

    Args:
        places: **[7]**.
        data: popularity and heights, **[14]**.
        loyalty: λ, a scalar.

    Returns:
        Places as heights, here and in the best order, **[7]** each; crossings of the gaps
        **[7]**; the cost of this shelf, of popular first, and of the best.
    """
    joint = readers(data, loyalty)
    popular, best = shelf.popular_first(joint), shelf.best(joint)
    ways, second = shelf.gaps(joint, places)
    return (
        places / 7, best.places / 7, ways + second, shelf.cost(joint, places),
        shelf.cost(joint, popular), best.cost,
    )  # fmt: skip


def seven_books() -> Machine:
    r"""Seven books whose popularity and places the reader sets; a step makes the best swap."""
    data, loyalty = torch.zeros(14), torch.tensor(0.4)
    places = laid(torch.arange(14.0))
    across = (0.0, 7.0)
    order = torch.arange(1.0, 8.0) / 7

    def begun(kind: str, heights: Tensor) -> Tensor:
        popularity = torch.tensor(shelf.POPULARITY[kind])
        return torch.cat([0.9 * popularity / popularity.max(), heights])

    bars = "The left and right keys choose a book, up and down change it."
    return Machine(
        name="shelf",
        groups={"places": Group(((7,),), (0.0,))},
        opening=(Act({"": trace(laid, data)}, ("data",), ("places",)),),
        acts=(
            Act(
                {"": trace(swapped, places, data, loyalty)},
                ("places", "data", "control:loyalty"),
                ("places",),
            ),
        ),
        view=Act(
            {"": trace(priced, places, data, loyalty)},
            ("places", "data", "control:loyalty"),
            ("stand", "best", "crossings", "yours", "popular", "least"),
        ),
        controls=(Slider("loyalty", "how often the friend comes next", LOYALTIES, 4),),
        data={
            "mild popularity": begun("mild", order),
            "steep popularity": begun("steep", order),
            "the alphabet backwards": begun("mild", order.flip(0)),
            "no swap helps": begun("mild", torch.tensor([5.0, 3, 1, 7, 6, 4, 2]) / 7),
        },
        most=14,
        panels=(
            Panel(
                across,
                (0.0, 1.0),
                (Layer("bars", "data", "--gb-data", many=7),),
                Hand("bars", f"How popular each book is. {bars}", many=7),
                title="popularity: drag",
                ylabel=" ",
                ticks=tuple(BOOKS),
            ),
            Panel(
                across,
                (0.0, 1.05),
                (Layer("bars", "stand", "--gb-model"),),
                Hand("bars", f"How far each book stands from the door. {bars}", first=7, many=7),
                title="distance: drag",
                ylabel=" ",
                ticks=tuple(BOOKS),
            ),
            Panel(
                across,
                (0.0, 1.05),
                (Layer("bars", "best", "--gb-model"),),
                title="distance, best order",
                ylabel=" ",
                ticks=tuple(BOOKS),
            ),
            Panel(
                across,
                (0.0, 2.2),
                (Layer("bars", "crossings", "--gb-critic"),),
                title="crossings of each gap",
                ylabel=" ",
                ticks=tuple("1234567"),
            ),
        ),
        words="Your shelf costs {yours} steps a visit, popular first {popular}, the best of all "
        "5,040 orders {least}. Friends: A and E, B and F, C and G.",
        size=(4.6, 4.2),
        across=2,
        pace=1,
    )


ALPHABET = " ?abcdefghijklmnopqrstuvwxyz"
LETTERS, ROWS, OFFERED = 16, 7, 20


def spelt(words: Sequence[str]) -> Tensor:
    r"""Words as places in the alphabet, from 1 on; spaces fill the row.

    Args:
        words: in lower case; what does not fit is cut off.

    Returns:
        **[V, 16]**.

    Raises:
        ValueError: if a letter is not in the alphabet.

    Example:
        >>> spelt(["ab"])[0, :3].tolist()
        [3.0, 4.0, 1.0]
    """
    if strange := set("".join(words)) - set(ALPHABET):
        raise ValueError(f"expected words of the letters {ALPHABET!r}, got {sorted(strange)}")
    rows = [word[:LETTERS].ljust(LETTERS) for word in words]
    return torch.tensor([[1.0 + ALPHABET.index(letter) for letter in row] for row in rows])


def begins_like(spelling: Tensor, data: Tensor, count: Tensor) -> Tensor:
    r"""How well each word fits what is typed: letters in common from the start on.

    Args:
        spelling: of :func:`spelt`, the most frequent word first, **[V, 16]**.
        data: places in the alphabet, from 0 on, **[16]**.
        count: how many are typed.

    Returns:
        **[V]**; half a letter more for a word that ends there, and a little for frequency.

    Example:
        >>> words = spelt(["setting", "set", "get"])
        >>> typed = spelt(["set"])[0] - 1
        >>> begins_like(words, typed, torch.tensor(3.0)).argmax().item()
        1
    """
    place = torch.arange(LETTERS)
    typed = place < count
    differs = ((spelling != data + 1) & typed).float().cumsum(1)
    common = ((differs == 0) & typed).float().sum(1)
    after = ((spelling > 1) & (place == count)).float().sum(1)
    rare = torch.arange(len(spelling)) / len(spelling)
    return common - 0.5 * after - 0.25 * rare


def meanings(
    vocabulary: Sequence[str], words: Tensor, contexts: Tensor, typed: Mapping[str, str]
) -> Machine:
    r"""Type a word: its neighbours, and the contexts that its vector calls for.

    Args:
        vocabulary: V words, the most frequent first.
        words: their vectors, **[V, d]**.
        contexts: vectors of the contexts, **[V, d]**.
        typed: words to begin with, by name.

    Returns:
        The machine; a step goes on to the next word that begins like that.

    Raises:
        ValueError: if the sizes differ.
    """
    if not len(vocabulary) == len(words) == len(contexts) >= OFFERED:
        raise ValueError(
            f"expected a vector of either kind for each of at least {OFFERED} words, got "
            f"{len(vocabulary)} words, {len(words)} and {len(contexts)} vectors"
        )
    spelling = spelt(vocabulary)
    own = [words.detach().float().cpu(), contexts.detach().float().cpu(), spelling]
    place = torch.arange(len(vocabulary))

    def look(
        words: Tensor, contexts: Tensor, packed: Tensor, skipped: Tensor, data: Tensor,
        count: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        spelling = (packed + 0.5).floor()
        fits = begins_like(spelling, data, count).topk(OFFERED)[1]
        here = fits[skipped.long()][0]
        near = torch.where(place == here, -2.0, cosines(words, here))
        cosine, nearest = near.topk(ROWS)
        logit, called = (contexts @ words[here[None]][0]).topk(ROWS)
        mark = (torch.arange(LETTERS) < count).float()
        row = spelling[here[None]][0]
        return (
            torch.stack([row, 0 * row, mark], 1),
            _grid(spelling[nearest], cosine.clamp(min=0)),
            _grid(spelling[called], logit.sigmoid()),
            cosine[0], logit[0], logit[0].sigmoid(),
        )  # fmt: skip

    def on(skipped: Tensor) -> Tensor:
        return (skipped + 1).clamp(max=OFFERED - 1)

    skipped, data, one = torch.zeros(1), torch.zeros(LETTERS), torch.ones(())
    grid, line = (0.0, float(LETTERS)), ("--gb-model", "--gb-muted")
    return Machine(
        name="words",
        groups={"tables": Group.trained(own), "skipped": Group(((1,),), (0.0,))},
        acts=(Act({"": trace(on, skipped)}, ("skipped",), ("skipped",)),),
        view=Act(
            {"": trace(look, *own, skipped, data, one)},
            ("tables", "skipped", "data", "count"),
            ("word", "near", "called", "cosine", "logit", "sure"),
        ),
        controls=(),
        data={name: spelt([word])[0, : len(word)] - 1 for name, word in typed.items()},
        most=LETTERS,
        panels=(
            Panel(
                grid,
                (0.0, 1.0),
                (Layer("letters", "word", *line),),
                Hand("text", "The word. Type in the field below.", grain=1),
                title="the word; underlined: as typed",
            ),
            Panel(
                grid,
                (0.0, float(ROWS)),
                (Layer("letters", "near", *line),),
                title="its neighbours, shaded by cosine",
            ),
            Panel(
                grid,
                (0.0, float(ROWS)),
                (Layer("letters", "called", "--gb-critic", "--gb-muted"),),
                title="words it calls for, shaded by σ(s)",
            ),
        ),
        words="The nearest has cosine {cosine}. The word called for most has logit {logit}: from "
        "the text, {sure%}.",
        empty="Type the beginning of a word in the field.",
        size=(4.2, 5.4),
        across=1,
        heights=(0.5, 2.2, 2.2),
        alphabet=ALPHABET,
        pace=1,
    )


def _grid(rows: Tensor, share: Tensor) -> Tensor:
    """Words as letters, each row with its shade."""
    return torch.stack([rows, share[:, None] * (rows > 1), 0 * rows], 2).flatten()


def as_on_page(tensors: Sequence[Tensor]) -> list[Tensor]:
    r"""Vectors with 8 bits a number, as the page has them.

    Args:
        tensors: of any floating kind.

    Returns:
        float32.

    Example:
        >>> bool((as_on_page([torch.ones(1, 2)])[0] - 1).abs().max() < 1e-6)
        True
    """
    return weights.rounded([tensor.detach().float() for tensor in tensors])
