"""``python -m haidang``: the command line, where its script is not on PATH."""

from __future__ import annotations

import sys

from haidang.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
