"""Packs files into a ZIP archive with the standard library only.

Run as `python pack_files.py MARKER LIST ARCHIVE`. LIST is a JSON file of pairs: name in the archive, path. Prints the
marker and a JSON object on one line: `sha256` of names and contents, `bytes` of the archive.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile

LEVEL = 1  # halves the size in a tenth of the time of the best level
EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time, so that equal files give equal archives


def pack(files: list[tuple[str, str]], archive: str) -> str:
    """Write the archive; return the SHA-256 of names and contents."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as target:
        for name, path in sorted(files):
            with open(path, "rb") as file:
                content = file.read()
            digest.update(f"{len(name.encode())} {name} {len(content)} ".encode() + content)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return digest.hexdigest()


def main() -> None:
    marker, listed, archive = sys.argv[1:]
    with open(listed, encoding="utf-8") as file:
        files = [(name, path) for name, path in json.load(file)]
    print(marker + json.dumps({"sha256": pack(files, archive), "bytes": os.path.getsize(archive)}))


if __name__ == "__main__":
    main()
