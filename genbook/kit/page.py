"""What a chapter's page shows: explorables, pictures, receipts, source."""

from genbook.kit.explore import explore, steps
from genbook.kit.plotting import picture
from genbook.kit.receipts import receipt
from genbook.kit.source import show
from genbook.kit.tables import table

__all__ = ["explore", "picture", "receipt", "show", "steps", "table"]
