"""A tokenizer that was trained here gives every text back, and its counts are those of the library."""

import io
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bh_bridge.data import tokenizing
from tiny_run import tokens_of
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

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
    assert tokens_of(corpus, vocab, out).tolist() == plain
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


def bpe_of_text() -> Tokenizer:
    """It joins over the beginnings of words: nothing but the whole text says where a token ends."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.decoder = decoders.Fuse()
    tokenizer.train_from_iterator([LONG], trainers.BpeTrainer(vocab_size=120, show_progress=False))
    return tokenizer


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, show_progress=False, unk_token="?", special_tokens=["?"])
    tokenizer.train_from_iterator([LONG], trainer)
    return tokenizer


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.decoder = normalizers.BertNormalizer(), decoders.WordPiece()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=120, show_progress=False, special_tokens=["[UNK]"])
    tokenizer.train_from_iterator([LONG], trainer)
    return tokenizer


LONG = " ".join(random.Random(2).choices(TEXT.split(), k=2000)) + " " * 700 + "a" * 1500 + "\n" * 300 + TEXT
OTHERS = {"bpe": bpe_of_text, "unigram": unigram, "word-piece": word_piece}


@pytest.mark.parametrize("kind", ["char-bpe", "byte-bpe", "bpe", "unigram", "word-piece"])
@pytest.mark.parametrize(("characters", "overlap"), [(1000, 200), (3000, 800)])
def test_a_text_in_parts_has_the_tokens_of_the_whole(tmp_path: Path, kind: str, characters: int, overlap: int) -> None:
    (tmp_path / "text.txt").write_text(LONG, encoding="utf-8")
    if kind in ("char-bpe", "byte-bpe"):
        tokenizer = tokenizing.trained(kind, 400, [str(tmp_path / "text.txt")])
    else:
        tokenizer = OTHERS[kind]()
    whole = tokenizer.encode(LONG, add_special_tokens=False).ids
    parts = list(tokenizing.encoded_parts(tokenizer, io.StringIO(LONG), characters, overlap))
    assert len(parts) > 2
    assert [token for part in parts for token in part.ids.tolist()] == whole
    assert "".join(part.text for part in parts) == LONG
    is_restored = tokenizer.decode(whole, skip_special_tokens=False) == LONG
    assert all(part.is_restored(tokenizer) for part in parts) == is_restored
    assert is_restored == (kind != "word-piece")


@pytest.mark.parametrize("kind", ["char-bpe", "byte-bpe"])
def test_a_tokenizer_of_a_text_in_parts_is_that_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_text(LONG, encoding="utf-8")
    parts = list(tokenizing.parts_of_words(str(text), 100))
    assert ("".join(parts), len(parts) > 50) == (LONG, True)
    whole = tokenizing.trained(kind, 300, [str(text)]).to_str()
    monkeypatch.setattr(tokenizing, "parts_of_words", lambda _: parts)
    assert tokenizing.trained(kind, 300, [str(text)]).to_str() == whole


def test_a_vocabulary_with_merges_has_the_tokens_of_its_tokenizer_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    corpus, out, directory = tmp_path / "text.txt", tmp_path / "tokenizer.json", tmp_path / "saved"
    corpus.write_text(TEXT, encoding="utf-8")
    ask(do="train", kind="byte-bpe", vocab=300, corpora=[str(corpus)], out=str(out))
    directory.mkdir()
    (directory / "config.json").write_text('{"model_type": "gpt2"}')
    tokenizer = Tokenizer.from_file(str(out))
    tokenizer.add_special_tokens(["<|endoftext|>"])  # GPT-2 has it
    tokenizer.model.save(str(directory))
    counted = ask(do="count", corpus=str(corpus), tokenizer=str(directory))
    assert counted["restored"]
    assert tokens_of(corpus, 301, Path(counted["tokenizer"])).tolist() == tokenizer.encode(TEXT).ids
    again = ask(do="count", corpus=str(corpus), tokenizer=str(directory))
    assert again["tokenizer"] == counted["tokenizer"]
    assert len(list((tmp_path / "cache/bh-bridge/tokenizers").iterdir())) == 1


def test_truncation_and_padding_of_a_tokenizer_do_not_shorten_a_text(tmp_path: Path) -> None:
    corpus, out = tmp_path / "text.txt", tmp_path / "tokenizer.json"
    corpus.write_text(TEXT, encoding="utf-8")
    tokenizer = tokenizing.trained("byte-bpe", 300, [str(corpus)])
    expected = tokenizer.encode(TEXT).ids
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(out))
    assert tokens_of(corpus, 300, out).tolist() == expected


def test_a_sentencepiece_model_is_converted_or_its_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    corpus = tmp_path / "text.txt"
    corpus.write_text(TEXT, encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    try:
        import sentencepiece  # pyright: ignore[reportMissingImports]
    except ImportError:
        (tmp_path / "tokenizer.model").write_bytes(b"\n\x0e\n\x05<unk>")
        missing = ask(do="count", corpus=str(corpus), tokenizer=str(tmp_path))["missing"]
        assert "sentencepiece" in missing
        return
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(tmp_path / "tokenizer"),
        vocab_size=320,
        model_type="bpe",
        byte_fallback=True,
    )
    library = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    words = "the cat sat on the mat"
    corpus.write_text(words, encoding="utf-8")
    counted = ask(do="count", corpus=str(corpus), tokenizer=str(tmp_path))
    assert tokens_of(corpus, 320, Path(counted["tokenizer"])).tolist() == library.encode(words)
