"""A break that leaves a receipt standing is found out, and so is a receipt that never held."""

from __future__ import annotations

import pytest
import torch
from chapters import altered, assert_breaks, parsed, replace, rewritten, swap
from nbformat.v4 import new_code_cell, new_notebook

from genbook.kit import notebooks, studies
from genbook.vae import bounds, models

IMPORTS = "from genbook.kit.page import above, close, equal, picture, receipt\nimport torch"


def chapter(tmp_path, *cells):
    path = tmp_path / "x.ipynb"
    notebooks.write(path, new_notebook(cells=[new_code_cell(c) for c in (IMPORTS, *cells)]))
    return parsed("x", path)


def claim(relation, test="test_a", words="a"):
    return f"receipt({words!r}, {relation}, label='eq-a', test={test!r})"


KL = (
    "from genbook.vae import models\n"
    "q = models.Gaussian(torch.ones(1, 2), torch.zeros(1, 2))\n"
    "kl = models.gaussian_kl(q).sum()"
)


def test_a_receipt_that_holds_and_falls_passes(tmp_path):
    where = chapter(tmp_path, KL, claim("close(kl, 1.0, tol=1e-6)"))
    assert_breaks("x", "test_a", altered(models.gaussian_kl, lambda kl: 2 * kl), where=where)


def test_a_break_that_changes_nothing_is_named(tmp_path):
    where = chapter(tmp_path, KL, claim("close(kl, 1.0, tol=9.0)"))
    with pytest.raises(AssertionError, match="break 0 leaves every receipt"):
        assert_breaks("x", "test_a", altered(models.gaussian_kl, lambda kl: 2 * kl), where=where)


def test_a_receipt_that_never_held_is_no_proof(tmp_path):
    where = chapter(tmp_path, KL, claim("close(kl, 3.0, tol=1e-6)"))
    with pytest.raises(AssertionError, match="before anything is broken"):
        assert_breaks("x", "test_a", altered(models.gaussian_kl, lambda kl: 2 * kl), where=where)


def test_a_shortening_that_fails_by_itself_is_no_proof(tmp_path):
    where = chapter(tmp_path, KL, claim("close(kl, 1.0, tol=1e-6)"))
    short = altered(models.gaussian_kl, lambda kl: 0 * kl)
    with pytest.raises(AssertionError, match="before anything is broken"):
        assert_breaks("x", "test_a", short, given=short, where=where)


def test_every_receipt_of_a_test_must_fall_under_some_break(tmp_path):
    where = chapter(
        tmp_path,
        KL,
        claim("close(kl, 1.0, tol=1e-6)"),
        claim("equal(torch.ones(2).sum(), 2)", words="b"),
    )
    double = altered(models.gaussian_kl, lambda kl: 2 * kl)
    with pytest.raises(AssertionError, match=r"still holds although it was broken: \['b'\]"):
        assert_breaks("x", "test_a", double, where=where)
    assert_breaks(
        "x",
        "test_a",
        double,
        lambda patch: patch.setattr("torch.ones", lambda *_: torch.zeros(1, 2)),
        where=where,
    )


def test_a_break_without_anything_to_break_is_refused(tmp_path):
    where = chapter(tmp_path, claim("equal(1, 1)"))
    with pytest.raises(ValueError, match="at least one break"):
        assert_breaks("x", "test_a", where=where)


def test_only_what_a_receipt_needs_is_run(tmp_path):
    where = chapter(
        tmp_path,
        "%matplotlib inline\nx, y = 1, 2",
        "raise RuntimeError('not needed')",
        "picture(lambda: 1 / 0, caption='', alt='')",
        claim("equal(y, 3)", test="test_other"),
        "z = x + 1",
        claim("equal(z, 2)"),
    )
    assert [s.code for s in where.needed("test_a")][1:] == [
        "x, y = (1, 2)",
        "z = x + 1",
        "receipt('a', equal(z, 2), label='eq-a', test='test_a')",
    ]


@pytest.mark.parametrize(
    "change",
    [
        "found.append(2)",
        "found[0] = 2",
        "found += [2]",
        "for _ in range(1): found.append(2)",
        "next(iter(found))",
        "steps = list(train(found))",
        "*_, last = train(found)",
        "for step in train(found): pass",
        "del found[0]",
        "box.value = 2",
        "for part in found.parts(): part.zero_()",
    ],
)
def test_what_changes_a_value_in_place_is_kept(tmp_path, change):
    where = chapter(tmp_path, "found = [1]\nbox = train = None", change, claim("equal(found, box)"))
    assert change.split("\n")[0].split(":")[0] in "\n".join(s.code for s in where.needed("test_a"))


@pytest.mark.parametrize(
    "earlier",
    [
        "for name in ['a']:\n    left = name.upper()",
        "rows = [name for name in ['a']]\nleft = rows",
        "rows = []\nfor name in ['a']:\n    rows.append(name)",
    ],
)
def test_a_loops_own_names_bring_in_no_earlier_loop(tmp_path, earlier):
    loop = "found = []\nfor name in ['b']:\n    left = name * 2\n    found.append(len(left))"
    where = chapter(tmp_path, earlier, loop, claim("equal([len(name) for name in ['c']], found)"))
    assert {s.cell for s in where.needed("test_a")} == {0, 2, 3}


def test_a_name_that_a_loop_reads_before_it_binds_it_is_kept(tmp_path):
    loop = "for step in range(3):\n    total = total + step"
    where = chapter(tmp_path, "total = 1", "other = 2", loop, claim("equal(total, 4)"))
    assert {s.cell for s in where.needed("test_a")} == {0, 1, 3, 4}


def test_a_functions_argument_hides_no_name_of_the_function_around_it(tmp_path):
    outer = "def outer():\n    def inner(x):\n        return x\n    return inner(x)"
    where = chapter(tmp_path, "x = 1", outer, claim("equal(outer(), 1)"))
    assert {s.cell for s in where.needed("test_a")} == {0, 1, 2, 3}


def test_a_function_is_replaced_under_every_name_that_holds_it(monkeypatch):
    import genbook.vae

    substitute = object()
    replace(monkeypatch, bounds.elbo, substitute)
    assert bounds.elbo is substitute
    assert genbook.vae.elbo is substitute
    with pytest.raises(ValueError, match="expected something that a module"):
        replace(monkeypatch, object(), substitute)


def test_a_rewritten_study_is_read_wherever_it_is_loaded(monkeypatch):
    before = studies.load("vae_nll")
    rewritten("vae_nll", lambda row: {"nll": 0.0})(monkeypatch)
    assert set(studies.load("vae_nll").column("nll")) == {0.0}
    assert studies.load("lstm_long_lag").rows
    assert set(before.column("nll")) != {0.0}


def test_a_swap_ends_with_its_run(tmp_path):
    where = chapter(tmp_path, KL, claim("close(kl, 1.0, tol=1e-6)"))
    original = models.gaussian_kl
    assert_breaks(
        "x", "test_a", swap(models.gaussian_kl, lambda q: torch.full((1, 2), 9.0)), where=where
    )
    assert models.gaussian_kl is original
