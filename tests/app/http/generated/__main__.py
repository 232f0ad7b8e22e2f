"""Sends generated requests to a server of its own and prints the figures: python -m tests.app.http.generated COUNT [SEED]."""

from __future__ import annotations

import secrets
import sys

import httpx

from examples.server import running_server
from tests.app.http.generated.campaign import EVERY_PIECE, LIMITS, run
from tests.server import published


def main(count: int, seed: int) -> int:
    """Run the campaign in pieces with seeds of their own and return the exit status."""
    complaints = 0
    with (
        running_server(GRADD_MAX_SECONDS="5") as address,
        httpx.Client(base_url=address, timeout=60, limits=LIMITS) as client,
    ):
        for piece in range(0, count, EVERY_PIECE):
            outcome = run(client, published(), seed + piece, min(EVERY_PIECE, count - piece))
            print(f"seed {seed + piece}:", "; ".join(outcome.lines()), flush=True)
            for complaint, told in outcome.complaints.items():
                print(f"  {len(told)} x {complaint}\n      {told[0]}")
            complaints += len(outcome.complaints)
    return int(complaints > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbelow(2**31)))
