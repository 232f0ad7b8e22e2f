"""The requests of the README are answered; those of /v1/gradients and /v1/check are compared in test_pictures.py."""

from __future__ import annotations

import json

import httpx

from tests import ROOT
from tests.docs.pictures import REQUESTS, post

JSON = {"Content-Type": "application/json", "Accept": "text/html"}


def test_the_derivation_is_a_page(client: httpx.Client) -> None:
    page = client.post("/v1/explain", content=(REQUESTS / "xor.json").read_bytes(), headers=JSON)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


def test_the_job_names_the_dataset_of_the_digits(client: httpx.Client) -> None:
    digits = (ROOT / "examples" / "data" / "digits.csv").read_bytes()
    query = {"targets": "digit", "classes": "index", "name": "digits"}
    dataset = client.post("/v1/datasets", params=query, content=digits, headers={"Content-Type": "text/csv"}).json()
    assert json.loads((REQUESTS / "job.json").read_bytes())["data"] == {"dataset": dataset["id"]}
    job = post(client, "/v1/jobs", "job.json")
    assert job["status"] == "queued"
    assert client.post(f"/v1/jobs/{job['id']}/cancel").json()["status"] == "cancelled"
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204


def test_no_request_is_left_out() -> None:
    assert {file.name for file in REQUESTS.iterdir()} == {"xor.json", "check.json", "job.json"}
