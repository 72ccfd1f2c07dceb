"""Models begin with the bits that the notebooks gave them."""

from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.model import build_model, save_model
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm, replace_norms
from torch import nn
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, OPTConfig

CONFIG: dict[str, Any] = {
    "vocab_size": 128,
    "n_positions": 128,
    "n_embd": 64,
    "n_layer": 2,
    "n_head": 2,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
}


class NotebookNorm(nn.Module):
    """The notebook's own RMSNorm, which this test does not take from the product."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))


def put_in_place_of_layer_norms(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.LayerNorm):
            setattr(module, name, NotebookNorm(child.normalized_shape[0]))
        else:
            put_in_place_of_layer_norms(child)


def notebook_model(norm: str, dtype: torch.dtype, init: dict[str, Any]) -> GPT2LMHeadModel:
    """The first cells of a notebook as a plain script: every draw in its order, on the CPU."""
    torch.manual_seed(42)
    np.random.seed(42)
    model = GPT2LMHeadModel(GPT2Config(**CONFIG))
    if norm == "rmsnorm":
        put_in_place_of_layer_norms(model)
    nn.Module.to(model, dtype=dtype)
    weight = model.transformer.wte.weight
    with torch.no_grad():
        match init["kind"]:
            case "singular":
                vector = torch.randn(64)
                weight[:] = vector / vector.norm()
            case "snowball":
                base = torch.randn(64)
                for row, noise in enumerate(torch.randn(128, 64)):
                    weight[row] = (base + noise * init["sigma"]).to(dtype)
            case "unit-noise":
                drawn_in = torch.bfloat16 if init["noise_dtype"] == "bfloat16" else torch.float32
                vector = torch.randn(64, dtype=drawn_in)
                unit = vector / vector.norm()
                for row, noise in enumerate(torch.randn(128, 64, dtype=drawn_in)):
                    weight[row] = (unit + noise * init["sigma"]).to(dtype)
            case _:
                pass
    return model


INITS: list[dict[str, Any]] = [
    {"kind": "normal"},
    {"kind": "singular"},
    {"kind": "snowball", "sigma": 1e-5},
    {"kind": "snowball", "sigma": 1e-2},
    {"kind": "unit-noise", "sigma": 1e-3, "noise_dtype": "float32"},
    {"kind": "unit-noise", "sigma": 1e-3, "noise_dtype": "bfloat16"},
]


@pytest.mark.parametrize("init", INITS, ids=lambda init: "-".join(str(value) for value in init.values()))
@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
@pytest.mark.parametrize(("dtype", "torch_dtype"), [("bfloat16", torch.bfloat16), ("float32", torch.float32)])
def test_every_weight_has_the_bits_of_a_plain_script(
    init: dict[str, Any], norm: str, dtype: str, torch_dtype: torch.dtype
) -> None:
    ours = build_model(CONFIG, norm, dtype, init, 42).state_dict()
    theirs = notebook_model(norm, torch_dtype, init).state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert torch.equal(ours[name], tensor), name


def test_the_start_in_pure_bfloat16_is_that_of_float32_arithmetic_rounded_after_every_operation() -> None:
    def rounded(value: torch.Tensor) -> torch.Tensor:
        return value.to(torch.bfloat16).to(torch.float32)

    sigma = 1e-3
    init = {"kind": "unit-noise", "sigma": sigma, "noise_dtype": "bfloat16"}
    weight = build_model(CONFIG, "layernorm", "bfloat16", init, 42).transformer.wte.weight
    torch.manual_seed(42)
    GPT2LMHeadModel(GPT2Config(**CONFIG))
    base, noise = rounded(torch.randn(64)), rounded(torch.randn(128, 64))  # a bfloat16 draw is a float32 draw, rounded
    unit = rounded(base / rounded(base.norm()))
    assert torch.equal(weight.float(), rounded(unit + rounded(noise * sigma)))


def test_noise_added_in_float32_leaves_the_lattice_that_noise_in_bfloat16_stays_on() -> None:
    init = {"kind": "unit-noise", "sigma": 1e-3}
    on, off = (
        build_model(CONFIG, "rmsnorm", "float32", {**init, "noise_dtype": dtype}, 42).transformer.wte.weight
        for dtype in ("bfloat16", "float32")
    )
    assert torch.equal(on, on.to(torch.bfloat16).to(torch.float32))
    assert not torch.equal(off, off.to(torch.bfloat16).to(torch.float32))


def test_a_float32_master_has_bfloat16_weights() -> None:
    model = build_model(CONFIG, "rmsnorm", "float32-master", {"kind": "normal"}, 1)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_rmsnorm_by_value() -> None:
    # x = (3, 4): mean of squares 12.5. With eps 0: x / sqrt(12.5). With weight (2, 10) each is scaled.
    norm = RMSNorm(2, eps=0.0)
    norm.weight.data = torch.tensor([2.0, 10.0])
    expected = np.array([2 * 3, 10 * 4]) / np.sqrt(12.5)
    np.testing.assert_allclose(norm(torch.tensor([[3.0, 4.0]])).detach().numpy()[0], expected, rtol=1e-6)
    # A large eps shows where it stands: inside the root, added to the mean. sqrt(12.5 + 12.5) = 5.
    wide = RMSNorm(2, eps=12.5)
    np.testing.assert_allclose(wide(torch.tensor([[3.0, 4.0]])).detach().numpy()[0], [3 / 5, 4 / 5], rtol=1e-6)


def test_rmsnorm_takes_its_statistics_in_float32_and_multiplies_in_the_dtype_of_x() -> None:
    # 16² + 1² is 257, which bfloat16, with 8 bits of significand, rounds to 256: the ones would not count.
    x = torch.tensor([[16.0] + [1.0] * 15], dtype=torch.bfloat16)
    norm = RMSNorm(16, eps=0.0).to(torch.bfloat16)
    expected = (16 / np.sqrt((256 + 15) / 16), 1 / np.sqrt((256 + 15) / 16))
    result = norm(x)
    assert result.dtype == torch.bfloat16
    assert result[0, 0] == torch.tensor(expected[0]).to(torch.bfloat16)
    assert result[0, 1] == torch.tensor(expected[1]).to(torch.bfloat16)


def test_all_five_layer_norms_are_replaced_and_keep_their_eps() -> None:
    model = GPT2LMHeadModel(GPT2Config(**{**CONFIG, "layer_norm_epsilon": 1e-3}))
    assert replace_norms(model) == 5
    norms = [module for module in model.modules() if isinstance(module, RMSNorm)]
    assert [norm.eps for norm in norms] == [1e-3] * 5
    assert not any(isinstance(module, nn.LayerNorm) for module in model.modules())


def test_a_saved_model_is_not_taken_for_one_with_the_other_norm(tmp_path: Any) -> None:
    save_model(build_model(CONFIG, "rmsnorm", "bfloat16", {"kind": "normal"}, 1), tmp_path)
    with pytest.raises(ConfigInvalid, match="is not a GPT-2 with layernorm"):
        build_model(CONFIG, "layernorm", "bfloat16", {"kind": "normal"}, 1, str(tmp_path))


def test_a_saved_model_comes_back_with_its_bits(tmp_path: Any) -> None:
    saved = build_model(CONFIG, "rmsnorm", "bfloat16", {"kind": "singular"}, 1)
    save_model(saved, tmp_path)
    loaded = build_model(CONFIG, "rmsnorm", "bfloat16", {"kind": "normal"}, 2, str(tmp_path))
    for name, tensor in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_a_model_of_any_family_that_does_not_fit_is_refused_before_it_is_built(monkeypatch: Any) -> None:
    fields = {"vocab_size": 50, "hidden_size": 16, "word_embed_proj_dim": 16, "ffn_dim": 8, "num_attention_heads": 2}
    small = {**fields, "num_hidden_layers": 1, "max_position_embeddings": 8}
    weights = sum(parameter.numel() for parameter in AutoModelForCausalLM.from_config(OPTConfig(**small)).parameters())
    sizes = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 4 * weights}
    monkeypatch.setattr("bh_bridge.models.model.os.sysconf", sizes.__getitem__)
    config = {"type": "opt", **small}
    build_model(config, "native", "float32", {"kind": "normal"}, 42)
    sizes["SC_PHYS_PAGES"] -= 1
    with pytest.raises(ConfigInvalid, match=f"its {weights:,} weights need {4 * weights:,} bytes"):
        build_model(config, "native", "float32", {"kind": "normal"}, 42)
