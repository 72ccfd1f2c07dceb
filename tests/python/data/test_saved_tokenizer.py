"""What lies beside a trained model makes, opened by transformers, the tokens that it was trained on."""

from pathlib import Path

import pytest
import torch
from bh_bridge.data import tokenizing
from tiny_run import CORPUS, MODEL, in_child, train
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

TEXT = CORPUS + "\n  a kingdom\n\n by the sea .\n"


@pytest.mark.parametrize(("kind", "vocab"), [("char-bpe", 60), ("byte-bpe", 300)])
def test_the_final_model_has_the_tokenizer_of_its_run(tmp_path: Path, kind: str, vocab: int) -> None:
    corpus, run = tmp_path / "corpus.txt", tmp_path / "run"
    corpus.write_text(CORPUS)
    run.mkdir()
    copy = str(run / "tokenizer.json")  # Node puts it there
    tokenizing.train({"kind": kind, "vocab": vocab, "corpora": [str(corpus)], "out": copy})
    model = {"config": {**MODEL["config"], "vocab_size": vocab}}
    trained = in_child(lambda: train(run, data__tokenizer=copy, training__max_steps=2, model_fields=model))
    assert trained["status"] == "completed", trained
    tokens = Tokenizer.from_file(copy).encode(TEXT).ids
    for opened in (AutoTokenizer, PreTrainedTokenizerFast):
        tokenizer = opened.from_pretrained(run / "final", trust_remote_code=True)  # its norms are its own
        assert tokenizer(TEXT)["input_ids"] == tokens
        assert tokenizer.decode(tokens) == TEXT
    read = AutoModelForCausalLM.from_pretrained(run / "final", trust_remote_code=True)
    assert read(torch.tensor([tokens[:8]])).logits.shape == (1, 8, vocab)
