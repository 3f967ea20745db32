"""Receipts: a claim, the relations that it was checked by, and both sides as measured."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass

from genbook.kit.console import display, encodable
from genbook.kit.relations import Relation

PLAIN = "claims"
"""``GENBOOK_RECEIPTS=claims`` prints what is the same on every machine, for CI to compare."""


class ReceiptError(AssertionError):
    """A claim of the book that did not hold when it was checked."""


@dataclass(frozen=True)
class Receipt:
    r"""A claim that held, with the relations that it was checked by.

    Args:
        claim: the statement in words or symbols, as printed.
        relations: what was compared, at least one.
        label: label of the equation or theorem in the chapter that states the claim.
        test: name of the test that breaks the code and sees this receipt fail.
        recorded: whether a recorded study stands behind the claim, rather than a computation.
    """

    claim: str
    relations: tuple[Relation, ...]
    label: str
    test: str
    recorded: bool = False

    @property
    def law(self) -> str:
        """What does not depend on the machine: limits and counts."""
        parts = (["recorded"] if self.recorded else []) + [r.law for r in self.relations if r.law]
        return "; ".join(dict.fromkeys(parts))

    @property
    def measured(self) -> str:
        """Both sides of every relation."""
        parts = (["recorded"] if self.recorded else []) + [r.measured for r in self.relations]
        return "; ".join(parts)

    def __str__(self) -> str:
        return f"✓ {self.claim}" + (f"   ({self.law})" if self.law else "")

    def line(self) -> str:
        r"""The line for a reader: the claim and both sides as measured."""
        return f"✓ {self.claim}   ({self.measured})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        fields = {
            "claim": self.claim,
            "law": self.law,
            "measured": self.measured,
            "label": self.label,
            "test": self.test,
            "recorded": str(self.recorded).lower(),
        }
        data = " ".join(f'data-{key}="{html.escape(text)}"' for key, text in fields.items())
        measured = f'<span class="gb-measured">({html.escape(self.measured)})</span>'
        words = f"✓ {html.escape(self.claim)} {measured}"
        return {
            "text/plain": str(self),
            "text/html": f'<p class="gb-receipt" {data}>{words}</p>',
        }


def check(
    claim: str,
    *relations: Relation,
    label: str,
    test: str,
    recorded: bool = False,
) -> Receipt:
    r"""The receipt of a claim whose relations all hold.

    Args:
        claim: the statement, as printed.
        *relations: from :mod:`genbook.kit.relations`, at least one.
        label: label of the equation or theorem that states the claim.
        test: name of the test that breaks the code behind it.
        recorded: whether the claim is about a recorded study.

    Returns:
        The receipt.

    Raises:
        ReceiptError: if a relation does not hold; it shows both sides.
        ValueError: if the claim, the label or the test is empty, or what is given is no relation.

    Example:
        >>> from genbook.kit.relations import equal
        >>> print(check("1 + 1 = 2", equal(1 + 1, 2), label="eq-two", test="test_two"))
        ✓ 1 + 1 = 2   (exact)
    """
    for name, text in (("claim", claim), ("label", label), ("test", test)):
        if not text.strip():
            raise ValueError(f"expected a non-empty {name}, got {text!r}; say what is checked")
    if not relations or not all(isinstance(relation, Relation) for relation in relations):
        raise ValueError(
            f"expected relations such as close(a, b, tol=1e-9) for {claim!r}, got {relations!r}"
        )
    if broken := [r.measured for r in relations if not r.holds]:
        raise ReceiptError(f"✗ {claim}   ({'; '.join(broken)} does not hold)")
    return Receipt(claim, relations, label, test, recorded)


def receipt(
    claim: str,
    *relations: Relation,
    label: str,
    test: str,
    recorded: bool = False,
) -> None:
    r"""Print the receipt of a claim, or raise with both sides.

    A reader sees both sides as measured. Where CI compares outputs (``GENBOOK_RECEIPTS=claims``)
    the line holds only what is the same on every machine; the book's build shows both.

    Args:
        claim: the statement, as printed.
        *relations: from :mod:`genbook.kit.relations`, at least one.
        label: label of the equation or theorem that states the claim.
        test: name of the test that breaks the code behind it.
        recorded: whether the claim is about a recorded study.

    Raises:
        ReceiptError: if a relation does not hold.
        ValueError: as :func:`check`.

    Example:
        >>> from genbook.kit.relations import above
        >>> receipt("π exceeds 3", above(3.14159, 3), label="eq-pi", test="test_receipt_pi")
        ✓ π exceeds 3   (3.14 > 3)
    """
    result = check(claim, *relations, label=label, test=test, recorded=recorded)
    if os.environ.get("GENBOOK_STATIC") == "1":
        display(result)
    elif os.environ.get("GENBOOK_RECEIPTS") == PLAIN:
        print(result)
    else:
        print(encodable(result.line()))
