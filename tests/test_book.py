"""The book as a whole: stems line up, receipts point at things that exist, nothing leaks in."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest
import repeats
import yaml

from genbook.kit import notebooks

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
NO_CHAPTERS = {"index", "machines"}
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.stem not in NO_CHAPTERS]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def files_in_toc() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(entry["file"] for entry in entries if "file" in entry)]


def markdown(path: Path) -> str:
    return "\n".join(c.source for c in notebooks.read(path).cells if c.cell_type == "markdown")


def slug(heading: str) -> str:
    """The anchor that MyST gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def code(path: Path) -> list[str]:
    return [c.source for c in notebooks.read(path).cells if c.cell_type == "code"]


def labels_in(path: Path) -> set[str]:
    equations = re.findall(r"\$\$ *\(([\w-]+)\)", markdown(path))
    return {*equations, *re.findall(r"^:label: *(\S+)", markdown(path), re.M)}


def functions_in(stem: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / stem / "test_receipts.py").read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_book_has_chapters():
    stems = {"divergences", "gan", "fgan", "wgan", "collapse", "lstm", "clipping", "vae"}
    assert stems <= {path.stem for path in CHAPTERS}


@each_chapter
def test_one_stem_stands_in_three_rooms_that_mirror_each_other(path):
    assert (ROOT / "genbook" / path.stem / "__init__.py").is_file()
    assert (ROOT / "tests" / path.stem / "test_receipts.py").is_file()
    assert f"book/{path.stem}" in files_in_toc()


def test_every_file_of_the_toc_exists():
    for name in files_in_toc():
        assert list(ROOT.glob(f"{name}.*")), name


@each_notebook
def test_notebooks_are_stored_clean(path):
    notebook = notebooks.read(path)
    assert notebook == notebooks.clean(notebook), f"run: python -m genbook refresh {path}"


@each_notebook
def test_checked_cells_have_the_output_that_ci_compares(path):
    for cell in notebooks.read(path).cells:
        if notebooks.is_checked(cell):
            assert cell.outputs, cell.source


@each_notebook
def test_receipts_are_compared_and_name_a_label_and_a_test(path):
    labels = labels_in(path)
    known = functions_in(path.stem)
    for call in notebooks.receipts(path):
        assert call.checked, call.claim
        assert call.label in labels, f"{call.claim}: no equation or theorem {call.label}"
        assert call.test in known, f"{call.claim}: no test {call.test}"


def test_labels_are_unique_in_the_whole_book():
    owner: dict[str, str] = {}
    for path in NOTEBOOKS:
        for label in labels_in(path):
            assert owner.setdefault(label, path.stem) == path.stem, label


@each_chapter
def test_a_chapter_has_five_receipts_three_explorables_and_five_exercises(path):
    assert len(list(notebooks.receipts(path))) >= 5
    source = "\n".join(code(path))
    assert len(re.findall(r"^explore\(", source, re.M)) >= 3
    assert markdown(path).count(":::{exercise}") >= 5


@each_notebook
def test_exercises_are_named_by_ref_and_theorems_by_prf_ref(path):
    assert "{prf:ref}`ex-" not in markdown(path)
    assert "{ref}`thm-" not in markdown(path)


@each_notebook
def test_directives_that_hold_text_are_colon_fences(path):
    """They read as text where MyST is not rendered."""
    held = re.findall(r"^`{3,}\{(?:prf:\w+|dropdown|admonition|exercise)\}", markdown(path), re.M)
    assert held == []


