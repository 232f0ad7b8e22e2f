"""Runs trials of the campaign again and prints what the check says: FAMILY NUMBER ['NAME WAY' or a part of it]."""

from __future__ import annotations

import sys

from tests.core.checking.campaign.families import FAMILIES
from tests.core.checking.campaign.outcome import failures


def main(family: str, number: str, part: str = "") -> None:
    """Print the outcome of each trial, and the summary where it is the only one or a failure."""
    for sample, trial in FAMILIES[family](int(number)):
        label = f"{trial.name} {trial.way}"
        if part not in label:
            continue
        outcome = trial.outcome(sample.checker())
        failed = "FAILS" if failures([outcome]) else "ok"
        print(f"{failed}  {sample.kind} ({sample.problem.convention}): {label}: {outcome.verdict}, {outcome.said}")
        if part:
            kinds = ", ".join(f"{node.name}={node.layer.kind}({node.function.name})" for node in sample.problem.nodes)
            print(f"    {kinds}; {outcome.seconds * 1e3:.0f} ms")
            if outcome.verdict not in ("refused", "crashed"):
                print("    " + trial.report(sample.checker()).summary)


if __name__ == "__main__":
    main(*sys.argv[1:])
