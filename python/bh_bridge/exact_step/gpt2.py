"""Forward and backward pass of a GPT-2 in PyTorch operations, with the bits of autograd in less time."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import GPT2LMHeadModel

from bh_bridge.exact_step.attention import Given, attention, attention_backward
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm

SLOPE = math.sqrt(2 / math.pi)
CUBIC = 0.044715
Saved = tuple[Any, ...]
Gradients = dict[str, torch.Tensor]  # by the names of the parameters


class SavedBlock(NamedTuple):
    """Intermediate results of a block for its backward pass, in the order of the forward pass."""

    norm_1: Saved
    attended: torch.Tensor  # input of attention [rows, hidden]
    heads: list[torch.Tensor]  # queries, keys and values [batch, heads, length, width]
    output: torch.Tensor  # of attention, likewise
    logsumexp: torch.Tensor
    joined: torch.Tensor
    norm_2: Saved
    entered: torch.Tensor  # input of the MLP [rows, hidden]
    wide: torch.Tensor  # [rows, inner], before GELU
    active: torch.Tensor  # and after it
    tanh: torch.Tensor
    gate: torch.Tensor


class SavedStep(NamedTuple):
    """Intermediate results of a model for its backward pass."""

    tokens: torch.Tensor
    blocks: list[SavedBlock]
    norm_f: Saved
    final: torch.Tensor


class Gpt2Step:
    """Logits of a model and gradients of its parameters. Rows are batch · length; all but logsumexp is bfloat16."""

    def __init__(self, model: GPT2LMHeadModel) -> None:
        named = dict(model.named_parameters())
        self.names, self.parameters = list(named), list(named.values())
        self._model = model
        self._body: Any = model.transformer
        self._gelu = Gelu()

    def loss(
        self, logits: torch.Tensor, labels: torch.Tensor, options: dict[str, torch.Tensor | int | None]
    ) -> torch.Tensor:
        """The model's own loss of its logits."""
        loss: Any = self._model.loss_function
        return loss(logits, labels, vocab_size=self._model.config.vocab_size, **options)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, SavedStep]:
        """Logits [batch, length, vocabulary] of tokens [batch, length], and intermediate results for `backward`."""
        batch, length = tokens.shape
        x = (self._body.wte(tokens) + self._body.wpe.weight[:length]).view(batch * length, -1)
        blocks: list[SavedBlock] = []
        for block in self._body.h:
            x, saved = self._block_forward(block, x, batch)
            blocks.append(saved)
        final, norm_f = norm(self._body.ln_f, x)
        logits = final.mm(self._model.lm_head.weight.t())
        return logits.view(batch, length, -1), SavedStep(tokens, blocks, norm_f, final)

    def backward(self, grad: torch.Tensor, saved: SavedStep) -> Gradients:
        """Gradients of all parameters, from the gradient of the logits [batch, length, vocabulary]."""
        body, head = self._body, self._model.lm_head.weight
        batch, length = saved.tokens.shape
        grads: Gradients = {}
        grad = grad.view(batch * length, -1)
        of_head = grad.t().mm(saved.final)
        x_grad, of_norm = norm_backward(body.ln_f, grad.mm(head), saved.norm_f)
        _name(grads, "transformer.ln_f", of_norm)
        for index in reversed(range(len(body.h))):
            prefix = f"transformer.h.{index}"
            x_grad = self._block_backward(body.h[index], prefix, x_grad, saved.blocks[index], batch, grads)
        x_grad = x_grad.view(batch, length, -1)
        vocabulary = body.wte.weight.shape[0]
        of_tokens = torch.ops.aten.embedding_dense_backward(x_grad, saved.tokens, vocabulary, -1, False)
        if head is body.wte.weight:  # autograd adds the two in bfloat16, as here
            grads["transformer.wte.weight"] = of_head + of_tokens
        else:
            grads["transformer.wte.weight"], grads["lm_head.weight"] = of_tokens, of_head
        grads["transformer.wpe.weight"] = torch.zeros_like(body.wpe.weight)
        grads["transformer.wpe.weight"][:length] = x_grad.sum(0)
        return grads

    def _block_forward(self, block: Any, x: torch.Tensor, batch: int) -> tuple[torch.Tensor, SavedBlock]:
        rows, hidden = x.shape
        attended, norm_1 = norm(block.ln_1, x)
        mixed = torch.addmm(block.attn.c_attn.bias, attended, block.attn.c_attn.weight)
        shape = (batch, rows // batch, block.attn.num_heads, block.attn.head_dim)
        heads = [part.view(shape).transpose(1, 2) for part in mixed.split(hidden, dim=1)]
        query, key, value = heads
        output, logsumexp = attention(query, key, value, block.attn.scaling)
        joined = output.transpose(1, 2).reshape(rows, hidden)
        x = x + torch.addmm(block.attn.c_proj.bias, joined, block.attn.c_proj.weight)
        entered, norm_2 = norm(block.ln_2, x)
        wide = torch.addmm(block.mlp.c_fc.bias, entered, block.mlp.c_fc.weight)
        active, tanh, gate = self._gelu.forward(wide)
        x = x + torch.addmm(block.mlp.c_proj.bias, active, block.mlp.c_proj.weight)
        of_attention = (norm_1, attended, heads, output, logsumexp, joined)
        return x, SavedBlock(*of_attention, norm_2, entered, wide, active, tanh, gate)

    def _block_backward(
        self, block: Any, prefix: str, grad: torch.Tensor, saved: SavedBlock, batch: int, grads: Gradients
    ) -> torch.Tensor:
        """Gradient of a block's input, [rows, hidden], from its output's; parameter gradients go to `grads`."""
        rows, hidden = grad.shape
        _affine(grads, f"{prefix}.mlp.c_proj", saved.active, grad)
        active_grad = grad.mm(block.mlp.c_proj.weight.t())
        wide_grad = self._gelu.backward(active_grad, saved.wide, saved.tanh, saved.gate)
        _affine(grads, f"{prefix}.mlp.c_fc", saved.entered, wide_grad)
        through, of_norm = norm_backward(block.ln_2, wide_grad.mm(block.mlp.c_fc.weight.t()), saved.norm_2)
        _name(grads, f"{prefix}.ln_2", of_norm)
        grad = grad + through
        _affine(grads, f"{prefix}.attn.c_proj", saved.joined, grad)
        shape = (batch, rows // batch, block.attn.num_heads, block.attn.head_dim)
        output_grad = grad.mm(block.attn.c_proj.weight.t()).view(shape).transpose(1, 2)
        query, key, value = saved.heads
        given = Given(output_grad, query, key, value, saved.output, saved.logsumexp)
        of_heads = attention_backward(given, block.attn.scaling)
        mixed_grad = torch.cat([part.transpose(1, 2).reshape(rows, hidden) for part in of_heads], dim=1)
        _affine(grads, f"{prefix}.attn.c_attn", saved.attended, mixed_grad)
        through, of_norm = norm_backward(block.ln_1, mixed_grad.mm(block.attn.c_attn.weight.t()), saved.norm_1)
        _name(grads, f"{prefix}.ln_1", of_norm)
        return grad + through


def _affine(grads: Gradients, name: str, x: torch.Tensor, grad: torch.Tensor) -> None:
    """Gradients of weight [in, out] and bias [out] of y = x · weight + bias."""
    _name(grads, name, [x.t().mm(grad), grad.sum(0)])


def _name(grads: Gradients, name: str, of_weight_and_bias: list[torch.Tensor]) -> None:
    for kind, grad in zip(("weight", "bias"), of_weight_and_bias, strict=False):
        grads[f"{name}.{kind}"] = grad


class Gelu:
    """GPT-2's GELU (`gelu_new`) on bfloat16, with tanh from a table of all 65,536 values.

    0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), Hendrycks & Gimpel 2016, sec. 2. The table is computed by
    the operations of the model, each of which rounds to bfloat16.
    """

    def __init__(self) -> None:
        every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
        self._tanh = torch.tanh(SLOPE * (every + CUBIC * torch.pow(every, 3.0)))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """GELU of x, tanh and (1 + tanh) / 2. Halving is exact, so 0.5·x·(1 + t) equals x·(0.5 + 0.5·t)."""
        bits = x.view(torch.int16).view(-1).to(torch.int32).add_(2**15)
        tanh = self._tanh.index_select(0, bits).view(x.shape)
        gate = tanh.mul(0.5).add_(0.5)
        return x * gate, tanh, gate

    @staticmethod
    def backward(grad: torch.Tensor, x: torch.Tensor, tanh: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        """Gradient of x, with autograd's order of operations and rounding."""
        inner = torch.ops.aten.tanh_backward(grad * x, tanh).mul_(SLOPE / 2)
        cube = (x * x).mul_(3).mul_(inner * CUBIC)
        return inner.add_(cube).add_(grad * gate)


def norm(module: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, Saved]:
    """The norm of x [rows, hidden], and intermediate results for its backward pass."""
    if isinstance(module, RMSNorm):
        wide = x.float()
        inverse = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + module.eps)
        normalized = (wide * inverse).to(x.dtype)
        return module.weight * normalized, (wide, inverse, normalized)
    assert isinstance(module, nn.LayerNorm)
    y, mean, inverse = torch.native_layer_norm(x, module.normalized_shape, module.weight, module.bias, module.eps)
    return y, (x, mean, inverse)


def norm_backward(module: nn.Module, grad: torch.Tensor, saved: Saved) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Gradient of x, and of the parameters of the norm in their order."""
    if isinstance(module, RMSNorm):
        wide, inverse, normalized = saved
        scaled = (grad * module.weight).float()
        slope = (scaled * wide).sum(-1, keepdim=True) * -0.5 * inverse.pow(3) / wide.shape[-1] * 2
        return (scaled * inverse + wide * slope).to(grad.dtype), [(grad * normalized).sum(0)]
    assert isinstance(module, nn.LayerNorm)
    x, mean, inverse = saved
    wanted = [True, True, True]
    x_grad, *grads = torch.ops.aten.native_layer_norm_backward(
        grad, x, module.normalized_shape, mean, inverse, module.weight, module.bias, wanted
    )
    return x_grad, grads
