"""Cells are Python with IPython's additions, and are read as IPython would."""

from __future__ import annotations

import ast

import pytest

from genbook.kit import cells

IMPORT = "from genbook import vae"


def imports(code: str) -> list[str]:
    nodes = [node for node in ast.walk(cells.tree(code)) if isinstance(node, ast.ImportFrom)]
    return [str(node.module) for node in nodes]


@pytest.mark.parametrize(
    "code",
    [
        f"%matplotlib inline\n{IMPORT}",
        f"%%time\n{IMPORT}",
        f"\n\n%%capture out --no-stderr\n{IMPORT}",
        f"%%time\n%%capture\n{IMPORT}",
        f"%time {IMPORT}",
        f"%timeit -n 1 {IMPORT}",
        f"!ls *.py\n{IMPORT}",
        f"files = !ls\n{IMPORT}",
        f"where = %pwd\n{IMPORT}",
        f"vae?\n{IMPORT}",
        f"?vae\n{IMPORT}",
        f"{IMPORT}\nawait something()",
        f"  {IMPORT}\n  x = 1",
        f"if True:\n    %time {IMPORT}",
        f"{IMPORT};",
        f">>> {IMPORT}",
        f"In [1]: {IMPORT}",
        f"%prun -s cumulative {IMPORT}",
        f"%prun -q -l 5 -D file.prof {IMPORT}",
        f"%lprun -f vae.f {IMPORT}",
        f"%memit -r 3 -i 0.1 {IMPORT}",
        f"%timeit -n 1 \\\n   f(x)\n{IMPORT}",
        f"%matplotlib \\\n   inline\n{IMPORT}",
        f"spent = %timeit -o {IMPORT}",
        f"%%timeit {IMPORT}\npass",
        f"%%debug\n{IMPORT}",
        f"%%my_own_timer\n{IMPORT}",
        f"%%python\n{IMPORT}",
        f"%%time\r\n{IMPORT}\r\nx = 1\r\n",
        f"\f%time {IMPORT}",
        f"if True:\n\t%time {IMPORT}",
        f"for x in y:\n    !ls $x\n    {IMPORT}",
        f"async with x as y:\n    %time {IMPORT}",
        f"{IMPORT}\n;f a b\n,f a b\n/f a",
        f"get_ipython().run_line_magic('time', '{IMPORT}')",
        f"get_ipython().run_cell_magic('time', '', '{IMPORT}\\n')",
        f"x = 1\nget_ipython().run_cell('%time {IMPORT}')",
        f"get_ipython().magic('%time {IMPORT}')",
        f"%%capture\n%matplotlib inline\n{IMPORT}",
        f"x = 1\r\n%time {IMPORT}\r\n",
        f"d['x'] = !ls | grep \"a'b\"\n{IMPORT}",
        f"%%memray_flamegraph\n{IMPORT}",
        f's = """\n%time\n"""\n!ls\n{IMPORT}',
        f"%load_ext autoreload\n%autoreload 2\nσ = !ls\n{IMPORT}",
    ],
)
def test_what_a_cell_imports_is_seen_through_magics(code):
    assert imports(code) == ["genbook"]


@pytest.mark.parametrize("magic", ["bash", "html", "javascript", "latex", "writefile x.py", "sql"])
def test_cells_in_another_language_are_empty(magic):
    assert cells.tree(f"%%{magic}\nfrom genbook import = <p>").body == []


@pytest.mark.parametrize("magic", ["writefile x.py", "file x.py"])
def test_a_cell_that_is_only_written_is_empty(magic):
    assert cells.tree(f"%%{magic}\n{IMPORT}").body == []


def test_a_shells_commands_are_no_python_even_where_they_could_be():
    assert cells.tree("%%bash\nls -l").body == cells.tree("%%!\ncd").body == []


@pytest.mark.parametrize("code", ["pip install torch", "\n cd ..\n", "ls -l *.py"])
def test_a_magic_may_stand_alone_without_its_sign(code):
    (node,) = cells.tree(code).body
    assert "run_line_magic" in ast.unparse(node)


@pytest.mark.parametrize("code", ["%%time\nx = 1\ny = = 2", "\n\ny = = 2", "%pwd\n\ny = = 2"])
def test_what_is_no_python_is_told_with_its_line(code):
    with pytest.raises(SyntaxError) as caught:
        cells.tree(code)
    assert caught.value.lineno == 3


@pytest.mark.parametrize("code", ["\n\nx = 1", "%%time\n\nx = 1", "%%time\n%%capture\nx = 1"])
def test_what_runs_below_a_magic_stands_where_it_stood(code):
    (node,) = cells.tree(code).body
    assert node.lineno == 3


@pytest.mark.parametrize("code", ["x = '\ud83d'", "x = '\0'"])
def test_text_that_no_file_could_hold_is_no_python(code):
    assert cells.trees([code]) == []


def test_a_cell_that_is_no_python_leaves_the_others_alone():
    assert len(cells.trees(["x = 1", "x = = 1", "%%html\n<p>"])) == 2


def test_a_call_that_runs_what_is_no_python_is_left_as_it_is():
    code = "shell = get_ipython()\nshell.run_cell('x = = 1')"
    assert ast.unparse(cells.tree(code)) == code


def test_an_empty_cell_is_an_empty_tree():
    assert cells.tree("").body == cells.tree("\n\n").body == []
