"""Figures as small, themed, repeatable SVG that sits in the page and takes its colours and font."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from itertools import pairwise
from types import MappingProxyType
from xml.parsers import expat

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from genbook.kit.mathtext import flow

PAPER = "#ffffff"
WHOLE = "-all"
SETTINGS = MappingProxyType(
    {
        "svg.fonttype": "none",
        "svg.image_inline": True,
        "image.composite_image": False,
        "path.simplify": False,
    }
)

_LONG = re.compile(r"-?\d+\.\d{3,}")
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e[-+]?\d+)?")
_PATH = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_CALL = re.compile(r"(\w+)\(([^)]*)\)")
_REFERENCE = re.compile(r"#([\w.-]+)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_COORDINATES = frozenset({"x", "y", "width", "height", "x1", "y1", "x2", "y2", "dx", "dy"})
_DROPPED_STYLES = frozenset({"font-family", "font-stretch"})
_DEFAULTS = frozenset({("text-anchor", "start"), ("fill", "#010203"), ("fill", "#000000")})


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


def render(figure: Figure, *, salt: str, alt: str = "") -> str:
    r"""Draw ``figure`` as SVG for inclusion in a page.

    Coordinates are rounded to 0.01; text stays text and takes the page's font; the book's colours
    become CSS variables and the ink ``currentColor``, so that one drawing serves the light and the
    dark theme. The same figure gives the same string.

    Args:
        figure: what to draw.
        salt: start of every id in the drawing; keeps two drawings on one page apart.
        alt: read out in place of the drawing.

    Returns:
        An ``<svg>`` element.

    Raises:
        ValueError: if ``salt`` is no plain word.

    Example:
        >>> from genbook.kit import plotting
        >>> figure, axes = plotting.subplots(width=2, height=1)
        >>> render(figure, salt="one", alt="Empty axes.")[:37]
        '<svg viewBox="0 0 144 72" width="192"'
    """
    with settings():
        if figure.get_layout_engine() is not None:
            _printed(figure)  # lets the layout settle
        return serialise(draw(figure, salt=salt, alt=alt))


@contextmanager
def settings() -> Iterator[None]:
    r"""Matplotlib's settings for :func:`draw`; open it once around many figures.

    Example:
        >>> with settings():
        ...     matplotlib.rcParams["svg.fonttype"]
        'none'
    """
    with matplotlib.rc_context(dict(SETTINGS)):  # type: ignore[arg-type]
        yield


def draw(figure: Figure, *, salt: str, alt: str = "") -> Node:
    r"""The tree of :func:`render`, to be called inside :func:`settings`.

    Args:
        figure: what to draw.
        salt: start of every id in the drawing.
        alt: read out in place of the drawing.

    Returns:
        The root of the drawing.

    Raises:
        ValueError: if ``salt`` is no plain word.

    Example:
        >>> with settings():
        ...     draw(Figure(figsize=(2, 1)), salt="one").tag
        'svg'
    """
    return finish(sketch(figure, salt=salt), salt=salt, alt=alt, note=str(figure.get_label()))


def sketch(figure: Figure, *, salt: str) -> Node:
    r"""The first half of :func:`draw`: matplotlib's drawing, shortened and themed.

    Args:
        figure: what to draw.
        salt: makes matplotlib's ids repeatable.

    Returns:
        The root of the drawing, with matplotlib's ids.

    Raises:
        ValueError: if ``salt`` is no plain word.
    """
    if not re.fullmatch(r"[A-Za-z][\w-]*", salt):
        raise ValueError(
            f"expected a salt of letters, digits and hyphens, a letter first, got {salt!r}"
        )
    for image in (image for axes in figure.axes for image in axes.images):
        if image.get_interpolation() == "nearest":  # the browser enlarges pixels just as well
            image.set_interpolation("none")
    matplotlib.rcParams["svg.hashsalt"] = salt
    root = parse(_printed(figure))
    _inline(root)
    for node in walk(root):
        if [child.tag for child in node.children] == ["text"] and node.children[0].children:
            flow(node.children[0])  # a formula without rules
    return _tidy(root)


def finish(root: Node, *, salt: str, alt: str = "", note: str = "") -> Node:
    r"""The second half of :func:`draw`: short ids, and the attributes of the whole.

    Args:
        root: what :func:`sketch` gave; it changes.
        salt: start of every id in the drawing.
        alt: read out in place of the drawing.
        note: a sentence on this very drawing, which an explorable reads out.

    Returns:
        The root of the drawing.
    """
    _rename(root, salt)
    whole = Node("g", {"id": f"{salt}{WHOLE}"}, children=root.children)
    return _dressed(root, whole, alt, note)


def columns(figure: Figure) -> tuple[tuple[float, float], ...]:
    r"""Where a drawing can be cut from top to bottom without cutting through an axes.

    Args:
        figure: after its layout has settled, that is after :func:`draw`.

    Returns:
        Left edge and width of each column, in points, from the left; together they are the figure.

    Example:
        >>> from genbook.kit import plotting
        >>> figure, _ = plotting.subplots(1, 3, width=6, height=2)
        >>> len(render(figure, salt="one")) > 0, len(columns(figure))
        (True, 3)
    """
    points = 72 / figure.dpi
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
    spans = sorted((box.x0 * points, box.x1 * points) for box in boxes if box is not None)
    apart: list[tuple[float, float]] = []
    for left, right in spans:
        if apart and left < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(right, apart[-1][1]))
        else:
            apart.append((left, right))
    cuts = [(a[1] + b[0]) / 2 for a, b in pairwise(apart)]
    edges = [0.0, *cuts, figure.get_size_inches()[0] * 72]
    return tuple((left, right - left) for left, right in pairwise(edges))


def stacked(figure: Figure, *, salt: str) -> str:
    r"""The columns of a drawing below one another, for a narrow screen.

    Each is a window on the one drawing, so that what changes there changes here.

    Args:
        figure: what was drawn with this ``salt``.
        salt: start of every id in the drawing.

    Returns:
        HTML that assistive technology skips; empty where there is but one column.

    Example:
        >>> from genbook.kit import plotting
        >>> stacked(plotting.subplots(width=2, height=1)[0], salt="one")
        ''
    """
    parts = columns(figure)
    height = _short_number(figure.get_size_inches()[1] * 72, 2)
    windows = [
        f'<div class="gb-panel"><svg viewBox="{_short_number(left, 2)} 0 '
        f'{_short_number(width, 2)} {height}" fill="currentColor" stroke-linejoin="round">'
        f'<use href="#{salt}{WHOLE}"/></svg></div>'
        for left, width in parts
    ]
    if len(windows) < 2:
        return ""
    return f'<div class="gb-panels" aria-hidden="true">{"".join(windows)}</div>'


def _printed(figure: Figure) -> str:
    """What matplotlib writes, without the second drawing that ``savefig`` makes for a layout."""
    usual, dpi = figure.canvas, figure.dpi
    buffer = io.StringIO()
    try:
        canvas = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata={"Date": None})
    finally:
        figure.set_canvas(usual)
        figure.dpi = dpi
    return buffer.getvalue()


def is_whole(root: Node) -> bool:
    r"""Whether all that the drawing refers to is in it, once.

    Example:
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


