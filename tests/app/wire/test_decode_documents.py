from __future__ import annotations

import threading

import pytest

from app.wire.decode import decode
from app.wire.limits import DocumentLimits
from tests.app.wire.models import Free, One, Request, refused, the_issue

NOT_JSON = "The body is not JSON: "
NOT_FINITE = "NaN and Infinity are not valid JSON and cannot be computed with; found at "

MALFORMED = [
    (b"", "#", "The body is empty; a JSON object is expected."),
    (b" \n\t", "#", "The body is empty; a JSON object is expected."),
    (b'\xef\xbb\xbf{"a": 1}', "#", "The body starts with a UTF-8 byte order mark; send UTF-8 without it."),
    ('{"a": 1}'.encode("utf-16"), "#", "The body starts with a UTF-16 byte order mark; send UTF-8 without it."),
    ('{"a": 1}'.encode("utf-16-le"), "#", "The body looks like UTF-16 or UTF-32; send UTF-8."),
    ('{"a": 1}'.encode("utf-16-be"), "#", "The body looks like UTF-16 or UTF-32; send UTF-8."),
    (b'{"a": "\xff"}', "#", "The body is not valid UTF-8: invalid start byte at byte 7."),
    (b'{"a": "\xed\xa0\x80"}', "#", "The body is not valid UTF-8: invalid continuation byte at byte 7."),
    (b'{"a": "\\ud800"}', "#/a", NOT_JSON + "no low surrogate in string at line 1, column 8 (byte 7)."),
    (b'{"a": [1, "\\udc00"]}', "#/a/1", NOT_JSON + "invalid high surrogate in string at line 1, column 12 (byte 11)."),
    (b'{"a": 1', "#/a", NOT_JSON + "unexpected end of data at line 1, column 8 (byte 7)."),
    (b'{"a": 1} x', "#", NOT_JSON + "unexpected content after document at line 1, column 10 (byte 9)."),
    (b'{"a": 1}{}', "#", NOT_JSON + "unexpected content after document at line 1, column 9 (byte 8)."),
    (b'{"x": [NaN]}', "#/x/0", NOT_FINITE + "line 1, column 8 (byte 7)."),
    (b'{"x": [[1, 2],\n [3, -Infinity]]}', "#/x/1/1", NOT_FINITE + "line 2, column 7 (byte 21)."),
    (b'{"y": {"z": Infinity}}', "#/y/z", NOT_FINITE + "line 1, column 13 (byte 12)."),
    ('{"ä": NaN}'.encode(), "#/ä", NOT_FINITE + "line 1, column 7 (byte 7)."),
]


@pytest.mark.parametrize(("body", "pointer", "detail"), MALFORMED)
def test_refuses_what_is_not_json(body: bytes, pointer: str, detail: str) -> None:
    assert the_issue(body, Free) == ("malformed-json", pointer, detail)


@pytest.mark.parametrize(
    "body",
    ['{"a": 01}', '{"a": +1}', '{"a": 1.}', '{"a": .5}', '{"a": 1,}', "{'a': 1}", '{"a": tru}', '{"a": [1}', '{"a"}',
     '{"a": "\t"}', '{"a": "\\x"}', '{"a": 1 /* one */}', '{"a": "', '{a: 1}', '{"a": 1}\0'],
)  # fmt: skip
def test_names_line_and_column_of_what_is_not_json(body: str) -> None:
    code, _, detail = the_issue(body, Free)
    assert code == "malformed-json"
    assert "at line 1, column " in detail


@pytest.mark.parametrize("body", ["1", "null", "[]", '"a"', "true", '[{"x": [1]}]'])
def test_a_body_is_an_object(body: str) -> None:
    assert the_issue(body) == ("invalid-request", "#", "The body must be a JSON object; this is another kind of value.")


def test_refuses_numbers_beyond_the_range_of_floats() -> None:
    sentence = "1e400 is beyond the range of float64 (1.8e308), at line 1, column 11 (byte 10)."
    assert the_issue('{"x": [1, 1e400]}', One) == ("non-finite", "#/x/1", sentence)
    code, pointer, detail = the_issue('{"x": [[-' + "9" * 400 + "]]}", One)
    assert (code, pointer) == ("non-finite", "#/x/0/0")
    assert "999" not in detail


