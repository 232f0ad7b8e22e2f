"""/v1/datasets over HTTP: four formats, one dataset; what is missing is named by its cell."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors.numpy

from app.datasets.repository import load_dataset
from app.storage import Database
from core.arrays import Array
from core.dataset import Dataset
from examples.server import running_server
from tests.server import refused

pytestmark = pytest.mark.slow

X = np.array([[0.0, 1.5], [2.0, -3.0], [4.0, 1e-3]])
Y = np.array([[1.0], [0.0], [1.0]])
CSV = "a,b,y\n0,1.5,1\n2,-3,0\n4,1e-3,1\n"
IRIS = 'length,width,species\n5.1,3.5,setosa\n6.2,2.9,"virginica, big"\n\n4.9,3,setosa\n'


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def posted(client: httpx.Client, content: bytes | str, media_type: str, **query: Any) -> httpx.Response:
    headers = {"Content-Type": media_type}
    return client.post("/v1/datasets", content=content, headers=headers, params=query)


def made(client: httpx.Client, content: bytes | str, media_type: str, **query: Any) -> dict[str, Any]:
    response = posted(client, content, media_type, **query)
    assert response.status_code in (200, 201), response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def own(folder: Path) -> Any:
    """A client of a server whose database the tests may open."""
    with running_server(GRADD_DATA_DIR=str(folder)) as server, httpx.Client(base_url=server) as client:
        yield client


@pytest.fixture(scope="module")
def database(own: httpx.Client, folder: Path) -> Any:
    database = Database(f"sqlite:///{folder / 'gradd.sqlite3'}")
    yield database
    database.close()


def loaded(database: Database, answer: dict[str, Any]) -> Dataset:
    return load_dataset(database, answer["id"])


def test_four_formats_are_the_same_dataset(own: httpx.Client, database: Database) -> None:
    by_json = own.post("/v1/datasets", json={"inputs": X.tolist(), "targets": Y.tolist()})
    assert by_json.status_code == 201
    assert by_json.headers["location"] == f"/v1/datasets/{by_json.json()['id']}"
    by_npz = made(own, npz(inputs=X, targets=Y), "application/zip")
    by_tensors = made(own, safetensors.numpy.save({"inputs": X, "targets": Y}), "application/vnd.gradd+safetensors")
    by_column = own.post("/v1/datasets", json={"inputs": X.T.tolist(), "targets": Y.T.tolist(), "convention": "column"})
    assert by_json.json()["id"] == by_npz["id"] == by_tensors["id"] == by_column.json()["id"]
    assert by_column.status_code == 200
    by_csv = made(own, CSV, "text/csv", targets="y")
    assert by_csv["inputs"]["input"]["columns"][1]["name"] == "b"
    for answer in (by_npz, by_csv):
        dataset = loaded(database, answer)
        np.testing.assert_array_equal(dataset.inputs["input"], X)
        assert dataset.targets is not None
        np.testing.assert_array_equal(dataset.targets, Y)


def test_statistics_are_those_of_numpy(own: httpx.Client) -> None:
    answer = made(own, npz(inputs=X.astype(np.float32), targets=np.array([2, 0, 1])), "application/x-npz")
    found = answer["inputs"]["input"]
    assert (found["shape"], found["dtype"], answer["examples"]) == ([3, 2], "float32", 3)
    for values, stated in ((X, found), (X[:, 0], found["columns"][0]), (X[:, 1], found["columns"][1])):
        expected = (values.min(), values.max(), values.mean(), values.std())
        np.testing.assert_allclose(
            [stated[n] for n in ("minimum", "maximum", "mean", "deviation")], expected, rtol=1e-6
        )
    assert answer["targets"]["shape"] == [3]
    assert own.get(f"/v1/datasets/{answer['id']}").json() == answer


def test_huge_numbers_have_finite_statistics(own: httpx.Client) -> None:
    found = made(own, npz(inputs=np.full((3, 1), 1.7e308)), "application/zip")["inputs"]["input"]
    assert found["mean"] == pytest.approx(1.7e308)


@pytest.mark.parametrize("classes", ["one_hot", "index"])
def test_classes_of_a_column(own: httpx.Client, database: Database, classes: str) -> None:
    answer = made(own, IRIS, "text/csv", targets="species", classes=classes)
    assert answer["classes"] == [{"label": "setosa", "count": 2}, {"label": "virginica, big", "count": 1}]
    targets = loaded(database, answer).targets
    assert targets is not None
    assert targets.tolist() == ([[1, 0], [0, 1], [1, 0]] if classes == "one_hot" else [0, 1, 0])


def test_standardisation_is_done_and_recorded(own: httpx.Client, database: Database) -> None:
    table = np.column_stack([X, np.full(3, 7.0)])
    answer = made(own, npz(inputs=table), "application/zip", standardise="true")
    record = answer["standardisation"]
    np.testing.assert_allclose(record["mean"], table.mean(axis=0))
    np.testing.assert_allclose(record["deviation"], [*X.std(axis=0), 1])
    inputs = loaded(database, answer).inputs["input"]
    np.testing.assert_allclose(inputs, (table - table.mean(axis=0)) / [*X.std(axis=0), 1])
    assert "standardisation" not in made(own, npz(inputs=table), "application/zip")


def test_columns_are_chosen_and_the_rest_is_named(own: httpx.Client, database: Database) -> None:
    answer = made(own, CSV, "text/csv", inputs=["b", "a"])
    assert answer["ignored"] == ["y"]
    np.testing.assert_array_equal(loaded(database, answer).inputs["input"], X[:, ::-1])
    headless = CSV.partition("\n")[2].replace(",", ";")
    answer = made(own, headless, "text/csv", header="false", delimiter="semicolon", targets="3")
    np.testing.assert_array_equal(loaded(database, answer).inputs["input"], X)


def test_arrays_of_a_file_are_chosen_or_named(own: httpx.Client, database: Database) -> None:
    answer = made(own, npz(x_train=X, y_train=Y, x_test=X), "application/zip", inputs="x_train", targets="y_train")
    assert answer["ignored"] == ["x_test"]
    np.testing.assert_array_equal(loaded(database, answer).inputs["input"], X)
    answer = made(own, npz(**{"inputs.left": X, "inputs.right": Y}), "application/zip")
    assert set(loaded(database, answer).inputs) == {"left", "right"}
    assert "targets" not in answer


def test_a_byte_order_mark_and_compression_are_undone(own: httpx.Client) -> None:
    expected = made(own, CSV, "text/csv", targets="y")["id"]
    body = b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Encoding": "gzip"}
    answer = own.post("/v1/datasets", content=gzip.compress(body), headers=headers, params={"targets": "y"}).json()
    assert answer["id"] == expected


CELLS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "missing": ("a,b\n1,2\n3,\n", {}, "#/row 2/b", "Row 2 has no value in column 'b'."),
    "nan": ("a,b\n1,NaN\n", {}, "#/row 1/b", "no value"),
    "not a number": ("a,b\n1,2\n3,x\n", {}, "#/row 2/b", "Row 2, column 'b': 'x' is not a number."),
    "infinite": ("a\n1e999\n", {}, "#/row 1/a", "'1e999' is not a number"),
    "underscore": ("a\n1_000\n", {}, "#/row 1/a", "'1_000' is not a number"),
    "missing class": ("a,b\n1,x\n2,\n", {"targets": "b", "classes": "index"}, "#/row 2/b", "no value"),
    "short row": ("a,b\n1,2\n3\n", {}, "#/row 2/length", "has 1 cells; the header has 2"),
    "long row": ("a,b\n1,2,3\n", {}, "#/row 1/length", "has 3 cells"),
    "long class": ("a,b\n1," + "x" * 201, {"targets": "b", "classes": "index"}, "#/row 1/b", "200 characters"),
    "long name": ("a," + "x" * 201 + "\n1,2\n", {}, "#/line 1/2", "200 characters"),
    "no rows": ("a,b\n", {}, "#", "a header but no rows"),
    "empty": ("", {}, "#", "empty"),
    "no header": ("1,2\n3,4\n", {}, "#", "names should be"),
    "twice": ("a,a\n3,4\n", {}, "#/line 1/2", "'a' of an earlier one"),
    "nameless": ("a,\n3,4\n", {}, "#/line 1/2", "has no name"),
    "quotes": ('a,b\n1,"2\n', {}, "#", "not valid CSV"),
    "unknown target": (CSV, {"targets": "z"}, "#/targets/0", "'z' is not one of a, b, y"),
    "both": (CSV, {"inputs": "a", "targets": "a"}, "#/query/inputs", "both an input and a target"),
    "no inputs": (CSV, {"targets": ["a", "b", "y"]}, "#/query/inputs", "no column is left"),
    "two classes": (CSV, {"targets": ["a", "b"], "classes": "index"}, "#/query/targets", "one column"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_what_is_wrong_with_a_table_is_said_where_it_is(own: httpx.Client, name: str) -> None:
    content, query, pointer, words = CELLS[name]
    problem = refused(posted(own, content, "text/csv", **query), 422)
    assert problem.errors[0].pointer == pointer
    assert words in problem.errors[0].detail


def test_every_wrong_cell_is_listed_up_to_the_limit(own: httpx.Client) -> None:
    rows = ["a,b"] + [f"{row},{'x' if row % 2 else row}" for row in range(5000)]
    problem = refused(posted(own, "\n".join(rows), "text/csv"), 422)
    assert [error.pointer for error in problem.errors[:2]] == ["#/row 2/b", "#/row 4/b"]
    assert len(problem.errors) == 20


def test_one_long_cell_does_not_make_all_of_them_long(own: httpx.Client) -> None:
    """As an array of strings the table would take 50 GB."""
    rows = ["0," * 99 + "1"] * 1000
    long = "0," * 99 + "0." + "0" * 100_000 + "1"
    answer = made(own, "\n".join([",".join(map(str, range(100))).replace("0,", "zero,", 1), *rows, long]), "text/csv")
    assert answer["examples"] == 1001


def test_decimal_commas_are_recognised(own: httpx.Client) -> None:
    problem = refused(posted(own, "a;b\n1,5;2\n", "text/csv", delimiter="semicolon"), 422)
    assert problem.errors[0].hint == "The decimal sign is a point."


def pickled() -> bytes:
    return npz(inputs=np.array([{"a": 1}], dtype=object))


def bomb() -> bytes:
    """A member whose header announces an array of 8 TB."""
    file = io.BytesIO()
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inputs.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(10**6))
    return file.getvalue()


GOOD = npz(inputs=X)
FILES: dict[str, tuple[bytes, str]] = {
    "no zip": (b"PK nonsense", "cannot be read as npz"),
    "cut off": (GOOD[:-30], "cannot be read as npz"),
    "changed": (GOOD[:200] + b"\xff" * 8 + GOOD[208:], ""),
    "pickled": (pickled(), "has the type object"),
    "huge": (bomb(), "more than this server allows"),
    "complex": (npz(inputs=X * 1j), "complex128"),
    "strings": (npz(inputs=np.array(["a"])), "numbers and booleans"),
    "empty axis": (npz(inputs=np.empty((0, 2))), "empty one"),
    "rank 9": (npz(inputs=np.ones((1,) * 9)), "9 axes"),
    "infinite": (npz(inputs=np.array([[1.0, np.inf]])), "is inf at [0, 1]"),
    "no inputs": (npz(x=X), "no array 'inputs'"),
    "uneven": (npz(inputs=X, targets=Y[:2]), "2 examples"),
    "a number": (npz(inputs=np.array(1.0)), "single number"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_not_what_they_seem(own: httpx.Client, name: str) -> None:
    content, words = FILES[name]
    response = posted(own, content, "application/zip")
    problem = refused(response, response.status_code)
    assert response.status_code in (413, 422)
    assert words in problem.errors[0].detail


def test_a_body_that_is_no_format_is_refused(own: httpx.Client) -> None:
    problem = refused(posted(own, CSV, "application/octet-stream"), 415, "unsupported-media-type")
    assert "?format=" in (problem.errors[0].hint or "")
    assert made(own, CSV, "application/octet-stream", format="csv", targets="y")["examples"] == 3


def test_what_is_too_large_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    limit = 10_000
    server = running_server(GRADD_DATA_DIR=str(tmp_path), GRADD_MAX_BODY_BYTES=str(limit))
    with server as address, httpx.Client(base_url=address) as client:
        refused(posted(client, b"a\n" + b"1\n" * limit, "text/csv"), 413, "too-large")
        chunks = (b"1\n" * 1000 for _ in range(1000))
        response = client.post("/v1/datasets", content=chunks, headers={"Content-Type": "text/csv"})
        refused(response, 413, "too-large")
        headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
        content = gzip.compress(b"a\n" + b"1\n" * 10**6)
        refused(client.post("/v1/datasets", content=content, headers=headers), 413, "too-large")
    assert all("sqlite" in path.name for path in tmp_path.iterdir())


def test_too_many_classes_are_refused(own: httpx.Client) -> None:
    rows = "\n".join(f"1,class {row}" for row in range(10_001))
    problem = refused(posted(own, f"a,b\n{rows}", "text/csv", targets="b", classes="index"), 413, "too-large")
    assert problem.errors[0].got == 10_001


def test_lists_go_on_and_datasets_go(own: httpx.Client) -> None:
    ids = [
        made(own, npz(inputs=np.full((2, 1), value)), "application/zip", name=f"n{value}")["id"] for value in range(3)
    ]
    part = own.get("/v1/datasets", params={"limit": 2}).json()
    assert [entry["id"] for entry in part["data"]] == ids[:0:-1]
    assert part["has_more"]
    rest = own.get("/v1/datasets", params={"after": part["next"]}).json()
    assert rest["data"][0]["id"] == ids[0]
    assert rest["data"][0]["name"] == "n0"
    address = f"/v1/datasets/{ids[1]}"
    assert own.delete(address).status_code == 204
    for response in (own.get(address), own.delete(address)):
        refused(response, 404, "not-found")


def test_integers_and_halves_keep_their_values(own: httpx.Client, database: Database) -> None:
    arrays: list[Array] = [np.arange(6, dtype=np.uint8).reshape(3, 2), X.astype(np.float16), np.asfortranarray(X)]
    for array in arrays:
        answer = made(own, npz(inputs=array), "application/zip")
        np.testing.assert_array_equal(loaded(database, answer).inputs["input"], array.astype(np.float64))


def test_a_file_in_a_form_tells_its_format(client: httpx.Client) -> None:
    """As `curl -F file=@data` sends it."""
    body = json.dumps({"inputs": X.tolist(), "targets": Y.tolist()}).encode()
    files = {"csv": CSV.encode(), "npz": npz(inputs=X, targets=Y), "json": body,
             "safetensors": safetensors.numpy.save({"inputs": X, "targets": Y})}  # fmt: skip
    for form, file in files.items():
        query = {"targets": "y"} if form == "csv" else {}
        told = client.post("/v1/datasets", files={"file": file}, params=query)
        named = client.post("/v1/datasets", files={"file": file}, params={**query, "format": form})
        assert (named.status_code, named.json().get("id")) == (200, told.json()["id"]), form
    refused(client.post("/v1/datasets", files={"file": b"\x00\x01"}), 415, "unsupported-media-type")
