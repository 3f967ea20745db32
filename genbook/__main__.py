"""``python -m genbook``: what is run from a terminal rather than a page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Arguments = argparse.Namespace


@dataclass(frozen=True)
class Command:
    """A sub-command: what it says about itself, its arguments, what it does."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Arguments], int]


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    """``data`` has none."""


def _data(_: Arguments) -> int:
    from genbook.kit.data import fetch_mnist

    for path in fetch_mnist():
        print(path)
    return 0


def _refresh_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="+", help="notebooks, such as book/vae.ipynb")


def _refresh(arguments: Arguments) -> int:
    from genbook.kit import notebooks

    return notebooks.main(arguments.notebooks)


COMMANDS = {
    "data": Command("fetch MNIST into the cache", _data_arguments, _data),
    "refresh": Command(
        "run notebooks on the bundled data and store the outputs that CI compares",
        _refresh_arguments,
        _refresh,
    ),
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
