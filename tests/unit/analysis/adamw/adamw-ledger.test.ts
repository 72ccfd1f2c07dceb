import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AdamwLedger, adamwLedger, type LedgerTensors } from "../../../../src/analysis/adamw/adamw-ledger.js";
import type { AdamwSettings } from "../../../../src/analysis/adamw/adamw-step.js";
import type { History } from "../../../../src/formats/history.js";
import { openHistory } from "../../../../src/runs/open-history.js";
import { projectRoot } from "../../../e2e/program.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { memoryHistory } from "../memory-source.js";

const [steps, tokens, dims] = [12, 33, 31]; // an odd number of components: the kernels have code of their own for the last ones
const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const rateOf = (step: number): number => 0.003 / step;

/**
 * torch itself steps a matrix with gradients of many sizes, exact zeros among them, and saves all that it had. float32 moments are stepped with the formulas
 * of torch's own operations, as bh-bridge's optimizer for them uses them.
 */
const program = `
import math, sys, torch
from safetensors.torch import save_file
sys.path.insert(0, sys.argv[5])
from bh_bridge.portable import library
from bh_bridge.portable.interface import AdamwSettings, Update
folder, steps, tokens, dims = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(1)
def run(name, dtype, kind, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.01):
    torch.manual_seed(len(name))
    weight = torch.nn.Parameter((torch.randn(tokens, dims) * 10 ** (torch.rand(tokens, dims) * 4 - 4)).to(dtype))
    wide = torch.float32 if kind in ("moments", "master", "portable-master") else dtype
    m, v = (torch.zeros(tokens, dims, dtype=wide) for _ in range(2))
    master = weight.detach().float().clone()
    optimizer = torch.optim.AdamW([weight], betas=(beta1, beta2), eps=eps, weight_decay=decay, fused=kind == "fused", foreach=False)
    kept = {n: [] for n in ("weight", "gradient", "firstMoment", "secondMoment", "master")}
    def keep():
        state = optimizer.state[weight] if kind in ("fused", "single") and optimizer.state[weight] else {"exp_avg": m, "exp_avg_sq": v}
        gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
        for n, t in (("weight", weight), ("gradient", gradient), ("firstMoment", state["exp_avg"]), ("secondMoment", state["exp_avg_sq"]), ("master", master)):
            kept[n].append(t.detach().clone())
    keep()
    for t in range(1, steps + 1):
        gradient = torch.randn(tokens, dims) * 10 ** (torch.rand(tokens, 1) * 9 - 9)
        gradient[t % 7 :: 7] = 0
        weight.grad = gradient.to(dtype)
        lr = 0.003 / t
        if kind in ("fused", "single"):
            optimizer.param_groups[0]["lr"] = lr
            optimizer.step()
        elif kind.startswith("portable"):
            copy = master if kind == "portable-master" else None
            library().adamw([Update(weight.detach(), weight.grad, m, v, copy)], AdamwSettings(lr, beta1, beta2, eps, decay, t))
        else:
            g = weight.grad.float()
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            root = (v.sqrt() / math.sqrt(1 - beta2**t)).add_(eps)
            stepped = master if kind == "master" else weight.detach().float()
            stepped.mul_(1 - lr * decay).addcdiv_(m, root, value=-lr / (1 - beta1**t))
            with torch.no_grad(): weight.copy_(stepped)
        keep()
    save_file({n: torch.stack(t) for n, t in kept.items()}, f"{folder}/{name}.safetensors")
run("fused-bfloat16", torch.bfloat16, "fused")
run("fused-float32", torch.float32, "fused")
run("slow-bfloat16", torch.bfloat16, "single")
run("slow-float32", torch.float32, "single")
run("moments", torch.bfloat16, "moments")
run("master", torch.bfloat16, "master")
run("portable", torch.bfloat16, "portable")
run("portable-master", torch.bfloat16, "portable-master")
run("steep", torch.float32, "fused", beta1=0.3)
import json
print(json.dumps(torch.backends.cpu.get_cpu_capability()))
`;

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-ledger-"));
let fma = true;
beforeAll(() => {
  fma = expectedFrom<string>(program, folder, `${steps}`, `${tokens}`, `${dims}`, join(projectRoot, "python")) !== "DEFAULT";
});
afterAll(() => rmSync(folder, { recursive: true }));

type Name = keyof LedgerTensors;

