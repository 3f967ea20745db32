"""The generated reference covers every room and links functions to chapters."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from genbook.kit.sphinx_ext import reference
from genbook.kit.sphinx_ext.reference import Mentions, sentence


def notebook(path, *cells):
    code = [
        {
            "cell_type": "code",
            "source": cell,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for cell in cells
    ]
    content = {"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(content))
    return path


def test_every_room_of_a_chapter_has_a_section_and_no_page_room_has():
    text = reference.page("vae")
    assert ".. automodule:: genbook.vae.bounds" in text
    assert "genbook.vae.figures" not in text
    assert "genbook.vae.exercises" not in text


def test_what_is_shown_is_told_from_what_is_called(tmp_path):
    path = notebook(
        tmp_path / "x.ipynb",
        "%matplotlib inline\nfrom genbook.kit.page import show\nfrom genbook.vae import bounds",
        "show(bounds.elbo)\nbounds.iwae_bound(1)",
    )
    found = set(reference.mentions(path))
    assert ("genbook.vae.bounds.elbo", True) in found
    assert ("genbook.vae.bounds.iwae_bound", False) in found


@pytest.mark.parametrize(
    "cells",
    [
        ("import genbook.vae.bounds", "genbook.vae.bounds.elbo"),
        ("import genbook.vae.bounds as b", "b.elbo"),
        ("from genbook.vae.bounds import *", "elbo"),
        ("%%time\nfrom genbook.vae import bounds as b", "%timeit -n 1 b.elbo"),
        ("from genbook.vae import bounds", "from genbook import no_such_room", "bounds.elbo"),
        ("from genbook.vae import bounds", "from . import x", "x = = 1", "bounds.elbo"),
        ("from genbook.vae import bounds", "import genbook.no_such_room", "bounds.elbo"),
    ],
    ids=lambda cells: cells[0] + "; " + cells[1],
)
def test_an_object_is_known_however_it_was_imported(tmp_path, cells):
    path = notebook(tmp_path / "x.ipynb", *cells)
    assert ("genbook.vae.bounds.elbo", False) in set(reference.mentions(path))


def test_a_name_that_a_package_hands_on_counts_for_its_own_room(tmp_path):
    path = notebook(tmp_path / "x.ipynb", "from genbook.kit.page import explore\nexplore")
    assert set(reference.mentions(path)) == {("genbook.kit.explore.explore", False)}


def test_a_chapter_that_shows_is_not_named_again_as_one_that_uses():
    assert sentence(Mentions(["vae"], ["vae"]))[-1] == "Shown in :doc:`/book/vae`."
    assert sentence(Mentions([], ["gan", "vae"]))[-1] == (
        "Used in :doc:`/book/gan`, :doc:`/book/vae`."
    )
    assert sentence(Mentions()) == []


def test_pages_are_written_once_and_stale_ones_removed(tmp_path):
    app = SimpleNamespace(srcdir=tmp_path)
    (tmp_path / "book" / "api").mkdir(parents=True)
    stale = tmp_path / "book" / "api" / "gone.md"
    stale.write_text("x")
    reference.write_pages(app, None)
    assert not stale.exists()
    page = tmp_path / "book" / "api" / "vae.md"
    before = page.stat().st_mtime_ns
    reference.write_pages(app, None)
    assert page.stat().st_mtime_ns == before


def test_listing_the_rooms_loads_no_chapter():
    script = (
        "import sys; from genbook.kit.sphinx_ext import reference; "
        "text = [reference.page(name) for name in reference.packages()]; "
        "print(len(text), 'genbook.vae' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(len(reference.packages())), "False"]


def test_another_build_reads_the_notebooks_again(tmp_path):
    app = SimpleNamespace(srcdir=tmp_path)
    (tmp_path / "book").mkdir()
    lines: list[str] = []
    reference.forget(app)
    reference.name_chapters(app, "function", "genbook.vae.bounds.elbo", None, None, lines)
    assert lines == []
    notebook(tmp_path / "book" / "x.ipynb", "from genbook.vae import bounds\nbounds.elbo(1)")
    reference.forget(app)
    reference.name_chapters(app, "function", "genbook.vae.bounds.elbo", None, None, lines)
    assert lines[-1] == "Used in :doc:`/book/x`."
    reference.forget(app)
