"""The exact step: loss and gradients of a GPT-2 with the bits of autograd, in less time.

Equal bits depend on the processor and the libraries, so every training verifies them: it computes its first batches
both ways and uses the exact step only if all bits are equal and it is faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from bh_bridge.engines.step_method import Proof, StepMethod
from bh_bridge.exact_step.attention import LONGEST
from bh_bridge.exact_step.gpt2 import Gpt2Step
from bh_bridge.hf_internals import attention_of, has_hooks, recomputes_activations
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm


class ExactStep:
    """Replaces the forward and backward pass once it is verified."""

    def __init__(self, model: PreTrainedModel, obstacle: str | None) -> None:
        """obstacle: why the exact step cannot be used; None if it can."""
        self._proof = Proof("exact", obstacle)
        self._model = model
        self._step = None if obstacle else Gpt2Step(cast("GPT2LMHeadModel", model))

    @property
    def verdict(self) -> StepMethod | None:
        """Whether the exact step is used, and why; None until it is decided."""
        return self._proof.verdict

    @property
    def is_in_doubt(self) -> bool:
        """Whether to check the next batch; not while a module has hooks, which must run only once."""
        return self._proof.is_open and not has_hooks(self._model)

    @property
    def is_used(self) -> bool:
        """Whether `loss` may be called. It is not used while a module has hooks, which it would not run."""
        return self._proof.is_used and not has_hooks(self._model)

    def loss(self, tokens: torch.Tensor, labels: torch.Tensor, **options: Any) -> torch.Tensor:
        """The differentiable loss of a batch [batch, length]; options: of the model's `loss_function`."""
        assert self._step is not None
        return _Loss.apply(self._step, tokens, labels, options, *self._step.parameters)

    def check(
        self, tokens: torch.Tensor, labels: torch.Tensor, plain: Callable[[], torch.Tensor], **options: Any
    ) -> torch.Tensor:
        """Let `plain` add the gradients of a batch and compare them with the exact step; return the loss of `plain`."""
        assert self._step is not None
        parameters = self._step.parameters
        before = [None if parameter.grad is None else parameter.grad.clone() for parameter in parameters]

        def exact() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
            own = self.loss(tokens, labels, **options)
            return own, torch.autograd.grad(own, parameters)

        loss = self._proof.reference(plain)
        own, grads = self._proof.method(exact)
        of_weights = (
            (name, parameter.grad, grad if earlier is None else earlier + grad)
            for name, parameter, grad, earlier in zip(self._step.names, parameters, grads, before, strict=True)
        )
        self._proof.compare([("the loss", loss, own.detach()), *of_weights])
        return loss


def obstacle(model: PreTrainedModel, device: torch.device) -> str | None:
    """Why the exact step does not support a model; None if it does."""
    if not isinstance(model, GPT2LMHeadModel):
        return "it supports only GPT-2"
    config = model.config
    norms = (nn.LayerNorm, RMSNorm)
    if device.type != "cpu":
        return "it supports only the CPU"
    if any(parameter.dtype != torch.bfloat16 for parameter in model.parameters()):
        return "it supports only bfloat16 weights"
    if any((config.resid_pdrop, config.embd_pdrop, config.attn_pdrop)):
        return "it does not support dropout"
    if config.activation_function != "gelu_new":
        return f"it does not support {config.activation_function}"
    if config.n_positions > LONGEST:
        return f"it supports at most {LONGEST} positions"
    if attention_of(config) != "sdpa" or config.add_cross_attention:
        return "it supports only plain attention"
    if recomputes_activations(model):
        return "it does not support activation checkpointing"
    if not all(isinstance(norm, norms) for block in model.transformer.h for norm in (block.ln_1, block.ln_2)):
        return "it supports only LayerNorm and RMSNorm"
    return None


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        step: Gpt2Step,
        tokens: torch.Tensor,
        labels: torch.Tensor,
        options: dict[str, torch.Tensor | int | None],
        *_: torch.Tensor,
    ) -> torch.Tensor:
        logits, saved = step.forward(tokens)
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            loss = step.loss(leaf, labels, options)
        ctx.held = (step, leaf, loss, saved)
        return loss.detach()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        step, leaf, loss, saved = ctx.held
        ctx.held = None
        (grad,) = torch.autograd.grad(loss, leaf, grad_outputs)
        grads = step.backward(grad, saved)
        return (None, None, None, None, *(grads[name] for name in step.names))
