"""Runs the command line for `python -m depthmask`."""

import sys

from depthmask.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
