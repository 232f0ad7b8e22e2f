"""The command `gradd`. Each command imports what it needs when it runs, so that help and completion are immediate."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from app.cli.serve import cli

        cli(prog_name="gradd")
    except KeyboardInterrupt:
        sys.exit(130)