def copy(node: Node) -> Node:
    r"""``node`` and all within it, anew.

    Example:
        >>> copy(Node("g", {})) == Node("g", {})
        True
    """
    children = [copy(child) for child in node.children]
    return Node(node.tag, dict(node.attributes), node.text, children, node.kind)


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


def _inline(root: Node) -> None:
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
                    data = _shifted(shapes[0].attributes["d"], float(height))
                    attributes = {"d": data, **node.children[1].attributes, "style": use["style"]}
                    node.children = [Node("path", attributes)]


def _shifted(data: str, height: float) -> str:
    """Move a path down by ``height``; every second number is a y."""
    numbers = iter(range(10**9))

    def move(match: re.Match[str]) -> str:
        return match[0] if next(numbers) % 2 == 0 else f"{float(match[0]) + height:.6f}"

    return _NUMBER.sub(move, data)


def _tidy(node: Node) -> Node:
    """Shorten what matplotlib wrote, and dress it in the page's colours."""
    attributes = node.attributes
    if node.tag == "g" and "id" in attributes:
        node.kind = attributes["id"].rsplit("_", 1)[0]
    if "xlink:href" in attributes:
        attributes["href"] = _link(attributes.pop("xlink:href"))
    for name in _COORDINATES & attributes.keys():
        attributes[name] = _LONG.sub(_rounded, attributes[name])
    if "d" in attributes:
        attributes["d"] = _short_path(attributes["d"])
    if "transform" in attributes:
        _set(attributes, "transform", _short_transform(attributes["transform"]))
    if "style" in attributes:
        _set(attributes, "style", _short_style(attributes["style"], is_text=_is_text(node)))
    if "fill" in attributes:
        attributes["fill"] = _themed(attributes["fill"], is_text=False)
    node.children = [_tidy(child) for child in node.children if not _is_dropped(child)]
    node.children = [child for child in node.children if not _is_empty(child)]
    if node.kind in ("xtick", "ytick"):
        node.children = [_unwrapped(child) for child in node.children]
    return node


