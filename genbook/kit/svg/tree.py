"""A drawing as a tree of elements: read it, walk it, copy it, write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from xml.parsers import expat


@dataclass(slots=True)
class Node:
    r"""An element of a drawing.

    Args:
        tag: its name.
        attributes: in the order of writing.
        text: its text, empty for elements that hold elements.
        children: its elements.
        kind: what matplotlib drew there (``"line2d"``, ``"axes"`` …), for aligning two drawings.
    """

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list)
    kind: str = ""


def walk(node: Node) -> Iterator[Node]:
    r"""``node`` and all within it, in the document's order.

    Example:
        >>> [n.tag for n in walk(parse("<g><path/><use/></g>"))]
        ['g', 'path', 'use']
    """
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def copy(node: Node) -> Node:
    r"""``node`` and all within it, anew.

    Example:
        >>> copy(Node("g", {})) == Node("g", {})
        True
    """
    children = [copy(child) for child in node.children]
    return Node(node.tag, dict(node.attributes), node.text, children, node.kind)


def parse(text: str) -> Node:
    r"""Read SVG into a tree; blank between elements and comments are dropped.

    Example:
        >>> parse("<g> <text>a</text> </g>").children[0].text
        'a'
    """
    root = Node("", {})
    stack = [root]
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        node = Node(tag, attributes)
        stack[-1].children.append(node)
        stack.append(node)

    def end(tag: str) -> None:
        node = stack.pop()
        if node.children and not node.text.strip():
            node.text = ""

    def characters(data: str) -> None:
        stack[-1].text += data

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.Parse(text, True)
    return root.children[0]


def serialise(node: Node) -> str:
    r"""Write ``node`` without a byte of blank.

    Example:
        >>> serialise(Node("g", {"id": "a"}, children=[Node("text", {}, "x < 1")]))
        '<g id="a"><text>x &lt; 1</text></g>'
    """
    parts: list[str] = []
    _write(node, parts)
    return "".join(parts)


def inner(node: Node) -> str:
    r"""What stands inside ``node``.

    Example:
        >>> inner(Node("g", {}, children=[Node("path", {"d": "M0 0"})]))
        '<path d="M0 0"/>'
    """
    parts = [escape(node.text, quote=False)] if node.text else []
    for child in node.children:
        _write(child, parts)
    return "".join(parts)


def _write(node: Node, parts: list[str]) -> None:
    parts.append(f"<{node.tag}")
    parts.extend(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    if not (node.text or node.children):
        parts.append("/>")
        return
    parts.append(">")
    parts.append(escape(node.text, quote=False))
    for child in node.children:
        _write(child, parts)
    parts.append(f"</{node.tag}>")


def set_or_drop(attributes: dict[str, str], name: str, value: str) -> None:
    r"""Set an attribute, or take it away where its value is empty.

    Args:
        attributes: of an element; they change.
        name: one of them.
        value: what it becomes.

    Example:
        >>> attributes = {"x": "1"}
        >>> set_or_drop(attributes, "x", "")
        >>> attributes
        {}
    """
    if value:
        attributes[name] = value
    else:
        del attributes[name]
