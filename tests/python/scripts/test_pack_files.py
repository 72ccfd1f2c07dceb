"""pack_files.py: equal files make an equal archive."""

import hashlib
import zipfile
from pathlib import Path

from bh_bridge.scripts.pack_files import pack


def test_the_hash_is_of_names_and_contents_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    files = [("x/a", str(tmp_path / "a")), ("b", str(tmp_path / "b"))]
    first = pack(files, str(tmp_path / "first.zip"))
    assert first == pack(files[::-1], str(tmp_path / "second.zip"))
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    assert first == hashlib.sha256(b"1 b 3 two" + b"3 x/a 3 one").hexdigest()
    (tmp_path / "b").write_bytes(b"too")
    assert first != pack(files, str(tmp_path / "third.zip"))


def test_the_archive_has_the_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 9)
    pack([("x/a", str(tmp_path / "a"))], str(tmp_path / "it.zip"))
    with zipfile.ZipFile(tmp_path / "it.zip") as archive:
        assert archive.namelist() == ["x/a"]
        assert archive.read("x/a") == bytes(range(256)) * 9
