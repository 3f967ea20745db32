r"""A reader's answers: converted, compared as values, and shown in what is said about them.

An answer may be a number, a list, a NumPy array or a tensor of any kind, or a function that gives
one. What counts is its value: this module alone decides how close is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence, ValuesView
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

RTOL = 1e-6
r"""How close an answer in double precision must come, in units of :math:`\max(|t|, 10^{-3})`."""

COARSE = {torch.float32: 2e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""The same for answers in fewer bits."""

SHORT = 16
"""Binary digits that a number has when somebody wrote it, such as 0.75; a computed one has more."""

SMALL = 1e-3
"""Below this size differences are absolute."""

MANY = 100_000
"""Items that are read of an iterator, which may have no end."""

WORDS = (str, bytes, bytearray, memoryview, type(None))
"""What NumPy would read as numbers, and a reader would not."""


class Hint(Exception):  # noqa: N818 (not an error of the program)
    """What to tell a reader whose answer is wrong."""


class UnansweredError(Exception):
    """A stub that returns nothing yet."""


class ReaderError(Exception):
    """The reader's own code raised; the cause is what it raised."""


def is_blank(value: Any) -> bool:
    r"""Whether a value is what a stub gives.

    Example:
        >>> is_blank(None), is_blank(...), is_blank(0)
        (True, True, False)
    """
    return value is None or value is ...


def call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    r"""Call a reader's function on copies, so that it cannot change what it is checked against.

    Args:
        function: the reader's function.
        *arguments: handed on; tensors and lists are copied first.
        **keywords: the same.

    Returns:
        What the function returns.

    Raises:
        UnansweredError: if it returns ``None`` or ``...``.
        ReaderError: if it raises.
        Hint: if it is no function.

    Example:
        >>> call(lambda x: x + 1, 1)
        2
    """
    copies = [copied(argument) for argument in arguments]
    named = {name: copied(value) for name, value in keywords.items()}
    return call_in_place(function, *copies, **named)


