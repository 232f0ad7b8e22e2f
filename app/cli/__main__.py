"""`python -m app.cli` is `gradd`."""

from app.cli import main

if __name__ == "__main__":  # Compute processes import the main module of the server under another name.
    main()
