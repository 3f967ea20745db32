"""Figures as small, themed, repeatable SVG that sits in the page and takes its colours and font."""

from genbook.kit.svg.drawing import draw, finish, lay_out, render, settings, sketch
from genbook.kit.svg.ids import is_whole
from genbook.kit.svg.panels import PHONE, columns, legible_scale, opening, stacked, windows
from genbook.kit.svg.tree import Node, copy, inner, parse, serialise, walk

__all__ = [
    "PHONE",
    "Node",
    "columns",
    "copy",
    "draw",
    "finish",
    "inner",
    "is_whole",
    "lay_out",
    "legible_scale",
    "opening",
    "parse",
    "render",
    "serialise",
    "settings",
    "sketch",
    "stacked",
    "walk",
    "windows",
]