def call_in_place(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    r"""As :func:`call`, on the arguments themselves: for a function that is meant to change them.

    Args:
        function: the reader's function.
        *arguments: handed on as they are.
        **keywords: the same.

    Returns:
        What the function returns.

    Raises:
        UnansweredError: if it returns ``None`` or ``...``.
        ReaderError: if it raises.
        Hint: if it is no function.

    Example:
        >>> found = []
        >>> call_in_place(lambda x: x.append(1) or x, found) is found
        True
    """
    if not callable(function):
        raise Hint(f"expected a function, got {shown(function)}; pass its name without brackets.")
    try:
        with _settings_kept():
            value = listed(function(*arguments, **keywords))
    except (Exception, SystemExit) as error:
        said = _line(str, error)
        raise ReaderError(type(error).__name__ + (f": {said}" if said else "")) from error
    if is_blank(value):
        raise UnansweredError
    return value


@contextmanager
def _settings_kept() -> Iterator[None]:
    """What a reader's function sets for the whole process holds for that function alone."""
    dtype, device, grad = (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
    )
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_default_device(device)
        torch.set_grad_enabled(grad)


def listed(value: Any) -> Any:
    r"""What can be read only once, as a list; anything else stays itself.

    Args:
        value: anything.

    Returns:
        The first :data:`MANY` items of an iterator or of a dictionary's values, or ``value``.

    Example:
        >>> listed(x * x for x in range(3)), listed("abc")
        ([0, 1, 4], 'abc')
    """
    return list(islice(value, MANY)) if isinstance(value, (Iterator, ValuesView)) else value


def alone(value: Any) -> Any:
    r"""The one item of a list of one, which is as good as the item; anything else stays itself.

    Args:
        value: anything.

    Returns:
        What stands alone in it, however deep, or ``value``.

    Example:
        >>> alone([[2.5]]), alone([1, 2]), alone(x for x in "a")
        (2.5, [1, 2], 'a')
    """
    value = listed(value)
    while isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    return value


def copied(value: Any) -> Any:
    r"""A copy of a tensor, an array or a list of them; a tensor that needs a gradient stays itself.

    Example:
        >>> x = torch.zeros(2)
        >>> copied(x).add_(1).sum().item(), x.sum().item()
        (2.0, 0.0)
    """
    if isinstance(value, Tensor):
        return value if value.requires_grad else value.clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [copied(item) for item in value]
    if type(value) is tuple:
        return tuple(copied(item) for item in value)
    return value


def numbers(answer: Any, shape: Sequence[int] | None = None, name: str = "your answer") -> Tensor:
    r"""An answer as a tensor in double precision, whatever it came as.

    Args:
        answer: a number, a nested list, a NumPy array, a tensor, or a list of tensors.
        shape: what it must have; a single number may come with axes of length 1.
        name: what to call it in a hint.

    Returns:
        float64, detached, on the CPU.

    Raises:
        UnansweredError: if it is blank.
        Hint: if it is not made of numbers, or has another shape.

    Example:
        >>> numbers([1, torch.tensor(2.0)], shape=[2]).tolist()
        [1.0, 2.0]
    """
    if is_blank(answer):
        raise UnansweredError
    values = _read(answer)
    if values is None:
        raise Hint(f"expected numbers as {name}, got {shown(answer)}.")
    if shape is None:
        return values
    if list(values.shape) != list(shape):
        if math.prod(shape) == 1 == values.numel():
            return values.reshape(list(shape))
        wanted = f"shape {list(shape)}" if shape else "one number"
        raise Hint(f"expected {wanted} as {name}, got shape {list(values.shape)}.")
    return values


def _read(answer: Any) -> Tensor | None:
    """An answer's numbers; none if it is not made of numbers, whatever its own methods raise."""
    try:
        return _converted(answer)
    except Exception:
        return None


def _converted(answer: Any) -> Tensor:
    if isinstance(answer, Tensor):
        return _real(_dense(answer.detach().cpu())).double()
    if isinstance(answer, (list, tuple)) and any(
        isinstance(item, (Tensor, np.ndarray, list, tuple)) for item in answer
    ):
        return torch.stack([_converted(item) for item in answer])
    array = np.ma.asanyarray(answer) if np.ma.isMaskedArray(answer) else np.asarray(answer)
    if array.dtype.kind == "O" and not any(isinstance(item, WORDS) for item in array.flat):
        array = array.astype(np.float64)
    if array.dtype.kind not in "biufc" or isinstance(answer, WORDS):
        raise TypeError("words are no numbers")
    exact = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return _real(torch.tensor(np.ma.filled(exact, math.nan).copy()))


def _dense(values: Tensor) -> Tensor:
    """The same numbers, each in its place."""
    values = torch.stack(values.unbind()) if values.is_nested else values
    values = values.dequantize() if values.is_quantized else values
    return values if values.layout == torch.strided else values.to_dense()


def _real(values: Tensor) -> Tensor:
    """The same numbers without imaginary parts, which must be zero."""
    if not values.is_complex():
        return values
    if bool((values.imag != 0).any()):
        raise TypeError("complex numbers are no real ones")
    return values.real


def tolerance(answer: Any) -> float:
    r"""How close an answer must come: less for one that was computed in fewer bits.

    Args:
        answer: a tensor, an array, or anything else.

    Returns:
        The relative tolerance. Numbers that were computed in single precision keep its tolerance
        as floats, in a list, or cast to double.

    Example:
        >>> tolerance(torch.zeros(1, dtype=torch.float64)) < tolerance(torch.zeros(1))
        True
        >>> third = torch.tensor(1.0) / 3
        >>> tolerance(third.tolist()) == tolerance(third) > tolerance(1 / 3) == tolerance(0.75)
        True
    """
    if isinstance(answer, (list, tuple)) and answer:
        return max(map(tolerance, answer))
    if isinstance(answer, (np.ndarray, np.generic)):
        kinds = {"float32": torch.float32, "float16": torch.float16}
        kind = kinds.get(str(answer.dtype), torch.float64)
    else:
        kind = getattr(answer, "dtype", torch.float64)
    if kind in COARSE:
        return COARSE[kind]
    return COARSE[torch.float32] if _was_single(answer) else RTOL


def _was_single(answer: Any) -> bool:
    """Whether numbers in double precision were computed in single: they fit it, but barely."""
    read = _read(answer)
    if read is None:
        return False
    values = read.numpy()
    broken = values[np.isfinite(values) & (values != np.round(values))]
    with np.errstate(over="ignore", under="ignore"):
        fits = bool((broken.astype(np.float32) == broken).all())
    significand = np.frexp(broken)[0] * 2.0**SHORT
    return fits and bool((significand != np.round(significand)).any())


def same(answer: Any, target: Any, *, rtol: float | None = None) -> bool:
    r"""Whether an answer has the value of the target.

    .. math:: |a_i - t_i| \le \epsilon\,\max(|t_i|, 10^{-3})

    Args:
        answer: as :func:`numbers` takes it.
        target: the right value; its shape is the answer's.
        rtol: ε; by default as fine as the answer's own precision allows.

    Returns:
        Whether they agree everywhere. Equal infinities agree, NaN with nothing.

    Raises:
        Hint: if the answer is not made of numbers, or has another shape.
        UnansweredError: if it is blank.

    Example:
        >>> same([0.5, 1], torch.tensor([0.5, 1.0])), same(float("nan"), 1.0)
        (True, False)
    """
    right = numbers(target)
    given = numbers(answer, right.shape)
    # a target in single precision is not known any better
    allowed = max(tolerance(answer), tolerance(target)) if rtol is None else rtol
    gap = (given - right).abs()
    near = gap.isfinite() & (gap <= allowed * right.abs().clamp_min(SMALL))
    return bool((near | (given == right)).all())


def differs(answer: Any, target: Any, where: str = "", *, rtol: float | None = None) -> str | None:
    r"""A hint that shows what was expected and what came, or nothing if they are the same.

    Args:
        answer: as :func:`numbers` takes it.
        target: the right value.
        where: for which input, such as ``"for v = 3"``.
        rtol: see :func:`same`.

    Returns:
        The hint, or ``None``.

    Raises:
        Hint: if the answer is not made of numbers, or has another shape.
        UnansweredError: if it is blank.

    Example:
        >>> differs(0.5, 0.25, "for v = 3")
        'for v = 3 expected 0.25, got 0.5.'
        >>> differs(0.500004, 0.5, "for v = 3")
        'for v = 3 expected 0.5, got 0.5 (off by 4e-06).'
    """
    if same(answer, target, rtol=rtol):
        return None
    right = numbers(target)
    given = numbers(answer, right.shape)
    begin = f"{where} " if where else ""
    apart = torch.where(given == right, 0.0, (given - right).abs())  # ∞ − ∞ is NaN
    gap = apart.nan_to_num(nan=math.inf).flatten()
    if right.ndim <= 1 and right.numel() <= 6:
        expected, came = shown(target), shown(answer)
        return f"{begin}expected {expected}, got {came}{_unseen(expected, came, gap)}."
    place = [int(i) for i in np.unravel_index(int(gap.argmax()), tuple(right.shape))]
    pair = (float(x[tuple(place)]) for x in (right, given))
    expected, came = map(_short, pair)
    return f"{begin}expected {expected} at {place}, got {came}{_unseen(expected, came, gap)}."


def _unseen(expected: str, came: str, gap: Tensor) -> str:
    """By how much two values differ that look the same when they are rounded."""
    return f" (off by {float(gap.max()):.1g})" if expected == came else ""


def agree(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[Sequence[Any]],
    describe: Callable[..., str] | None = None,
) -> str | None:
    r"""Compare a reader's function with the right one on several cases.

    Args:
        function: the reader's.
        reference: gives the right value for the same arguments.
        cases: argument lists; among them those that tell the typical mistakes apart.
        describe: words for a case, such as ``lambda v: f"for v = {v}"``.

    Returns:
        The hint of the first case that differs, or ``None``.

    Raises:
        ReaderError: if the reader's function raises.
        UnansweredError: if it returns nothing yet.
        Hint: if it returns no numbers, or another shape.

    Example:
        >>> agree(lambda x: x * x, lambda x: x**3, [(1.0,), (2.0,)], lambda x: f"for x = {x:g}")
        'for x = 2 expected 8, got 4.'
    """
    for case in cases:
        target = reference(*map(copied, case))
        words = describe(*case) if describe else "for " + ", ".join(map(shown, case))
        if (hint := differs(call(function, *case), target, words)) is not None:
            return hint
    return None


def known(
    function: Callable[..., Any],
    rivals: Iterable[tuple[Callable[..., Any], str]],
    cases: Iterable[Sequence[Any]],
) -> str | None:
    r"""The words for the mistake that a reader's function makes in every case.

    Args:
        function: the reader's.
        rivals: typical mistakes as functions of the same arguments, each with its hint.
        cases: argument lists; they must tell the rivals from one another and from what is right.

    Returns:
        The hint of the first rival with the same values, of the same shape, or ``None``.

    Raises:
        ReaderError: if the reader's function raises.
        UnansweredError: if it returns nothing yet.
        Hint: if it is no function.

    Example:
        >>> known(lambda x: -x, [(lambda x: -x, "look at the sign.")], [(1.0,), (2.0,)])
        'look at the sign.'
    """
    came = [(case, call(function, *case)) for case in cases]
    for rival, words in rivals:
        if all(_is(value, rival(*map(copied, case))) for case, value in came):
            return words
    return None


def _is(answer: Any, target: Any) -> bool:
    try:
        return same(answer, target)
    except Hint:
        return False


def differentiates(
    function: Callable[..., Any],
    reference: Callable[..., Tensor],
    case: Sequence[Any],
    leaves: Sequence[int],
) -> bool:
    r"""Whether a reader's function has the right gradient, where autograd can see one.

    A number that came by way of NumPy or a float has no graph; it is a value, and passes.

    Args:
        function: the reader's; its values are right already.
        reference: gives the right value for the same arguments.
        case: an argument list.
        leaves: the places in it of the tensors to differentiate in.

    Returns:
        Whether the gradients of the summed values agree to a thousandth, or there are none.

    Example:
        >>> x = torch.ones(2)
        >>> differentiates(lambda x: x * x.detach(), lambda x: x * x, [x], [0])
        False
    """
    arguments = [
        argument.detach().clone().requires_grad_() if place in leaves else argument
        for place, argument in enumerate(case)
    ]
    inputs = [arguments[place] for place in leaves]
    try:
        value = call(function, *arguments)
    except ReaderError:
        return True
    if not (isinstance(value, Tensor) and value.requires_grad):
        return True
    try:
        found = torch.autograd.grad(value.sum(), inputs, materialize_grads=True)
    except RuntimeError:  # the graph is broken: freed, or overwritten
        return False
    right = torch.autograd.grad(reference(*arguments).sum(), inputs)
    return all(same(f, r, rtol=1e-3) for f, r in zip(found, right, strict=True))


def shown(value: Any) -> str:
    r"""A reader's value in a few characters.

    Args:
        value: anything.

    Returns:
        Numbers to four digits, long ones by their shape, words as they are.

    Example:
        >>> shown([0.123456, 2]), shown(torch.zeros(3, 4)), shown("A")
        ('[0.1235, 2]', 'numbers of shape [3, 4]', "'A'")
    """
    values = _read(value)
    if values is None:
        text = _line(repr, value) or f"an object of type {type(value).__name__}"
        return text if len(text) <= 60 else text[:57] + "…"
    if values.ndim == 0:
        return _short(float(values))
    if values.ndim == 1 and values.numel() <= 6:
        return f"[{', '.join(_short(float(v)) for v in values)}]"
    return f"numbers of shape {list(values.shape)}"


def _line(words: Callable[[Any], str], value: Any) -> str:
    """What a value says of itself, in one line; nothing if it cannot."""
    try:
        return " ".join(words(value).split())
    except Exception:
        return ""


def _short(value: float) -> str:
    return f"{value:.4g}"
