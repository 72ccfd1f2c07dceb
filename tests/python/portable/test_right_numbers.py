"""Gradients of engine `portable` lie nearer to those in float64 than PyTorch's gradients in bfloat16 do."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge import portable
from torch_models import MODELS, model_of, parameters_of, shape_of
from transformers import PreTrainedModel

SEEDS = range(8)


def autograd(model: PreTrainedModel, tokens: torch.Tensor) -> list[torch.Tensor]:
    """Gradients of the mean loss, in the order of the C interface."""
    model.zero_grad()
    items = torch.tensor(tokens.numel() - len(tokens))
    with torch.autocast("cpu", torch.bfloat16, enabled=model.dtype == torch.bfloat16):
        model(input_ids=tokens, labels=tokens, use_cache=False, num_items_in_batch=items).loss.backward()
    gradients: list[Any] = [parameter.grad for parameter in parameters_of(model)]
    return gradients


def own_gradients(model: PreTrainedModel, tokens: torch.Tensor) -> list[torch.Tensor]:
    shape = shape_of(model)
    weights = [parameter.detach() for parameter in parameters_of(model)]
    gradients = [torch.empty_like(weight) for weight in weights]
    targets = torch.cat([tokens[:, 1:], torch.full((len(tokens), 1), -1)], 1).int()
    scales = [shape.head_size**-0.5] * shape.layers
    steps = portable.library().open(portable.Shape(*shape), scales, 1)
    steps.gradients(weights, gradients, tokens.int(), targets, float((targets >= 0).sum()))
    steps.close()
    return gradients


def distances(gradients: list[torch.Tensor], exact: list[torch.Tensor]) -> list[float]:
    return [float((g.double() - e).norm() / e.norm()) for g, e in zip(gradients, exact, strict=True)]


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_nearer_to_float64_than_those_of_pytorch(name: str) -> None:
    own, theirs = [], []
    for seed in SEEDS:
        model = model_of(name, seed)
        tokens = torch.randint(0, model.config.vocab_size, (8, 37))
        exact = autograd(copy.deepcopy(model).double(), tokens)
        own.append(distances(own_gradients(model, tokens), exact))
        theirs.append(distances(autograd(model, tokens), exact))
    assert np.mean(own) < 0.03
    ratios = np.mean(own, 0) / np.mean(theirs, 0)
    assert ratios.mean() < 0.95
    assert ratios.max() < 1.1  # a mean over so few seeds varies
