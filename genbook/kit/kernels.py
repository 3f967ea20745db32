"""How the kernels that run the notebooks are started."""

from __future__ import annotations

import zmq
from jupyter_client.manager import KernelManager
from traitlets.config import Config

POLICY = "transport_encryption"


def settings() -> Config:
    r"""What to ask of a kernel's manager: messages that no other user of the machine can read.

    A kernel warns on its stderr where its messages are not encrypted. A recent Jupyter can encrypt
    them, but does so only when asked.

    Returns:
        A configuration for ``nbclient.NotebookClient``; empty where Jupyter or ZeroMQ is too old.

    Example:
        >>> set(settings()) <= {"KernelManager"}
        True
    """
    config = Config()
    if POLICY in KernelManager.class_traits() and zmq.has("curve"):
        config.KernelManager[POLICY] = "auto"
    return config
