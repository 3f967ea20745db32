"""The reference: a page a package, written from the code, with links to the chapters."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

import genbook
from genbook.kit.cells import trees as syntax
from genbook.kit.notebooks import code

FOLDER = "book/api"
PAGE_ONLY = ("figures", "exercises", "machines")
BUILD_ONLY = ("sphinx_ext",)


@dataclass
class Mentions:
    r"""Where the chapters mention an object of the package.

    Args:
        shown: stems of the notebooks that display its source.
        used: stems of the notebooks that call it.
    """

    shown: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("config-inited", write_pages, priority=100)
    app.connect("builder-inited", forget)
    app.connect("autodoc-process-docstring", name_chapters, priority=900)


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the page of every package that is missing or out of date, remove the others."""
    folder = Path(app.srcdir) / FOLDER
    if not folder.parent.is_dir():
        return
    folder.mkdir(exist_ok=True)
    wanted = {f"{package}.md": page(package) for package in packages()}
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def packages() -> list[str]:
    r"""The packages inside genbook: the kit, the games, one a chapter.

    Example:
        >>> {"kit", "games", "vae"} <= set(packages())
        True
    """
    return [entry.name for entry in pkgutil.iter_modules(genbook.__path__) if entry.ispkg]


def page(package: str) -> str:
    r"""The reference of a package in MyST.

    Args:
        package: such as ``"vae"``.

    Returns:
        A heading, what the package is for, and a section a room.

    Example:
        >>> page("vae").splitlines()[0]
        '# genbook.vae'
    """
    face = _folder(package) / "__init__.py"
    told = ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))) or ""
    first = told.partition("\n")[0]
    sections = [_section(room) for room in rooms(package)]
    return "\n\n".join([f"# genbook.{package}", first, *sections]) + "\n"


def _section(room: str) -> str:
    title = room.rpartition(".")[2]
    return f"## {title}\n\n```{{eval-rst}}\n.. automodule:: {room}\n   :members:\n```"


def rooms(package: str) -> Iterator[str]:
    r"""The public rooms of a package; a room that is a package itself counts by its face.

    Args:
        package: such as ``"kit"``.

    Yields:
        Names of modules such as ``"genbook.kit.data"``.
    """
    for entry in pkgutil.iter_modules([str(_folder(package))]):
        hidden = entry.name.startswith("_") or entry.name in BUILD_ONLY
        if not hidden and (package == "kit" or entry.name not in PAGE_ONLY):
            yield f"genbook.{package}.{entry.name}"


def _folder(package: str) -> Path:
    """Where a package lies: its pages are listed without loading what it holds."""
    return Path(genbook.__path__[0]) / package


def forget(app: Sphinx) -> None:
    """Let another build in this process read the notebooks again."""
    collected.cache_clear()


@cache
def collected(book: Path) -> dict[str, Mentions]:
    r"""Which notebooks show or call what, read once a build, and only if a page needs it.

    Args:
        book: the folder of the notebooks.

    Returns:
        By an object's full name.
    """
    found: dict[str, Mentions] = {}
    for path in sorted(book.glob("*.ipynb")):
        for name, shown in mentions(path):
            entry = found.setdefault(name, Mentions())
            stems = entry.shown if shown else entry.used
            if path.stem not in stems:
                stems.append(path.stem)
    return found


def mentions(notebook: Path) -> Iterator[tuple[str, bool]]:
    r"""The objects of the package that a notebook's cells name.

    Args:
        notebook: path of the ``.ipynb``.

    Yields:
        The object's full name, and whether its source is displayed there.
    """
    trees = syntax(code(notebook))
    names: dict[str, Any] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        names |= dict(_bound(node))
    for tree in trees:
        shown = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and _called(node) == "show"
            for argument in node.args
            for part in ast.walk(argument)
        }
        for node in ast.walk(tree):
            if (full := _full_name(node, names)) is not None:
                yield full, id(node) in shown


def _bound(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The names that an import of the package binds; where it fails, running the cell says why."""
    with suppress(ImportError):
        match node:
            case ast.ImportFrom(str(module), aliases, 0) if _is_ours(module):
                for alias in aliases:
                    yield from _taken(module, alias)
            case ast.Import(aliases):
                for alias in (alias for alias in aliases if _is_ours(alias.name)):
                    whole = importlib.import_module(alias.name)
                    yield (alias.asname, whole) if alias.asname else (genbook.__name__, genbook)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == genbook.__name__


def _taken(module: str, alias: ast.alias) -> Iterator[tuple[str, Any]]:
    """What ``from module import alias`` binds."""
    holder = importlib.import_module(module)
    if alias.name == "*":
        public = (name for name in vars(holder) if not name.startswith("_"))
        yield from ((name, getattr(holder, name)) for name in getattr(holder, "__all__", public))
    elif hasattr(holder, alias.name):
        yield alias.asname or alias.name, getattr(holder, alias.name)
    else:
        yield alias.asname or alias.name, importlib.import_module(f"{module}.{alias.name}")


def _called(node: ast.Call) -> str:
    """The last name of what is called."""
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def _full_name(node: ast.AST, names: dict[str, Any]) -> str | None:
    """The full name of the function or class that a name or an attribute stands for."""
    thing = _value(node, names)
    if callable(thing) and str(getattr(thing, "__module__", "")).startswith("genbook."):
        qualified = getattr(thing, "__qualname__", None)
        return f"{thing.__module__}.{qualified}" if qualified else None
    return None


def _value(node: ast.AST, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr, None)
    return None


def name_chapters(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Say below a docstring which chapters show the object, or else use it."""
    lines += sentence(collected(Path(app.srcdir) / "book").get(name, Mentions()))


def sentence(found: Mentions) -> list[str]:
    r"""The links to the chapters, as lines of reStructuredText.

    Args:
        found: where an object is mentioned.

    Returns:
        Lines to append to its docstring; none if no chapter mentions it.

    Example:
        >>> sentence(Mentions(shown=["vae"], used=["vae", "gan"]))[-1]
        'Shown in :doc:`/book/vae`; used in :doc:`/book/gan`.'
    """
    used = [stem for stem in found.used if stem not in found.shown]
    parts = [
        f"{verb} in {', '.join(f':doc:`/book/{stem}`' for stem in stems)}"
        for verb, stems in (("shown", found.shown), ("used", used))
        if stems
    ]
    if not parts:
        return []
    text = "; ".join(parts) + "."
    return ["", text[0].upper() + text[1:]]
