"""Each stored page holds its own tree and no other.

A page is stored as a pickle, and a pickle takes along whatever a node can reach. Nodes of nested
documents (reStructuredText in MyST, docstrings) reach the settings of theirs, and so the whole
environment; the exercises that ``sphinx_exercise`` keeps reach the page that they stand on. With
figures on the pages that makes megabytes a page, read back by every build.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

AFTER_ALL_OTHERS = 900


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("doctree-read", keep_to_itself, priority=AFTER_ALL_OTHERS)


def keep_to_itself(app: Sphinx, doctree: nodes.document) -> None:
    """Let the nodes of a page that was just read know no document but theirs."""
    for node in doctree.findall():
        if node.document is not doctree:
            node.document = None  # its parent's, then
    keep_exercises(app.env)


def keep_exercises(env: BuildEnvironment) -> None:
    """Keep the exercises of the page that was just read without the page."""
    for entry in getattr(env, "sphinx_exercise_registry", {}).values():
        if entry["docname"] == env.docname:
            entry["node"] = detached(entry["node"])


def detached(node: nodes.Node) -> nodes.Node:
    r"""A copy of a node and what is below it, that reaches nothing else.

    Args:
        node: anywhere in a tree.

    Returns:
        The copy.

    Example:
        >>> paragraph = nodes.paragraph("", "", nodes.Text("a claim"))
        >>> section = nodes.section("", paragraph)
        >>> copy = detached(paragraph)
        >>> copy.astext(), copy.parent, paragraph.parent is section
        ('a claim', None, True)
    """
    copy = node.deepcopy()
    for part in copy.findall():
        part.document = None
    return copy
