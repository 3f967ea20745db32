"""Text that is on every machine: the source of Python's standard library."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from genbook.kit.data._checks import one_of, random_source, whole
from genbook.kit.device import Device, pick

ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
"""Newline and printable ASCII: the 96 characters of every :class:`Text` made here."""

MODULES = (
    "argparse", "ast", "base64", "bdb", "calendar", "cmd", "code", "codecs", "configparser",
    "contextlib", "copy", "csv", "dataclasses", "datetime", "difflib", "dis", "doctest", "enum",
    "filecmp", "fileinput", "fractions", "ftplib", "functools", "getopt", "gettext", "gzip",
    "hashlib", "heapq", "imaplib", "inspect", "ipaddress", "locale", "mailbox", "mimetypes",
    "netrc", "optparse", "os", "pdb", "pickle", "pickletools", "platform", "plistlib", "poplib",
    "posixpath", "pprint", "profile", "pstats", "pyclbr", "queue", "random", "reprlib", "sched",
    "selectors", "shelve", "shlex", "shutil", "smtplib", "socket", "socketserver", "ssl",
    "statistics", "string", "subprocess", "symtable", "tarfile", "tempfile", "textwrap",
    "threading", "timeit", "tokenize", "traceback", "types", "typing", "uuid", "warnings", "wave",
    "weakref", "webbrowser", "zipfile",
)  # fmt: skip
"""Modules of Python 3.11 to 3.14; a version that lacks one, or keeps it elsewhere, goes without."""

TEST_EACH = 5
"""Each fifth module is for testing."""


@dataclass(frozen=True, eq=False)
class Text:
    r"""Text as whole numbers.

    Attributes:
        codes: **[T]**, int64: places in the alphabet.
        alphabet: The characters, each once.
        notice: One line about where the text comes from.
    """

    codes: Tensor
    alphabet: str = ALPHABET
    notice: str = ""

    def __len__(self) -> int:
        return len(self.codes)

    def __str__(self) -> str:
        return self.decode(self.codes)

    def decode(self, codes: Tensor) -> str:
        r"""Characters from codes.

        Args:
            codes: **[T]**, whole numbers below ``len(alphabet)``.

        Returns:
            The string.

        Raises:
            ValueError: If a code is out of range.
        """
        numbers = codes.tolist()
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(self.alphabet):
            raise ValueError(
                f"decode: expected codes in [0, {len(self.alphabet) - 1}], got "
                f"[{min(numbers)}, {max(numbers)}]."
            )
        return "".join(self.alphabet[number] for number in numbers)

    def encode(self, string: str) -> Tensor:
        r"""Codes from characters.

        Args:
            string: Characters of the alphabet.

        Returns:
            **[T]**, int64, on the device of ``codes``.

        Raises:
            ValueError: If a character is not in the alphabet.
        """
        strange = sorted(set(string) - set(self.alphabet))
        if strange:
            raise ValueError(f"encode: {strange} not in the alphabet {self.alphabet!r}; leave out.")
        places = {character: place for place, character in enumerate(self.alphabet)}
        numbers = [places[character] for character in string]
        return torch.tensor(numbers, dtype=torch.int64, device=self.codes.device)

    def sample(self, n: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        r"""Random stretches of the text, and the same one character on.

        Args:
            n: Number of stretches.
            length: Characters in each, less than the text's.
            generator: Draws the places.

        Returns:
            Inputs and targets, both **[n, length]**, int64; ``targets[:, t]`` is the character
            that follows ``inputs[:, t]``.

        Raises:
            ValueError: If the text is too short.
        """
        whole("n", n, 1)
        whole("length", length, 1)
        room = len(self) - length
        if room < 1:
            raise ValueError(f"length: expected less than {len(self)} (the text's), got {length}.")
        device = random_source(generator).device
        start = torch.randint(room, (n, 1), generator=generator, device=device)
        index = start.to(self.codes.device) + torch.arange(length, device=self.codes.device)
        return self.codes[index], self.codes[index + 1]


def python_source(
    n_chars: int | None = None,
    split: str = "train",
    *,
    generator: torch.Generator | None = None,
    device: str | torch.device | Device | None = None,
) -> Text:
    r"""The source of modules of the standard library, one after the other.

    The list of modules is fixed and sorted; each fifth one is kept for testing. Tabs become four
    spaces, other characters beyond :data:`ALPHABET` are left out. The text is Python's own, so it
    differs a little from one Python version to the next: check no number that hangs on a letter.

    Args:
        n_chars: Length of the text; all there is by default.
        split: ``"train"`` or ``"test"``.
        generator: Shuffles the modules; alphabetical order by default.
        device: As in :func:`genbook.kit.device.pick`.

    Returns:
        The text.

    Raises:
        ValueError: If there are not that many characters, or this Python has no source files.

    Example:
        >>> text = python_source(2_000, device="cpu")
        >>> len(text), text.decode(text.encode("import re")), len(text.alphabet)
        (2000, 'import re', 96)
    """
    one_of("split", split, ("train", "test"))
    test = set(MODULES[TEST_EACH - 1 :: TEST_EACH])
    names = [name for name in MODULES if (name in test) == (split == "test")]
    if generator is not None:
        order = torch.randperm(
            len(names), generator=random_source(generator), device=generator.device
        )
        names = [names[place] for place in order.tolist()]
    text = _joined(names, None if n_chars is None else whole("n_chars", n_chars, 1))
    places = torch.full((128,), -1)
    places[torch.tensor([ord(character) for character in ALPHABET])] = torch.arange(len(ALPHABET))
    codes = places[torch.tensor(list(text.encode("ascii")))]
    return Text(
        codes=codes.to(pick(device).device),
        notice="text: the source of Python's standard library, as installed.",
    )


def _joined(names: list[str], n_chars: int | None) -> str:
    """The sources of the modules, cut to ``n_chars``."""
    folder, parts, have = Path(sysconfig.get_path("stdlib")), [], 0
    for name in names:
        path = folder / f"{name}.py"
        if n_chars is not None and have >= n_chars:
            break
        if path.is_file():
            parts.append(_plain(path.read_text(encoding="utf-8", errors="ignore")))
            have += len(parts[-1])
    if not have or (n_chars is not None and have < n_chars):
        raise ValueError(
            f"python_source: expected {n_chars or 1:,} characters, this Python's standard library "
            f"gives {have:,}; ask for fewer, or use a Python whose .py files are installed."
        )
    return "".join(parts)[:n_chars]


def _plain(source: str) -> str:
    """Only characters of the alphabet."""
    kept = set(ALPHABET)
    return "".join(letter for letter in source.replace("\t", "    ") if letter in kept)
