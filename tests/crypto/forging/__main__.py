"""Write the corpus of forged documents into a new folder."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.crypto.forging.corpus import write_corpus

if len(sys.argv) != 2:
    sys.exit("usage: python -m tests.crypto.forging FOLDER")
sys.stdout.write(f"{len(write_corpus(Path(sys.argv[1])))} documents\n")
