"""Hand-written forward and backward pass of a GPT-2, with bits that differ from autograd's, in less time.

Inputs and outputs of products have the narrow dtype and are summed in float32. The residual stream has the dtype of
the weights, as under autocast. Attention keeps its weights [batch · heads, length, length] for the backward pass.
LayerNorm calls the kernels of PyTorch, as the reference does.

All tensors may have an additional first dimension of models of one shape, whose products are batched. The shapes below
omit it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from transformers import GPT2LMHeadModel

from bh_bridge.hf_internals import softmax_backward
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm

Saved = tuple[torch.Tensor, ...]  # intermediate results of a norm for its backward pass
Weights = dict[str, torch.Tensor]  # by the parameter names of the model
SLOPE = 2 * math.sqrt(2 / math.pi)  # GELU of GPT-2: x · sigmoid(SLOPE · (x + CUBIC · x³)); Hendrycks & Gimpel 2016
CUBIC = 0.044715
BLOCK = 64  # queries per block of attention
NO_TARGET = -100  # the label of a position without loss


class Shape(NamedTuple):
    """The properties of a model that a step depends on, besides the weights."""

    heads: int
    scales: tuple[float, ...]  # of the scores of attention, for each block
    epsilon: float  # of the norms
    has_rms_norm: bool
    is_tied: bool
    narrow: torch.dtype  # of products


class SavedBlock(NamedTuple):
    """Intermediate results of a block for its backward pass. Rows are batch · length."""

    norm_1: Saved
    attended: torch.Tensor  # input of attention [rows, hidden]
    heads: list[torch.Tensor]  # queries, keys and values [batch · heads, length, width]
    weights: list[torch.Tensor]  # of attention, for each block of queries [batch · heads, queries, keys]
    joined: torch.Tensor  # its output [rows, hidden]
    norm_2: Saved
    entered: torch.Tensor  # input of the MLP [rows, hidden]
    wide: torch.Tensor  # [rows, inner], before GELU
    gate: torch.Tensor  # the factor of GELU
    active: torch.Tensor  # after GELU


def shape_of(model: GPT2LMHeadModel, narrow: torch.dtype) -> Shape:
    """The shape of a model."""
    body: Any = model.transformer
    return Shape(
        heads=body.h[0].attn.num_heads,
        scales=tuple(block.attn.scaling for block in body.h),
        epsilon=body.ln_f.eps,
        has_rms_norm=isinstance(body.ln_f, RMSNorm),
        is_tied=model.lm_head.weight is body.wte.weight,
        narrow=narrow,
    )


def loss_and_gradients(
    weights: Weights, tokens: torch.Tensor, labels: torch.Tensor, count: torch.Tensor, shape: Shape
) -> tuple[torch.Tensor, Weights]:
    """The loss of a batch, summed over its positions and divided by `count`, and its gradient for every weight.

    tokens, labels: int64 [batch, length]; position t learns labels[t + 1], as in the model's own loss.
    For several models: weights [models, …], tokens and labels [models, batch, length], count and loss [models].
    """
    batch, length = tokens.shape[-2:]
    embedding = weights["transformer.wte.weight"]
    head = embedding if shape.is_tied else weights["lm_head.weight"]
    mask = torch.full((length, length), float("-inf"), dtype=shape.narrow, device=tokens.device).triu(1)
    positions = weights["transformer.wpe.weight"]
    rows = _rows_of_all(tokens, embedding)
    table = embedding.reshape(-1, embedding.shape[-1])
    x = (functional.embedding(rows, table) + positions[..., :length, :].unsqueeze(-3)).flatten(-3, -2)
    saved: list[SavedBlock] = []
    for index in range(len(shape.scales)):
        x, block = _block(weights, index, x, mask, length, shape)
        saved.append(block)
    final, norm_f = _norm(weights, "transformer.ln_f", x, shape)
    final, narrow_head = final.to(shape.narrow), head.to(shape.narrow)
    loss, logits_grad = _cross_entropy(_product(final, narrow_head.mT), labels, count)

    grads: Weights = {}
    head_grad = _product(logits_grad.mT, final).to(head.dtype)
    final_grad = _product(logits_grad, narrow_head).to(x.dtype)
    grad = _norm_backward(weights, "transformer.ln_f", final_grad, norm_f, shape, grads)
    for index in reversed(range(len(shape.scales))):
        grad = _block_backward(weights, index, grad, saved[index], length, shape, grads)
    of_positions = grad.unflatten(-2, (batch, length)).sum(-3)
    grads["transformer.wpe.weight"] = functional.pad(of_positions, (0, 0, 0, positions.shape[-2] - length))
    of_tokens = torch.ops.aten.embedding_dense_backward(
        grad.reshape(-1, grad.shape[-1]), rows.flatten(), len(table), -1, False
    ).view(embedding.shape)
    if not shape.is_tied:
        grads["lm_head.weight"] = head_grad
    grads["transformer.wte.weight"] = head_grad + of_tokens if shape.is_tied else of_tokens
    return loss, grads


def _block(
    weights: Weights, index: int, x: torch.Tensor, mask: torch.Tensor, length: int, shape: Shape
) -> tuple[torch.Tensor, SavedBlock]:
    name = f"transformer.h.{index}"
    attended, norm_1 = _norm(weights, f"{name}.ln_1", x, shape)
    mixed = _affine(weights, f"{name}.attn.c_attn", attended, shape)
    heads = [_split(part, length, shape.heads) for part in mixed.chunk(3, dim=-1)]
    query, key, value = heads
    output, probabilities = _attention(query, key, value, mask, shape.scales[index])
    joined = _join(output, shape.heads, x.shape)
    x = x + _affine(weights, f"{name}.attn.c_proj", joined, shape)
    entered, norm_2 = _norm(weights, f"{name}.ln_2", x, shape)
    wide = _affine(weights, f"{name}.mlp.c_fc", entered, shape)
    gate = (wide * wide).mul_(SLOPE * CUBIC).add_(SLOPE).mul_(wide).sigmoid_()
    active = wide * gate
    x = x + _affine(weights, f"{name}.mlp.c_proj", active, shape)
    return x, SavedBlock(norm_1, attended, heads, probabilities, joined, norm_2, entered, wide, gate, active)


def _block_backward(
    weights: Weights, index: int, grad: torch.Tensor, saved: SavedBlock, length: int, shape: Shape, grads: Weights
) -> torch.Tensor:
    """Gradient of the block's input from that of its output, [rows, hidden]; weight gradients go to `grads`."""
    name = f"transformer.h.{index}"
    active_grad = _affine_backward(weights, f"{name}.mlp.c_proj", grad, saved.active, shape, grads)
    wide_grad = _gelu_backward(active_grad, saved.wide, saved.gate)
    entered_grad = _affine_backward(weights, f"{name}.mlp.c_fc", wide_grad, saved.entered, shape, grads)
    grad = grad + _norm_backward(weights, f"{name}.ln_2", entered_grad, saved.norm_2, shape, grads)
    joined_grad = _affine_backward(weights, f"{name}.attn.c_proj", grad, saved.joined, shape, grads)
    output_grad = _split(joined_grad, length, shape.heads)
    query, key, value = saved.heads
    of_heads = _attention_backward(output_grad, query, key, value, saved.weights, shape.scales[index])
    mixed_grad = torch.cat([_join(part, shape.heads, grad.shape) for part in of_heads], dim=-1)
    attended_grad = _affine_backward(weights, f"{name}.attn.c_attn", mixed_grad, saved.attended, shape, grads)
    return grad + _norm_backward(weights, f"{name}.ln_1", attended_grad, saved.norm_1, shape, grads)