async function ledger(name: string, settings: Partial<AdamwSettings>, change: (tensors: Record<Name, History>) => Partial<LedgerTensors> = () => ({})) {
  const names = ["weight", "gradient", "firstMoment", "secondMoment", "master"] as const;
  const opened = await Promise.all(names.map(async (tensor) => [tensor, await openHistory(join(folder, `${name}.safetensors`), tensor)] as const));
  const tensors = Object.fromEntries(opened) as Record<Name, History>;
  const { master, ...plain } = tensors;
  const narrow = { narrowWeights: plain.weight.dtype === "BF16", narrowMoments: plain.firstMoment.dtype === "BF16" };
  const used = { ...plain, ...(name.endsWith("master") && { master }), ...change(tensors) };
  const work = adamwLedger(used, { arithmetic: "fused", ...narrow, fma, ...options, ...settings }, rateOf);
  let result = work.next();
  while (!result.done) result = work.next();
  for (const history of Object.values(tensors)) history.close();
  return result.value;
}

function counted({ entries }: AdamwLedger): number {
  return entries.reduce((sum, { movedBy, heldBy }) => sum + [...Object.values(movedBy), ...Object.values(heldBy)].reduce((a, b) => a + b), 0);
}

describe("torch's steps come out in every bit", () => {
  test.each([
    ["fused-bfloat16", {}],
    ["fused-float32", {}],
    ["steep", { beta1: 0.3 }],
    ["slow-bfloat16", { arithmetic: "by-operation" }],
    ["slow-float32", { arithmetic: "by-operation" }],
    ["moments", { arithmetic: "float32" }],
    ["master", { arithmetic: "float32" }],
    ["portable", { arithmetic: "portable" }],
    ["portable-master", { arithmetic: "portable" }],
  ] as const)("%s", async (name, settings) => {
    const found = await ledger(name, settings);
    expect(found.first).toBeNull();
    expect(found.components).toBe(steps * tokens * dims);
    expect(found.explained).toBe(found.components);
    expect(counted(found)).toBe(found.components);
    if (name.startsWith("fused") || name === "slow-bfloat16") expect(found.nearbyRoots).toBe(0);
  });
});

test("another arithmetic, or another learning rate, does not explain them", async () => {
  expect((await ledger("fused-bfloat16", { arithmetic: "by-operation" })).explained).toBeLessThan(steps * tokens * dims * 0.99);
  expect((await ledger("fused-float32", { weightDecay: 0 })).explained).toBeLessThan(steps * tokens * dims * 0.99);
});

/** A copy in which one bit of one state is another: the last of a number, or its sign. */
function damaged(history: History, state: number, component: number, bit: "last" | "sign" = "last"): History {
  const size = history.dtype === "BF16" ? 2 : 4;
  const bytes = new Uint8Array(history.states * tokens * dims * size);
  history.read(0, history.states, bytes);
  const at = (state * tokens * dims + component) * size + (bit === "sign" ? size - 1 : 0);
  bytes[at] = (bytes[at] ?? 0) ^ (bit === "sign" ? 0x80 : 1);
  return memoryHistory(history.dtype, [history.states, tokens, dims], bytes);
}

test.each(["weight", "firstMoment", "secondMoment"] as const)("one wrong bit of a %s is found, in the step that leads to it or from it", async (tensor) => {
  const found = await ledger("fused-float32", {}, (tensors) => ({ [tensor]: damaged(tensors[tensor], 5, 70) }));
  expect(found.first).toMatchObject({ step: 5, token: 2, component: 8, tensor });
  expect(found.components - found.explained).toBeLessThanOrEqual(2);
});

test("a wrong sign of a gradient is found by what it leads to", async () => {
  const found = await ledger("fused-float32", {}, (tensors) => ({ gradient: damaged(tensors.gradient, 5, 70, "sign") }));
  expect(found.first).toMatchObject({ step: 5, token: 2, component: 8 });
});

test("what moved and held the components is counted: torch alone says how many stayed", async () => {
  const program = `
import json, sys
from safetensors.torch import load_file
weight = load_file(sys.argv[1])["weight"]
print(json.dumps([(weight[t] == weight[t - 1]).sum().item() for t in range(1, len(weight))]))
`;
  const stayed = expectedFrom<number[]>(program, join(folder, "fused-bfloat16.safetensors"));
  const { entries } = await ledger("fused-bfloat16", {});
  expect(entries.map(({ heldBy }) => heldBy.nothing + heldBy.rounding + heldBy.opposition)).toEqual(stayed);
  expect(entries.some(({ heldBy }) => heldBy.rounding > 0)).toBe(true);
});

test("steps that were not recorded one after the other are left out", async () => {
  const found = await ledger("fused-bfloat16", {}, ({ weight }) => ({
    weight: { ...weight, steps: [0, 1, 2, 5, 6, 9, 12, 15, 16, 17, 18, 19, 21] },
  }));
  expect(found.entries.map(({ step }) => step)).toEqual([1, 2, 6]);
});
