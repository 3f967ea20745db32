"""Receipts: a claim, the error measured for it, and the tolerance it must keep."""

from __future__ import annotations

import html
import math
import os
from dataclasses import dataclass

import torch
from IPython.display import display


class ReceiptError(AssertionError):
    """A claim of the book that did not hold when it was checked."""


@dataclass(frozen=True)
class Receipt:
    r"""A claim that held, with the error measured for it.

    Args:
        claim: the statement in words or symbols, as printed.
        error: measured error, ≥ 0.
        tol: largest error at which the claim still counts as true; 0 means exactly.
        label: label of the equation or theorem in the chapter that states the claim.
        test: name of the test that breaks the claim once and sees its receipt fail.
    """

    claim: str
    error: float
    tol: float
    label: str
    test: str

    def __str__(self) -> str:
        bound = "exact" if self.tol == 0 else f"error ≤ {self.tol:g}"
        return f"✓ {self.claim}   ({bound})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        fields = {
            "claim": self.claim,
            "error": f"{self.error:.3g}",
            "tol": f"{self.tol:g}",
            "label": self.label,
            "test": self.test,
        }
        data = " ".join(f'data-{key}="{html.escape(text)}"' for key, text in fields.items())
        measured = f'<span class="gb-measured">measured {self.error:.2g}</span>'
        return {
            "text/plain": str(self),
            "text/html": f'<p class="gb-receipt" {data}>{html.escape(str(self))} {measured}</p>',
        }


def check(claim: str, *, error: float | torch.Tensor, tol: float, label: str, test: str) -> Receipt:
    r"""The receipt of a claim whose measured error keeps its tolerance.

    .. math:: 0 \le \text{error} \le \text{tol}

    For an inequality, give the violation: :math:`\max(0, \text{lhs} - \text{rhs})`.

    Args:
        claim: the statement, as printed.
        error: a number or a tensor of shape ``[]``.
        tol: the tolerance, ≥ 0; 0 asks for exact equality.
        label: label of the equation or theorem that states the claim.
        test: name of the break-it test.

    Returns:
        The receipt.

    Raises:
        ReceiptError: if the error exceeds the tolerance or is not finite.
        ValueError: if the claim, the label or the test is empty, the tolerance is negative or
            not finite, the error is negative, or the tensor holds more than one number.

    Example:
        >>> print(check("1 + 1 = 2", error=abs(1 + 1 - 2), tol=0, label="eq-two", test="test_two"))
        ✓ 1 + 1 = 2   (exact)
    """
    for name, text in (("claim", claim), ("label", label), ("test", test)):
        if not text.strip():
            raise ValueError(f"expected a non-empty {name}, got {text!r}; say what is checked")
    if not (math.isfinite(tol) and tol >= 0):
        raise ValueError(f"expected a finite tolerance ≥ 0, got {tol}; use 0 for exact equality")
    if isinstance(error, torch.Tensor) and error.numel() != 1:
        raise ValueError(
            f"expected one number as error, got a tensor of shape {list(error.shape)}; "
            "reduce it first, for instance with .abs().max()"
        )
    measured = float(error)
    if measured < 0:
        raise ValueError(f"expected an error ≥ 0, got {measured:g}; take its absolute value")
    if not measured <= tol:
        raise ReceiptError(f"✗ {claim}   (error {measured:.6g} > {tol:g})")
    return Receipt(claim=claim, error=measured, tol=float(tol), label=label, test=test)


def receipt(claim: str, *, error: float | torch.Tensor, tol: float, label: str, test: str) -> None:
    r"""Print the receipt of a claim, or raise with the error that was measured.

    The line holds the tolerance and not the error, so that it is the same on every machine and
    can be compared; the book's build records the measured error beside it.

    Args:
        claim: the statement, as printed.
        error: a number or a tensor of shape ``[]``, ≥ 0.
        tol: the tolerance, ≥ 0.
        label: label of the equation or theorem that states the claim.
        test: name of the break-it test.

    Raises:
        ReceiptError: if the error exceeds the tolerance or is not finite.
        ValueError: as :func:`check`.

    Example:
        >>> receipt("cos 0 = 1", error=abs(math.cos(0) - 1), tol=0, label="eq-cos", test="test_cos")
        ✓ cos 0 = 1   (exact)
    """
    result = check(claim, error=error, tol=tol, label=label, test=test)
    if os.environ.get("GENBOOK_STATIC") == "1":
        display(result)
    else:
        print(result)
