"""Does once what transformers does at its first use in a process, so that forks of this process need not."""

from __future__ import annotations

import importlib
import tempfile

# Modules that building, training and saving a model import.
MODULES = ("numpy.ctypeslib", "tokenizers.trainers", "transformers.convert_slow_tokenizer")


def use_first() -> None:
    """Save a tiny model, for which transformers compiles 900 patterns. Leaves the random states as they are."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel
    from transformers.utils import logging

    for name in MODULES:
        importlib.import_module(name)
    logging.disable_progress_bar()  # its monitor is a thread, which a process that forks must not have
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as folder:
        sizes = {"vocab_size": 8, "n_positions": 4, "n_embd": 2, "n_layer": 1, "n_head": 1}
        config = GPT2Config(**sizes, bos_token_id=None, eos_token_id=None)
        GPT2LMHeadModel(config).save_pretrained(folder)
    logging.enable_progress_bar()
