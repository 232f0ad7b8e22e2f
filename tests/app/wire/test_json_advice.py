"""A body that is not JSON is told what was probably meant."""

from __future__ import annotations

import pytest

from app.wire.json_document import parse
from core.errors import Refusal


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("body.json", "--data-binary @body.json"),
        ("./a-folder/body.json\n", "--data-binary @./a-folder/body.json"),
        ("@body.json", "--data-binary @body.json"),
        ('{"verify": True}', "true in lower case"),
        ('{"verify": False}', "false in lower case"),
        ('{"loss": None, "a": 1}', "write null"),
        ("{'a': 1}", "double quotes"),
        ("{\"a\": 'b'}", "double quotes"),
        ('{"a": 1,}', "comma after the last entry"),
        ('{"a": [1, 2,]}', "comma after the last entry"),
        ('{"a": [1,, 2]}', "two commas"),
        ("{a: 1}", "Names stand in double quotes"),
        ('{"a": 1} // a', "no comments"),
        ('{"a": 1 # a\n}', "no comments"),
        ('{"a": +1}', "no sign +"),
        ('{"a": .5}', "before its point"),
        ('{"a": [1, 2', "ends too early"),
        ('{"a": NaN}', "finite numbers"),
        ('{"a": undefined}', "Leave the field out"),
        ("", "--data-binary @NAME"),
    ],
)
def test_the_fix_is_named(body: str, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(body.encode())
    (issue,) = caught.value.issues
    assert issue.code == "malformed-json"
    assert issue.hint and words in issue.hint


@pytest.mark.parametrize("body", ['{"a": "\\x"}', '{"a" 1}', "{]", "\x01"])
def test_nothing_is_guessed(body: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(body.encode())
    assert caught.value.issues[0].hint is None
