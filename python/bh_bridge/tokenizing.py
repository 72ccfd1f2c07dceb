"""Text as tokens of a tokenizer.json: `python tokenizing.py MARKER REQUEST` trains one, or counts a corpus with one.

A configuration can name the kind of a tokenizer in place of a file: it is then trained on the corpus of the run, once.

Only the library tokenizers is needed, which comes with transformers; its files hold no code.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers


def load_tokenizer(path: str) -> Tokenizer:
    """The tokenizer of a tokenizer.json."""
    return Tokenizer.from_str(Path(path).read_text(encoding="utf-8"))


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """The tokens of a text, without any that the tokenizer would put around it."""
    return tokenizer.encode(text, add_special_tokens=False).ids


def train(request: dict[str, Any]) -> dict[str, Any]:
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
    tokenizer.train_from_iterator((Path(path).read_text(encoding="utf-8") for path in corpora), trainer)
    return tokenizer


def kept(kind: str, vocab: int, corpora: list[str]) -> Path:
    """The file of a tokenizer that is trained on texts, in the folder of caches: trained now, or the last time."""
    texts = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in corpora]
    made_of = json.dumps([kind, vocab, tokenizers.__version__, texts])
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bh-bridge" / "tokenizers"
    path = folder / f"{hashlib.sha256(made_of.encode()).hexdigest()}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
            file.write(trained(kind, vocab, corpora).to_str(pretty=True))
        os.replace(file.name, path)  # at once, whoever else makes the same
    return path


def count(request: dict[str, Any]) -> dict[str, Any]:
    """How often each token stands in a corpus, and which tokens their own text does not come back as.

    `tokenizer` of the request is a path, or the `kind` and `vocab` of one that is trained on `corpora`.
    """
    text = Path(request["corpus"]).read_text(encoding="utf-8")
    wanted = request["tokenizer"]
    path = wanted if isinstance(wanted, str) else str(kept(wanted["kind"], wanted["vocab"], wanted["corpora"]))
    try:
        tokenizer = load_tokenizer(path)
    except Exception as error:  # the library raises plain exceptions
        return {"unusable": str(error)}
    tokens = encode(tokenizer, text)
    counts: dict[int, int] = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    ids = sorted(tokenizer.get_vocab().values())
    unreachable = [token for token in ids if encode(tokenizer, tokenizer.decode([token], False)) != [token]]
    return {
        "tokenizer": path,
        "vocabulary": max(ids) + 1,
        "characters": len(text),
        "tokens": len(tokens),
        "live": sorted(counts),
        "unreachable": unreachable,
        "restored": tokenizer.decode(tokens, skip_special_tokens=False) == text,
    }


def main(marker: str, request: dict[str, Any]) -> None:
    """Print what came of a request in one line after the marker."""
    answer: dict[str, Any]
    try:
        answer = {"train": train, "count": count}[request["do"]](request)
    except Exception as error:  # the library raises plain exceptions
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
