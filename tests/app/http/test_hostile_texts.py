"""Texts that are no JSON, or an unusual one, around a known form: answered as a server without caches answers them."""

from __future__ import annotations

import json

import pytest

from app.examples import XOR
from tests.app.http.served import Pair
from tests.app.http.test_hostile_forms import XOR_TEXT, assert_a_form_survives, written

pytestmark = pytest.mark.usefixtures("unhurried")

TEXTS: dict[str, bytes] = {
    "a name twice": XOR_TEXT.replace(b'"convention"', b'"dtype": "float32", "dtype": "float64", "convention"'),
    "a tensor twice": XOR_TEXT.replace(b'"bias": [0.05]', b'"bias": [0.5], "bias": [0.05]'),
    "a tensor twice, and a colon less": XOR_TEXT.replace(b'"bias": [0.05]', b'"bias": [0.5], "bias": [0.05]').replace(
        b'"reduction": "mean"', b'"reduction" "mean"'
    ),
    "a name twice, and a colon in a text": XOR_TEXT.replace(b'"out"', b'"o:t"').replace(
        b'"bias": [0.05]', b'"bias": [0.5], "bias": [0.05]'
    ),
    "a name with a colon": XOR_TEXT.replace(b'"out"', b'"o:t"'),
    "an escaped name": XOR_TEXT.replace(b'"batch"', rb'"b\u0061tch"'),
    "an escaped name twice": XOR_TEXT.replace(b'"dtype"', b"").replace(b'"loss"', rb'"l\u006fss": {}, "loss"'),
    "half a surrogate": XOR_TEXT.replace(b'"out"', rb'"\ud800"'),
    "a null character": XOR_TEXT.replace(b'"out"', b'"o\0t"'),
    "an escaped null character": XOR_TEXT.replace(b'"out"', rb'"o\u0000t"'),
    "bad UTF-8": XOR_TEXT.replace(b'"out"', b'"o\xfft"'),
    "overlong UTF-8": XOR_TEXT.replace(b'"out"', b'"o\xc0\x80t"'),
    "a mark": b"\xef\xbb\xbf" + XOR_TEXT,
    "UTF-16": XOR_TEXT.decode().encode("utf-16"),
    "UTF-16 without a mark": XOR_TEXT.decode().encode("utf-16-le"),
    "garbage behind": XOR_TEXT + b"x",
    "two documents": XOR_TEXT + XOR_TEXT,
    "a comma behind": XOR_TEXT[:-1] + b",}",
    "cut off": XOR_TEXT[:-1],
    "white space": b" \n\t\r" + XOR_TEXT.replace(b", ", b" \n,\t") + b"\n",
    "other white space": XOR_TEXT.replace(b", ", b",\xc2\xa0"),
    "nothing": b"",
    "spaces": b"   ",
    "a list": b"[" + XOR_TEXT + b"]",
    "a text": b'"a"',
    "null": b"null",
    "a comment": XOR_TEXT.replace(b", ", b", /* */ ", 1),
    "quotes": XOR_TEXT.replace(b'"', b"'"),
    "nested lists": written({**XOR, "x": json.loads("[" * 70 + "]" * 70)}),
    "nested objects": written({**XOR, "x": json.loads('{"a":' * 70 + "1" + "}" * 70)}),
    "very deep": XOR_TEXT[:-1] + b', "x": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    "a long name": written({**XOR, "x" * 201: 1}),
    "the longest name": written({**XOR, "x" * 200: 1}),
    "a long name of a layer": written({**XOR, "parameters": {**XOR["parameters"], "é" * 201: {"bias": [1]}}}),
    "a long name of a parameter": written({**XOR, "parameters": {"1": {"y" * 300: [1]}}}),
    "the other order": written(dict(reversed(XOR.items()))),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_an_odd_text(pair: Pair, name: str) -> None:
    assert_a_form_survives(pair, XOR, TEXTS[name])
