"""What is left when the package is installed from a wheel, without the book's checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOAD = """
from genbook.kit import studies
try:
    studies.load("vae_nll")
except ValueError as trouble:
    print(trouble)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel brings."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "genbook", source / "genbook")
    build = "from setuptools.build_meta import build_wheel; build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    shutil.unpack_archive(made, folder / "installed", "zip")
    shutil.rmtree(source)
    return folder / "installed"


def answer(wheel: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a Python says that knows the wheel and no checkout."""
    settings = {"PYTHONPATH": str(wheel), "GENBOOK_DATA": "none", "GENBOOK_DOWNLOAD": "0"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=wheel,
        env={**os.environ, **settings, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_wheel_brings_every_file_that_the_package_reads(wheel: Path) -> None:
    def files(folder: Path) -> set[str]:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
        return {name for name in found if "__pycache__" not in name}

    assert files(wheel / "genbook") == files(ROOT / "genbook")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-c", LOAD), "pip install -e"),
        (("-m", "genbook", "study", "vae"), "pip install -e"),
        (("-m", "genbook", "refresh", "vae.ipynb"), "expected a notebook at vae.ipynb"),
        (("-m", "genbook", "data", "--before-build"), "bundled"),
    ],
)
def test_a_wheel_without_the_checkout_answers_with_a_sentence(
    wheel: Path, arguments: tuple[str, ...], said: str
) -> None:
    told = answer(wheel, *arguments)
    assert said in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    assert not (wheel / "book").exists()