def _attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor, scale: float
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Causal attention [batch · heads, length, width] and its weights, by blocks of queries."""
    length = query.shape[1]
    outputs, weights = [], []
    for begin in range(0, length, BLOCK):
        end = min(begin + BLOCK, length)
        scores = torch.baddbmm(mask[begin:end, :end], query[:, begin:end], key[:, :end].transpose(1, 2), alpha=scale)
        weights.append(torch.softmax(scores, -1))
        outputs.append(torch.bmm(weights[-1], value[:, :end]))
    return torch.cat(outputs, dim=1), weights


def _attention_backward(
    grad: torch.Tensor,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    weights: list[torch.Tensor],
    scale: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of query, key and value."""
    query_grads: list[torch.Tensor] = []
    key_grad, value_grad = torch.zeros_like(key), torch.zeros_like(value)
    for block, begin in enumerate(range(0, query.shape[1], BLOCK)):
        end = begin + weights[block].shape[1]
        part = grad[:, begin:end]
        value_grad[:, :end].baddbmm_(weights[block].transpose(1, 2), part)
        scores_grad = softmax_backward(
            torch.bmm(part, value[:, :end].transpose(1, 2)), weights[block], -1, weights[block].dtype
        )
        query_grads.append(torch.bmm(scores_grad, key[:, :end]).mul_(scale))
        key_grad[:, :end].baddbmm_(scores_grad.transpose(1, 2), query[:, begin:end], alpha=scale)
    return torch.cat(query_grads, dim=1), key_grad, value_grad


