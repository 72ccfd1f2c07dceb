"""Makes the models of this folder, and what sentencepiece (0.2.3) makes of each of their pieces."""

import json
from pathlib import Path

import sentencepiece

here = Path(__file__).parent
words = [
    "the",
    "cat",
    "sat",
    "on",
    "the",
    "mat",
    "and",
    "the",
    "dog",
    "ran",
    "after",
    "a",
    "cat",
    "that",
    "sat",
    "on",
    "a",
    "mat",
    "near",
    "the",
    "old",
    "red",
    "barn",
]
text = here / "text.tmp"
text.write_text("\n".join(" ".join(words[i:] + words[:i]) for i in range(len(words))), encoding="utf-8")
expected = {}
for kind, size in (("bpe", 300), ("unigram", 296)):
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(here / kind),
        model_type=kind,
        vocab_size=size,
        byte_fallback=True,
        hard_vocab_limit=False,
        normalization_rule_name="identity",  # else each model carries 240 kB of rules
        user_defined_symbols=["<user>"],
        control_symbols=["<ctl>"],
    )
    (here / f"{kind}.vocab").unlink()
    library = sentencepiece.SentencePieceProcessor(model_file=str(here / f"{kind}.model"))
    sentences = ["the cat sat on the mat", "red dog", "a barn near the cat", "ß?"]
    expected[kind] = {
        "pieces": [library.id_to_piece(i) for i in range(library.vocab_size())],
        "sentences": {sentence: library.encode(sentence) for sentence in sentences},
    }
text.unlink()
(here / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")
