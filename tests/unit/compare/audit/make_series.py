"""Real trainings of a small network, saved as series of checkpoints: `clean FOLDER FROM TO` or `seeds FOLDER`."""

import json
import math
import random
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

BYTES = torch.tensor(
    list(b"The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. " * 60)
)
OPTIMIZERS = {
    "sgd": lambda weights, lr: torch.optim.SGD(weights, lr=lr),
    "momentum": lambda weights, lr: torch.optim.SGD(weights, lr=lr, momentum=0.9),
    "adam": lambda weights, lr: torch.optim.Adam(weights, lr=lr),
    "decayed": lambda weights, lr: torch.optim.AdamW(weights, lr=lr, weight_decay=0.5),
    "rmsprop": lambda weights, lr: torch.optim.RMSprop(weights, lr=lr),
    "adagrad": lambda weights, lr: torch.optim.Adagrad(weights, lr=lr),
}
RATES = [("sgd", 0.5), ("sgd", 0.05), ("momentum", 0.05), ("adam", 1e-3), ("adam", 3e-2), ("decayed", 1e-2)]
RATES += [("decayed", 3e-4), ("rmsprop", 1e-3), ("adagrad", 1e-2)]
SHAPES = {  # of the learning rate, over the share of the training that has passed
    "constant": lambda share: 1.0,
    "linear": lambda share: 1 - share,
    "cosine": lambda share: 0.5 + 0.5 * math.cos(math.pi * share),
    "restarts": lambda share: 0.5 + 0.5 * math.cos(math.pi * ((3 * share) % 1)),
    "late decay": lambda share: 1.0 if share < 0.8 else 5 * (1 - share),
    "zero at the end": lambda share: max(0.0, 1 - share / 0.8),
}


class Network(nn.Module):
    """Predicts a byte from the two before it."""

    def __init__(self, vocabulary: int, width: int, std: float, is_tied: bool) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, width)
        self.up, self.down = nn.Linear(2 * width, 2 * width), nn.Linear(2 * width, width)
        self.norm, self.lm_head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        for weight in (self.embed_tokens.weight, self.up.weight, self.down.weight, self.lm_head.weight):
            nn.init.normal_(weight, std=std)
        if is_tied:
            self.lm_head.weight = self.embed_tokens.weight

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        return self.lm_head(self.norm(self.down(torch.tanh(self.up(self.embed_tokens(pairs).flatten(1))))))


def train(network, optimizer, rate, steps, save, seed, batch=16, noise=0.0):
    """Train for as many steps as the last of `steps`, and save after each of them, with the log of a Trainer."""
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    draws = torch.Generator().manual_seed(seed)
    log = []
    save(network, 0, log)
    for step in range(1, steps[-1] + 1):
        first = torch.randint(0, len(BYTES) - 3, (batch,), generator=draws)
        logits = network(torch.stack([BYTES[first], BYTES[first + 1]], 1))
        nn.functional.cross_entropy(logits.float(), BYTES[first + 2]).backward()
        log.append({"step": step, "learning_rate": optimizer.param_groups[0]["lr"]})
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if noise > 0:
            with torch.no_grad():
                weight = network.embed_tokens.weight
                weight += noise * torch.randn(weight.shape, generator=draws).to(weight.dtype)
        if step in steps:
            save(network, step, log)


def weights_of(network):
    is_tied = network.lm_head.weight is network.embed_tokens.weight
    return {
        name: value.clone()
        for name, value in network.state_dict().items()
        if not (is_tied and name == "lm_head.weight")
    }


def clean(folder: Path, number: int) -> None:
    """One training with settings drawn by its number."""
    draw = random.Random(number)
    torch.manual_seed(number)
    vocabulary, width = draw.choice([(128, 32), (256, 64), (1000, 48)])
    network = Network(vocabulary, width, draw.choice([0.02, 0.02, 0.1, 1e-3]), draw.random() < 0.5)
    network.to(draw.choice([torch.float32, torch.float32, torch.bfloat16]))
    name, rate = draw.choice(RATES)
    every = draw.choice([1, 5, 20, 50, 0])
    steps = [2**k for k in range(9)] if every == 0 else [every * (k + 1) for k in range(12 if every < 50 else 6)]
    warmup = draw.choice([0, 0, steps[-1] // 10, 10])
    shape = SHAPES[draw.choice(list(SHAPES))]

    def save(network, step, log):
        checkpoint = folder / f"{number}/checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        save_file(weights_of(network), checkpoint / "model.safetensors")
        state = {"global_step": step, "max_steps": steps[-1], "log_history": log}
        (checkpoint / "trainer_state.json").write_text(json.dumps(state))

    def scale(step):
        return step / warmup if step < warmup else shape((step - warmup) / max(1, steps[-1] - warmup))

    optimizer = OPTIMIZERS[name](network.parameters(), rate)
    train(network, optimizer, scale, steps, save, number, draw.choice([4, 16, 64]), draw.choice([0, 0, 1e-4, 1e-2]))


def seeds(folder: Path) -> None:
    """Two seeds with 20 checkpoints, each in two shards with an index."""
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = Network(256, 64, 0.02, False)

        def save(network, step, log, seed=seed):
            checkpoint = folder / f"seed{seed}/step{step}"
            checkpoint.mkdir(parents=True)
            weights = weights_of(network)
            shards = {
                name: f"model-0000{1 if name.startswith('embed') else 2}-of-00002.safetensors" for name in weights
            }
            for shard in set(shards.values()):
                save_file({name: value for name, value in weights.items() if shards[name] == shard}, checkpoint / shard)
            (checkpoint / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards}))

        steps = [1, 2, 4, 8] + [10 * k for k in range(1, 16)]
        train(network, torch.optim.Adam(network.parameters(), lr=1e-3), lambda step: 1.0, steps, save, seed)


torch.set_num_threads(1)
base = Path(sys.argv[2])
if sys.argv[1] == "seeds":
    seeds(base)
else:
    for number in range(int(sys.argv[3]), int(sys.argv[4])):
        clean(base, number)