def _rows_of_all(tokens: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
    """Tokens as row numbers of the concatenated embeddings of all models."""
    if embedding.dim() == 2:
        return tokens
    models, vocabulary, _ = embedding.shape
    return tokens + torch.arange(0, models * vocabulary, vocabulary, device=tokens.device).view(-1, 1, 1)


def _split(x: torch.Tensor, length: int, heads: int) -> torch.Tensor:
    """[batch · length, heads · width] as [batch · heads, length, width]; the models are concatenated."""
    return x.reshape(-1, length, heads, x.shape[-1] // heads).transpose(1, 2).flatten(0, 1)


def _join(x: torch.Tensor, heads: int, rows: torch.Size) -> torch.Tensor:
    """The inverse of `_split`; rows: the resulting shape."""
    return x.unflatten(0, (-1, heads)).transpose(1, 2).flatten(2, 3).reshape(rows)


def _product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x.mm(y) if x.dim() == 2 else x.bmm(y)


def _affine(weights: Weights, name: str, x: torch.Tensor, shape: Shape) -> torch.Tensor:
    weight, bias = weights[f"{name}.weight"].to(shape.narrow), weights[f"{name}.bias"].to(shape.narrow)
    if x.dim() == 2:
        return torch.addmm(bias, x.to(shape.narrow), weight)
    return torch.baddbmm(bias.unsqueeze(-2), x.to(shape.narrow), weight)


def _affine_backward(
    weights: Weights, name: str, grad: torch.Tensor, x: torch.Tensor, shape: Shape, grads: Weights
) -> torch.Tensor:
    """Gradient of x for y = x · weight + bias."""
    weight, grad = weights[f"{name}.weight"], grad.to(shape.narrow)
    grads[f"{name}.weight"] = _product(x.to(shape.narrow).mT, grad).to(weight.dtype)
    grads[f"{name}.bias"] = grad.sum(-2).to(weight.dtype)
    return _product(grad, weight.to(shape.narrow).mT)


def _gelu_backward(grad: torch.Tensor, x: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
    """Gradient of x for y = x · gate, where gate is the sigmoid of SLOPE · (x + CUBIC · x³)."""
    slope = (x * x).mul_(3 * SLOPE * CUBIC).add_(SLOPE)
    return torch.ops.aten.sigmoid_backward(grad * x, gate).mul_(slope).addcmul_(grad, gate)


def _of_each(kernel: Callable[..., Saved], tensors: Saved, *rest: float) -> Saved:
    """Call a kernel for a single model once per model."""
    if tensors[0].dim() == 2:
        return kernel(*tensors, *rest)
    of_models = [kernel(*of_one, *rest) for of_one in zip(*tensors, strict=True)]
    return tuple(torch.stack(part) for part in zip(*of_models, strict=True))


def _norm(weights: Weights, name: str, x: torch.Tensor, shape: Shape) -> tuple[torch.Tensor, Saved]:
    """The norm of x [rows, hidden], and intermediate results for its backward pass."""
    weight = weights[f"{name}.weight"]
    if not shape.has_rms_norm:
        y, mean, inverse = _of_each(_layer_norm, (x, weight, weights[f"{name}.bias"]), shape.epsilon)
        return y, (x, mean, inverse)
    wide = x.float()
    inverse = torch.rsqrt(wide.square().mean(-1, keepdim=True) + shape.epsilon)
    direction = (wide * inverse).to(x.dtype)
    return direction * weight.unsqueeze(-2), (direction, inverse)


def _norm_backward(
    weights: Weights, name: str, grad: torch.Tensor, saved: Saved, shape: Shape, grads: Weights
) -> torch.Tensor:
    """Gradient of the input of a norm."""
    weight = weights[f"{name}.weight"]
    grad = grad.to(weight.dtype)
    if not shape.has_rms_norm:
        tensors = (grad, *saved, weight, weights[f"{name}.bias"])
        of_x, grads[f"{name}.weight"], grads[f"{name}.bias"] = _of_each(_layer_norm_backward, tensors)
        return of_x
    direction, inverse = saved
    grads[f"{name}.weight"] = (grad * direction).sum(-2)
    scaled, wide = (grad * weight.unsqueeze(-2)).float(), direction.float()
    along = (scaled * wide).mean(-1, keepdim=True)
    return scaled.addcmul_(wide, along, value=-1).mul_(inverse).to(weight.dtype)


def _layer_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, epsilon: float) -> Saved:
    """The norm of x [rows, hidden], and mean and inverse standard deviation of each row [rows, 1]."""
    return torch.native_layer_norm(x, [x.shape[1]], weight, bias, epsilon)


def _layer_norm_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    mean: torch.Tensor,
    inverse: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
) -> Saved:
    """Gradients of x, weight and bias."""
    wanted = [True, True, True]
    return torch.ops.aten.native_layer_norm_backward(grad, x, [x.shape[1]], mean, inverse, weight, bias, wanted)


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, count: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss, float32, and its gradient for the logits [rows, vocabulary], in their dtype."""
    targets = functional.pad(labels[..., 1:], (0, 1), value=NO_TARGET).flatten(-2).unsqueeze(-1)
    learns = targets != NO_TARGET
    safe = targets.where(learns, 0)
    share = learns.float() / count[..., None, None]
    log_probabilities = torch.log_softmax(logits.float(), -1)
    loss = -(log_probabilities.gather(-1, safe) * share).sum((-2, -1))
    grad = log_probabilities.exp_().mul_(share).scatter_add_(-1, safe, -share)
    return loss, grad.to(logits.dtype)
