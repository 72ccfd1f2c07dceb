import { join } from "node:path";
import { expect, test } from "vitest";
import { comparedStates, StepTrace } from "../../../src/compare/compare-traces.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

/** A layer that is traced without a trainer: step 2 of three, begun after step `first`; `change` is done to its weight before that step. */
function traced(name: string, change = "pass", first = 0): { trace: StepTrace; digests: string[][]; output: number[] } {
  const program = `
import hashlib, json, sys
from pathlib import Path
sys.path.insert(0, "python")
import torch
from bh_bridge.recording.step_trace import StepTrace
folder = Path(sys.argv[1]); folder.mkdir()
model = torch.nn.Sequential(torch.nn.Linear(3, 2))
kept = {}
digests = []
def state():
    digests.append([hashlib.blake2b(p.detach().numpy().tobytes() + b"".join(k.encode() + v.numpy().tobytes() for k, v in kept.items()), digest_size=8).hexdigest() for p in model.parameters()])
with torch.no_grad():
    for p in model.parameters(): p.copy_(torch.arange(p.numel()).view(p.shape) / 8)
trace = StepTrace(folder, 2, model, lambda _: kept, lambda _: {"lr": 0.5, "betas": (0.9, 0.99)})
trace.begin(${first})
state()
for step in range(${first} + 1, 4):
    if step == 2:
        with torch.no_grad(): ${change}
    output = model(torch.ones(1, 3))
    output.sum().backward()
    trace.capture_gradient()
    with torch.no_grad():
        for p in model.parameters(): p.sub_(0.5 * p.grad); p.grad = None
    kept["exp_avg"] = torch.full((2,), float(step))
    trace.step_made()
    trace.end(step)
    state()
    if step == 2: values = output.detach().flatten().tolist()
trace.close()
print(json.dumps({"digests": digests, "output": values}))`;
  const path = join(directory, name);
  const expected = expectedFrom<{ digests: string[][]; output: number[] }>(program, path);
  return { trace: new StepTrace(path), ...expected };
}

test("facts, digests and values are those that Python had", () => {
  const { trace, digests, output } = traced("plain");
  using _ = trace;
  expect([trace.step, trace.firstStep, trace.lastStep]).toEqual([2, 0, 3]);
  expect(trace.parameters).toEqual(["0.weight", "0.bias"]);
  expect([0, 1, 2, 3].map((step) => trace.parameters.map((name) => Buffer.from(trace.digest(step, name)).toString("hex")))).toEqual(digests);
  const quantities = [...new Set(trace.tensors.map(({ quantity }) => quantity))];
  expect(quantities).toEqual([
    ...["state", "batch", "input", "output", "output gradient", "gradient", "clipped gradient", "setting", "updated state", "state after noise"],
  ]);
  const [layer] = trace.tensors.filter(({ quantity, module }) => quantity === "output" && module === "0");
  expect(layer).toMatchObject({ batch: 1, type: "Linear", tensor: "", dtype: "F32", shape: [1, 2] });
  if (layer) expect([...new Float32Array(trace.read(layer, 0, 2).slice().buffer)]).toEqual(output);
  const settings = trace.tensors.filter(({ quantity, tensor }) => quantity === "setting" && tensor.startsWith("bias"));
  expect(settings.map(({ tensor }) => tensor)).toEqual(["bias.lr", "bias.betas.0", "bias.betas.1"]);
});

test("states are compared from the first step that both have", () => {
  using plain = traced("whole").trace;
  using later = traced("later", "pass", 1).trace;
  using other = traced("other", "model[0].bias[1] += 1").trace;
  expect(comparedStates(plain, other)).toEqual({ equalTo: 1, differsAt: 2 });
  expect(comparedStates(plain, later)).toEqual({ equalTo: null, differsAt: 1 }); // it has made no step 1
});
