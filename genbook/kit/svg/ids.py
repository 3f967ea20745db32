"""The names by which parts of a drawing refer to each other."""

from __future__ import annotations

import re
from collections import Counter

from genbook.kit.svg.tree import Node, set_or_drop, walk

_REFERENCE = re.compile(r"#([\w.-]+)")


def is_whole(root: Node) -> bool:
    r"""Whether all that the drawing refers to is in it, once.

    Example:
        >>> from genbook.kit.svg.tree import parse
        >>> is_whole(parse('<svg><use href="#a"/></svg>'))
        False
    """
    nodes = list(walk(root))
    names = [node.attributes["id"] for node in nodes if "id" in node.attributes]
    wanted = {
        target
        for node in nodes
        for name, value in node.attributes.items()
        if name == "href" or "url(" in value
        for target in _REFERENCE.findall(value)
    }
    counts = Counter(names)
    return all(counts[target] == 1 for target in wanted)


def rename(root: Node, salt: str) -> None:
    r"""Number the ids that something refers to; drop all others.

    Args:
        root: the drawing; it changes.
        salt: start of every id.

    Example:
        >>> from genbook.kit.svg.tree import parse
        >>> root = parse('<svg><g id="x"/><g id="y"/><use href="#y"/></svg>')
        >>> rename(root, "one")
        >>> [node.attributes for node in root.children]
        [{}, {'id': 'one-0'}, {'href': '#one-0'}]
    """
    nodes = list(walk(root))
    wanted: dict[str, str] = {}
    for node in nodes:
        for name, value in node.attributes.items():
            if name == "href" or "url(" in value:
                for target in _REFERENCE.findall(value):
                    wanted.setdefault(target, f"{salt}-{len(wanted)}")
    for node in nodes:
        for name, value in list(node.attributes.items()):
            if name == "id":
                set_or_drop(node.attributes, "id", wanted.get(value, ""))
            elif name == "href" or "url(" in value:
                node.attributes[name] = _REFERENCE.sub(
                    lambda match: "#" + wanted.get(match[1], match[1]), value
                )
