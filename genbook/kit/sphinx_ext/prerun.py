"""Run the notebooks that are not in the cache side by side, before they are read one by one."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.main import JupyterCacheBase
from jupyter_cache.executors.utils import single_nb_execution
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from genbook.kit import kernels, notebooks
from genbook.kit.sphinx_ext.fingerprints import fingerprint, stamped

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("env-before-read-docs", run_missing)


def run_missing(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Fill the cache with the notebooks about to be read, two or more at a time."""
    if app.config.nb_execution_mode != "cache":
        return
    beside_output = str(Path(app.outdir).parent / ".jupyter_cache")
    cache = get_cache(app.config.nb_execution_cache_path or beside_output)
    paths = [Path(env.doc2path(name)) for name in docnames]
    missing = [
        (path, notebook)
        for path in paths
        if path.suffix == ".ipynb" and (notebook := _stamped_notebook(path)) is not None
        if not _is_cached(cache, notebook)
    ]
    if not missing:
        return
    workers = max(1, min(len(missing), os.cpu_count() or 1))
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    saved = {key: os.environ.get(key) for key in ("OMP_NUM_THREADS",)}
    os.environ["OMP_NUM_THREADS"] = threads
    told = Progress(len(missing), workers, time.monotonic())
    try:
        with ThreadPoolExecutor(workers) as pool:
            futures = {pool.submit(_run, app, path, nb): path for path, nb in missing}
            for number, future in enumerate(as_completed(futures), start=1):
                path = futures[future]
                notebook, seconds = _result(future, pool)
                _store(cache, path, notebook, seconds)
                logger.info(told.line(path.name, seconds, number, time.monotonic()))
    finally:
        for key, value in saved.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def _stamped_notebook(path: Path) -> NotebookNode:
    text = stamped(path.read_text(encoding="utf-8-sig"), fingerprint(path))
    return notebooks.parsed(text, str(path))


def _is_cached(cache: JupyterCacheBase, notebook: NotebookNode) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


@dataclass(frozen=True)
class Progress:
    r"""How far the notebooks are.

    Args:
        total: notebooks to run.
        workers: that run at once.
        start: the clock when they began, seconds.
    """

    total: int
    workers: int
    start: float

    def line(self, name: str, seconds: float, done: int, now: float) -> str:
        r"""What to tell when a notebook has been run.

        Args:
            name: of the notebook.
            seconds: that it took.
            done: how many have been run.
            now: the clock.

        Returns:
            A line; the time left supposes that the others take as long as those that were run.

        Example:
            >>> Progress(12, 2, 0.0).line("gan.ipynb", 40.0, 3, 90.0)
            'ran gan.ipynb in 40 s (3 of 12 notebooks, about 4.5 min left)'
        """
        left = (now - self.start) * (self.total - done) / done
        still = f"about {left / 60:.1f} min" if left >= 60 else f"about {left:.0f} s"
        rest = f", {still} left" if done < self.total else ""
        return f"ran {name} in {seconds:.0f} s ({done} of {self.total} notebooks{rest})"


def _result(
    future: Future[tuple[NotebookNode, float]], pool: ThreadPoolExecutor
) -> tuple[NotebookNode, float]:
    """What a notebook gave; if it failed, no other is begun."""
    try:
        return future.result()
    except ExtensionError:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _run(app: Sphinx, path: Path, notebook: NotebookNode) -> tuple[NotebookNode, float]:
    logger.info("running %s", path.name)
    result = single_nb_execution(
        notebook,
        cwd=str(path.parent),
        allow_errors=False,
        timeout=app.config.nb_execution_timeout,
        meta_override=True,
        config=kernels.settings(),
    )
    said = notebooks.failure(path.name, notebook)  # also what %%capture keeps from the status
    if said or result.err is not None:
        raise ExtensionError(said or f"{path.name}: {result.err}")
    return notebook, float(result.time)


def _store(cache: JupyterCacheBase, path: Path, notebook: NotebookNode, seconds: float) -> None:
    bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
