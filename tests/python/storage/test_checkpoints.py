"""Checkpoints: verified, without pickles, and exact for every optimizer state and random stream."""

import itertools
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge.errors import ResumeMismatch
from bh_bridge.models.model import build_model, save_model
from bh_bridge.storage import checkpoints
from bh_bridge.storage.durable import remove_leftovers, replace_directory
from safetensors.torch import load_file, save_file

NORMAL = {"kind": "normal"}


def make(run: Path, step: int, *, replay_point: bool = False) -> Path:
    (run / "checkpoints").mkdir(exist_ok=True)

    def write_state(directory: Path) -> None:
        (directory / "model.safetensors").write_bytes(b"weights of %d" % step)

    checkpoints.write_checkpoint(
        run, step, write_state, history_step=step, events_bytes=0, to_stop=False, replay_point=replay_point
    )
    return checkpoints.checkpoint_path(run, step)


def newest(run: Path, up_to: int = 10**9) -> tuple[Path | None, list[str]]:
    return checkpoints.newest_valid(run, lambda step: step <= up_to)


def test_the_newest_that_verifies_is_taken_and_the_others_are_told(tmp_path: Path) -> None:
    make(tmp_path, 5)
    make(tmp_path, 10)
    (make(tmp_path, 15) / "model.safetensors").write_bytes(b"weights of 16")
    (make(tmp_path, 20) / "MANIFEST.json").unlink()
    found, problems = newest(tmp_path)
    assert found == tmp_path / "checkpoints/step-000010"
    assert [problem.split(" ")[0].rpartition("/")[2] for problem in problems] == ["step-000020", "model.safetensors"]


def test_a_pipe_in_the_place_of_a_manifest_blocks_nobody(tmp_path: Path) -> None:
    directory = checkpoints.checkpoint_path(tmp_path, 5)
    directory.mkdir(parents=True)
    os.mkfifo(directory / checkpoints.MANIFEST)
    checkpoint, problems = checkpoints.newest_valid(tmp_path, lambda _: True)
    assert checkpoint is None
    assert problems == [f"{directory} cannot be verified: {directory / checkpoints.MANIFEST} is not a file"]


def test_a_checkpoint_beyond_the_history_is_not_gone_on_from(tmp_path: Path) -> None:
    make(tmp_path, 5)
    make(tmp_path, 10)
    found, problems = newest(tmp_path, up_to=7)
    assert found == tmp_path / "checkpoints/step-000005"
    assert "is of a step that the history does not hold" in problems[0]


