"""Run the notebooks that are not in the cache side by side, before they are read one by one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.main import JupyterCacheBase
from jupyter_cache.executors.utils import single_nb_execution
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

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
    try:
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(_run, app, path, notebook) for path, notebook in missing]
            for future, (path, _) in zip(futures, missing, strict=True):
                _store(cache, path, *future.result())
    finally:
        for key, value in saved.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def _stamped_notebook(path: Path) -> NotebookNode:
    text = stamped(path.read_text(encoding="utf-8"), fingerprint(path))
    return nbformat.reads(text, as_version=4)


def _is_cached(cache: JupyterCacheBase, notebook: NotebookNode) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def _run(app: Sphinx, path: Path, notebook: NotebookNode) -> tuple[NotebookNode, float]:
    logger.info("running %s", path.name)
    result = single_nb_execution(
        notebook,
        cwd=str(path.parent),
        allow_errors=False,
        timeout=app.config.nb_execution_timeout,
        meta_override=True,
    )
    if result.err is not None:
        raise ExtensionError(f"{path.name} failed in this cell:\n{result.exc_string}")
    logger.info("ran %s in %.1f s", path.name, result.time)
    return notebook, float(result.time)


def _store(cache: JupyterCacheBase, path: Path, notebook: NotebookNode, seconds: float) -> None:
    bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