def test_integers_beyond_64_bits_are_floats() -> None:
    body = b'{"x": [100000000000000000000, -9223372036854775809, 18446744073709551616], "seed": 9007199254740993123}'
    request = decode(body, Free)
    assert request.x is not None and request.x.tolist() == [1e20, -(2.0**63), 2.0**64]
    assert request.model_extra == {"seed": 9007199254740993123}
    text = '"1000000000000000000000 \\" 1000000000000000000000"'
    assert decode(f'{{"t": {text}, "n": 1000000000000000000000}}'.encode(), Free).model_extra == {
        "t": '1000000000000000000000 " 1000000000000000000000',
        "n": 1e21,
    }


def test_refuses_a_name_that_occurs_twice() -> None:
    sentence = "The name occurs twice in its object."
    assert the_issue('{"x": [1], "x": [2]}', One) == ("invalid-request", "#/x", sentence)
    assert the_issue('{"a": [1, {"b": 1, "\\u0062": 1}]}', Free) == ("invalid-request", "#/a/1/b", sentence)
    body = '{"parameters": {"1": {"weight": [1], "bias": [2], "weight": [3]}, "1": {}}}'
    assert [issue.path for issue in refused(body)] == [("parameters", "1"), ("parameters", "1", "weight")]


def test_refuses_names_that_cannot_be_read() -> None:
    sentence = "The name contains the character U+0000."
    assert the_issue('{"a\\u0000b": 1, "a": 2}', Free) == ("invalid-request", "#/a\0b", sentence)
    code, pointer, detail = the_issue('{"a": {"' + "x" * 10**6 + '": 1}}', Free)
    assert (code, pointer, len(detail) < 100) == ("invalid-request", "#/a", True)
    assert decode(('{"' + "x" * 200 + '": 1, "' + "y" * 200 + '": 2}').encode(), Free).model_extra


def test_depth_is_limited() -> None:
    assert decode(b'{"a": ' + b"[" * 63 + b"]" * 63 + b"}", Free)
    for depth in (65, 500, 3000, 100_000):
        code, _, detail = the_issue('{"a": ' + "[" * depth + "]" * depth + "}", Free)
        assert code == "invalid-request"
        assert "nested" in detail
    assert the_issue('{"a":' * 70 + "1" + "}" * 70, Free)[0] == "invalid-request"


def test_values_and_names_are_limited() -> None:
    limits = DocumentLimits(values=10)
    assert decode(b'{"a": [1, 2, 3, 4, 5, 6, 7, 8, 9], "x": [1, 2, 3, 4, 5]}', Free, DocumentLimits(values=11))
    for body in ('{"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}', '{"a": [[1, 2, 3, 4, 5], [6, 7, 8, 9]]}'):
        assert the_issue(body, Free, limits=limits)[0] == "too-large"
    names = ", ".join(f'"{name}": 1' for name in range(10_001))
    assert the_issue(f'{{"a": {{{names}}}}}', Free)[:2] == ("too-large", "#/a")


def test_documents_in_several_threads_do_not_mix() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        body = f'{{"x": [[{number}, {number}], [{number}, {number}]], "n": {number}}}'.encode()
        for _ in range(300):
            request = decode(body, Free)
            if request.model_extra != {"n": number} or request.x is None or (request.x != number).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_request_without_tensors_is_read_too() -> None:
    assert decode(b"{}", Request).seed == 0


def test_a_body_with_far_too_many_values_is_refused_before_it_is_parsed() -> None:
    """It is not JSON either, which only parsing would tell."""
    code, pointer, detail = the_issue(b'{"a": [' + b"1," * 2_300_000 + b"!", Free, limits=DocumentLimits(2_000_000))
    assert (code, pointer, detail) == ("too-large", "#", "The body has more than 2,200,000 values.")


def test_an_error_among_very_many_values_is_not_located() -> None:
    """Locating it makes an object of every value: of these, some 350 MB."""
    code, pointer, detail = the_issue(b'{"a": [' + b"{}," * 3_000_000 + b"!]}", Free)
    assert (code, pointer) == ("malformed-json", "#")
    assert detail == "The body is not JSON. It has too many values for the error to be located."
