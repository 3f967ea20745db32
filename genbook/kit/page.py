"""What a chapter's page shows: explorables, pictures, receipts, source."""

from genbook.kit.explore import explore, steps
from genbook.kit.plotting import picture
from genbook.kit.receipts import receipt
from genbook.kit.source import show

__all__ = ["explore", "picture", "receipt", "show", "steps"]
