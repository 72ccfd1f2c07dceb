"""Text as tokens of a tokenizer.json: `python tokenizing.py MARKER REQUEST` trains one, or counts a corpus with one.

Only the library tokenizers is needed, which comes with transformers; its files hold no code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
    is_of_bytes = request["kind"] == "byte-bpe"
    tokenizer = Tokenizer(models.BPE())
    if is_of_bytes:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?[^\s]+|\s+(?!\S)|\s+"), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()
    alphabet = pre_tokenizers.ByteLevel.alphabet() if is_of_bytes else []
    trainer = trainers.BpeTrainer(vocab_size=request["vocab"], show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator((Path(path).read_text(encoding="utf-8") for path in request["corpora"]), trainer)
    with Path(request["out"]).open("x", encoding="utf-8") as file:  # nothing is replaced
        file.write(tokenizer.to_str(pretty=True))
    return {"vocabulary": tokenizer.get_vocab_size()}


def count(request: dict[str, Any]) -> dict[str, Any]:
    """How often each token stands in a corpus, and which tokens their own text does not come back as."""
    try:
        tokenizer = load_tokenizer(request["tokenizer"])
    except Exception as error:  # the library raises plain exceptions
        return {"unusable": str(error)}
    text = Path(request["corpus"]).read_text(encoding="utf-8")
    tokens = encode(tokenizer, text)
    counts: dict[int, int] = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    ids = sorted(tokenizer.get_vocab().values())
    unreachable = [token for token in ids if encode(tokenizer, tokenizer.decode([token], False)) != [token]]
    return {
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
