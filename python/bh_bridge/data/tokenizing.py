"""Tokens of a tokenizer.json. `python tokenizing.py MARKER REQUEST` trains one, counts a corpus, or converts prompts.

A configuration can name a kind of tokenizer instead of a file. It is then trained once on the corpus of the run.

Requires only tokenizers and numpy, which come with transformers, except for converting other forms of tokenizers.
Texts are encoded in parts, with the tokens that each part has within the whole text.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, NotRequired, TextIO, TypedDict

import numpy as np
import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

if __name__ == "__main__":  # run by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bh_bridge.data.documents import BLANK_LINE, Numbers, documents, held_out_from, windows_of

ENCODED_CHARACTERS = 1 << 20  # per part
OVERLAP = 1 << 13  # characters that two parts share
ENOUGH_TOKENS = 16  # on which two overlapping parts must agree
CONTEXT = 16  # tokens around a part that is decoded
TRAINED_CHARACTERS = 1 << 16  # the library takes 256 parts at a time
# Names of the token that ends a text, the most specific first.
ENDS_OF_TEXT = ("<|endoftext|>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "<EOS_TOKEN>", "</s>", "<eos>", "[EOS]")


class TrainedTokenizer(TypedDict):
    """A tokenizer to be trained on texts."""

    kind: str
    vocab: int
    corpora: list[str]


class TrainRequest(TrainedTokenizer):
    do: Literal["train"]
    out: str


class Cut(TypedDict):
    """How windows are cut."""

    span: int
    stride: int
    length: int
    held_out: float


class CountRequest(TypedDict):
    do: Literal["count"]
    tokenizer: str | TrainedTokenizer
    corpus: str | None  # None counts only the tokens of the tokenizer
    separate: NotRequired[Cut | None]  # of documents that are not joined


class EncodeRequest(TypedDict):
    do: Literal["encode"]
    tokenizer: str
    texts: list[str]


class DecodeRequest(TypedDict):
    do: Literal["decode"]
    tokenizer: str
    texts: list[list[int]]


def load_tokenizer(path: str) -> Tokenizer:
    """The tokenizer of a tokenizer.json, without its truncation and padding, which are for single sentences."""
    tokenizer = Tokenizer.from_str(Path(path).read_text(encoding="utf-8"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """The tokens of a text, without special tokens around it."""
    return tokenizer.encode(text, add_special_tokens=False).ids


def joining_tokens(tokenizer: Tokenizer) -> list[int]:
    """The tokens between two packed documents: the token that ends a text, or those of a blank line."""
    added = {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
    return next(([added[name]] for name in ENDS_OF_TEXT if name in added), None) or encode(tokenizer, BLANK_LINE)


@dataclass(frozen=True)
class EncodedPart:
    """A part of a text and its tokens."""

    text: str
    ids: np.ndarray[Any, np.dtype[np.int64]]
    around: tuple[list[int], list[int]]  # a few tokens before and after, of the same encoding
    is_first: bool
    is_last: bool

    def is_restored(self, tokenizer: Tokenizer) -> bool:
        """Whether decoding the tokens restores the text."""
        before, after = self.around  # decoders may change the first and the last token
        decoded = tokenizer.decode([*before, *self.ids.tolist(), *after], skip_special_tokens=False)
        if self.is_first:
            return decoded == self.text if self.is_last else decoded.startswith(self.text)
        return decoded.endswith(self.text) if self.is_last else self.text in decoded


class _Encoded:
    """A part of a text with its tokens and the characters of each."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        self.text = text
        self.ids = np.asarray(encoding.ids, dtype=np.int64)
        self.spans = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)

    def between(self, begin: int, end: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Indices of the tokens that start at a character in [begin, end)."""
        return np.flatnonzero((self.spans[:, 0] >= begin) & (self.spans[:, 0] < end))

    def part(self, begin: int, end: int, *, is_first: bool, is_last: bool) -> EncodedPart:
        which = self.between(0 if is_first else begin, end + 1 if is_last else end)
        first, last = (int(which[0]), int(which[-1]) + 1) if len(which) else (0, 0)
        around = (self.ids[max(0, first - CONTEXT) : first].tolist(), self.ids[last : last + CONTEXT].tolist())
        return EncodedPart(self.text[begin:end], self.ids[first:last], around, is_first, is_last)


def encoded_parts(
    tokenizer: Tokenizer, file: TextIO, characters: int = ENCODED_CHARACTERS, overlap: int = OVERLAP
) -> Iterator[EncodedPart]:
    """Encode a text in parts, with the tokens of encoding it as a whole.

    Neighbouring parts overlap. They are cut in the middle of the overlap if both have the same tokens there. Otherwise
    the part is encoded again with more text, up to all of it, because a tokenizer can look arbitrarily far ahead.
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
    """Train a tokenizer on texts, write it and return its vocabulary size.

    char-bpe merges characters, byte-bpe UTF-8 bytes, both only within words. Decoding restores the text.
    """
    tokenizer = trained(request["kind"], request["vocab"], request["corpora"])
    with Path(request["out"]).open("x", encoding="utf-8") as file:  # fails if the file exists
        file.write(tokenizer.to_str(pretty=True))
    return {"vocabulary": tokenizer.get_vocab_size()}


def trained(kind: str, vocab: int, corpora: list[str]) -> Tokenizer:
    """A tokenizer of at most `vocab` tokens, determined by the texts and the version of the library."""
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
    """Split a text before spaces or line feeds that follow a word, where every pre-tokenizer here splits."""
    rest = ""
    for number, document in enumerate(documents(path)):
        rest += BLANK_LINE if number else ""
        while more := document.read(characters):
            rest += more
            end = max((found.start() for found in re.finditer(r"(?<=\w)[ \n]", rest[-characters:])), default=None)
            if end is not None:
                end += max(0, len(rest) - characters)
                yield rest[:end]
                rest = rest[end:]
    yield rest


def kept(kind: str, vocab: int, corpora: list[str]) -> Path:
    """The cached file of a tokenizer trained on texts; it is trained if missing."""
    texts = [_sha256(path) for path in corpora]
    return _cached([kind, vocab, tokenizers.__version__, texts], lambda: trained(kind, vocab, corpora))


def converted(directory: Path) -> Path:
    """The cached tokenizer.json of a directory with another form of tokenizer; it is converted if missing.

    MissingPackages if transformers cannot convert it without them.
    """
    files = [path for name in (*_MODELS, *_OTHERS, "added_tokens.json") if (path := directory / name).is_file()]
    made_of = ["converted", tokenizers.__version__, metadata.version("transformers")]
    return _cached([*made_of, [[path.name, _sha256(str(path))] for path in files]], lambda: _convert(directory))


_MODELS = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tiktoken.model")
_OTHERS = ("vocab.json", "merges.txt", "vocab.txt", "config.json", "tokenizer_config.json", "special_tokens_map.json")


class MissingPackages(Exception):
    """Packages that a conversion needs; its arguments are their names."""


def _convert(directory: Path) -> Tokenizer:
    models = [path for name in _MODELS if (path := directory / name).is_file()]
    # A sentencepiece model is a protobuf message that starts with field 1; a tiktoken file is text.
    is_message = any(path.open("rb").read(1) == b"\n" for path in models)
    packages = [] if not models else ["sentencepiece", "protobuf"] if is_message else ["tiktoken"]
    missing = [package for package in packages if not _is_installed(package)]
    if missing:
        raise MissingPackages(*missing)
    os.environ["HF_HUB_OFFLINE"] = "1"
    from transformers import AutoTokenizer  # takes seconds

    loaded: Any = AutoTokenizer.from_pretrained(str(directory), local_files_only=True, trust_remote_code=False)
    if not hasattr(loaded, "backend_tokenizer"):
        raise ValueError(f"transformers opens {directory} with {type(loaded).__name__}, which has no tokenizer.json")
    return loaded.backend_tokenizer


def _is_installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def _cached(made_of: list[Any], make: Callable[[], Tokenizer]) -> Path:
    """The file in the user's cache of a tokenizer that depends only on `made_of`."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bh-bridge" / "tokenizers"
    path = folder / f"{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()}.json"
    if not path.exists():
        text = make().to_str(pretty=True)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)  # atomic, because another process may make the same tokenizer
    return path


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count(request: CountRequest) -> dict[str, object]:
    """Count the tokens of a corpus, and find tokens that encoding never produces.

    `tokenizer` of the request is a path, also of a directory, or the `kind` and `vocab` of one to train on `corpora`.
    """
    try:
        path = _file_of(request["tokenizer"])
        tokenizer = load_tokenizer(path)
    except MissingPackages as error:
        return {"missing": list(error.args)}
    except Exception as error:  # the library raises plain exceptions
        return {"unusable": str(error)}
    ids = sorted(tokenizer.get_vocab().values())
    counts = np.zeros(max(ids) + 1, dtype=np.int64)
    cut, corpus = request.get("separate"), request["corpus"]
    joint = [] if cut else joining_tokens(tokenizer)
    characters, restored, lengths = 0, True, array("q")
    for document in [] if corpus is None else documents(corpus):
        if lengths:
            np.add.at(counts, joint, 1)
        lengths.append(len(joint) if lengths else 0)
        for part in encoded_parts(tokenizer, document):
            counts += np.bincount(part.ids, minlength=len(counts))
            lengths[-1] += len(part.ids)
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
        "documents": len(lengths),
        "joint": tokenizer.decode(joint, skip_special_tokens=False),
        "separate": _windows(np.asarray(lengths), cut) if cut else None,
    }


def _windows(lengths: Numbers, cut: Cut) -> dict[str, int]:
    """The training and held-out windows of separate documents."""
    tokens, length = int(lengths.sum()), cut["length"]
    middle = held_out_from(tokens, cut["held_out"])
    _, trained = windows_of(lengths, 0, middle, cut["span"], cut["stride"])
    _, held_out = windows_of(lengths, middle, tokens, length + 1, length)
    return {"windows": int(trained.sum()), "heldOut": int(held_out.sum())}


def _file_of(wanted: str | TrainedTokenizer) -> str:
    """The tokenizer.json of a request."""
    if not isinstance(wanted, str):
        return str(kept(wanted["kind"], wanted["vocab"], wanted["corpora"]))
    if not Path(wanted).is_dir():
        return wanted
    own = Path(wanted) / "tokenizer.json"
    return str(own if own.exists() else converted(Path(wanted)))


def _answer(request: TrainRequest | CountRequest | EncodeRequest | DecodeRequest) -> dict[str, object]:
    if request["do"] == "train":
        return train(request)
    if request["do"] == "count":
        return count(request)
    tokenizer = load_tokenizer(request["tokenizer"])
    if request["do"] == "encode":
        return {"tokens": [encode(tokenizer, text) for text in request["texts"]]}
    return {"texts": [tokenizer.decode(tokens, skip_special_tokens=False) for tokens in request["texts"]]}


def main(marker: str, request: TrainRequest | CountRequest | EncodeRequest | DecodeRequest) -> None:
    """Print the answer to a request as one line after the marker."""
    answer: dict[str, object]
    try:
        answer = _answer(request)
    except Exception as error:  # the library raises plain exceptions
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
