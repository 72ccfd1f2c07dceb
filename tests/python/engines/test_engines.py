"""Whichever engine makes the steps, a run is recorded, asked, stopped, saved and gone on with alike."""

from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.bridge.protocol import schema
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import ENGINES, find_engine
from bh_bridge.models.model import build_model
from safetensors.torch import load_file
from tiny_run import CORPUS, MODEL, RUN, differences, events_of, in_child, killed_at, tokens_of, train

# The second engine takes no argument of Trainer's but these.
SGD: dict[str, Any] = {"engine": "sgd", "record__tensors": ["wte", "wte.grad", "wte.momentum_buffer"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "run"
    assert in_child(lambda: train(directory, **SGD))["status"] == "completed"
    return directory


def test_the_engines_of_the_configuration_are_those_that_python_has_beside_the_one_of_these_tests() -> None:
    field = schema()["operations"]["trainer.create"]["request"]["properties"]["engine"]
    names = [section["properties"]["name"]["const"] for section in field["oneOf"]]
    assert [*names, "sgd"] == list(ENGINES)
    assert all(callable(find_engine(name)) for name in ENGINES)


def test_an_engine_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    outcome = in_child(lambda: train(tmp_path / "run", engine="faster"))
    assert outcome == {
        "code": "CONFIG_INVALID",
        "message": 'engine: "faster" is not an engine. Use "trainer", "fast", "portable", "sgd"',
    }
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.lock"]


def test_what_a_second_engine_trains_and_records_is_what_a_plain_loop_computes(whole: Path) -> None:
    plain = in_child(lambda: plain_loop(whole.parent / "corpus.txt"))
    recorded = {name: load_file(path)[name] for name, path in histories(whole).items()}
    assert {name: [digest(state) for state in states] for name, states in recorded.items()} == plain["states"]
    assert (
        digest(load_file(whole / "final/model.safetensors")["transformer.wte.weight"]) == plain["states"][EMBEDDING][-1]
    )
    assert [event["loss"] for event in events_of(whole) if event["type"] == "step_end"] == plain["losses"]


@pytest.mark.parametrize(
    ("event", "step", "goes_on_from"),
    [("step_end", 7, 0), ("save", 10, 10), ("step_end", 29, 20), ("save", 40, 40), ("train_end", 40, 40)],
)
def test_a_killed_run_of_a_second_engine_resumes_to_the_same_bits(
    tmp_path: Path, whole: Path, event: str, step: int, goes_on_from: int
) -> None:
    run = tmp_path / "run"
    killed_at(run, event, step, **SGD)
    outcome = in_child(lambda: train(run, "exact", **SGD))
    assert (outcome["status"], outcome["from_step"]) == ("completed", goes_on_from)
    assert differences(run, whole) == []


EMBEDDING = "embedding_history"


def histories(run: Path) -> dict[str, Path]:
    """The tensors that a run records, and the files in which they are."""
    others = SGD["record__tensors"][1:]
    return {EMBEDDING: run / "history.safetensors", **{name: run / f"history.{name}.safetensors" for name in others}}


def plain_loop(corpus: Path) -> dict[str, Any]:
    """The same training with torch alone: every state of embedding, gradient and momentum, and the losses."""
    corpus.write_text(CORPUS)
    windows = Windows(tokens_of(corpus, 128), 16, "double")
    model = build_model(MODEL["config"], MODEL["norm"], MODEL["dtype"], MODEL["init"], MODEL["seed"]).train()
    weight = model.transformer.wte.weight
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    torch.manual_seed(RUN["seed"])
    nothing = digest(torch.zeros_like(weight))
    states = {EMBEDDING: [digest(weight)], "wte.grad": [nothing], "wte.momentum_buffer": [nothing]}
    losses: list[float] = []
    for _ in range(RUN["training"]["max_steps"]):
        batch = windows.__getitems__(torch.randint(len(windows), (8,)).tolist())
        loss = model(**batch).loss
        loss.backward()
        states["wte.grad"].append(digest(weight.grad))
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            weight += torch.randn(weight.shape, dtype=weight.dtype) * (RUN["noise"]["epsilon"] / 10)
        states[EMBEDDING].append(digest(weight))
        states["wte.momentum_buffer"].append(digest(optimizer.state[weight]["momentum_buffer"]))
        losses.append(loss.item())
    return {"states": states, "losses": losses}


def digest(tensor: torch.Tensor) -> str:
    return tensor.detach().contiguous().view(torch.uint8).numpy().tobytes().hex()
