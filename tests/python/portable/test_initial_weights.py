"""Initial weights of engine `portable` have the bits of the recipe, whatever version of transformers is installed."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from bh_bridge.models.model import build_model
from bh_bridge.scripts import draw_states
from recipe import Array, layout
from recipe_numbers import f32, normals, rounded, to_words, unit_vector
from torch_models import MODELS, parameters_of, shape_of
from transformers import PreTrainedModel

ALL: dict[str, tuple[Any, str]] = {
    **MODELS,
    "gpt2-deep": ({**MODELS["gpt2-layernorm"][0], "n_layer": 5, "n_inner": 30, "initializer_range": 0.1}, "layernorm"),
    "llama-tied": ({**MODELS["llama-biases"][0], "tie_word_embeddings": True}, "layernorm"),
}
# Initial state and `seeds.init`; the seed of the weights is 42.
STATES: list[Any] = [({"kind": "normal"}, 7), ({"kind": "singular"}, 42), ({"kind": "snowball", "sigma": 0.1}, 7)]
DRAWN = {"gpt2": ("qkv", "o", "up", "down"), "rotary": ("q", "k", "v", "o", "gate", "up", "down")}


def draw(count: int, generator: torch.Generator) -> Array:
    uniforms = torch.rand(count, generator=generator).numpy()
    whole = count - count % 16
    found = np.concatenate([normals(uniforms[:whole]), uniforms[whole:]])
    if whole < count:
        last = normals(torch.rand(16, generator=generator).numpy())
        found[-16:] = last[: min(count, 16)]
    return found


def weights_of(model: PreTrainedModel, init: dict[str, Any], seed: int, init_seed: int) -> list[Array]:
    """The weights of native/README.md, "Initial weights", in the order of the C interface."""
    found, _ = model_draws(model, seed)
    token, generator = found["token"], model_draws(model, init_seed)[1]
    if init["kind"] == "singular":
        token[:] = unit_vector(draw(token.shape[1], generator), False)
    elif init["kind"] == "snowball":
        base = draw(token.shape[1], generator)
        token[:] = base + draw(token.size, generator).reshape(token.shape) * f32(init["sigma"])
    return [rounded(tensor) for tensor in found.values()]


def model_draws(model: PreTrainedModel, seed: int) -> tuple[dict[str, Array], torch.Generator]:
    shape, deviation = shape_of(model), model.config.initializer_range
    generator = torch.Generator().manual_seed(seed)
    sizes = dict(layout(shape))
    found = {name: np.full(size, 0 if name.endswith("bias") else 1, f32) for name, size in sizes.items()}
    parts = DRAWN["rotary" if shape.rope else "gpt2"]
    linear = [f"{layer}.{part}" for layer in range(shape.layers) for part in parts]
    embeddings = ["token"] if shape.rope else ["token", "position"]

    def put(name: str, scale: float) -> None:
        size = sizes.get(name, sizes["token"])
        values = draw(math.prod(size), generator).reshape(size) * f32(scale)
        if name in found:
            found[name] = values

    for name in embeddings:
        draw(math.prod(sizes[name]), generator)
    for name in linear:
        if shape.rope:
            for part in ("weight", "bias"):
                torch.rand(math.prod(sizes.get(f"{name}.{part}", (0,))), generator=generator)
        else:
            draw(math.prod(sizes[f"{name}.weight"]), generator)
    for name in (*embeddings, *(f"{each}.weight" for each in linear)):
        put(name, deviation)
        if not shape.rope and name.split(".")[1:2] in (["o"], ["down"]):
            put(name, deviation / math.sqrt(2 * shape.layers))
    torch.rand(math.prod(sizes["token"]), generator=generator)
    put("head", deviation)
    return found, generator


@pytest.mark.parametrize("name", ALL)
def test_initial_weights_are_those_of_the_recipe(name: str) -> None:
    config, norm = ALL[name]
    for init, init_seed in STATES:
        model = build_model(config, norm, "bfloat16", init, 42, None, init_seed, "portable")
        for own, theirs in zip(parameters_of(model), weights_of(model, init, 42, init_seed), strict=True):
            assert torch.equal(own.detach().float(), torch.from_numpy(theirs)), init


@pytest.mark.skipif(
    tuple(map(int, transformers.__version__.split(".")[:2])) < (5, 24), reason="draws weights in another order"
)
@pytest.mark.parametrize("name", ALL)
def test_initial_weights_are_those_of_transformers_but_for_the_last_bits(name: str) -> None:
    config, norm = ALL[name]
    found = []
    for draws in ("torch", "portable"):
        model = build_model(config, norm, "float32", {"kind": "snowball", "sigma": 0.1}, 42, None, 7, draws)
        found.append((parameters_of(model), torch.get_rng_state()))
    (reference, stream), (own, own_stream) = found
    for one, other in zip(reference, own, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)
    assert torch.equal(stream, own_stream)


def test_states_drawn_without_a_training_are_those_of_the_recipe(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    vocab, dim, seed = 9, 7, 3
    shape = {"vocab": vocab, "dim": dim, "dtype": "bfloat16", "initializer_range": 0.02}
    request: Any = {"seed": seed, "engine": "portable", "draws": 2, "init": {"kind": "snowball", "sigma": 0.1}, **shape}
    draw_states.main(request)
    drawn = np.frombuffer(capfdbinary.readouterr().out, np.uint16).reshape(2, vocab, dim)
    generator = torch.Generator().manual_seed(seed)
    for state in drawn:
        base, noise = draw(dim, generator), draw(vocab * dim, generator).reshape(vocab, dim)
        assert np.array_equal(state, to_words(rounded(base + noise * f32(0.1))))
