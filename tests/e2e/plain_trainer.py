"""Train with transformers alone as any script would, resume from a checkpoint, and save what that gives.

Arguments: a text of bytes, a folder, and the fields of TrainingArguments as JSON. For each family:
`FAMILY/checkpoint-N` with N = save_steps, from an uninterrupted training, and `FAMILY/resumed`, the model that
`resume_from_checkpoint` ends with. The weights of the llama's checkpoint are in several files.
"""

import json
import os
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM, Trainer, TrainingArguments

SIZES = {
    "gpt2": {"n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2},
    "llama": {
        "max_position_embeddings": 16,
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    },
}


def main(text: str, folder: str, fields: str) -> None:
    options = json.loads(fields)
    with open(text, "rb") as file:
        tokens = torch.tensor(list(file.read()))
    windows = [{"input_ids": tokens[i : i + 16], "labels": tokens[i : i + 16]} for i in range(len(tokens) - 16)]
    for family, sizes in SIZES.items():
        for checkpoint in (None, f"{folder}/{family}/checkpoint-{options['save_steps']}"):
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, vocab_size=128, **sizes))
            args = TrainingArguments(f"{folder}/{family}", use_cpu=True, report_to="none", disable_tqdm=True, **options)
            Trainer(model=model, args=args, train_dataset=windows).train(resume_from_checkpoint=checkpoint)
        model.save_pretrained(f"{folder}/{family}/resumed")
        if family == "llama":
            whole = AutoModelForCausalLM.from_pretrained(checkpoint)
            os.remove(f"{checkpoint}/model.safetensors")
            whole.save_pretrained(checkpoint, max_shard_size="4KB")


main(*sys.argv[1:])
