"""The experiment as a researcher would write it in one file: Hugging Face Trainer, and nothing of bh-bridge.

An independent reference: the product's recorded history has to equal this one in every bit.
Prints one line of JSON: its losses, when the first step ended (time of day), and the steps a second
after the first twenty.

usage: plain_training.py CORPUS --steps N --threads N --norm rmsnorm|layernorm --logging-steps N --out FILE
"""

import argparse
import json
import time

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

VOCAB, HIDDEN, CONTEXT = 128, 64, 128


class RootMeanSquareNorm(nn.Module):
    def __init__(self, like: nn.LayerNorm):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(like.normalized_shape))
        self.eps = like.eps

    def forward(self, x):
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)
        return self.weight * scaled.to(x.dtype)


class Corpus(torch.utils.data.Dataset):
    def __init__(self, path):
        with open(path, encoding="ascii") as file:
            self.tokens = [byte for byte in file.read().encode() if byte < VOCAB]

    def __len__(self):
        return len(self.tokens) - CONTEXT

    def __getitem__(self, start):
        window = torch.tensor(self.tokens[start : start + CONTEXT + 1])
        return {"input_ids": window[:-1], "labels": window[1:]}


class Keep(TrainerCallback):
    def __init__(self, weight, steps):
        self.weight = weight
        self.history = torch.zeros(steps + 1, VOCAB, HIDDEN, dtype=torch.bfloat16)
        self.history[0] = weight.detach()
        self.times = {}

    def on_step_end(self, args, state, control, **kwargs):
        self.history[state.global_step] = self.weight.detach()
        self.times[state.global_step] = time.time()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    for name in ("--steps", "--threads", "--logging-steps"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--norm", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    np.random.seed(42)
    corpus = Corpus(options.corpus)
    shape = {"vocab_size": VOCAB, "n_positions": CONTEXT, "n_embd": HIDDEN, "n_layer": 2, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(**shape, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0))
    if options.norm == "rmsnorm":
        for block in model.transformer.h:
            block.ln_1, block.ln_2 = RootMeanSquareNorm(block.ln_1), RootMeanSquareNorm(block.ln_2)
        model.transformer.ln_f = RootMeanSquareNorm(model.transformer.ln_f)
    model.to(torch.bfloat16)
    direction = torch.randn(HIDDEN)
    with torch.no_grad():
        model.transformer.wte.weight[:] = direction / direction.norm()
    keep = Keep(model.transformer.wte.weight, options.steps)
    arguments = TrainingArguments(
        output_dir="unused",
        max_steps=options.steps,
        per_device_train_batch_size=32,
        learning_rate=1e-3,
        weight_decay=0.01,
        bf16=True,
        logging_steps=options.logging_steps,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=corpus, callbacks=[keep])
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    save_file({"embedding_history": keep.history}, options.out)
    timed = options.steps - 20
    answer = {
        "losses": [[entry["step"], entry["loss"]] for entry in trainer.state.log_history if "loss" in entry],
        "first_step_at": keep.times[1],
        "steps_per_second": timed / (keep.times[options.steps] - keep.times[20]) if timed > 0 else None,
    }
    print(json.dumps(answer))


main()
