"""Models, initial embeddings and code of the user's own, and what is said when they do not fit."""

import hashlib
import random
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models import own_model
from bh_bridge.models.families import embedding_of, head_of
from bh_bridge.models.model import build_model, save_model
from bh_bridge.models.own_code import load
from safetensors.torch import load_file
from torch import nn

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, vocab_size, width=4):
        super().__init__()
        self.first = nn.Linear(width, vocab_size, bias=False)
        self.tok = nn.Embedding(vocab_size, width)
        self.first.weight = self.tok.weight
        self.register_buffer("mask", torch.ones(3))

    def get_input_embeddings(self):
        return self.tok

    def forward(self, input_ids, labels=None):
        return self.first(self.tok(input_ids)).float().logsumexp(-1).mean(), None

def rows(embedding):
    return torch.arange(embedding.numel()).view_as(embedding)

def in_place(embedding):
    embedding.fill_(0.5)

def wrong(embedding):
    return embedding[:, :1]
"""
NORMAL: Any = {"kind": "normal"}


def code_of(source: str, path: str = "/somewhere/net.py") -> Any:
    text = textwrap.dedent(source)
    return {"path": path, "sha256": hashlib.sha256(text.encode()).hexdigest(), "source": text}


def request(source: str = NET, name: str = "Net", embedding: str | None = None, **fields: Any) -> Any:
    own = {"class": name, "fields": {"vocab_size": 6, **fields}, "embedding": embedding, "vocab_size": 6}
    return {"type": "python", "code": code_of(source), **own}


def build(config: Any, dtype: str = "float32", init: Any = NORMAL, directory: str | None = None) -> Any:
    return build_model(config, "native", dtype, init, 42, directory)


def failure(config: Any, **options: Any) -> str:
    with pytest.raises(ConfigInvalid) as error:
        build(config, **options)
    return str(error.value)


def test_weights_are_drawn_as_in_a_plain_script() -> None:
    namespace: dict[str, Any] = {}
    exec(NET, namespace)
    torch.manual_seed(42)
    np.random.seed(42)
    plain = namespace["Net"](6).to(torch.bfloat16)
    own = build(request(), "bfloat16")
    assert all(torch.equal(own.state_dict()[name], value) for name, value in plain.state_dict().items())
    assert embedding_of(own) is own.tok.weight
    assert head_of(own) is None


def test_a_save_has_tied_weights_once_and_loads_again(tmp_path: Path) -> None:
    model = build(request(), "bfloat16", {"kind": "singular"})
    save_model(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors", "modeling_own.py"]
    assert sorted(load_file(tmp_path / "model.safetensors")) == ["first.weight", "mask"]
    again = build(request(), "bfloat16", directory=str(tmp_path))
    assert torch.equal(again.tok.weight, model.tok.weight)
    assert "tensors of" in failure(request(width=5), directory=str(tmp_path))


@pytest.mark.parametrize(
    ("function", "expected"), [("rows", torch.arange(24.0).view(6, 4)), ("in_place", torch.full((6, 4), 0.5))]
)
def test_a_function_fills_the_embedding(function: str, expected: torch.Tensor) -> None:
    model = build(request(), init={"kind": "python", "code": code_of(NET), "function": function})
    assert torch.equal(model.tok.weight, expected)


def test_the_embedding_can_be_named() -> None:
    for name in ("first.weight", "tok.weight"):  # tied
        model = build(request(embedding=name))
        assert embedding_of(model) is model.first.weight


NO_EMBEDDING = """
from torch import nn
class Net(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.tok = nn.Embedding(vocab_size, 2)
"""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (request(name="Nett"), 'model.class: /somewhere/net.py has no "Nett": did you mean "Net"?'),
        (request(name="rows"), "model.class: rows of /somewhere/net.py is not a class of torch.nn.Module"),
        (request(wide=1), "model.fields: Net of /somewhere/net.py raises TypeError: "),
        (request(embedding="tok.weigth"), 'has no matrix "tok.weigth": did you mean "tok.weight"?'),
        (request(NO_EMBEDDING), 'set model.embedding to the name of its embedding, one of "tok.weight"'),
        (request("x = 1\ny = x / 0\n"), "net.py:2 raises ZeroDivisionError: division by zero in `y = x / 0`"),
        (request("def f(:\n"), "model.code: /somewhere/net.py:1 raises SyntaxError"),
        (request("import helpers_of_mine\n"), "net.py:1 raises ModuleNotFoundError"),
        (request("import helpers_of_mine\n"), "Code is one file: move what it imports into it"),
        (request("raise SystemExit(0)\n"), "net.py:1 raises SystemExit: 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(config: Any, message: str) -> None:
    assert message in failure(config)


def test_an_initial_embedding_of_another_shape_is_refused() -> None:
    init = {"kind": "python", "code": code_of(NET), "function": "wrong"}
    assert "shape [6, 4], and returned [6, 1]" in failure(request(), init=init)


def test_source_that_is_not_what_was_recorded_is_not_executed() -> None:
    code = {**code_of(NET), "source": "raise SystemExit"}
    with pytest.raises(ConfigInvalid, match="has SHA-256"):
        load(code, "Net", "model.code", "model.class")


FORMS = """
from types import SimpleNamespace
from torch import nn
class Net(nn.Module):
    def __init__(self, vocab_size, form):
        super().__init__()
        self.tok, self.form = nn.Embedding(vocab_size, 2), form
    def get_input_embeddings(self):
        return self.tok
    def forward(self, input_ids, labels=None):
        logits = self.tok(input_ids)
        loss = logits.sum()
        return {
            "tuple": (loss, logits), "dict": {"loss": loss, "logits": logits}, "alone": loss,
            "object": SimpleNamespace(loss=loss, logits=logits),
            "swapped": (logits, loss), "none": {"logits": logits}, "empty": (),
        }[self.form]
"""


@pytest.mark.parametrize("form", ["tuple", "dict", "object", "alone"])
def test_a_loss_is_found_in_each_form_and_leaves_no_trace(form: str) -> None:
    model = build(request(FORMS, form=form))
    before = torch.get_rng_state(), random.getstate()
    own_model.require_loss(model, 8, with_labels=True)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert model.training
    output = model(torch.tensor([[1, 2]]), labels=torch.tensor([[1, 2]]))
    assert (output["loss"] if isinstance(output, dict) else output[0]).dim() == 0


@pytest.mark.parametrize(
    ("form", "found"), [("swapped", "a tensor of shape [1, 8, 2]"), ("none", "none"), ("empty", "none")]
)
def test_a_forward_pass_without_a_loss_is_refused(form: str, found: str) -> None:
    model = build(request(FORMS, form=form))
    with pytest.raises(ConfigInvalid, match=r"must return its loss, a scalar") as error:
        own_model.require_loss(model, 8, with_labels=True)
    assert str(error.value).endswith(f"its loss is {found}")
    own_model.require_loss(model, 8, with_labels=False)


def test_models_of_transformers_are_left_alone() -> None:
    own_model.require_loss(nn.Linear(1, 1), 8, with_labels=True)
    assert not own_model.is_own(nn.Linear(1, 1))
