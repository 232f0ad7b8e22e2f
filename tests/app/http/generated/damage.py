"""Damage to documents and files: one place changed at random, or a few bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

STRANGE: tuple[Any, ...] = (
    None, None, True, False, 0, -1, 1, 3, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30,
    5e-324, "", "a", "3", "NaN", "Infinity", "null", "x" * 300, "\u202e\u0007", "😀",
    "../../etc", [], [[]], [[[]]], [None], [True], ["a"], [0], [-1], [1, 2], [[1, 2]], [[1, 2], [3]],
    [[[[[[[[[1]]]]]]]]], {}, {"": 0}, {"a": {}}, {"kind": "dense"}, {"kind": "nonsense"}, {"kind": None}, {"input": [[1]]},
    {"dtype": "float64", "shape": [1], "data": "AAAAAAAA8D8="}, {"dtype": "float64", "shape": [1], "data": "AAAAAAAA8H8="},
    {"dtype": "float64", "shape": [10**12], "data": ""}, {"dtype": "int64", "shape": [1], "data": "AAAAAAAAAAA"},
    json.loads("[" * 60 + "]" * 60), "mdl_" + "f" * 24, "row", "train",
)  # fmt: skip
NAMES = (
    "",
    "kind",
    "name",
    "inputs",
    "weight",
    "units",
    "seed",
    "Network",
    "x" * 250,
    "a\u0000b",
    "ключ",
    "1",
    "__class__",
    "$ref",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield every place of a document; of a long list only the first three."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def damaged(document: Any, draw: random.Random) -> Any:
    """Return a copy of the document with one place changed."""
    document = copy.deepcopy(document)
    every = list(places(document))
    # The upper places are as likely as the many numbers at the bottom.
    depth = draw.randint(0, max(map(len, every)))
    path = draw.choice([path for path in every if len(path) <= depth])
    if not path:
        return _with_another_name(document, draw)
    *above, last = path
    parent = document
    for key in above:
        parent = parent[key]
    change = draw.randrange(8)
    if change == 0:
        del parent[last]
    elif change == 1:
        parent[last] = [parent[last]]
    elif change == 2:
        parent[last] = _with_another_name(parent[last], draw)
    elif change == 3 and isinstance(parent[last], list) and parent[last]:
        parent[last] = parent[last][:-1] if draw.random() < 0.5 else [*parent[last], parent[last][0]]
    elif change == 4:
        other = document
        for key in draw.choice(every):
            other = other[key]
        parent[last] = copy.deepcopy(other)
    elif change == 5 and isinstance(parent[last], str):
        parent[last] = draw.choice((parent[last] + "x", parent[last].upper(), parent[last][:-1], f" {parent[last]}"))
    else:
        parent[last] = copy.deepcopy(draw.choice(STRANGE))
    return document


def _with_another_name(value: Any, draw: random.Random) -> Any:
    if isinstance(value, dict):
        return {**value, draw.choice(NAMES): copy.deepcopy(draw.choice(STRANGE))}
    return copy.deepcopy(draw.choice(STRANGE))


def damaged_bytes(content: bytes, draw: random.Random) -> bytes:
    """Return the content with bytes flipped, cut off, inserted or repeated."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 3, 20))):
        if not found:
            break
        # Heads, in which the formats have their names and lengths, are hit more often.
        at = draw.randrange(min(len(found), draw.choice((16, 256, len(found)))))
        change = draw.randrange(5)
        if change == 0:
            found[at] ^= 1 << draw.randrange(8)
        elif change == 1:
            found[at] = draw.choice((0, 255, 0x7F, 0x80, ord("["), ord("{"), ord('"')))
        elif change == 2:
            del found[at : at + draw.choice((1, 4, len(found)))]
        elif change == 3:
            found[at:at] = draw.choice((b"NaN", b"\xff\xfe", b"\0" * 8, b"-1", b"}", b"1e999", b"\\ud800"))
        else:
            found[at:at] = found[at : at + 64]
    return bytes(found)
