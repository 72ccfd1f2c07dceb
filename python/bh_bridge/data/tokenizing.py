"""Text as tokens of a tokenizer.json: `python tokenizing.py MARKER REQUEST` trains one, or counts a corpus with one.

A configuration can name the kind of a tokenizer in place of a file: it is then trained on the corpus of the run, once.

Only the libraries tokenizers and numpy are needed, which come with transformers; a tokenizer.json holds no code. Texts
are read in parts, and a part gives the tokens that it has within the whole text.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO, TypedDict

import numpy as np
import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

ENCODED_CHARACTERS = 1 << 20  # of a text at a time
OVERLAP = 1 << 13  # characters that two parts share
ENOUGH_TOKENS = 16  # on which two parts have to agree where one follows the other
CONTEXT = 16  # tokens around a part that is decoded
TRAINED_CHARACTERS = 1 << 16  # the library takes 256 parts at a time


class TrainedTokenizer(TypedDict):
    """A tokenizer to be trained on texts."""

    kind: str
    vocab: int
    corpora: list[str]


class TrainRequest(TrainedTokenizer):
    do: Literal["train"]
    out: str


class CountRequest(TypedDict):
    do: Literal["count"]
    tokenizer: str | TrainedTokenizer
    corpus: str


def load_tokenizer(path: str) -> Tokenizer:
    """The tokenizer of a tokenizer.json."""
    return Tokenizer.from_str(Path(path).read_text(encoding="utf-8"))


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """The tokens of a text, without any that the tokenizer would put around it."""
    return tokenizer.encode(text, add_special_tokens=False).ids


@dataclass(frozen=True)
class EncodedPart:
    """A part of a text and its tokens."""

    text: str
    ids: np.ndarray[Any, np.dtype[np.int64]]
    around: tuple[list[int], list[int]]  # a few tokens before and after, of the same encoding
    is_first: bool
    is_last: bool

    def is_restored(self, tokenizer: Tokenizer) -> bool:
        """Whether the text comes back from the tokens as it was."""
        before, after = self.around  # what a decoder does to the first and the last token happens to these
        decoded = tokenizer.decode([*before, *self.ids.tolist(), *after], skip_special_tokens=False)
        if self.is_first:
            return decoded == self.text if self.is_last else decoded.startswith(self.text)
        return decoded.endswith(self.text) if self.is_last else self.text in decoded


class _Encoded:
    """A stretch of text with its tokens and the characters that each was made of."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        self.text = text
        self.ids = np.asarray(encoding.ids, dtype=np.int64)
        self.spans = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)

    def between(self, begin: int, end: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Which tokens start at a character from `begin` to before `end`."""
        return np.flatnonzero((self.spans[:, 0] >= begin) & (self.spans[:, 0] < end))

    def part(self, begin: int, end: int, *, is_first: bool, is_last: bool) -> EncodedPart:
        which = self.between(0 if is_first else begin, end + 1 if is_last else end)
        first, last = (int(which[0]), int(which[-1]) + 1) if len(which) else (0, 0)
        around = (self.ids[max(0, first - CONTEXT) : first].tolist(), self.ids[last : last + CONTEXT].tolist())
        return EncodedPart(self.text[begin:end], self.ids[first:last], around, is_first, is_last)


def encoded_parts(
    tokenizer: Tokenizer, file: TextIO, characters: int = ENCODED_CHARACTERS, overlap: int = OVERLAP
) -> Iterator[EncodedPart]:
    """The tokens of a text as if it were encoded as a whole, part after part.

    Neighbouring parts are encoded with an overlap. One ends in its middle, where the other begins, if both have the
    same tokens of the same characters on either side. Otherwise the part is encoded again with the text that follows
    it, at last as a whole: a tokenizer can look arbitrarily far ahead.
    """
    begin, is_first = 0, True
    encoded = _Encoded(tokenizer, file.read(characters))
    while more := file.read(max(characters, len(encoded.text) if len(encoded.text) > 2 * characters else 0)):
        base = len(encoded.text) - overlap
        following = _Encoded(tokenizer, encoded.text[base:] + more) if base > begin else None
        if following is None or not _agree(encoded, following, base, overlap):
            encoded = _Encoded(tokenizer, encoded.text + more)
            continue
        middle = base + overlap // 2
        yield encoded.part(begin, middle, is_first=is_first, is_last=False)
        encoded, begin, is_first = following, middle - base, False
    yield encoded.part(begin, len(encoded.text), is_first=is_first, is_last=True)


def _agree(encoded: _Encoded, following: _Encoded, base: int, overlap: int) -> bool:
    """Whether both have the same tokens in the middle half of their overlap."""
    begin, end = overlap // 4, overlap - overlap // 4
    these, those = encoded.between(base + begin, base + end), following.between(begin, end)
    return (
        len(these) >= ENOUGH_TOKENS
        and np.array_equal(encoded.ids[these], following.ids[those])
        and np.array_equal(encoded.spans[these], following.spans[those] + base)
    )


def train(request: TrainRequest) -> dict[str, object]:
    """Train a tokenizer on texts and write it; what came of it.

    char-bpe joins characters, byte-bpe UTF-8 bytes; neither joins over the beginning of a word. A text comes back from
    its tokens as it was.
    """
    tokenizer = trained(request["kind"], request["vocab"], request["corpora"])
    with Path(request["out"]).open("x", encoding="utf-8") as file:  # nothing is replaced
        file.write(tokenizer.to_str(pretty=True))
    return {"vocabulary": tokenizer.get_vocab_size()}


def trained(kind: str, vocab: int, corpora: list[str]) -> Tokenizer:
    """A tokenizer of at most so many tokens; the same texts and version of the library give the same one."""
    is_of_bytes = kind == "byte-bpe"
    tokenizer = Tokenizer(models.BPE())
    if is_of_bytes:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?[^\s]+|\s+(?!\S)|\s+"), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()
    alphabet = pre_tokenizers.ByteLevel.alphabet() if is_of_bytes else []
    trainer = trainers.BpeTrainer(vocab_size=vocab, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator((part for path in corpora for part in parts_of_words(path)), trainer)
    return tokenizer


def parts_of_words(path: str, characters: int = TRAINED_CHARACTERS) -> Iterator[str]:
    """A text in parts that end before a blank or a line feed after a word: no pre-tokenizer here joins the two."""
    rest = ""
    with Path(path).open(encoding="utf-8") as file:
        while more := file.read(characters):
            rest += more
            end = max((found.start() for found in re.finditer(r"(?<=\w)[ \n]", rest[-characters:])), default=None)
            if end is not None:
                end += max(0, len(rest) - characters)
                yield rest[:end]
                rest = rest[end:]
    yield rest


def kept(kind: str, vocab: int, corpora: list[str]) -> Path:
    """The file of a tokenizer that is trained on texts, in the folder of caches: trained now, or the last time."""
    texts = [_sha256(path) for path in corpora]
    made_of = json.dumps([kind, vocab, tokenizers.__version__, texts])
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bh-bridge" / "tokenizers"
    path = folder / f"{hashlib.sha256(made_of.encode()).hexdigest()}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
            file.write(trained(kind, vocab, corpora).to_str(pretty=True))
        os.replace(file.name, path)  # at once, whoever else makes the same
    return path


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count(request: CountRequest) -> dict[str, object]:
    """How often each token stands in a corpus, and which tokens their own text does not come back as.

    `tokenizer` of the request is a path, or the `kind` and `vocab` of one that is trained on `corpora`.
    """
    wanted = request["tokenizer"]
    path = wanted if isinstance(wanted, str) else str(kept(wanted["kind"], wanted["vocab"], wanted["corpora"]))
    try:
        tokenizer = load_tokenizer(path)
    except Exception as error:  # the library raises plain exceptions
        return {"unusable": str(error)}
    ids = sorted(tokenizer.get_vocab().values())
    counts = np.zeros(max(ids) + 1, dtype=np.int64)
    characters, restored = 0, True
    with Path(request["corpus"]).open(encoding="utf-8") as file:
        for part in encoded_parts(tokenizer, file):
            counts += np.bincount(part.ids, minlength=len(counts))
            characters += len(part.text)
            restored = restored and part.is_restored(tokenizer)
    unreachable = [token for token in ids if encode(tokenizer, tokenizer.decode([token], False)) != [token]]
    return {
        "tokenizer": path,
        "vocabulary": len(counts),
        "characters": characters,
        "tokens": int(counts.sum()),
        "live": np.flatnonzero(counts).tolist(),
        "unreachable": unreachable,
        "restored": restored,
    }


def main(marker: str, request: TrainRequest | CountRequest) -> None:
    """Print what came of a request in one line after the marker."""
    answer: dict[str, object]
    try:
        answer = train(request) if request["do"] == "train" else count(request)
    except Exception as error:  # the library raises plain exceptions
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
