"""The page *What this book verifies*: every receipt, with both sides as they were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode


@dataclass(frozen=True)
class Verified:
    r"""A receipt as it was printed on a page.

    Args:
        docname: the chapter's document.
        claim: what was checked.
        measured: both sides, as printed.
        law: the limit or the count that does not depend on the machine; may be empty.
        label: the label of the equation or theorem.
        test: the break-it test.
        recorded: whether it is about a recorded study.
    """

    docname: str
    claim: str
    measured: str
    law: str
    label: str
    test: str
    recorded: bool


class verified_list(nodes.General, nodes.Element):  # noqa: N801 (docutils' naming)
    """Placeholder that is filled once every chapter has been read."""


class VerifiedDirective(SphinxDirective):
    """Place the table of receipts here."""

    def run(self) -> list[nodes.Node]:
        """Leave a placeholder."""
        return [verified_list()]


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(verified_list)
    app.add_directive("verified", VerifiedDirective)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", pages_to_rewrite)
    app.connect("doctree-resolved", fill)


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Note the receipts on a page that was just read."""
    docname = app.env.docname
    if any(True for _ in doctree.findall(verified_list)):
        _tables(app.env).add(docname)
    raw = "".join(n.astext() for n in doctree.findall(nodes.raw) if "gb-receipt" in n.astext())
    _records(app.env)[docname] = receipts_in(raw, docname)


def receipts_in(html: str, docname: str) -> list[Verified]:
    r"""The receipts in a piece of html.

    Args:
        html: what the chapter's cells emitted.
        docname: the chapter's document.

    Returns:
        One record a receipt, in order.

    Example:
        >>> found = receipts_in('<p class="gb-receipt" data-claim="a" data-law="" '
        ...     'data-measured="2 > 1" data-label="l" data-test="t">a</p>', "book/x")
        >>> found[0].claim
        'a'
    """
    finder = _ReceiptFinder()
    finder.feed(html)
    return [
        Verified(
            docname=docname,
            **{key: found[f"data-{key}"] for key in ("claim", "measured", "law", "label", "test")},
            recorded=found.get("data-recorded") == "true",
        )
        for found in finder.found
    ]


class _ReceiptFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if "gb-receipt" in values.get("class", "").split():
            self.found.append(values)


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what was noted of a page that changes or goes."""
    _records(env).pop(docname, None)
    _tables(env).discard(docname)


def merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    """Bring together what parallel readers noted."""
    _records(env).update({name: _records(other).get(name, []) for name in docnames})
    _tables(env).update(_tables(other).intersection(docnames))


def pages_to_rewrite(app: Sphinx, env: BuildEnvironment) -> Sequence[str]:
    """The page with the table depends on every chapter."""
    return sorted(_tables(env))


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the placeholder by the table."""
    for placeholder in list(doctree.findall(verified_list)):
        receipts = [r for name in _in_reading_order(app.env) for r in _records(app.env)[name]]
        chapters = {receipt.docname for receipt in receipts}
        summary = nodes.paragraph(
            text=f"{len(receipts)} claims in {len(chapters)} chapters and pages, "
            "each checked when this page was built."
        )
        tables = [
            part
            for name in _in_reading_order(app.env)
            if _records(app.env)[name]
            for part in _section(app, docname, name)
        ]
        placeholder.replace_self([summary, *tables])


def _in_reading_order(env: BuildEnvironment) -> list[str]:
    order = {name: index for index, name in enumerate(_toc_order(env))}
    return sorted(_records(env), key=lambda name: (order.get(name, len(order)), name))


def _toc_order(env: BuildEnvironment) -> list[str]:
    seen: list[str] = []
    pending = [env.config.root_doc]
    while pending:
        name = pending.pop(0)
        if name not in seen:
            seen.append(name)
            pending = [*env.toctree_includes.get(name, []), *pending]
    return seen


def _section(app: Sphinx, docname: str, chapter: str) -> list[nodes.Node]:
    stem = chapter.rsplit("/", 1)[-1]
    heading = nodes.rubric("", "", _link(app, docname, chapter, "", _title(app, chapter)))
    heading["classes"].append("gb-verified-chapter")
    file = nodes.literal(text=f"tests/{stem}/test_receipts.py")
    where = nodes.paragraph("", "", nodes.Text("Tests in "), file, nodes.Text("."))
    rows = [_row(app, docname, receipt) for receipt in _records(app.env)[chapter]]
    head = ("Claim", "Stated in", "Measured", "Test that breaks it")
    return [heading, where, _table(head, rows)]


def _title(app: Sphinx, docname: str) -> str:
    return app.env.titles[docname].astext()


def _row(app: Sphinx, docname: str, receipt: Verified) -> list[nodes.Node]:
    anchor, text = _target(app.env, receipt)
    return [
        nodes.Text(receipt.claim),
        _link(app, docname, receipt.docname, anchor, text),
        nodes.Text(receipt.measured),
        nodes.literal(text=receipt.test.replace("_", "_\u200b")),
    ]


def _target(env: BuildEnvironment, receipt: Verified) -> tuple[str, str]:
    equations = env.get_domain("math").equations  # type: ignore[attr-defined]
    if receipt.label in equations:
        return f"equation-{receipt.label}", f"equation ({equations[receipt.label][1]})"
    return receipt.label, receipt.label.replace("-", " ").replace("thm", "theorem")


def _link(app: Sphinx, here: str, there: str, anchor: str, text: str) -> nodes.Node:
    return make_refnode(app.builder, here, there, anchor, nodes.Text(text))


def _table(head: Sequence[str], rows: Sequence[Sequence[nodes.Node]]) -> nodes.table:
    group = nodes.tgroup(cols=len(head))
    group.extend(nodes.colspec(colwidth=width) for width in (40, 16, 22, 22))
    body = nodes.tbody()
    body.extend(_table_row(row) for row in rows)
    group += nodes.thead("", _table_row([nodes.Text(text) for text in head]))
    group += body
    return nodes.table("", group, classes=["gb-verified"])


def _table_row(cells: Sequence[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def _records(env: BuildEnvironment) -> dict[str, list[Verified]]:
    if not hasattr(env, "genbook_receipts"):
        env.genbook_receipts = {}  # type: ignore[attr-defined]
    return env.genbook_receipts  # type: ignore[attr-defined]


def _tables(env: BuildEnvironment) -> set[str]:
    """The pages with a table of receipts."""
    if not hasattr(env, "genbook_tables"):
        env.genbook_tables = set()  # type: ignore[attr-defined]
    return env.genbook_tables  # type: ignore[attr-defined]
