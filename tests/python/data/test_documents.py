"""Documents of a prepared text, joined or separate, and files of token ids."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bh_bridge.data import documents as documents_module
from bh_bridge.data import tokenizing
from bh_bridge.data.corpus import read_corpus, split_windows
from bh_bridge.data.documents import documents
from tiny_run import tokens_of
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

RANDOM = random.Random(3)
TEXTS = ["".join(RANDOM.choices("ab ß\n", k=RANDOM.choice([1, 3, 9, 30]))) for _ in range(30)]


def prepared(path: Path, texts: list[str] = TEXTS) -> str:
    path.write_bytes(b"\xff".join(text.encode() for text in texts))
    return str(path)


def data_of(corpus: Any, **other: Any) -> Any:
    base = {"tokenizer": None, "documents": "separate", "windows": "sliding", "label_shift": "causal", "held_out": 0}
    return {"corpus": corpus, "window_length": 4, **base, **other}


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_the_documents_are_those_between_the_separators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(documents_module, "READ_BYTES", size)
    path = prepared(tmp_path / "text", [*TEXTS, "one\r\ntwo\rthree\r", "\nfour"])
    assert [document.read() for document in documents(path)] == [*TEXTS, "one\ntwo\nthree\n", "\nfour"]


def test_packed_documents_of_bytes_are_joined_by_a_blank_line(tmp_path: Path) -> None:
    corpus = tmp_path / "text"
    prepared(corpus)
    assert bytes(tokens_of(corpus, 256).tolist()).decode() == "\n\n".join(TEXTS)


def trained_tokenizer(path: Path, special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.save(str(path))
    return tokenizer


def count(corpus: str, tokenizer: str, **other: Any) -> dict[str, Any]:
    request = {"do": "count", "corpus": corpus, "tokenizer": tokenizer, **other}
    command = [sys.executable, tokenizing.__file__, "M:", json.dumps(request)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.removeprefix("M:"))


@pytest.mark.parametrize(("special", "joint"), [(["</s>", "<|endoftext|>"], "<|endoftext|>"), ([], "\n\n")])
def test_packed_documents_are_joined_by_the_token_that_ends_a_text(
    tmp_path: Path, special: list[str], joint: str
) -> None:
    tokenizer = trained_tokenizer(tmp_path / "tokenizer.json", special)
    path = prepared(tmp_path / "text")
    between: list[int] = tokenizer.encode(joint).ids  # a special token is found in a text
    expected: list[int] = []
    for number, text in enumerate(TEXTS):
        expected += [*(between if number else []), *tokenizer.encode(text).ids]
    assert tokens_of(Path(path), 300, tmp_path / "tokenizer.json").tolist() == expected
    counted = count(path, str(tmp_path / "tokenizer.json"))
    assert (counted["tokens"], counted["documents"], counted["joint"]) == (len(expected), len(TEXTS), joint)
    assert counted["live"] == sorted(set(expected))


def brute_windows(texts: list[list[int]], held_out: float, stride: int, span: int) -> tuple[list[Any], list[Any]]:
    """The tokens of all training and held-out windows of 4 tokens, by trying every position."""
    total = sum(map(len, texts))
    middle, begin = total - int(total * held_out), 0
    trained: list[list[int]] = []
    held: list[list[int]] = []
    for text in texts:
        inside, outside = text[: max(0, middle - begin)], text[max(0, middle - begin) :]
        trained += [inside[at : at + 4] for at in range(0, len(inside), stride) if at + span <= len(inside)]
        held += [outside[at : at + 4] for at in range(0, len(outside), 4) if at + 5 <= len(outside)]
        begin += len(text)
    return trained, held


@pytest.mark.parametrize("held_out", [0, 0.3])
@pytest.mark.parametrize(("windows", "shift"), [("sliding", "causal"), ("chunks", "causal"), ("chunks", "double")])
def test_no_window_crosses_separate_documents(tmp_path: Path, windows: str, shift: str, held_out: float) -> None:
    data = data_of(prepared(tmp_path / "text"), windows=windows, label_shift=shift, held_out=held_out)
    stride, span = (1, 5) if windows == "sliding" else (4, 4 + (shift == "double"))
    trained, held = brute_windows([list(text.encode()) for text in TEXTS], held_out, stride, span)
    found, rest = split_windows(read_corpus(data, 256), 4, data)
    assert [found[at]["input_ids"].tolist() for at in range(len(found))] == trained
    assert [rest[at]["input_ids"].tolist() for at in range(len(rest))] == held if rest else not held

    tokenizer = trained_tokenizer(tmp_path / "tokenizer.json", [])
    cut = {"span": span, "stride": stride, "length": 4, "held_out": held_out}
    trained, held = brute_windows([tokenizer.encode(text).ids for text in TEXTS], held_out, stride, span)
    counted = count(data["corpus"], str(tmp_path / "tokenizer.json"), separate=cut)["separate"]
    assert counted == {"windows": len(trained), "heldOut": len(held)}


def test_separate_documents_of_several_files_have_their_shares(tmp_path: Path) -> None:
    paths = [prepared(tmp_path / "a", TEXTS[:10]), prepared(tmp_path / "b", TEXTS[10:])]
    shares = [40, 7]
    data = data_of([{"path": path, "windows": share} for path, share in zip(paths, shares, strict=True)])
    found, _ = split_windows(read_corpus(data, 256), 4, data)
    expected: list[list[int]] = []
    for texts, share in zip((TEXTS[:10], TEXTS[10:]), shares, strict=True):
        own, _ = brute_windows([list(text.encode()) for text in texts], 0, 1, 5)
        expected += [own[number * len(own) // share] for number in range(share)]
    assert [found[at]["input_ids"].tolist() for at in range(len(found))] == expected


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "int64", "uint32", "uint64", ">i4"])
def test_token_ids_are_read_as_they_are(tmp_path: Path, dtype: str) -> None:
    ids = np.arange(200, dtype=dtype)
    np.save(tmp_path / "ids.npy", ids)
    ids.astype(np.uint16).tofile(tmp_path / "ids.bin")
    for name in ("ids.npy", "ids.bin"):
        corpus = read_corpus(data_of(str(tmp_path / name)), 200)
        assert corpus.tokens.tolist() == list(range(200))
        assert corpus.live(200) == list(range(200))
        assert split_windows(corpus, 4, data_of(str(tmp_path / name)))[0][195]["input_ids"].tolist() == [
            195,
            196,
            197,
            198,
        ]
    listed = data_of(
        [{"path": str(tmp_path / name), "windows": 9} for name in ("ids.npy", "ids.bin")], documents="pack"
    )
    assert read_corpus(listed, 200).tokens.tolist() == [*range(200), *range(200)]
