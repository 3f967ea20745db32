"""Tested torch functions, traced, as programs that a page runs by itself."""

from genbook.kit.machine.emit import javascript
from genbook.kit.machine.noise import normal, threefry, uniform
from genbook.kit.machine.program import Call, Place, Program, UnknownOperation, trace

__all__ = [
    "Call",
    "Place",
    "Program",
    "UnknownOperation",
    "javascript",
    "normal",
    "threefry",
    "trace",
    "uniform",
]
