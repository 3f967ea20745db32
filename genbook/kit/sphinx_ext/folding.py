"""Fold what stands beside the idea: plumbing behind one word, receipts into one line each.

A code cell stays open if it carries the tag ``idea`` or waits for a reader's answer. Every other
cell's code is folded; what it printed stands, the sources of the package among it, unless the tag
``hide-cell`` says that it is a solution: then the whole cell is folded behind that word. A cell's
receipts become one line, which opens to the receipts as measured and to the code that measured
them.
"""

from __future__ import annotations

import ast
import html
from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from genbook.kit.sphinx_ext.verified import receipts_in

IDEA = "tag_idea"
"""The class that MyST-NB gives to a cell with the tag ``idea``."""

SOLUTION = "tag_hide-cell"
"""The class of a cell with the tag ``hide-cell``: it shows the solution of an exercise."""

ANSWER = "# your code"
"""Stands where an exercise waits for its answer: its signature is part of the question."""


class folded(nodes.General, nodes.Element):  # noqa: N801 (docutils' naming)
    """A part of the page behind a summary: ``kind`` is its class, ``line`` its html."""


def visit_folded(translator: nodes.NodeVisitor, node: folded) -> None:
    """Open the fold."""
    translator.body.append(f'<details class="{node["kind"]}"><summary>{node["line"]}</summary>\n')


def depart_folded(translator: nodes.NodeVisitor, node: folded) -> None:
    """Close the fold."""
    translator.body.append("</details>\n")


class FoldCells(SphinxPostTransform):
    """Fold the cells of a page."""

    default_priority = 198  # before MyST-NB's own folding of tagged cells
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Fold each code cell by what it holds."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and cell.children:
                fold(cell)


def fold(cell: nodes.container) -> None:
    """Fold a cell's code, and its receipts with it."""
    code = cell.children[0]
    if code.get("nb_element") != "cell_code_source":
        return
    receipts = list(_receipts(cell))
    if SOLUTION in cell["classes"]:
        cell.attributes.pop("hide_mode", None)
        solution = folded(kind="gb-solution", line="Solution")
        solution += cell.children
        cell.children = []
        cell.append(solution)
    elif receipts:
        cell.attributes.pop("hide_mode", None)
        cell.remove(code)
        for receipt in receipts:
            receipt.parent.remove(receipt)
        claims = [found.claim for node in receipts for found in receipts_in(node.astext(), "")]
        proof = folded(kind="gb-proof", line=summary(claims))
        proof += [*receipts, code]
        cell.insert(0, proof)
        cell["classes"].append("gb-proven")
    elif IDEA not in cell["classes"] and ANSWER not in code.astext():
        cell.attributes.pop("hide_mode", None)
        kind = "gb-fold gb-call" if is_shown(code.astext()) else "gb-fold"
        fold_node = folded(kind=kind, line="code")
        cell.replace(code, fold_node)
        fold_node.append(code)
        if len(cell.children) == 1:
            cell["classes"].append("gb-silent")


def _receipts(cell: nodes.container) -> Sequence[nodes.raw]:
    return [
        node
        for node in cell.findall(nodes.raw)
        if node.get("format") == "html" and 'class="gb-receipt"' in node.astext()
    ]


def summary(claims: Sequence[str]) -> str:
    r"""One line for a cell's receipts, in html.

    Args:
        claims: what was checked.

    Returns:
        The claims, one after the other, behind a tick.

    Example:
        >>> summary(["a < b"])
        '<span class="gb-tick">✓</span> <span class="gb-claim">a &lt; b</span>'
    """
    words = "".join(f' <span class="gb-claim">{html.escape(claim)}</span>' for claim in claims)
    return f'<span class="gb-tick">✓</span>{words}'


def is_shown(code: str) -> bool:
    r"""Whether a cell does nothing but show sources of the package.

    Args:
        code: a cell's code.

    Returns:
        Whether every statement is a call of ``show``.

    Example:
        >>> is_shown("show(losses.slopes)"), is_shown("x = 1")
        (True, False)
    """
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a magic
        return False
    return bool(body) and all(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == "show"
        for statement in body
    )


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(folded, html=(visit_folded, depart_folded))
    app.add_post_transform(FoldCells)