def test_old_ones_go_only_once_the_newest_verifies(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        make(tmp_path, step)
    (tmp_path / "checkpoints/step-000015/model.safetensors").write_bytes(b"broken")
    checkpoints.prune(tmp_path, keep=2)
    assert len(checkpoints.all_of(tmp_path)) == 3
    make(tmp_path, 20)
    checkpoints.prune(tmp_path, keep=2)
    assert [path.name for path in checkpoints.all_of(tmp_path)] == ["step-000015", "step-000020"]


def test_older_ones_remain_while_they_take_a_tenth_of_the_history_spread_over_the_training(tmp_path: Path) -> None:
    for step in (1000, 2000, 3000, 4000, 5000, 6000):
        size = sum(path.stat().st_size for path in make(tmp_path, step).iterdir())
    (tmp_path / "history.safetensors").write_bytes(bytes(10 * 3 * size + 9))  # room for three
    checkpoints.prune(tmp_path, keep=1)
    assert [checkpoints.step_of(path) for path in checkpoints.all_of(tmp_path)] == [2000, 4000, 5000, 6000]
    (tmp_path / "history.safetensors").write_bytes(bytes(10 * 2 * size))
    checkpoints.prune(tmp_path, keep=1)
    assert [checkpoints.step_of(path) for path in checkpoints.all_of(tmp_path)] == [2000, 4000, 6000]
    (tmp_path / "history.safetensors").write_bytes(b"")
    checkpoints.prune(tmp_path, keep=1)
    assert [checkpoints.step_of(path) for path in checkpoints.all_of(tmp_path)] == [6000]


def test_replay_points_remain_while_all_older_ones_take_a_fifth_and_displace_no_checkpoint(tmp_path: Path) -> None:
    def left() -> list[int]:
        return [checkpoints.step_of(path) for path in checkpoints.all_of(tmp_path)]

    def size(step: int) -> int:
        return sum(path.stat().st_size for path in checkpoints.checkpoint_path(tmp_path, step).iterdir())

    for step in range(1000, 5000, 1000):
        make(tmp_path, step)
        for point in (step - 750, step - 500, step - 250, step + 125):
            make(tmp_path, point, replay_point=True)
    assert checkpoints.read_manifest(checkpoints.checkpoint_path(tmp_path, 250))["to_stop"]  # resumed silently
    one, point = size(1000), size(4125)
    assert one < point < one + 50
    (tmp_path / "history.safetensors").write_bytes(bytes(5 * (2 * one + 8 * point)))  # a tenth has room for both older
    checkpoints.prune(tmp_path, keep=2)
    # Of the 16 points, those with the nearest neighbours are gone: 1125, 2125, 3125, then 250, 750, …, 2250.
    assert left() == [500, 1000, 1500, 2000, 2500, 2750, 3000, 3250, 3500, 3750, 4000, 4125]
    assert checkpoints.has_room_for_replay_point(tmp_path, point, keep=2)  # in place of another
    (tmp_path / "history.safetensors").write_bytes(bytes(10 * one))  # room for one older and a point
    checkpoints.prune(tmp_path, keep=2)
    assert left() == [2000, 3000, 4000]
    assert not checkpoints.has_room_for_replay_point(tmp_path, point, keep=2)


def test_no_directory_that_somebody_else_made_goes_with_the_old_ones(tmp_path: Path) -> None:
    for name in ("step-best", "step-5", "step-"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "model.safetensors").write_bytes(b"kept")
    (make(tmp_path, 5) / "figure.png").write_bytes(b"kept")
    for step in (10, 15, 20):
        make(tmp_path, step)
    checkpoints.prune(tmp_path, keep=1)
    left = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert left == {"step-best", "step-5", "step-", "step-000005", "step-000020"}


def test_what_lies_beside_a_model_goes_along_when_it_is_replaced(tmp_path: Path) -> None:
    old, new = make(tmp_path, 5), make(tmp_path, 10)
    (old / "README.md").write_text("mine")
    (old / "figures").mkdir()
    (old / "figures" / "loss.png").write_text("mine")
    checkpoints.copy_foreign_files(old, new)
    assert (new / "README.md").read_text() == (new / "figures/loss.png").read_text() == "mine"
    assert (new / "model.safetensors").read_bytes() == b"weights of 10"
    checkpoints.copy_foreign_files(tmp_path / "absent", new)


def test_only_leftovers_of_our_own_names_are_cleared_away(tmp_path: Path) -> None:
    for name in (".step-000005.partial", ".step-000006.removed", ".thesis.old", ".step-best.partial"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path, r"step-\d+")
    assert {path.name for path in tmp_path.iterdir()} == {".thesis.old", ".step-best.partial"}


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_every_file_of_a_checkpoint_and_of_a_saved_model_follows_the_umask(tmp_path: Path, umask: int) -> None:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    gpt2 = build_model({"n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 16}, "rmsnorm", "float32", NORMAL, 1)

    def write_state(directory: Path) -> None:
        checkpoints.save_optimizer(optimizer, directory)
        checkpoints.save_random_state(directory)

    before = os.umask(umask)
    try:
        (tmp_path / "checkpoints").mkdir()
        checkpoints.write_checkpoint(tmp_path, 5, write_state, history_step=5, events_bytes=0, to_stop=False)
        save_model(gpt2, tmp_path / "saved")
    finally:
        os.umask(before)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"optimizer.safetensors", "random_state.json", "model.safetensors", "config.json"} <= {p.name for p in files}
    assert {str(path): oct(path.stat().st_mode & 0o777) for path in files} == {
        str(path): oct(0o666 & ~umask) for path in files
    }


def test_steps_of_seven_digits_are_ordered_as_numbers(tmp_path: Path) -> None:
    make(tmp_path, 999_999)
    make(tmp_path, 1_000_000)
    assert newest(tmp_path)[0] == tmp_path / "checkpoints/step-1000000"


def test_death_at_any_rename_or_removal_leaves_checkpoints_and_files_of_others(tmp_path: Path) -> None:
    for call in range(20):
        run = tmp_path / str(call)
        run.mkdir()
        make(run, 5)
        make(run, 10)
        (make(run, 15) / "mine.txt").write_text("mine")
        assert not list(run.rglob(".*"))
        died = dies_at(call, lambda run=run: (make(run, 15), make(run, 20), checkpoints.prune(run, keep=2)))
        remove_leftovers(run / "checkpoints", r"step-\d+")
        assert (run / "checkpoints/step-000015/mine.txt").read_text() == "mine"
        found, problems = newest(run)
        assert found in (checkpoints.checkpoint_path(run, 15), checkpoints.checkpoint_path(run, 20))
        assert problems == []
        assert [checkpoints.problem_of(path) for path in checkpoints.all_of(run)] == [None] * len(
            checkpoints.all_of(run)
        )
        assert not list(run.rglob(".*"))
        if not died:
            break
    assert call == 8  # three calls replace a directory, one names a new one, two remove each of two old ones


def dies_at(call: int, task: Callable[[], object]) -> bool:
    """Die by SIGKILL at the `call`-th rename or removal of a directory, which is then half done; False without that."""
    calls = itertools.count()
    rename, rmtree = Path.rename, shutil.rmtree

    def deadly_rename(self: Path, target: Path) -> Path:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    def deadly_rmtree(path: Path, **options: Any) -> None:
        if path.is_dir() and next(calls) == call:
            next(path.iterdir()).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        rmtree(path, **options)

    child = os.fork()
    if child == 0:
        Path.rename, shutil.rmtree = deadly_rename, deadly_rmtree
        try:
            task()
        finally:
            os._exit(0)  # whatever happens, the child must not go on as a second test runner
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_what_fails_half_way_leaves_the_old_directory_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "final"
    target.mkdir()
    (target / "old").touch()

    def fail_half_way() -> None:
        with replace_directory(target) as directory:
            (directory / "new").touch()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert [path.name for path in tmp_path.rglob("*")] == ["final", "old"]


@pytest.mark.parametrize(
    "kind",
    [
        lambda p: torch.optim.AdamW(p, fused=True),
        lambda p: torch.optim.AdamW(p, amsgrad=True),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.Adagrad(p),
        lambda p: torch.optim.RMSprop(p, centered=True),
    ],
)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_an_optimizer_goes_on_as_if_nothing_had_been(tmp_path: Path, kind: object, dtype: torch.dtype) -> None:
    def build() -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        torch.manual_seed(1)
        layer = torch.nn.Linear(7, 5).to(dtype)
        return layer, kind(layer.parameters())  # type: ignore[operator]

    def step(layer: torch.nn.Linear, optimizer: torch.optim.Optimizer, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        layer(torch.randn(3, 7, generator=generator).to(dtype)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    layer, optimizer = build()
    for seed in range(4):
        step(layer, optimizer, seed)
    checkpoints.save_optimizer(optimizer, tmp_path)
    weights = [parameter.detach().clone() for parameter in layer.parameters()]
    other, again = build()
    with torch.no_grad():
        for parameter, weight in zip(other.parameters(), weights, strict=True):
            parameter.copy_(weight)
    checkpoints.load_optimizer(again, tmp_path)
    (tmp_path / "again").mkdir()
    checkpoints.save_optimizer(again, tmp_path / "again")
    for saved in ("optimizer.json", "optimizer.safetensors"):
        assert (tmp_path / "again" / saved).read_bytes() == (tmp_path / saved).read_bytes()
    for seed in range(4, 8):
        step(layer, optimizer, seed)
        step(other, again, seed)
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), other.parameters(), strict=True))


def test_every_random_stream_goes_on_where_it_was(tmp_path: Path) -> None:
    def draw() -> list[float]:
        return [random.random(), random.gauss(0, 1), np.random.standard_normal(), float(torch.randn(()))]

    for seeded in (random.seed, np.random.seed, torch.manual_seed):
        seeded(3)
    draw()
    checkpoints.save_random_state(tmp_path)
    expected = draw()
    draw()
    checkpoints.load_random_state(tmp_path)
    assert draw() == expected


def test_nothing_in_a_checkpoint_is_a_pickle(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    checkpoints.save_optimizer(torch.optim.AdamW([parameter]), tmp_path)
    checkpoints.save_random_state(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


@pytest.mark.parametrize("visible", [1, 2])
def test_streams_of_more_gpus_than_there_are_are_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: int
) -> None:
    checkpoints.save_random_state(tmp_path)
    tensors = load_file(tmp_path / "random_state.safetensors")
    cpu = {name: tensor for name, tensor in tensors.items() if name == "torch.cpu"}
    save_file(
        {**cpu, "torch.cuda.0": torch.tensor([0]), "torch.cuda.1": torch.tensor([1])},
        tmp_path / "random_state.safetensors",
    )
    restored: dict[int, int] = {}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: visible)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, index: restored.update({index: int(state)}))
    if visible == 2:
        checkpoints.load_random_state(tmp_path)
        assert restored == {0: 0, 1: 1}
    else:
        with pytest.raises(ResumeMismatch, match=r"streams of 2 GPUs, but PyTorch sees 1.*CUDA_VISIBLE_DEVICES"):
            checkpoints.load_random_state(tmp_path)
        assert restored == {}
