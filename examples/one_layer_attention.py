"""A model of one's own: one layer of attention, with a loss and an initial embedding. Only PyTorch is needed.

npx bh-bridge train --set model.type=python --set model.code=examples/one_layer_attention.py \
  --set model.class=OneLayerAttention --set model.fields.vocab_size=128 --set data.window_length=64
"""

import torch
from torch import nn
from torch.nn import functional


class OneLayerAttention(nn.Module):
    """Tokens look back at earlier ones once; no feed-forward layer, and the embedding is also the output head."""

    def __init__(self, vocab_size: int, width: int = 32, heads: int = 2, positions: int = 64):
        super().__init__()
        self.heads = heads
        self.tok = nn.Embedding(vocab_size, width)
        self.pos = nn.Embedding(positions, width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab_size, bias=False)
        self.head.weight = self.tok.weight
        nn.init.normal_(self.tok.weight, std=0.02)

    def get_input_embeddings(self):
        return self.tok

    def get_output_embeddings(self):
        return self.head

    def forward(self, input_ids, labels=None):
        batch, length = input_ids.shape
        hidden = self.tok(input_ids) + self.pos(torch.arange(length, device=input_ids.device))
        query, key, value = self.qkv(hidden).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        hidden = hidden + self.out(seen.transpose(1, 2).reshape(batch, length, -1))
        logits = self.head(self.norm(hidden))
        return {"loss": None if labels is None else next_token_loss({"logits": logits}, labels), "logits": logits}


def next_token_loss(outputs, labels, num_items_in_batch=None, penalty: float = 0.0):
    """Cross-entropy of the next token; a penalty on large logits is an idea to try."""
    logits = outputs["logits"][:, :-1].float()
    loss = functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
    return loss + penalty * logits.square().mean()


def penalised_loss(outputs, labels, num_items_in_batch=None):
    """For training.compute_loss_func."""
    return next_token_loss(outputs, labels, num_items_in_batch, penalty=1e-3)


def two_clusters(embedding):
    """For init: even tokens start at one random point, odd tokens at its opposite."""
    point = torch.randn(embedding.shape[1])
    embedding[0::2], embedding[1::2] = point, -point
