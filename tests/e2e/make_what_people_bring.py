"""Make the files that the recipes of docs/bring-your-own.md name, with plain libraries alone."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

folder = Path(sys.argv[1])
story = "The quick brown fox jumps over the lazy dog. " * 200
(folder / "story.txt").write_text(story, encoding="utf-8")
(folder / "story.txt.gz").write_bytes(gzip.compress(story.encode()))
stories = [f"Story {number}. {story[: 400 + number]}" for number in range(20)]
(folder / "stories.jsonl").write_text("".join(json.dumps({"body": each}) + "\n" for each in stories), encoding="utf-8")
(folder / "stories").mkdir()
for number, each in enumerate(stories):
    (folder / "stories" / f"{number:02}.txt").write_text(each, encoding="utf-8")
np.frombuffer(story.encode(), dtype=np.uint8).astype(np.uint16).tofile(folder / "train.bin")

# A model, a loss and an initial embedding of one's own.
(folder / "net.py").write_text(
    """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, vocab_size, width=16):
        super().__init__()
        self.tok = nn.Embedding(vocab_size, width)

    def get_input_embeddings(self):
        return self.tok

    def forward(self, input_ids, labels=None):
        logits = self.tok(input_ids) @ self.tok.weight.T
        return loss({"logits": logits}, labels), logits


def loss(outputs, labels, num_items_in_batch=None):
    return nn.functional.cross_entropy(outputs["logits"][:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())


def start(embedding):
    return torch.randn(embedding.shape).sign()
""",
    encoding="utf-8",
)

# A series of checkpoints whose weights move on from step to step.
draws = np.random.default_rng(1)
weights = {"wte.weight": draws.normal(0, 0.02, (256, 32)), "h.0.mlp.c_fc.weight": draws.normal(0, 0.02, (32, 128))}
for step in (0, 100, 200, 300):
    checkpoint = folder / f"series/checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    save_file({name: value.astype(np.float32) for name, value in weights.items()}, checkpoint / "model.safetensors")
    weights = {name: value + draws.normal(0, 0.005, value.shape) for name, value in weights.items()}


def model_with_untrained_tokens() -> None:
    """Save padded-model: a GPT-2 whose tokens 300 to 319 are beyond its tokenizer and never trained."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train([str(folder / "story.txt")], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    model = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_embd=32, n_layer=1, n_head=2, n_positions=64))
    with torch.no_grad():
        model.transformer.wte.weight[300:] *= 0.01
    model.save_pretrained(folder / "padded-model")
    tokenizer.save(str(folder / "padded-model" / "tokenizer.json"))


model_with_untrained_tokens()


def training_of_a_script() -> None:
    """Save my-training: the checkpoints of a script with transformers alone."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    tokens = torch.tensor(list((folder / "story.txt").read_bytes()))
    Trainer(
        model=GPT2LMHeadModel(GPT2Config(vocab_size=128, n_positions=16, n_embd=8, n_layer=1, n_head=2)),
        args=TrainingArguments(str(folder / "my-training"), max_steps=4, save_steps=2, use_cpu=True, report_to="none"),
        train_dataset=[{"input_ids": part, "labels": part} for part in tokens.unfold(0, 16, 1)[:-1]],
    ).train()


training_of_a_script()


def models_of_the_hub() -> None:
    """Save hub-model, a float16 GPT-NeoX in pickled shards with an older config.json, and encoder, a BERT."""
    import torch
    from transformers import BertConfig, BertModel, GPTNeoXConfig, GPTNeoXForCausalLM

    sizes = {"vocab_size": 128, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 2, "max_position_embeddings": 64}
    BertModel(BertConfig(**sizes)).save_pretrained(folder / "encoder")
    state = GPTNeoXForCausalLM(GPTNeoXConfig(**sizes)).half().state_dict()
    hub = folder / "hub-model"
    hub.mkdir()
    names = [*state]
    parts = {"pytorch_model-00001-of-00002.bin": names[:9], "pytorch_model-00002-of-00002.bin": names[9:]}
    for file, part in parts.items():
        torch.save({name: state[name] for name in part}, hub / file)
    places = {name: file for file, part in parts.items() for name in part}
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (hub / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    older = {"model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "torch_dtype": "float16"}
    older |= {"transformers_version": "4.24.0", "rotary_emb_base": 10000, "rotary_pct": 0.25, **sizes}
    (hub / "config.json").write_text(json.dumps(older), encoding="utf-8")


models_of_the_hub()
