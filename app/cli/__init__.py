"""The command `gradd`."""

from app.cli.serve import cli


def main() -> None:
    """Run the command line."""
    cli()