@each_chapter
def test_links_within_a_chapter_lead_to_its_headings(path):
    text = markdown(path)
    headings = {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


@each_chapter
def test_every_column_of_a_table_has_a_head_in_words(path):
    words = re.sub(r"\$[^$]*\$", "", markdown(path))
    tables = re.findall(r"^\|(.*)\|\n\|[ :|-]+\|$", words, re.MULTILINE)
    assert [head for head in tables if "" in map(str.strip, head.split(" | "))] == []


MARKUP = [
    (r"(?s)\$\$.*?\$\$(?: *\([\w-]+\))?|\$[^$]*\$", "x"),  # a formula is one word
    (r"(?m)^:[\w-]+:.*$", ""),  # options of a directive
    (r"(?m)^:::+(?:\{[\w:-]+\})?", ""),  # its fences
    (r"\{(?:cite:\w|eq|ref|prf:ref)\}`[^`]*`", "x"),  # so is a source or a number
    (r"\{[\w:]+\}`([^`<]*)[^`]*`", r"\1"),  # a term
    (r"\]\([^)]*\)", "]"),  # where a link leads
]


def read(text: str) -> int:
    """How many words of a chapter's text a reader reads."""
    for markup, seen in MARKUP:
        text = re.sub(markup, seen, text)
    return len(re.findall(r"\w+", text))


def test_only_what_is_read_is_counted():
    text = (
        ":::{prf:theorem} One, two\n:label: thm-x\nSee {term}`nat`s, [a link](b.md), {eq}`eq-x`.\n"
    )
    assert read(text + "$$\na + b\n$$ (eq-y)\n:::\n") == 8


@each_chapter
def test_a_chapter_is_short_enough_to_read(path):
    assert 1200 <= read(markdown(path)) <= 2500


@each_notebook
def test_a_cell_is_short_and_its_lines_fit_the_page(path):
    for source in code(path):
        assert len(source.strip().splitlines()) <= 20, source
        assert max(map(len, source.splitlines()), default=0) <= 76, source


@each_chapter
def test_a_chapter_offers_a_short_way_of_five_sentences_with_three_links(path):
    box = r":::\{admonition\}[^\n]*\n:class: gb-route\n(.*?)\n:::"
    boxes = re.findall(box, markdown(path), re.S)
    assert len(boxes) == 1
    assert len(re.findall(r"^\d\. ", boxes[0], re.M)) == 5
    assert len(re.findall(r"\]\(#|\{(?:prf:ref|eq|ref)\}`", boxes[0])) >= 3


@each_chapter
def test_each_exercise_says_how_long_and_how_hard_it_is(path):
    exercises = re.findall(r":::\{exercise\}.*?\n:::", markdown(path), re.S)
    for exercise in exercises:
        assert re.search(r"\n\*[^*\n]+, (easy|medium|hard)\.\*\n:::$", exercise), exercise


@each_notebook
def test_claims_of_one_chapter_are_told_apart(path):
    claims = [call.claim for call in notebooks.receipts(path)]
    assert len(set(claims)) == len(claims)


@each_notebook
def test_a_cell_run_twice_in_a_row_gives_the_same_as_far_as_its_code_tells(path):
    assert list(repeats.culprits(code(path))) == []


@pytest.mark.parametrize(
    ("earlier", "cell", "culprit"),
    [
        ("g = torch.Generator().manual_seed(1)", "x = torch.rand(3, generator=g)", "g of another"),
        ("a, g = 1, seeded(1)", "x = net(g)", "g of another"),
        ("gs = [seeded(k) for k in range(3)]", "x = [net(g) for g in gs]", "gs of another"),
        ("rows = zip(xs, ys)", "for row in rows: print(row)", "rows of another"),
        ("steps = (k for k in range(3))", "*_, last = steps", "steps of another"),
        ("x = 1", "x = x + 1", "x of an earlier cell is read"),
        ("x = 1", "y = x\nx = 2", "x of an earlier cell is read"),
        ("n = 1", "for k in range(3):\n    n += k", "n of an"),
        ("xs = []", "xs.append(1)", "xs of another cell is changed"),
        ("xs = []", "for k in range(3):\n    xs.append(k)", "xs of another cell is changed"),
        ("w = torch.zeros(3)", "w.data.fill_(1)", "w of another cell is changed"),
        ("", "layer = nn.Linear(3, 2)", "nn.Linear draws"),
        ("", "x = torch.randn(3)", "torch.randn draws"),
    ],
)
def test_a_culprit_is_named(earlier, cell, culprit):
    (found,) = repeats.culprits([earlier, cell])
    assert culprit in found


@pytest.mark.parametrize(
    ("earlier", "cell"),
    [
        ("x = 1", "y = x + 1"),
        ("x = 1", "x = 2\nx += 1"),
        ("xs = [1]", "xs = []\nfor k in range(3):\n    xs.append(k)"),
        ("g = seeded(1)", "g = seeded(2)\nx = torch.rand(3, generator=g)"),
        ("import torch.nn as nn", "nn.init.zeros_(torch.zeros(2))"),
        ("a, b = zip(*pairs)", "print(a, b)"),
        ("x = 1", "f = lambda x: x + 1\nys = [x for x in range(3)]"),
        ("def f(x):\n    x = x + 1\n    return x", "y = f(1)"),
        ("k = 9", "for k in range(3):\n    print(k)"),
        ("", "torch.manual_seed(0)\nlayer = nn.Linear(3, 2)"),
        ("%matplotlib inline", "%time x = 1"),
    ],
)
def test_a_cell_that_repeats_itself_is_let_be(earlier, cell):
    assert list(repeats.culprits([earlier, cell])) == []


@each_chapter
def test_every_explorable_and_picture_has_words_for_those_who_cannot_see_it(path):
    for source in code(path):
        for node in ast.walk(ast.parse(source)):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in {"explore", "picture"}:
                assert {"caption", "alt"} <= {keyword.arg for keyword in node.keywords}


@each_chapter
def test_exercises_of_a_chapter_are_used_in_it(path):
    module = importlib.import_module(f"genbook.{path.stem}.exercises")
    source = "\n".join(code(path))
    for exercise in module.EXERCISES:
        assert f".{exercise.name}.run(" in source, exercise.name


def test_terms_in_the_chapters_stand_in_the_glossary():
    entries = re.findall(r"^(\S.*)\n    \S", (BOOK / "glossary.md").read_text(), re.M)
    known = {entry.strip().lower() for entry in entries}
    for path in NOTEBOOKS:
        for term in re.findall(r"\{term\}`([^`]+)`", markdown(path)):
            name = re.sub(r".*<(.*)>", r"\1", term)
            assert name.lower() in known, f"{path.stem}: {name}"


def test_glossary_entries_have_a_chinese_name():
    for entry in re.findall(r"^\S.*\n    (\S.*)$", (BOOK / "glossary.md").read_text(), re.M):
        if not entry.startswith(("Each", "```")):
            assert re.search(r"[一-鿿]", entry), entry


def test_every_requirement_says_why_in_three_words():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if not line.startswith("#"):
            assert len(line.split("#")[1].split()) == 3, line


def test_no_machine_path_is_committed():
    command = ["git", "grep", "-nIE", r"/(home|root|Users|tmp)/\w"]
    listed = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert listed.stdout == ""


@pytest.mark.parametrize(
    "path", sorted((ROOT / "genbook").rglob("*.py")), ids=lambda path: path.stem
)
def test_docstrings_with_backslashes_are_raw(path):
    text = path.read_text(encoding="utf-8")
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Module)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            written = ast.get_source_segment(text, node.body[0]) or ""
            assert "\\" not in written or written.startswith("r"), written[:60]


@each_notebook
def test_no_equation_begins_with_a_bracket_that_its_environment_would_take_as_an_option(path):
    assert not re.findall(r"\\begin\{(?:aligned|gathered|split)\}\s*\[[^]]*\]", markdown(path))
