"""safetensors files: what the library writes is read bit for bit; hostile files are refused before memory is taken."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.wire import safetensors_file
from app.wire.limits import DocumentLimits
from core.errors import Refusal

finite = st.sampled_from([np.float64, np.float32]).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, max_side=4),
                                elements={"allow_nan": False, "allow_infinity": False})
)  # fmt: skip
named = st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20), finite)


def file(header: Any, memory: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + memory


def entry(dtype: str, shape: Any, begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@given(named, st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3))
def test_what_the_library_writes_is_read_bit_for_bit(tensors: dict[str, Any], metadata: dict[str, str]) -> None:
    tensors.pop(safetensors_file.METADATA, None)
    metadata = {name: text for name, text in metadata.items() if "\0" not in name}
    body = safetensors.numpy.save(tensors, metadata or None)
    read = safetensors_file.read(body)
    assert read.metadata == metadata
    assert read.tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        assert read.tensors[name].dtype == array.dtype
        assert read.tensors[name].shape == array.shape
        assert read.tensors[name].tobytes() == array.tobytes()


@given(named)
def test_what_is_written_the_library_reads(tensors: dict[str, Any]) -> None:
    tensors.pop(safetensors_file.METADATA, None)
    turned = {name: np.asfortranarray(array) if array.ndim else array for name, array in tensors.items()}
    read = safetensors.numpy.load(safetensors_file.write(turned))
    for name, array in tensors.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].shape == array.shape


def test_tensors_are_views_of_the_file_where_their_type_allows() -> None:
    body = safetensors.numpy.save({"a": np.ones((500, 500)), "b": np.ones(3, np.float32)})
    tracemalloc.start()
    tensors = safetensors_file.read(body).tensors
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not any(array.flags.owndata or array.flags.writeable for array in tensors.values())
    assert peak < len(body) / 4


@pytest.mark.parametrize(("dtype", "values"), [
    ("float16", [1.5, -65504, 6e-8]), ("int64", [-1, 2**53]), ("int32", [-(2**31)]), ("int8", [-128]), ("uint8", [255]),
    ("uint64", [2**53]), ("bool", [True, False]),
])  # fmt: skip
def test_other_types_become_floats_that_hold_them(dtype: str, values: list[Any]) -> None:
    array = np.array(values, dtype)
    read = safetensors_file.read(safetensors.numpy.save({"a": array})).tensors["a"]
    assert read.dtype == (np.float32 if dtype == "float16" else np.float64)
    np.testing.assert_array_equal(read, array.astype(np.float64))


def test_bfloat16_is_the_upper_half_of_float32() -> None:
    body = file({"a": entry("BF16", [3], 0, 6)}, b"\x80\x3f\x00\xc0\x49\x40")
    np.testing.assert_array_equal(safetensors_file.read(body).tensors["a"], np.array([1, -2, 3.140625], np.float32))


GOOD = file({"a": entry("F64", [1], 0, 8)}, bytes(8))
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "truncated"),
    "cut in its length": (GOOD[:7], "truncated"),
    "cut in its header": (GOOD[:20], "truncated"),
    "cut in its memory": (GOOD[:-1], "takes 8"),
    "header of 2^64 bytes": (b"\xff" * 8 + b"{}", "truncated"),
    "header that is large": (file(b"{" + b" " * 16 * 2**20 + b"}"), "16,777,216"),
    "header that is no JSON": (file(b"{nonsense"), "not JSON"),
    "header that is no object": (file([]), "not a JSON object"),
    "entry that is no object": (file({"a": 1}), "dtype, shape and data_offsets"),
    "type that is unknown": (file({"a": entry("F8_E4M3", [8], 0, 8)}, bytes(8)), "is not supported"),
    "type that is no string": (file({"a": entry([], [8], 0, 8)}, bytes(8)), "is not supported"),  # type: ignore[arg-type]
    "shape that is huge": (file({"a": entry("F64", [2**60, 2**60], 0, 8)}, bytes(8)), "takes"),
    "shape that is negative": (file({"a": entry("F64", [-1, -1], 0, 8)}, bytes(8)), "positive integers"),
    "shape that is empty": (file({"a": entry("F64", [0, 2**63 - 1], 0, 0)}), "positive integers"),
    "shape of truths": (file({"a": entry("F64", [True], 0, 8)}, bytes(8)), "positive integers"),
    "rank of 65": (file({"a": entry("F64", [1] * 65, 0, 8)}, bytes(8)), "65 axes"),
    "offsets turned": (file({"a": entry("F64", [1], 8, 0)}, bytes(8)), "takes 8"),
    "offsets of strings": (file({"a": entry("F64", [1], "0", "8")}, bytes(8)), "two non-negative integers"),
    "memory shared": (file({"a": entry("F64", [1], 0, 8), "b": entry("F64", [1], 0, 8)}, bytes(8)), "overlap"),
    "memory with a gap": (file({"a": entry("F64", [1], 8, 16)}, bytes(16)), "gap"),
    "memory at the end": (file({"a": entry("F64", [1], 0, 8)}, bytes(9)), "1 bytes follow"),
    "metadata of numbers": (file({"__metadata__": {"a": 1}}), "strings"),
    "metadata that is a list": (file({"__metadata__": []}), "strings"),
    "name twice": (file(b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":1}', bytes(8)), "twice"),
    "name that is long": (file({"a" * 10**6: entry("F64", [1], 0, 8)}, bytes(8)), "characters"),
    "NaN": (file({"a": entry("F64", [1], 0, 8)}, np.array([np.nan]).tobytes()), "nan at \\[0\\]"),
    "100,000 tensors": (file({str(n): entry("I8", [1], n, n + 1) for n in range(10**5)}, bytes(10**5)), "too many names"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_a_sentence(name: str) -> None:
    body, words = HOSTILE[name]
    with pytest.raises(Refusal, match=words) as caught:
        safetensors_file.read(body)
    assert len(str(caught.value)) < 2000


def test_names_that_are_paths_are_only_names() -> None:
    body = safetensors.numpy.save({"../../etc/passwd": np.ones(1)})
    assert list(safetensors_file.read(body).tensors) == ["../../etc/passwd"]


def test_more_numbers_than_the_limit_are_refused_before_they_are_touched() -> None:
    body = safetensors.numpy.save({"a": np.full(1000, np.nan)})
    with pytest.raises(Refusal, match="allows 999"):
        safetensors_file.read(body, DocumentLimits(elements=999))


@given(st.data())
def test_any_change_of_a_file_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(safetensors_file.write({"a": np.ones((2, 3)), "b": np.ones(2, np.float32)}, {"gradd": "{}"}))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Refusal):
        safetensors_file.read(bytes(body[: data.draw(st.integers(0, len(body)))]))
