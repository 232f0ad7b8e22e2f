"""The texts of forward mistakes that only a forward reading knows."""

from __future__ import annotations

from core.checking.mistakes.base import Mistake


def forward_mistake(slug: str, *, said: str, wrong: str, why: str, part: str = "preactivations") -> type[Mistake]:
    """Return a mistake that is known by its texts: another problem, and not a rule of it, reproduces the numbers.

    Args:
        slug: its name in an answer.
        said: the description, continuing "Your preactivation of layer 'out'".
        wrong: the wrong formula, in LaTeX.
        why: the reason why it is wrong.
        part: the forward tensor that is wrong.
    """
    name = "".join(word.title() for word in slug.split("-"))
    return type(name, (Mistake,), {"slug": slug, "strikes": (part,), "said": said, "wrong": wrong, "why": why})
