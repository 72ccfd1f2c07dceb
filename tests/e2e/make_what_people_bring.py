"""Make the files that the recipes of docs/bring-your-own.md name, with plain libraries alone."""

import sys
from pathlib import Path

folder = Path(sys.argv[1])
(folder / "story.txt").write_text("The quick brown fox jumps over the lazy dog. " * 200, encoding="utf-8")
