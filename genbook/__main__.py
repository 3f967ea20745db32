"""``python -m genbook``: what is run from a terminal rather than a page."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import genbook
from genbook.kit.console import encodable

if TYPE_CHECKING:
    from genbook.kit.studies import Study

Arguments = argparse.Namespace


@dataclass(frozen=True)
class Command:
    """A sub-command: what it says about itself, its arguments, what it does."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Arguments], int]


def _say(what: object) -> None:
    print(encodable(str(what)), flush=True)


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--before-build",
        action="store_true",
        help="try for 20 seconds at most, and say in one line which data the book will use",
    )


def _data(arguments: Arguments) -> int:
    from genbook.kit.data import fetch_mnist, mnist_files

    if arguments.before_build:
        _say(mnist_files.before_a_build())
        return 0
    for path in fetch_mnist():
        _say(path)
    return 0


def _refresh_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="+", help="notebooks, such as book/vae.ipynb")


def _refresh(arguments: Arguments) -> int:
    from genbook.kit import notebooks

    return notebooks.main(arguments.notebooks)


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", help="a chapter's stem, or all")
    parser.add_argument("--slice", action="store_true", help="a part of a minute, not recorded")
    parser.add_argument("--only", metavar="NAME", help="just the study of this name")


def _study(arguments: Arguments) -> int:
    from genbook.kit import studies
    from genbook.kit.files import check_folder
    from genbook.kit.study_runs import record

    chosen = chosen_studies(arguments.topic, arguments.only)
    if not arguments.slice and not studies.FOLDER.is_dir():
        raise ValueError(
            "studies are recorded in the book's checkout, and this is another installation. Get "
            "it and install with “pip install -e .” from there, or add --slice to record nothing."
        )
    for study in chosen:
        if not arguments.slice:
            check_folder(studies.file_of(study.name).parent, study.name)
    for study in chosen:
        result = record(study, slice=arguments.slice)
        if result is None:
            continue
        _say(result.provenance if arguments.slice else studies.save(result))
        for row in result.rows:
            _say("  " + ", ".join(f"{name} {value}" for name, value in row.items()))
    return 0


def chosen_studies(topic: str, only: str | None = None) -> list[Study]:
    r"""The studies of a topic.

    Args:
        topic: A chapter's stem, or ``"all"``.
        only: The name of one of them.

    Returns:
        The studies, at least one.

    Raises:
        ValueError: If there is none.
    """
    from genbook.kit import studies

    every = list(studies.find(importlib.import_module(name) for name in rooms()))
    chosen = [s for s in every if topic in ("all", s.topic) and only in (None, s.name)]
    if not chosen:
        names = ", ".join(study.name for study in every) or "none"
        raise ValueError(f"no study {only or ''} of {topic!r}; there are: {names}.")
    return chosen


def rooms() -> list[str]:
    r"""The chapters' rooms that may hold studies.

    Returns:
        Names of modules such as ``"genbook.wgan.critics"``.
    """
    inside = [module.name for module in pkgutil.walk_packages(genbook.__path__, "genbook.")]
    shared = ("genbook.__main__", "genbook.kit", "genbook.games")
    drawn = ("figures", "exercises", "machines")
    return [
        name
        for name in inside
        if not name.startswith(shared) and name.rpartition(".")[2] not in drawn
    ]


def _pdf_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--solutions", action="store_true", help="print the solutions, too")


def _pdf(arguments: Arguments) -> int:
    from genbook.kit.paper import print_book

    build, target = Path("_build/html"), Path("_build/pdf/nothing-on-faith.pdf")
    sheets = print_book(build, Path("_toc.yml"), target, solutions=arguments.solutions)
    _say(f"{sheets} pages in {target}")
    return 0


COMMANDS = {
    "data": Command("fetch MNIST into the cache", _data_arguments, _data),
    "pdf": Command("print the built book into one PDF", _pdf_arguments, _pdf),
    "refresh": Command(
        "run notebooks on the bundled data and store the outputs that CI compares",
        _refresh_arguments,
        _refresh,
    ),
    "study": Command("run a topic's studies and record them", _study_arguments, _study),
}
"""Every sub-command."""


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m genbook", description=__doc__)
    below = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        command.arguments(below.add_parser(name, help=command.help, description=command.help))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command and return its exit code."""
    chosen = parser().parse_args(arguments)
    try:
        return COMMANDS[chosen.command].run(chosen)
    except ValueError as trouble:
        print(f"genbook {chosen.command}: {trouble}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
