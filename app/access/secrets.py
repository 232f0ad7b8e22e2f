"""The text of an API key: `gradd_`, a public id, and 192 random bits.

The bits are random, so a plain SHA-256 is as hard to invert as the key is to guess; a slow hash for passwords would only make
every request slow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

_PATTERN = re.compile(r"gradd_([0-9a-f]{12})_[0-9a-f]{48}")
_NOBODYS = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
"""A digest that no key has."""


class NewKey(NamedTuple):
    """A key that was just made."""

    id: str
    text: str


def new_key() -> NewKey:
    """Return a random key."""
    identity = secrets.token_hex(6)
    return NewKey(identity, f"gradd_{identity}_{secrets.token_hex(24)}")


def id_of(text: str) -> str | None:
    """Return the public id in a key; None if the text is no key."""
    found = _PATTERN.fullmatch(text)
    return found and found[1]


def digest_of(text: str) -> str:
    """Return the SHA-256 hash of a key, which is what is stored of it."""
    return hashlib.sha256(text.encode()).hexdigest()


def has_digest(text: str, digest: str | None) -> bool:
    """Return whether a key has a digest, in a time that tells nothing of it. No key has the digest None."""
    is_same = hmac.compare_digest(digest_of(text), digest or _NOBODYS)
    return is_same and digest is not None
