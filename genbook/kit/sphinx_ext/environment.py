"""Set what the notebooks' kernels inherit: static explorables, no downloads, one data folder."""

from __future__ import annotations

import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from genbook.kit.data import places
from genbook.kit.environment import cache_folder, setting


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("config-inited", prepare)
    app.connect("builder-inited", choose_form)


def prepare(app: Sphinx, config: Config) -> None:
    """Pin the folders, whoever started the build."""
    os.environ["GENBOOK_EXPLORE_RECORD"] = str(Path(app.outdir).parent / "references")
    if not setting("GENBOOK_DOWNLOAD"):
        os.environ["GENBOOK_DOWNLOAD"] = "0"
    if setting("GENBOOK_CACHE"):
        os.environ["GENBOOK_CACHE"] = str(cache_folder())
    os.environ.setdefault("PYTHONHASHSEED", "0")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait yield a busy core
    folder = places.data_folder(Path(app.confdir))
    if folder:
        os.environ["GENBOOK_DATA"] = str(folder)


def choose_form(app: Sphinx) -> None:
    """Pages that move where html is written; figures with an image of each elsewhere (LaTeX)."""
    os.environ["GENBOOK_STATIC"] = "1" if app.builder.format == "html" else "0"
