"""The example's model as a script with plain transformers trains it: three trainings, as own-model.test.ts lists them.

usage: plain_own_model.py EXAMPLE CORPUS OUT
Writes OUT/model.safetensors, OUT/loss.safetensors and OUT/init.safetensors: `history`, the embedding after every step.
"""

import importlib.util
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments

example, corpus, out = sys.argv[1:]
spec = importlib.util.spec_from_file_location("example", example)
own = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
torch.set_num_threads(1)
with open(corpus, encoding="ascii") as file:
    tokens = torch.tensor(list(file.read().encode("ascii")))


class Windows(Dataset):
    def __len__(self):
        return len(tokens) - 32

    def __getitem__(self, index):
        window = tokens[index : index + 32]
        return {"input_ids": window, "labels": window}


def train(name, dtype, loss=None, init=None):
    torch.manual_seed(42)
    np.random.seed(42)
    model = own.OneLayerAttention(vocab_size=128, width=16).to(dtype)
    if init is not None:
        with torch.no_grad():
            init(model.tok.weight)
    states = [model.tok.weight.detach().clone()]

    class Record(TrainerCallback):
        def on_step_end(self, *_, **__):
            states.append(model.tok.weight.detach().clone())

    arguments = TrainingArguments(
        output_dir=out, max_steps=12, per_device_train_batch_size=4, learning_rate=1e-3, weight_decay=0.01,
        bf16=dtype == torch.bfloat16, seed=42, use_cpu=True, save_strategy="no", report_to="none", disable_tqdm=True,
    )  # fmt: skip
    Trainer(model, arguments, train_dataset=Windows(), compute_loss_func=loss, callbacks=[Record()]).train()
    save_file({"history": torch.stack(states)}, f"{out}/{name}.safetensors")


train("model", torch.bfloat16)
train("loss", torch.float32, loss=own.penalised_loss)
train("init", torch.bfloat16, init=own.two_clusters)
