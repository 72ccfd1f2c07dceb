"""Engine `portable` as WebAssembly in Node.js: the bits of the compiled build, and an end that is reported."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch
from bh_bridge.portable import AdamwSettings, Library, Shape, Update
from bh_bridge.portable.choice import FOLDER, Candidate, builds, candidates, load
from bh_bridge.portable.web_assembly import WasmFailed, WasmLibrary, WasmProcess, find_node

STEPS = 20
# GPT-2 with RMSNorm, tied, and with LayerNorm, untied; Qwen3. No size is a multiple of a vector's.
SHAPES = {
    "rmsnorm": Shape(37, 19, 20, 2, 2, 2, 10, 52, 0, 0, 0, 0, 1, 1, 0, 1, 1e-5, 1.0),
    "layernorm": Shape(37, 19, 20, 2, 2, 2, 10, 52, 1, 0, 0, 0, 1, 1, 0, 0, 1e-5, 1.0),
    "qwen3": Shape(37, 19, 20, 2, 4, 2, 6, 52, 0, 1, 1, 1, 0, 0, 1, 1, 1e-6, 1e4),
}
Values = list[float | bytes]


def builds_usable() -> list[Candidate]:
    usable = {each.name for each in builds() if each.usable}
    return [each for each in candidates() if each.name in usable]


@pytest.fixture(scope="module")
def wasm() -> WasmLibrary:
    found = load(candidates()[-1])
    assert isinstance(found, WasmLibrary)
    return found


@pytest.fixture(scope="module")
def compiled() -> Library:
    best = builds_usable()[0]
    if best.platform == "wasm":
        pytest.skip("WebAssembly is the only build here")
    return load(best)


def bits(tensors: list[torch.Tensor]) -> list[bytes]:
    return [tensor.view(torch.uint8).numpy().tobytes() for tensor in tensors]


def train(library: Library, shape: Shape) -> Values:
    """Every number of a training with accumulation, both kinds of moments, and a float32 master."""
    random = torch.Generator().manual_seed(7)
    steps = library.open(shape, [shape.head_size**-0.5 / (i + 1) for i in range(shape.layers)], 2)
    weights = [(torch.rand(size, generator=random) - 0.5).bfloat16() for size in steps.sizes]
    gradients = [torch.full_like(weight, 9) for weight in weights]
    masters = [weight.float() if i % 2 else None for i, weight in enumerate(weights)]
    kinds = [torch.float32 if i % 3 else torch.bfloat16 for i in range(len(weights))]
    first, second = ([torch.zeros_like(w, dtype=k) for w, k in zip(weights, kinds, strict=True)] for _ in range(2))
    values: Values = []
    for step in range(1, STEPS + 1):
        tokens = torch.randint(0, shape.vocabulary, (2, 9, 19), generator=random, dtype=torch.int32)
        targets = torch.where(tokens % 5 == 0, -1, tokens.roll(-1, 2))
        for part in (0, 1):
            loss = steps.gradients(weights, gradients, tokens[part], targets[part], 301.0, accumulate=part == 1)
            values.append(loss)
        values.append(steps.gradients(weights, None, tokens[0], targets[0], 301.0))
        values.append(library.clip(gradients, 0.5))
        values += bits(gradients)
        updates = [Update(*each) for each in zip(weights, gradients, first, second, masters, strict=True)]
        library.adamw(updates, AdamwSettings(0.01, 0.9, 0.999, 1e-8, 0.1, step))
        values += bits([*weights, *first, *second, *(master for master in masters if master is not None)])
    for narrow in (False, True):
        drawn = torch.rand(48, generator=random)
        library.normals(drawn)
        library.unit_vector(drawn[:45], narrow)
        values += bits([drawn])
    steps.close()
    return values


@pytest.mark.parametrize("shape", SHAPES)
def test_twenty_steps_have_the_bits_of_the_compiled_build(shape: str, wasm: WasmLibrary, compiled: Library) -> None:
    expected, own = train(compiled, SHAPES[shape]), train(wasm, SHAPES[shape])
    assert len(own) == len(expected)
    assert [i for i, (x, y) in enumerate(zip(own, expected, strict=True)) if x != y] == []


@pytest.mark.parametrize("which", ["wasm", "compiled"])
def test_what_c_refuses_is_an_error_and_writes_nothing(which: str, request: pytest.FixtureRequest) -> None:
    library: Library = request.getfixturevalue(which)
    shape = SHAPES["rmsnorm"]
    with pytest.raises(ValueError, match="the shape is impossible"):
        library.open(shape._replace(heads=0), [1.0, 1.0], 1)
    steps = library.open(shape, [1.0, 1.0], 1)
    weights = [torch.zeros(size, dtype=torch.bfloat16) for size in steps.sizes]
    gradients = [torch.full_like(weight, 3) for weight in weights]
    for tokens in (torch.full((1, 4), 37, dtype=torch.int32), torch.zeros((1, 20), dtype=torch.int32)):
        with pytest.raises(ValueError, match="out of the range of the model"):
            steps.gradients(weights, gradients, tokens, tokens, 1.0)
    assert all(bool((gradient == 3).all()) for gradient in gradients)
    with pytest.raises(AssertionError, match="contiguous"):
        tokens = torch.zeros((4, 2), dtype=torch.int32).t()
        steps.gradients(weights, gradients, tokens, tokens, 1.0)
    with pytest.raises(AssertionError, match="float32"):
        steps.gradients([weight.float() for weight in weights], gradients, tokens, tokens, 1.0)
    steps.close()
    steps.close()
    with pytest.raises(AssertionError, match="closed"):
        steps.gradients(weights, gradients, tokens, tokens, 1.0)


def new_process() -> WasmProcess:
    node = find_node()
    assert node is not None
    return WasmProcess(node, FOLDER / "portable.wasm")


def test_a_killed_process_is_reported() -> None:
    process = new_process()
    assert process.ask("recipe")[0] == {"recipe": 1}
    process._process.kill()
    for _ in range(2):
        with pytest.raises(WasmFailed, match=r"^engine portable: the Node\.js process .* was killed by signal 9"):
            process.ask("recipe")


def test_what_a_failed_process_printed_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "no.wasm").write_bytes(b"no module")
    node = find_node()
    assert node is not None
    with pytest.raises(WasmFailed, match=r"ended with exit code 1 and printed: (.|\n)*CompileError"):
        WasmProcess(node, tmp_path / "no.wasm").ask("recipe")


def test_an_error_of_a_request_is_reported_and_the_process_goes_on() -> None:
    process = new_process()
    with pytest.raises(WasmFailed, match=r"^engine portable: WebAssembly failed: TypeError"):
        process.ask("gradients", trainer=5)
    assert process.ask("recipe")[0] == {"recipe": 1}
    process.close()


def test_the_process_ends_with_python() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, str(new_process()._process.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    node = int(os.read(reading, 20))
    deadline = time.monotonic() + 20
    while _is_running(node):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False
