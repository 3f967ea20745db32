r"""Machines on a page: one figure of HTML that needs neither a kernel nor a network."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from html import escape
from typing import Any

import anywidget
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genbook.kit import plotting, svg
from genbook.kit.looks import style
from genbook.kit.machine import noise, weights
from genbook.kit.machine.emit import PRELUDE, javascript
from genbook.kit.machine.first_frame import first_frame
from genbook.kit.machine.parts import Act, Choice, Machine, Panel, Slider
from genbook.kit.machine.scripts import script

STILL = "This machine runs in a browser of 2021 or later, with scripts allowed."
"""Stands until the script has made the controls."""
REM = 16.0
"""CSS pixels, unless the reader has chosen other letters."""


def machine(parts: Machine, *, caption: str, alt: str) -> StaticMachine | LiveMachine:
    r"""Show a machine.

    Args:
        parts: what it computes, keeps and draws.
        caption: HTML.
        alt: what the picture shows before anything runs.

    Returns:
        Something that Jupyter shows: on the book's page HTML with a script, elsewhere a widget that
        runs the same script.

    Raises:
        ValueError: If there is no data to begin with.
        UnknownOperation: If a program has a call that a page cannot compute.
    """
    if not parts.data:
        raise ValueError("machine: expected at least one preset of data, got none.")
    figure = first_frame(parts)
    drawing = svg.render(figure, salt=_salt(parts), alt=alt)
    spec, worker = plan(parts), worker_script(parts)
    packed = {name: group.packed for name, group in parts.groups.items() if group.packed}
    html = markup(parts, figure, drawing, caption)
    if os.environ.get("GENBOOK_STATIC") == "1":
        return StaticMachine(html, spec, worker, packed, caption)
    return LiveMachine(html, spec, worker, packed, caption, figure)


def plan(parts: Machine) -> dict[str, Any]:
    r"""What the page's side of the script needs to know.

    Args:
        parts: the machine.

    Returns:
        A tree of plain values.
    """
    kind = {Choice: "choice", Slider: "slider"}
    hands = [panel.hand for panel in parts.panels if panel.hand]
    return {
        "name": parts.name,
        "controls": [{"kind": kind[type(c)], **vars(c)} for c in parts.controls],
        "data": {
            name: [float(f"{x:.9g}") for x in numbers.flatten().tolist()]  # all of a float32
            for name, numbers in parts.data.items()
        },
        "most": parts.most,
        "item": parts.item,
        "growing": parts.growing,
        "alphabet": parts.alphabet,
        "pace": parts.pace,
        "random": parts.random,
        "restarts": parts.restarts,
        "empty": parts.empty,
        "called": parts.called,
        "grain": min((hand.grain for hand in hands), default=1.0),
        "panels": [
            {
                "x": panel.x,
                "y": panel.y,
                "layers": [vars(layer) for layer in panel.layers],
                "hand": vars(panel.hand) if panel.hand else None,
            }
            for panel in parts.panels
        ],
        "words": parts.words,
    }


def worker_script(parts: Machine) -> str:
    r"""The whole script of the worker: generator of random numbers, programs, and what runs them.

    Args:
        parts: the machine.

    Returns:
        JavaScript.
    """
    scripts: list[str] = []

    def act(one: Act) -> dict[str, Any]:
        chosen = {}
        for word, program in one.programs.items():
            text = javascript(program)
            if text not in scripts:
                scripts.append(text)
            chosen[word] = scripts.index(text)
        return {
            "programs": chosen,
            "inputs": one.inputs,
            "outputs": one.outputs,
            "chosen": one.chosen,
            "times": one.times,
            "until": one.until,
        }

    spec = {
        "groups": {
            name: {
                "rows": [
                    (shape[0], _size(shape[1:])) if len(shape) > 1 else (_size(shape),)
                    for shape in group.shapes
                ]
            }
            if group.packed
            else {
                "sizes": [_size(shape) for shape in group.shapes],
                "bounds": group.bounds,
                "lasting": group.lasting,
            }
            for name, group in parts.groups.items()
        },
        "opening": [act(one) for one in parts.opening],
        "acts": [act(one) for one in parts.acts],
        "views": [act(one) for one in (parts.view, *parts.also)],
        "item": parts.item,
    }
    makes = ",\n".join(f"()=>{text}" for text in scripts)
    return "\n".join(
        [
            PRELUDE,
            noise.SCRIPT,
            *([weights.SCRIPT] if any(group.packed for group in parts.groups.values()) else []),
            f"const spec={json.dumps(spec, ensure_ascii=False, separators=(',', ':'))};",
            f"const makes=[{makes}];",
            script("worker"),
        ]
    )


def markup(parts: Machine, figure: Figure, drawing: str, caption: str) -> str:
    r"""The figure before its script has run.

    Args:
        parts: the machine.
        figure: the first frame, drawn.
        drawing: its SVG.
        caption: HTML.

    Returns:
        A ``<figure>`` without its end.
    """
    inches = parts.size[0]
    least = 72 * svg.legible_scale(figure) * inches  # pixels; below them letters are too small
    falls = least > svg.PHONE and 1 < len(parts.panels) == len(svg.columns(figure))
    panels = _falling(parts, figure) if falls else _standing(parts, figure)
    return (
        f'<figure class="gb-picture gb-machine" id="gb-machine-{parts.name}" '
        f'data-genbook-machine="{parts.name}" data-genbook-machine-state="waiting">'
        f'<div class="gb-pan"><div class="gb-stage{" gb-falling" if falls else ""}" '
        f'style="max-width:{6.2 * inches:.1f}rem;min-width:{least / REM:.2f}rem">'
        f"{drawing}{panels}</div></div>"
        '<div class="gb-machine-bar" role="group" aria-label="The machine" hidden></div>'
        '<div class="gb-controls" role="group" aria-label="Controls of the machine" hidden></div>'
        '<p class="gb-readout" aria-live="polite"></p>'
        f'<p class="gb-still">{escape(STILL)}</p><figcaption>{caption}</figcaption>'
    )


def _standing(parts: Machine, figure: Figure) -> str:
    """A canvas over each pair of axes."""
    return "".join(_canvas(*pair) for pair in zip(parts.panels, figure.axes, strict=True))


def _falling(parts: Machine, figure: Figure) -> str:
    """The same in columns, which on a phone fall below one another, each with its own window."""
    wide, high = (72 * inches for inches in figure.get_size_inches())
    shown = zip(
        parts.panels,
        figure.axes,
        svg.columns(figure),
        svg.windows(figure, salt=_salt(parts)),
        strict=True,
    )
    return "".join(
        f'<div class="gb-column" style="--gb-left:{100 * left / wide:.2f}%;'
        f'--gb-wide:{100 * across / wide:.2f}%;--gb-shape:{across / high:.4f}">'
        f"{window}{_canvas(panel, axes, left / wide, across / wide)}</div>"
        for panel, axes, (left, across), window in shown
    )


def _canvas(panel: Panel, axes: Axes, start: float = 0.0, share: float = 1.0) -> str:
    """A canvas over its axes, within the share of the figure from ``start`` on."""
    left, bottom, width, height = axes.get_position().bounds
    box = f"left:{100 * (left - start) / share:.2f}%;top:{100 * (1 - bottom - height):.2f}%;"
    box += f"width:{100 * width / share:.2f}%;height:{100 * height:.2f}%"
    role = 'aria-hidden="true"'
    if panel.hand:
        role = f'tabindex="0" role="application" aria-label="{escape(panel.hand.words)}"'
    return f'<canvas {role} style="{box}"></canvas>'


def _salt(parts: Machine) -> str:
    return "gbm" + parts.name


class StaticMachine:
    r"""A machine on the book's page.

    Args:
        html: see :func:`markup`.
        spec: see :func:`plan`.
        worker: see :func:`worker_script`.
        packed: trained weights by group, see :mod:`genbook.kit.machine.weights`.
        caption: HTML.
    """

    def __init__(
        self, html: str, spec: Mapping[str, Any], worker: str, packed: Mapping[str, str],
        caption: str,
    ) -> None:  # fmt: skip
        self.html, self.spec, self.worker, self.caption = html, spec, worker, caption
        self.packed = dict(packed)

    def __repr__(self) -> str:
        return f"<Machine: {self.caption}>"

    def _repr_html_(self) -> str:
        spec, brought = (
            json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
            .replace("</", "<\\/")
            .replace("<!--", "<\\u0021--")
            for tree in (self.spec, {"packed": self.packed, "worker": self.worker})
        )
        program = _page_script(texts=bool(self.spec["alphabet"]))
        key = "genbookMachine_" + hashlib.sha256(program.encode()).hexdigest()[:8]
        name = self.spec["name"]
        return (
            f"{self.html}<style>{style()}</style>"
            f'<script type="application/json">{spec}</script>'
            f'<script type="application/json" data-genbook-brought="{name}">{brought}</script>'
            f"<script>(()=>{{if(!window.{key}){{{program}\nwindow.{key}=(figure,spec,brought)=>"
            "bring(figure,brought,({packed,worker})=>mountMachine(figure,spec,worker,packed))}"
            'const figure=document.currentScript.closest("figure"),'
            "data=[...figure.querySelectorAll(\"script[type='application/json']\")]"
            f".map((part)=>JSON.parse(part.textContent));window.{key}(figure,...data)}})()"
            "</script></figure>"
        )


class LiveMachine(anywidget.AnyWidget):
    r"""A machine in Jupyter: the same script, brought by a widget.

    Args:
        html: see :func:`markup`.
        spec: see :func:`plan`.
        worker: see :func:`worker_script`.
        packed: trained weights by group, see :mod:`genbook.kit.machine.weights`.
        caption: HTML.
        figure: the first frame, for where no widgets are shown.
    """

    _css = style()

    html = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    worker = traitlets.Unicode().tag(sync=True)
    packed = traitlets.Dict().tag(sync=True)

    def __init__(
        self, html: str, spec: Mapping[str, Any], worker: str, packed: Mapping[str, str],
        caption: str, figure: Figure,
    ) -> None:  # fmt: skip
        self._caption, self._figure = caption, figure
        super().__init__(
            html=html + "</figure>", spec=dict(spec), worker=worker, packed=dict(packed)
        )

    def __repr__(self) -> str:
        return f"<Machine: {self._caption}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and an image of its first frame where widgets are not shown."""
        shown = super()._repr_mimebundle_(**options)
        if shown is None:
            return None
        bundle, *details = shown if isinstance(shown, tuple) else (shown,)
        image = plotting.png(self._figure, caption=self._caption)
        bundle = {**bundle, "text/plain": repr(self), "image/png": image}
        return (bundle, *details) if details else bundle


def _page_script(*, texts: bool) -> str:
    names = ("layers", "hands", *(("text",) if texts else ()), "bring", "machine")
    return "\n".join(script(name) for name in names)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


LiveMachine._esm = (
    _page_script(texts=True)
    + """
export default { render({ model, el }) {
el.innerHTML = model.get("html");
const [spec, worker, packed] = ["spec", "worker", "packed"].map((name) => model.get(name));
return mountMachine(el.querySelector("figure"), spec, worker, packed);
} };
"""
)
