"""The programme's later model as a researcher would write it in one file: torch and tokenizers alone.

An independent reference, of Crucible 1 at any size: the product's record has to equal this one in every bit.
Writes OUT/history.safetensors, the embedding rows of the dead tokens after every step, and OUT/final.safetensors, all
weights; prints the losses of all steps.

usage: plain_tinylm.py CORPUS OUT --steps N --vocab N --positions N --batch N
"""

import argparse
import json
import os

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional

SEED, WIDTH, LAYERS, HEADS = 42, 64, 2, 2


class TinyLM(nn.Module):
    def __init__(self, vocab, positions):
        super().__init__()
        self.tokens = nn.Embedding(vocab, WIDTH)
        self.positions = nn.Embedding(positions, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(WIDTH)
        nn.init.normal_(self.tokens.weight, mean=0.0, std=0.02)
        nn.init.normal_(self.positions.weight, mean=0.0, std=0.02)

    def forward(self, ids):
        length = ids.shape[1]
        mask = torch.triu(torch.full((length, length), float("-inf")), diagonal=1)
        hidden = self.norm(self.encoder(self.tokens(ids) + self.positions.weight[:length], mask=mask))
        logits = hidden @ self.tokens.weight.T
        return functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))


def characters_joined(text, vocab):
    """Ids of a byte-pair encoding of characters, trained on the text; no token goes over the start of a word."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?[^\s]+|\s+(?!\S)|\s+"), behavior="isolated")
    tokenizer.train_from_iterator([text], trainers.BpeTrainer(vocab_size=vocab, show_progress=False))
    return torch.tensor(tokenizer.encode(text).ids)


def batches(chunks, size):
    """Epoch after epoch in an order of its own, without the last batch where it is not full."""
    epoch = 0
    while True:
        order = torch.randperm(len(chunks), generator=torch.Generator().manual_seed(SEED + epoch))
        yield from (chunks[some] for some in order.split(size) if len(some) == size)
        epoch += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("out")
    for name in ("--steps", "--vocab", "--positions", "--batch"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with open(options.corpus, encoding="utf-8") as file:
        ids = characters_joined(file.read(), options.vocab)
    dead = torch.tensor(sorted(set(range(options.vocab)) - set(ids.tolist())))
    chunks = ids[: len(ids) // options.positions * options.positions].view(-1, options.positions)
    torch.manual_seed(SEED)
    model = TinyLM(options.vocab, options.positions).to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    states, losses = [model.tokens.weight[dead].detach()], []
    for _, batch in zip(range(options.steps), batches(chunks, options.batch), strict=False):
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        states.append(model.tokens.weight[dead].detach())
    os.makedirs(options.out, exist_ok=True)
    save_file({"embedding_history": torch.stack(states)}, os.path.join(options.out, "history.safetensors"))
    save_file(model.state_dict(), os.path.join(options.out, "final.safetensors"))
    print(json.dumps({"chunks": len(chunks), "losses": losses}))


main()
