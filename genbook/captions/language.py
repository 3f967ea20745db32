r"""A language of two templates and eleven words; 0 is the end of a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from genbook.captions.scenes import SCENES, Scene

WORDS = (
    "END", "a", "big", "small", "dark", "pale", "square", "disc", "cross", "left", "right",
)  # fmt: skip
LENGTH = 6
"""Words of a caption, its end included."""
PLACE_FIRST = 0.25
"""How often a caption names the place first."""


def sentence(scene: Scene, template: int) -> str:
    r"""The caption of a scene: place last (template 0) or first (template 1).

    Args:
        scene: what is said.
        template: 0 or 1.

    Raises:
        ValueError: for another template.

    Example:
        >>> sentence(SCENES[0], 1)
        'left a big dark square'
    """
    if template not in (0, 1):
        raise ValueError(f"expected template 0 or 1, got {template}; the language has two")
    thing = f"a {scene.size} {scene.shade} {scene.shape}"
    return f"{thing} {scene.place}" if template == 0 else f"{scene.place} {thing}"


def wordings(scene: Scene) -> dict[str, float]:
    r"""How a person words a scene: the place last in three captions of four, else first.

    Args:
        scene: what is said.

    Returns:
        Each caption with its chance.

    Example:
        >>> list(wordings(SCENES[0]).values())
        [0.75, 0.25]
    """
    return {sentence(scene, 0): 1 - PLACE_FIRST, sentence(scene, 1): PLACE_FIRST}


def encoded(text: str) -> list[int]:
    r"""The numbers of a caption's words, closed by 0.

    Raises:
        ValueError: if a word is unknown.

    Example:
        >>> encoded("a big disc")
        [1, 2, 7, 0]
    """
    strange = [word for word in text.split() if word not in WORDS[1:]]
    if strange:
        raise ValueError(f"expected words of {WORDS[1:]}, got {strange}; use those")
    return [*(WORDS.index(word) for word in text.split()), 0]


def decoded(numbers: Sequence[int]) -> str:
    r"""The words up to the first end.

    Example:
        >>> decoded([1, 7, 0, 3])
        'a disc'
    """
    words = [WORDS[number] for number in numbers]
    return " ".join(words[: words.index("END")] if "END" in words else words)


def meant(text: str) -> Scene | None:
    r"""The scene that a caption describes; None for a string outside the language.

    Example:
        >>> meant("left a big dark square") == SCENES[0], meant("a a a") is None
        (True, True)
    """
    for scene in SCENES:
        if text in (sentence(scene, 0), sentence(scene, 1)):
            return scene
    return None
