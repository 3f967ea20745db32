"""Let the notebooks print what is the same on every machine, so that outputs can be compared."""

import os

os.environ["GENBOOK_RECEIPTS"] = "claims"
