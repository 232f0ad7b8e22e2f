"""Direct answers over real sockets: bodies that come late, in pieces or never, and many requests of one form at a time."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from app.examples import XOR
from examples.server import running_server
from tests.app.http.test_http import chunks, exchanged, posted
from tests.server import JSON

BODY = json.dumps(XOR).encode()
SECONDS = 0.4
LIMITS = {"GRADD_MAX_BODY_SECONDS": str(SECONDS), "GRADD_COMPUTE_THREADS": "4"}
GRADIENTS = "/v1/gradients"


@pytest.fixture(scope="module")
def cached() -> Iterator[str]:
    """The address of a server that has little patience with bodies, and knows the form of BODY."""
    with running_server(**LIMITS) as address, httpx.Client(base_url=address, timeout=60) as client:
        for _ in range(20):
            client.post(GRADIENTS, content=BODY, headers=JSON)
        yield address


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """The address of one without caches."""
    with running_server(**LIMITS, GRADD_FORM_CACHE_BYTES="0") as address:
        yield address


def other_numbers(place: int) -> dict[str, Any]:
    """A body of the same form."""
    generator = np.random.default_rng(place)
    parameters = {
        layer: {name: generator.standard_normal(np.shape(value)).tolist() for name, value in named.items()}
        for layer, named in XOR["parameters"].items()
    }
    return {**XOR, "parameters": parameters}


def test_many_requests_of_one_form_at_the_same_time(cached: str, plain: str) -> None:
    """Small ones on the event loop, and the same in threads because white space makes them large."""

    def answers(address: str, thread: int) -> list[bytes]:
        found = []
        with httpx.Client(base_url=address, timeout=60) as client:
            for place in range(12):
                text = json.dumps(other_numbers(100 * thread + place)).encode()
                found.append(client.post(GRADIENTS, content=text + b" " * (thread % 2 * 20_000), headers=JSON).content)
        return found

    expected = [answers(plain, thread) for thread in range(16)]
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda thread: answers(cached, thread), range(16))) == expected
    assert len({answer for found in expected for answer in found}) == 16 * 12


LENGTH = f"Content-Length: {len(BODY)}"
EXCHANGES: dict[str, tuple[bytes, ...]] = {
    "whole": (posted(LENGTH), BODY),
    "with its head": (posted(LENGTH) + BODY,),
    "chunked": (posted("Transfer-Encoding: chunked"), chunks(BODY[:9], BODY[9:]) + b"0\r\n\r\n"),
    "in chunks of a byte": (
        posted("Transfer-Encoding: chunked"), chunks(*(BODY[at : at + 1] for at in range(len(BODY)))), b"0\r\n\r\n"
    ),
    "chunked and never ended": (posted("Transfer-Encoding: chunked"), chunks(BODY)),
    "never": (posted(LENGTH),),
    "half of it": (posted(LENGTH), BODY[:100]),
    "less than announced": (posted(f"Content-Length: {len(BODY) + 1}"), BODY),
    "more than announced": (posted(f"Content-Length: {len(BODY) - 1}"), BODY),
    "a length of 0": (posted("Content-Length: 0"), BODY),
    "a length with zeros": (posted(f"Content-Length: 0{len(BODY)}"), BODY),
    "a length and chunks": (posted(LENGTH, "Transfer-Encoding: chunked"), chunks(BODY) + b"0\r\n\r\n"),
    "two lengths": (posted(LENGTH, LENGTH), BODY),
    "no length": (posted(), BODY),
    "asking first": (posted("Expect: 100-continue", LENGTH), BODY),
    "a doubled header": (posted(LENGTH, "Accept: text/html", "Accept: */*"), BODY),
    "another type": (posted(LENGTH, "Content-Type: text/plain"), BODY),
    "nothing that is accepted": (posted(LENGTH, "Accept: text/html"), BODY),
    "compressed, it says": (posted(LENGTH, "Content-Encoding: gzip"), BODY),
    "names in capitals": (posted(LENGTH).upper().replace(b"/V1/GRADIENTS", b"/v1/gradients"), BODY),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCHANGES)
def test_an_exchange(cached: str, plain: str, name: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda address: exchanged(address, *EXCHANGES[name]), (cached, plain)))
    seen = [(answer.status_code, without_date(answer), answer.content) for answer in answers]
    if b"100 Continue" in answers[0].content[:200] or answers[0].status_code == 100:  # The date is in the content.
        seen = [(status, [], content.partition(b"\r\n\r\n")[2]) for status, _, content in seen]
    assert seen[0] == seen[1]
    if name in ("never", "half of it", "less than announced", "chunked and never ended"):
        assert answers[0].status_code == 408
    good = exchanged(cached, *EXCHANGES["whole"])
    assert (good.status_code, good.content) == (200, exchanged(plain, *EXCHANGES["whole"]).content)


def without_date(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.multi_items() if name != "date"]


def connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=20)


def test_clients_that_leave_do_no_harm(cached: str) -> None:
    good = exchanged(cached, *EXCHANGES["whole"])
    for sent in (posted(LENGTH), posted(LENGTH) + BODY[:50], posted(LENGTH) + BODY):
        for _ in range(5):
            with connected(cached) as connection:
                connection.sendall(sent)
        assert exchanged(cached, *EXCHANGES["whole"]).content == good.content


def test_requests_behind_each_other_on_one_connection(cached: str, plain: str) -> None:
    """Several known forms and refusals are answered in the order in which they were sent."""
    bodies = [
        BODY,
        json.dumps(other_numbers(1)).encode(),
        b"{}",
        BODY,
        BODY[:-1] + b" ",
        json.dumps(other_numbers(2)).encode(),
    ]
    head = (
        b"POST /v1/gradients HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"X-Request-Id: the-request\r\n\r\n%s"
    )
    statuses = []
    for address in (cached, plain):
        with connected(address) as connection:
            connection.sendall(
                b"".join(head % (len(body), body) for body in bodies) + posted("Content-Length: 2") + b"{}"
            )
            received = b""
            while piece := connection.recv(2**16):
                received += piece
        statuses.append([part.split(b"\r\n\r\n", 1) for part in received.split(b"HTTP/1.1 ")[1:]])
    contents = [[(head[:3], body) for head, body in found] for found in statuses]
    assert contents[0] == contents[1]
    assert [status for status, _ in contents[0]] == [b"200", b"200", b"422", b"200", b"400", b"200", b"422"]
