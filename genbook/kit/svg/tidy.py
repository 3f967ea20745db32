"""Shorten what matplotlib wrote, and dress it in the page's colours."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

from PIL import Image

from genbook.kit.svg.shorten import rounded, shifted, short_path, short_transform
from genbook.kit.svg.theme import themed
from genbook.kit.svg.tree import Node, set_or_drop, walk

_COORDINATES = frozenset({"x", "y", "width", "height", "x1", "y1", "x2", "y2", "dx", "dy"})
_DROPPED_STYLES = frozenset({"font-family", "font-stretch"})
_DEFAULTS = frozenset({("text-anchor", "start"), ("fill", "#010203"), ("fill", "#000000")})


def inline(root: Node) -> None:
    """Write filled areas as plain paths, whether or not matplotlib took them for markers."""
    height = root.attributes["viewBox"].split()[3]
    uses: dict[str, int] = {}
    for node in walk(root):
        if node.tag == "use":
            target = node.attributes["xlink:href"]
            uses[target] = uses.get(target, 0) + 1
    for node in walk(root):
        if [child.tag for child in node.children] == ["defs", "g"]:
            shapes, users = node.children[0].children, node.children[1].children
            if len(shapes) == len(users) == 1 and users[0].tag == "use":
                use = users[0].attributes
                if (use["x"], use["y"]) == ("0", height) and uses[use["xlink:href"]] == 1:
                    data = shifted(shapes[0].attributes["d"], float(height))
                    attributes = {"d": data, **node.children[1].attributes, "style": use["style"]}
                    node.children = [Node("path", attributes)]


def tidy(node: Node) -> Node:
    """Shorten what matplotlib wrote, and dress it in the page's colours."""
    attributes = node.attributes
    if node.tag == "g" and "id" in attributes:
        node.kind = attributes["id"].rsplit("_", 1)[0]
    if "xlink:href" in attributes:
        attributes["href"] = _link(attributes.pop("xlink:href"))
    for name in _COORDINATES & attributes.keys():
        attributes[name] = rounded(attributes[name])
    if "d" in attributes:
        attributes["d"] = short_path(attributes["d"])
    if "transform" in attributes:
        set_or_drop(attributes, "transform", short_transform(attributes["transform"]))
    if "style" in attributes:
        set_or_drop(attributes, "style", _short_style(attributes["style"], is_text=_is_text(node)))
    if "fill" in attributes:
        attributes["fill"] = themed(attributes["fill"], is_text=False)
    node.children = [tidy(child) for child in node.children if not _is_dropped(child)]
    node.children = [child for child in node.children if not _is_empty(child)]
    if node.kind in ("xtick", "ytick"):
        node.children = [_unwrapped(child) for child in node.children]
    return node


def _is_text(node: Node) -> bool:
    if node.tag == "g":
        return any(child.tag == "text" for child in node.children)
    return node.tag in ("text", "tspan")


def _is_dropped(node: Node) -> bool:
    return node.tag in ("metadata", "style")


def _is_empty(node: Node) -> bool:
    if node.tag in ("g", "defs"):
        return not node.children and not node.attributes.get("id", "").startswith("gb-")
    style = node.attributes.get("style", "")
    return node.tag == "path" and style == "fill:none"


def _unwrapped(node: Node) -> Node:
    """A group without meaning of its own around one element is that element."""
    named = {"id"} if node.tag == "g" else set()
    if node.tag != "g" or len(node.children) != 1 or set(node.attributes) - named:
        return node
    child = node.children[0]
    child.kind = child.kind or node.kind
    return child


def _short_style(style: str, *, is_text: bool) -> str:
    kept = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        if name and name not in _DROPPED_STYLES and (name, value) not in _DEFAULTS:
            value = rounded(value) if "opacity" not in name else value
            kept.append(f"{name}:{themed(value, is_text=is_text)}")
    return ";".join(kept)


def _link(target: str) -> str:
    head, _, body = target.partition("base64,")
    if not body:
        return target
    return f"{head}base64,{_small_png(body)}"


@lru_cache(maxsize=256)
def _small_png(body: str) -> str:
    """The same pixels in the fewest bytes: grey where grey suffices."""
    image: Image.Image = Image.open(io.BytesIO(base64.b64decode(body)))
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
        red, green, blue = (channel.tobytes() for channel in image.split())
        if red == green == blue:
            image = image.getchannel("R")
    buffer = io.BytesIO()
    image.save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
