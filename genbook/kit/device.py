r"""Where to compute, in which precision, for how long, from which seed.

Two environment variables speak for a whole run; an argument always beats them:

========================  ==================================================================
``GENBOOK_DEVICE``        ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto`` (the default:
                          CUDA, else the CPU; Apple's MPS has no float64, in which the
                          chapters check much: it serves where it is asked for by name)
``GENBOOK_PROFILE``       ``fast`` (a twentieth of the CPU budgets, for tests), ``normal``
                          (the default: the budget of the device), ``full`` (the GPU budgets
                          whatever the device)
========================  ==================================================================
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from genbook.kit.environment import setting

PROFILES = ("fast", "normal", "full")
"""The values that ``GENBOOK_PROFILE`` may take."""

FAST_DIVISOR = 20
"""The ``fast`` profile divides the CPU budget by this number."""


@dataclass(frozen=True)
class Device:
    r"""A device with the precision to use on it.

    Attributes:
        device: Where tensors live.
        dtype: The floating dtype of parameters and data.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32

    @property
    def type(self) -> str:
        """``"cpu"``, ``"cuda"`` or ``"mps"``."""
        return self.device.type

    def autocast(self) -> AbstractContextManager[object]:
        r"""A context for the forward pass: bfloat16 on CUDA, nothing elsewhere.

        A ``float64`` device never autocasts: whoever asks for double precision means it.

        Returns:
            A fresh context manager.

        Example:
            >>> with pick("cpu").autocast():
            ...     torch.ones(2).dtype
            torch.float32
        """
        if self.type == "cuda" and self.dtype is not torch.float64:
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return nullcontext()

    def __str__(self) -> str:
        return str(self.device)


def pick(
    device: str | torch.device | Device | None = None, dtype: torch.dtype | None = None
) -> Device:
    r"""Choose a device: the argument, else ``GENBOOK_DEVICE``, else CUDA, else the CPU.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"auto"``, a ``torch.device``, or a
            :class:`Device` (which keeps its dtype unless ``dtype`` is given).
        dtype: Floating dtype; ``torch.float32`` by default.

    Returns:
        The device and its dtype.

    Raises:
        ValueError: If the name is unknown, the device is not on this machine, or the dtype is not
            a floating one (or is ``float64`` on MPS, which has none).

    Example:
        >>> str(pick("cpu"))
        'cpu'
        >>> pick("cpu", torch.float64).dtype
        torch.float64
    """
    if isinstance(device, Device):
        dtype = dtype or device.dtype
        device = device.device
    chosen = _resolve(device)
    dtype = dtype or torch.float32
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ValueError(
            f"dtype: expected a floating torch dtype, got {dtype!r}; try torch.float32."
        )
    if chosen.type == "mps" and dtype is torch.float64:
        raise ValueError("dtype: MPS has no float64; use torch.float32, or the device 'cpu'.")
    return Device(chosen, dtype)


def budget(
    *,
    cpu: int,
    gpu: int,
    device: str | torch.device | Device | None = None,
    profile: str | None = None,
) -> int:
    r"""How many steps to spend: a number for a laptop, a number for a GPU.

    Args:
        cpu: Steps on a CPU.
        gpu: Steps on CUDA or MPS.
        device: As in :func:`pick`.
        profile: ``"fast"``: ``cpu`` divided by 20, at least 1, on every device; ``"normal"``: the
            number of the device; ``"full"``: ``gpu`` on every device. ``None`` reads
            ``GENBOOK_PROFILE`` and falls back to ``"normal"``.

    Returns:
        A number of steps, at least 1.

    Raises:
        ValueError: If a budget is below 1 or the profile unknown.

    Example:
        >>> budget(cpu=2_000, gpu=50_000, device="cpu", profile="normal")
        2000
        >>> budget(cpu=2_000, gpu=50_000, device="cpu", profile="fast")
        100
    """
    for name, steps in (("cpu", cpu), ("gpu", gpu)):
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"budget: expected {name} to be a whole number ≥ 1, got {steps!r}.")
    where, profile = ("profile", profile) if profile is not None else _profile_from_environment()
    if profile not in PROFILES:
        raise ValueError(f"{where}: expected one of {', '.join(PROFILES)}, got {profile!r}.")
    if profile == "fast":
        return max(1, cpu // FAST_DIVISOR)
    if profile == "full":
        return gpu
    return cpu if pick(device).type == "cpu" else gpu


def seeded(seed: int, device: str | torch.device | Device = "cpu") -> torch.Generator:
    r"""A fresh random generator with a seed of its own; the global one is left alone.

    Args:
        seed: A whole number, 0 ≤ seed < 2⁶³.
        device: Where the random numbers are drawn. The same seed gives the same stream on one kind
            of device, not across kinds: draw on the CPU and move what must agree everywhere.

    Returns:
        The generator.

    Raises:
        ValueError: If the seed is not such a number, or the device is unknown.

    Example:
        >>> a, b = seeded(3), seeded(3)
        >>> torch.equal(torch.rand(4, generator=a), torch.rand(4, generator=b))
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed: expected a whole number, 0 ≤ seed < 2**63, got {seed!r}.")
    return torch.Generator(pick(device).device).manual_seed(seed)


def _profile_from_environment() -> tuple[str, str]:
    """The name to blame and the profile."""
    return "GENBOOK_PROFILE", setting("GENBOOK_PROFILE").lower() or "normal"


def _resolve(device: str | torch.device | None) -> torch.device:
    """Turn an argument or the environment into a device that is on this machine."""
    where = "device"
    if device is None:
        where = "GENBOOK_DEVICE"
        device = setting("GENBOOK_DEVICE").lower() or "auto"
    if device == "auto":
        return _best()
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        chosen = None
    if chosen is None or chosen.type not in ("cpu", "cuda", "mps"):
        raise ValueError(f"{where}: expected cpu, cuda, cuda:N, mps or auto, got {device!r}.")
    _refuse_absent(chosen, where)
    return chosen


def _best() -> torch.device:
    """CUDA, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _refuse_absent(device: torch.device, where: str) -> None:
    """Raise if this machine lacks the device."""
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    there = counts[device.type]
    if there == 0:
        raise ValueError(f"{where}: {device} was asked for, but this machine has none; use 'auto'.")
    if (device.index or 0) >= there:
        raise ValueError(f"{where}: {device} was asked for, but this machine has {there}.")
