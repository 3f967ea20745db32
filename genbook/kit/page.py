"""What a chapter's page shows: explorables, pictures, receipts and their relations, source."""

from genbook.kit.explore import explore, steps
from genbook.kit.machine.page import machine
from genbook.kit.machine.sketch import sketch
from genbook.kit.plotting import picture
from genbook.kit.receipts import receipt
from genbook.kit.relations import (
    above,
    always,
    at_least,
    at_most,
    below,
    between,
    close,
    equal,
    never,
)
from genbook.kit.source import show
from genbook.kit.tables import table

__all__ = [
    "above",
    "always",
    "at_least",
    "at_most",
    "below",
    "between",
    "close",
    "equal",
    "explore",
    "machine",
    "never",
    "picture",
    "receipt",
    "show",
    "sketch",
    "steps",
    "table",
]