def _is_text(node: Node) -> bool:
    if node.tag == "g":
        return any(child.tag == "text" for child in node.children)
    return node.tag in ("text", "tspan")


def _set(attributes: dict[str, str], name: str, value: str) -> None:
    if value:
        attributes[name] = value
    else:
        del attributes[name]


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


def _rounded(match: re.Match[str]) -> str:
    return _short_number(float(match[0]), 2)


def _short_number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _short_path(data: str) -> str:
    """One letter for a run of like commands, one blank between numbers."""
    parts: list[str] = []
    previous = ""
    for letter, numbers in _PATH.findall(data):
        rounded = _LONG.sub(_rounded, " ".join(numbers.replace(",", " ").split()))
        follows = {"M": "L"}.get(previous, previous)
        if letter == follows and letter in "LCQ":
            parts.append(" " + rounded)
            continue
        parts.append(letter.upper() + rounded)
        previous = letter
    return "".join(parts)


def _short_transform(transform: str) -> str:
    return "".join(_short_call(name, body) for name, body in _CALL.findall(transform))


def _short_call(name: str, body: str) -> str:
    numbers = [float(number) for number in _NUMBER.findall(body)]
    if (name == "rotate" and numbers[0] == 0) or (name == "translate" and not any(numbers)):
        return ""
    exact = {"rotate": 1, "scale": 2, "matrix": 4}.get(name, 0)
    short = [_short_number(x, 6 if i < exact else 2) for i, x in enumerate(numbers)]
    return f"{name}({' '.join(short)})"


def _short_style(style: str, *, is_text: bool) -> str:
    kept = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        if name and name not in _DROPPED_STYLES and (name, value) not in _DEFAULTS:
            value = _LONG.sub(_rounded, value) if "opacity" not in name else value
            kept.append(f"{name}:{_themed(value, is_text=is_text)}")
    return ";".join(kept)


@lru_cache(maxsize=512)
def _themed(value: str, *, is_text: bool) -> str:
    if "#" not in value or value.startswith("url("):
        return value
    return _HEX.sub(lambda match: _colour(match[0].lower(), is_text), value)


def _colour(code: str, is_text: bool) -> str:
    if code in _inks():
        return "currentColor"
    name = _names().get(code)
    if name is None:
        return code
    if is_text:
        return f"var(--gb-{name}-text,{code})"
    return f"var(--gb-{name},{code})"


@lru_cache(maxsize=1)
def _inks() -> frozenset[str]:
    from genbook.kit import plotting

    return frozenset({"#000000", plotting.INK.lower()})


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    from genbook.kit import plotting

    words = ("data", "model", "critic", "gradient", "muted")
    names = {getattr(plotting, word.upper()).lower(): word for word in words}
    for place, code in enumerate(plotting.SERIES):
        names.setdefault(code.lower(), f"series-{place + 1}")
    return MappingProxyType({**names, PAPER: "paper"})


def _link(target: str) -> str:
    head, _, body = target.partition("base64,")
    if not body:
        return target
    return f"{head}base64,{_small_png(body)}"


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


def _rename(root: Node, salt: str) -> None:
    """Number the ids that something refers to; drop all others."""
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
                _set(node.attributes, "id", wanted.get(value, ""))
            elif name == "href" or "url(" in value:
                node.attributes[name] = _REFERENCE.sub(
                    lambda match: "#" + wanted.get(match[1], match[1]), value
                )


def walk(node: Node) -> Iterator[Node]:
    r"""``node`` and all within it, in the document's order.

    Example:
        >>> [n.tag for n in walk(parse("<g><path/><use/></g>"))]
        ['g', 'path', 'use']
    """
    yield node
    for child in node.children:
        yield from walk(child)


def _dressed(root: Node, whole: Node, alt: str, note: str) -> Node:
    box = _LONG.sub(_rounded, root.attributes["viewBox"])
    width = float(box.split()[2])
    attributes = {
        "viewBox": box,
        "width": _short_number(width * 4 / 3, 0),
        "role": "img",
        "aria-label": alt,
        "fill": "currentColor",
        "stroke-linejoin": "round",
        "style": "max-width:100%;height:auto",
    }
    if not alt:
        del attributes["aria-label"]
        attributes["role"] = "presentation"
    if note:
        attributes["data-note"] = note
    return Node("svg", attributes, children=[whole])
