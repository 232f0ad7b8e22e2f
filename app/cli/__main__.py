"""`python -m app.cli` is `gradd`."""

from app.cli import main

main()
