"""`python -m cti` is the `hotline` command."""

from cti.cli import main

if __name__ == "__main__":
    main()
