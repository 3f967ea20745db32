"""Tables of results: ours, the paper's, with a caption."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from torch import Tensor

from genbook.kit.console import display

Cell = str | float | int


@dataclass(frozen=True)
class Table:
    r"""A table of words and numbers.

    Args:
        head: one title a column.
        rows: cells of each row; numbers are set flush right.
        caption: what the table shows.
        digits: decimals of the floats.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    digits: int = 4

    def __post_init__(self) -> None:
        widths = {len(self.head), *map(len, self.rows)}
        if len(widths) != 1 or not self.rows:
            raise ValueError(
                f"expected rows as wide as the head ({len(self.head)}), got widths {widths} "
                f"in {len(self.rows)} rows"
            )
        if not self.caption.strip():
            raise ValueError("expected a caption for the table, got an empty one; write it")

    def text(self, cell: Cell) -> str:
        r"""A cell as it is printed.

        Args:
            cell: a word or a number.

        Returns:
            The text.
        """
        return f"{cell:.{self.digits}f}" if isinstance(cell, float) else str(cell)

    def __repr__(self) -> str:
        lines = [self.head, *([self.text(cell) for cell in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        return "\n".join(
            "  ".join(part.rjust(width) for part, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        head = "".join(f'<th scope="col">{escape(title)}</th>' for title in self.head)
        rows = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        html = (
            f'<table class="gb-table table"><caption>{self.caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
        return {"text/plain": repr(self), "text/html": html}

    def _row(self, row: Sequence[Cell]) -> str:
        kinds = ["" if isinstance(cell, str) else ' class="gb-number"' for cell in row]
        texts = [_unbroken(escape(self.text(cell))) for cell in row]
        return "".join(f"<td{kind}>{text}</td>" for kind, text in zip(kinds, texts, strict=True))


def _unbroken(text: str) -> str:
    """A number stays with its sign and with what is added to it, however narrow its column."""
    return re.sub(r"(?<=\d) \+ (?=\d)", "\u00a0+\u00a0", text).replace("± ", "±\u00a0")


def number(cell: Cell | Tensor) -> Cell:
    r"""A cell without its tensor.

    Args:
        cell: a word, a number, or a tensor of one entry.

    Returns:
        The word or the number.

    Raises:
        ValueError: if a tensor has more than one entry.

    Example:
        >>> from torch import tensor
        >>> number(tensor([0.5])), number("KL")
        (0.5, 'KL')
    """
    if not isinstance(cell, Tensor):
        return cell
    if cell.numel() != 1:
        raise ValueError(
            f"expected a tensor of one entry in a cell, got shape {list(cell.shape)}; "
            "spread it over several cells"
        )
    return cell.item()


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell | Tensor]],
    *,
    caption: str,
    digits: int = 4,
) -> None:
    r"""Show a table of results.

    Args:
        head: one title a column.
        rows: words, numbers and tensors of one entry, each row as wide as the head.
        caption: what it shows; may hold HTML's inline tags.
        digits: decimals of the floats.

    Raises:
        ValueError: if a row is not as wide as the head, there are none, the caption is empty, or a
            tensor has more than one entry.

    Example:
        >>> table(["name", "D"], [["KL", 0.5]], caption="One divergence.", digits=1)
        name    D
          KL  0.5
    """
    cells = tuple(tuple(number(cell) for cell in row) for row in rows)
    display(Table(tuple(head), cells, caption, digits))
