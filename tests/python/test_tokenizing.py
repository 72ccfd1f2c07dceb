"""A tokenizer that was trained here gives every text back, and its counts are those of the library."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bh_bridge import tokenizing
from bh_bridge.data import read_tokens
from tokenizers import Tokenizer

TEXT = "The cat sat on the mat.\n\n  Die Katze saß auf der Matte; the naïve cat\tpurred.\n" * 20


def ask(**request: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, tokenizing.__file__, "M:", json.dumps(request)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.removeprefix("M:"))


@pytest.mark.parametrize(("kind", "vocab"), [("char-bpe", 60), ("byte-bpe", 300)])
def test_a_trained_tokenizer_has_the_tokens_that_were_asked_for_and_loses_nothing(
    tmp_path: Path, kind: str, vocab: int
) -> None:
    corpus, out = tmp_path / "text.txt", tmp_path / "tokenizer.json"
    corpus.write_text(TEXT, encoding="utf-8")
    assert ask(do="train", kind=kind, vocab=vocab, corpora=[str(corpus)], out=str(out)) == {"vocabulary": vocab}
    plain = Tokenizer.from_file(str(out)).encode(TEXT).ids
    counted = ask(do="count", corpus=str(corpus), tokenizer=str(out))
    assert counted["live"] == sorted(Counter(plain))
    assert (counted["tokens"], counted["characters"], counted["restored"]) == (len(plain), len(TEXT), True)
    assert read_tokens(str(corpus), vocab, str(out)).tolist() == plain
    if kind == "byte-bpe":  # a byte that begins no character is no text by itself
        assert len(counted["unreachable"]) >= 128


def test_what_the_library_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "wrong.json").write_text("{}")
    answer = ask(do="count", corpus=str(tmp_path / "text.txt"), tokenizer=str(tmp_path / "wrong.json"))
    assert answer.keys() == {"unusable"}
    answer = ask(do="train", kind="char-bpe", vocab=60, corpora=[str(tmp_path / "none.txt")], out=str(tmp_path / "a"))
    assert answer.keys() == {"problem"}


def test_a_tokenizer_is_written_only_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "mine.json").write_text("mine")
    request = {
        "kind": "char-bpe",
        "vocab": 60,
        "corpora": [str(tmp_path / "text.txt")],
        "out": str(tmp_path / "mine.json"),
    }
    assert ask(do="train", **request).keys() == {"problem"}
    assert (tmp_path / "mine.json").read_text() == "mine"


def test_one_that_is_trained_for_a_corpus_is_kept_and_the_same_as_one_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    corpus, out = tmp_path / "text.txt", tmp_path / "tokenizer.json"
    corpus.write_text(TEXT, encoding="utf-8")
    ask(do="train", kind="char-bpe", vocab=60, corpora=[str(corpus)], out=str(out))
    first = ask(do="count", corpus=str(corpus), tokenizer={"kind": "char-bpe", "vocab": 60, "corpora": [str(corpus)]})
    kept = Path(first["tokenizer"])
    assert kept.read_text(encoding="utf-8") == out.read_text(encoding="utf-8")
    before = kept.stat().st_mtime_ns
    assert (
        ask(do="count", corpus=str(corpus), tokenizer={"kind": "char-bpe", "vocab": 60, "corpora": [str(corpus)]})
        == first
    )
    assert kept.stat().st_mtime_ns == before
    assert list(kept.parent.iterdir()) == [kept]
    other = ask(do="count", corpus=str(corpus), tokenizer={"kind": "char-bpe", "vocab": 50, "corpora": [str(corpus)]})
    assert (other["vocabulary"], other["tokenizer"] == str(kept)) == (50, False)
