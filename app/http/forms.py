"""Forms: what requests share that differ in their numbers alone, worked out once and kept within a limit of memory.

The form of a request is everything of it but the elements of its tensors: the network, the shapes, the options. A `Form`
keeps what follows from that alone, and a stock of things that are laid out for it, such as plans. A cached form changes the
time of an answer, never a bit of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from threading import Lock
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache
from pydantic import BaseModel

from app.http.held_bytes import held_bytes

F = TypeVar("F")
L = TypeVar("L", bound="Lendable")
FormKey = tuple[type[BaseModel], bytes]
"""The schema of a body, and the bytes of `wire.form_key`."""

FAST_SECONDS = 0.001
"""Longest typical time of a request that may occupy the event loop."""

_WEIGHT = 0.2
"""Weight of the last request in the typical time of its form."""


class Lendable(Protocol):
    """A thing that one request at a time uses, and that is useful to the next one."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""

    def rest(self) -> None:
        """Let go of the request that has used it."""


class Form:
    """What requests of one form share. Several threads may use it at once."""

    def __init__(self) -> None:
        self.template: BaseModel | None = None
        """A validated request of this form. Its numbers have no meaning."""

        self.facts: dict[Hashable, Any] = {}
        """What `FormUse.once` has worked out."""

        self.stock: dict[Hashable, list[Any]] = {}
        """What `FormUse.borrow` lends and is not lent now."""

        self.seconds: float | None = None
        """Typical processor time of a request that found everything worked out; None until there was one. The time of the
        clock would grow with the load, and send requests into threads when the server can afford it least."""

        self.waits = False
        """Whether a request waits for more than the processor and local files, such as a database on another machine."""

        self.nbytes = 0
        """Size in bytes while it is in the cache."""

    @property
    def is_fast(self) -> bool:
        """Whether a request is known to take so little time that it need not leave the event loop."""
        return self.seconds is not None and self.seconds < FAST_SECONDS and not self.waits


class FormUse:
    """The use of a form by one request. What it has borrowed goes back once its answer has been written."""

    def __init__(self, form: Form | None = None) -> None:
        self.form = form or Form()
        self.is_known = form is not None
        """Whether the form was worked out by an earlier request, and nothing had to be worked out anew."""

        self._borrowed: list[tuple[Hashable, Any]] = []

    def once(self, name: Hashable, make: Callable[[], F]) -> F:
        """Return the result of `make`, which may depend on the form of the request alone."""
        facts = self.form.facts
        if name not in facts:
            self.is_known = False
            facts[name] = make()
        found: F = facts[name]
        return found

    def borrow(self, name: Hashable, make: Callable[[], L], renew: Callable[[L], bool]) -> L:
        """Return a thing from the stock, if `renew` accepts one, or else a new one."""
        thing = self._from_stock(name, renew)
        if thing is None:
            self.is_known = False
            thing = make()
        self._borrowed.append((name, thing))
        return thing

    def _from_stock(self, name: Hashable, renew: Callable[[L], bool]) -> L | None:
        stock = self.form.stock.get(name)
        while stock:
            try:
                thing: L = stock.pop()
            except IndexError:  # Another thread took the last one.
                return None
            if renew(thing):
                return thing
        return None

    def give_back(self) -> None:
        """Return what was borrowed to the stock."""
        for name, thing in self._borrowed:
            thing.rest()
            self.form.stock.setdefault(name, []).append(thing)
        self._borrowed.clear()


class FormedBody(BaseModel):
    """Base class of bodies whose computations use what follows from their form."""

    @cached_property
    def use(self) -> FormUse:
        """The use of the body's form by this request; of a form of its own, if `start_use` has not set another one."""
        return FormUse()

    def start_use(self, use: FormUse) -> None:
        """Let the computations of this body use a form."""
        self.__dict__["use"] = use


class FormCache:
    """The forms of the last requests, by key. The least recently used ones go first."""

    def __init__(self, limit: int) -> None:
        self._forms: LRUCache[FormKey, Form] = LRUCache(limit, getsizeof=lambda form: form.nbytes)
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._forms)

    @property
    def nbytes(self) -> int:
        """Size of all forms in bytes."""
        return int(self._forms.currsize)

    def is_fast(self, key: FormKey) -> bool:
        """Return whether the form of a key is known, and known to take little time."""
        with self._lock:
            form = self._forms.get(key)
        return form is not None and form.is_fast

    def find(self, key: FormKey) -> Form | None:
        """Return the form of a key, or None."""
        with self._lock:
            form = self._forms.get(key)
            self.hits += form is not None
            self.misses += form is None
            return form

    def keep(self, key: FormKey, use: FormUse, seconds: float) -> None:
        """Keep the form of a request that took so many seconds of processor time, with what it borrowed."""
        if not self._forms.maxsize:
            return  # Off. Measuring the size would take longer than some answers.
        use.give_back()
        form = use.form
        if use.is_known:
            form.seconds = seconds if form.seconds is None else form.seconds + _WEIGHT * (seconds - form.seconds)
            return
        # Measured, because a short key may name a stored model with many layers.
        size = held_bytes([key[1], form.template, list(form.facts.values())])
        size += sum(thing.nbytes for things in list(form.stock.values()) for thing in list(things))
        with self._lock:
            if self._forms.get(key, form) is not form:
                return  # Another thread was first.
            form.nbytes = size
            try:
                self._forms[key] = form
            except ValueError:  # By itself it is larger than the limit, perhaps only since now.
                self._forms.pop(key, None)
