"""Fold what stands beside the idea: plumbing behind one word, receipts into one line each.

A code cell stays open if it carries the tag ``idea`` or waits for a reader's answer. Every other
cell's code is folded; what it printed stands, the sources of the package among it, unless the tag
``hide-cell`` says that it is a solution: then the whole cell is folded behind that word. The tag
``aside`` folds a whole cell behind a line that says what it holds: sources by their names, a table
by its caption. A cell's receipts become one line, which opens to the receipts as measured and to
the code that measured them.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from genbook.kit.cells import trees
from genbook.kit.sphinx_ext.verified import receipts_in

IDEA = "tag_idea"
"""The class that MyST-NB gives to a cell with the tag ``idea``."""

SOLUTION = "tag_hide-cell"
"""The class of a cell with the tag ``hide-cell``: it shows the solution of an exercise."""

ASIDE = "tag_aside"
"""The class of a cell with the tag ``aside``: for those who want to look closer."""

ANSWER = "# your code"
"""Stands where an exercise waits for its answer: its signature is part of the question."""


CAPTION = re.compile(r"<(fig)?caption[^>]*>(.*?)</(?:fig)?caption>", re.DOTALL)


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
        _fold_whole(cell, "gb-solution", "Solution")
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
    elif ASIDE in cell["classes"]:
        _fold_whole(cell, "gb-aside", html.escape(what_it_holds(code.astext(), _raw_html(cell))))
    elif IDEA not in cell["classes"] and ANSWER not in code.astext():
        cell.attributes.pop("hide_mode", None)
        kind = "gb-fold gb-call" if shown_sources(code.astext()) else "gb-fold"
        fold_node = folded(kind=kind, line="code")
        cell.replace(code, fold_node)
        fold_node.append(code)
        if len(cell.children) == 1:
            cell["classes"].append("gb-silent")


def _fold_whole(cell: nodes.container, kind: str, line: str) -> None:
    cell.attributes.pop("hide_mode", None)
    whole = folded(kind=kind, line=line)
    whole += cell.children
    cell.children = []
    cell.append(whole)


def _raw_html(cell: nodes.container) -> Sequence[nodes.raw]:
    return [node for node in cell.findall(nodes.raw) if node.get("format") == "html"]


def _receipts(cell: nodes.container) -> Sequence[nodes.raw]:
    return [node for node in _raw_html(cell) if 'class="gb-receipt"' in node.astext()]


def what_it_holds(code: str, outputs: Sequence[nodes.Node] = ()) -> str:
    r"""What stands in a folded cell, in a line.

    Args:
        code: the cell's code.
        outputs: its outputs in html.

    Returns:
        The sources that it shows by name, or the first sentence of its first caption.

    Raises:
        ValueError: if the cell shows no source and none of its outputs has a caption.

    Example:
        >>> what_it_holds("show(rules.by_norm, rules.by_value)")
        'The code of by_norm and by_value'
    """
    if names := shown_sources(code):
        return "The code of " + " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    for output in outputs:
        if found := CAPTION.search(output.astext()):
            words = html.unescape(re.sub("<[^>]+>", "", found[2])).strip()
            kind = "Figure" if found[1] else "Table"
            return f"{kind}: " + re.split(r"(?<=[a-z])[.;:] ", words, maxsplit=1)[0].rstrip(".")
    raise ValueError(
        "expected a cell with the tag 'aside' to show sources or a table with a caption, got "
        f"{code[:60]!r}; take the tag away"
    )


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


def shown_sources(code: str) -> Sequence[str]:
    r"""The names of the sources that a cell shows, if it does nothing else.

    Args:
        code: a cell's code.

    Returns:
        What its calls of ``show`` are given, without the module; empty where it does more, but for
        magics.

    Example:
        >>> shown_sources("show(losses.slopes, losses.Loss)"), shown_sources("x = 1")
        (['slopes', 'Loss'], [])
    """
    names = []
    for statement in (statement for part in trees([code]) for statement in part.body):
        match statement:
            case ast.Expr(ast.Call(ast.Name("show") | ast.Attribute(attr="show"), sources)):
                names += [ast.unparse(source).split(".")[-1] for source in sources]
            case ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name("get_ipython"))))):
                continue
            case _:
                return []
    return names


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(folded, html=(visit_folded, depart_folded))
    app.add_post_transform(FoldCells)
