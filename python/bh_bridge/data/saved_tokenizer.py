"""A tokenizer beside a saved model, as transformers opens it."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedTokenizerFast

from bh_bridge.data.tokenizing import load_tokenizer


def save_tokenizer(path: Path, directory: Path) -> None:
    """Write a tokenizer.json and its tokenizer_config.json into a directory: AutoTokenizer makes the same tokens.

    Without the latter transformers takes the tokenizer of the model's family, which splits a text otherwise.
    """
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=load_tokenizer(str(path)), clean_up_tokenization_spaces=False)
    tokenizer.save_pretrained(directory)
