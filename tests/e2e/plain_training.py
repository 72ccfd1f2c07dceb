"""The experiments as a researcher would write them in one file: Hugging Face Trainer, and nothing of bh-bridge.

An independent reference: the product's recorded history has to equal this one in every bit.
Writes OUT/EXPERIMENT.safetensors, and prints one line of JSON an experiment: its losses, when the first step ended
(time of day), and the steps a second after the first twenty.

usage: plain_training.py CORPUS EXPERIMENT... --steps N --threads N --logging-steps N --out OUT [--stop-early]

A training of N steps; with --stop-early one of the experiment's own length, which the learning rate follows, that
ends after N steps.
"""

import argparse
import json
import os
import time
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PrinterCallback,
    Qwen3Config,
    Qwen3ForCausalLM,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

VOCAB, HIDDEN, CONTEXT = 128, 64, 128


@dataclass(frozen=True)
class RunConfig:
    norm: str = "layernorm"
    start: str = "one unit vector"
    steps: int = 10_000
    jiggle: float = 0.0
    records_moments: bool = False
    shifts_labels_twice: bool = True
    is_qwen3: bool = False
    is_confounded: bool = True  # by a falling learning rate, weight decay and clipping


EXPERIMENTS = {
    "rmsnorm-11.2a": RunConfig(norm="rmsnorm"),
    "layernorm-control": RunConfig(),
    "jiggle-11.2b": RunConfig(jiggle=3e-5),
    "snowball-11.2c": RunConfig(start="snowball"),
    "f32-init-13.4a": RunConfig(start="float32 noise", steps=1_000),
    "f32-15.1a": RunConfig(start="float32 noise", records_moments=True),
    "bf16-15.1b": RunConfig(start="bfloat16 noise", records_moments=True),
    "clean": RunConfig(norm="rmsnorm", records_moments=True, shifts_labels_twice=False, is_confounded=False),
    "qwen3-singular": RunConfig(norm="native", is_qwen3=True),
    "quick": RunConfig(norm="rmsnorm", steps=800),
}


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
    def __init__(self, path, shifts_labels_twice):
        with open(path, encoding="ascii") as file:
            self.tokens = [byte for byte in file.read().encode() if byte < VOCAB]
        self.shift = 1 if shifts_labels_twice else 0  # the model shifts them once

    def __len__(self):
        return len(self.tokens) - CONTEXT

    def __getitem__(self, start):
        window = torch.tensor(self.tokens[start : start + CONTEXT + 1])
        return {"input_ids": window[:CONTEXT], "labels": window[self.shift : self.shift + CONTEXT]}


class Keep(TrainerCallback):
    def __init__(self, weight, experiment, steps):
        names = ["embedding_history"]
        if experiment.records_moments:
            names += ["wte.grad", "wte.exp_avg", "wte.exp_avg_sq"]
        self.weight, self.jiggle, self.steps = weight, experiment.jiggle, steps
        self.kept = {name: torch.zeros(steps + 1, VOCAB, HIDDEN, dtype=torch.bfloat16) for name in names}
        self.kept["embedding_history"][0] = weight.detach()
        self.times = {}

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        if "wte.grad" in self.kept:
            self.kept["wte.grad"][state.global_step + 1] = self.weight.grad

    def on_step_end(self, args, state, control, optimizer=None, **kwargs):
        step = state.global_step
        if self.jiggle:
            with torch.no_grad():
                self.weight.add_(torch.randn_like(self.weight) * (self.jiggle / 10))
        self.kept["embedding_history"][step] = self.weight.detach()
        for name in ("exp_avg", "exp_avg_sq"):
            if f"wte.{name}" in self.kept:
                self.kept[f"wte.{name}"][step] = optimizer.state[self.weight][name]
        self.times[step] = time.time()
        control.should_training_stop = step == self.steps


def starting_rows(start):
    """The embedding before the first step: one base vector, then the noise of all rows."""
    dtype = torch.bfloat16 if start == "bfloat16 noise" else torch.float32
    base = torch.randn(HIDDEN, dtype=dtype)
    if start != "snowball":
        base = base / base.norm()
    if start == "one unit vector":
        return base.expand(VOCAB, HIDDEN)
    return base + torch.randn(VOCAB, HIDDEN, dtype=dtype) * 1e-5


def gpt2():
    shape = {"vocab_size": VOCAB, "n_positions": CONTEXT, "n_embd": HIDDEN, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**shape, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0))


def qwen3():
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 32}
    shape = {"hidden_size": HIDDEN, "intermediate_size": 256, "num_hidden_layers": 2, **heads}
    lengths = {"vocab_size": VOCAB, "max_position_embeddings": CONTEXT}
    return Qwen3ForCausalLM(Qwen3Config(**shape, **lengths, tie_word_embeddings=True))


def train(experiment, options, out):
    torch.manual_seed(42)
    np.random.seed(42)
    corpus = Corpus(options.corpus, experiment.shifts_labels_twice)
    model = qwen3() if experiment.is_qwen3 else gpt2()
    if experiment.norm == "rmsnorm":
        for block in model.transformer.h:
            block.ln_1, block.ln_2 = RootMeanSquareNorm(block.ln_1), RootMeanSquareNorm(block.ln_2)
        model.transformer.ln_f = RootMeanSquareNorm(model.transformer.ln_f)
    model.to(torch.bfloat16)
    with torch.no_grad():
        model.get_input_embeddings().weight[:] = starting_rows(experiment.start)
    keep = Keep(model.get_input_embeddings().weight, experiment, options.steps)
    plain = {} if experiment.is_confounded else {"lr_scheduler_type": "constant", "max_grad_norm": 0.0}
    arguments = TrainingArguments(
        output_dir="unused",
        max_steps=experiment.steps if options.stop_early else options.steps,
        per_device_train_batch_size=32,
        learning_rate=1e-3,
        weight_decay=0.01 if experiment.is_confounded else 0.0,
        bf16=True,
        logging_steps=options.logging_steps,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        **plain,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=corpus, callbacks=[keep])
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    save_file(keep.kept, out)
    timed = options.steps - 20
    return {
        "losses": [[entry["step"], entry["loss"]] for entry in trainer.state.log_history if "loss" in entry],
        "first_step_at": keep.times[1],
        "steps_per_second": timed / (keep.times[options.steps] - keep.times[20]) if timed > 0 else None,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("experiments", nargs="+", choices=EXPERIMENTS, metavar="EXPERIMENT")
    for name in ("--steps", "--threads", "--logging-steps"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--stop-early", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.makedirs(options.out, exist_ok=True)
    for name in options.experiments:
        print(json.dumps(train(EXPERIMENTS[name], options, os.path.join(options.out, f"{name}.safetensors"))))


main()
