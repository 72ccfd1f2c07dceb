import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RecordedRun } from "../../../../src/analysis/analysis.js";
import { analyze } from "../../../../src/analysis/analyze.js";
import { deadMassAnalysis } from "../../../../src/analysis/dead-mass/analysis.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import { openHistory } from "../../../../src/runs/open-history.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { differences } from "../differences.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-kinematics-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** numpy in float64, from states that torch saved: two walks that drift, one of which stops, and what a model's head would have seen. */
const program = `
import json, sys, numpy as np, torch
from safetensors.torch import save_file
folder = sys.argv[1]
torch.manual_seed(3)
S, N, D = 31, 9, 4
drift = torch.randn(D) * 0.02
steps = torch.randn(S, N, D) * 0.03 + drift + torch.randn(S, 1, D) * 0.02
steps[0] = torch.randn(N, D)
steps[20:, 2:5] = 0
steps[1:, 5] = steps[1:, 6]
a = torch.cumsum(steps, 0).to(torch.bfloat16)
b = a.clone()
b[7:, 3:] += 0.125
hidden, logits = torch.randn(S, 1, D).double(), torch.randn(S, N, 1).double()
save_file({"embedding_history": a}, f"{folder}/a.safetensors"); save_file({"embedding_history": b}, f"{folder}/b.safetensors")
save_file({"hidden.mean": hidden}, f"{folder}/hidden.safetensors"); save_file({"logits.mean": logits}, f"{folder}/logits.safetensors")
W, X = a.float().numpy(), b.double().numpy()
v = (W[1:] - W[:-1]).astype(np.float64)
W = W.astype(np.float64)
V = v.mean(1)
u = v - V[:, None]
r = W[:-1] - W[:-1].mean(1, keepdims=True)
rn = np.linalg.norm(r, axis=2)
along = (u * r).sum(2) / rn
tangential = (u**2).sum(2) - along**2
def correlation(x, k):
    p, q = x[:-k], x[k:]
    return float((p * q).sum() / np.sqrt((p**2).sum() * (q**2).sum()))
def ulp(w):
    e = np.frexp(np.abs(w))[1] + 126
    return np.where(w == 0, 2.0**-133, 2.0 ** (np.maximum(e, 1) - 134.0))
lattice = v / ulp(W[:-1])
last = lambda moves: [int(np.flatnonzero(moves[:, i]).max() + 1) if moves[:, i].any() else 0 for i in range(N)]
ends = [last(np.linalg.norm(lattice, axis=2) > np.sqrt(D)), last(np.abs(lattice).max(2) > 1), last(np.abs(lattice).sum(2) != 0)]
phases = []
for i in range(N):
    of = ["frozen"] * (S - 1)
    for t in range(1, S):
        for name, end in zip(("early", "midlife", "late"), ends):
            if t <= end[i]:
                of[t - 1] = name
                break
    phases.append({name: of.count(name) for name in ("early", "midlife", "late", "frozen")})
dead = [0, 3, 7]
softmax = lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum()
apart = W - X
print(json.dumps({
    "kinematics": {
        "bulkSpeed": np.linalg.norm(V, axis=1).tolist(),
        "peculiarSpeed": np.sqrt((u**2).sum(2).mean(1)).tolist(),
        "radial": along.mean(1).tolist(),
        "radialSpeed": np.sqrt((along**2).mean(1)).tolist(),
        "tangentialSpeed": np.sqrt(tangential.mean(1)).tolist(),
        "autocorrelation": {"lags": [1, 2, 4, 8], "bulk": [correlation(V, k) for k in (1, 2, 4, 8)], "peculiar": [correlation(u, k) for k in (1, 2, 4, 8)]},
    },
    "divergence": {
        "steps": list(range(S)),
        "distance": np.sqrt((apart**2).sum(2).mean(1)).tolist(),
        "centroid": np.linalg.norm(apart.mean(1), axis=1).tolist(),
        "equalRows": (apart == 0).all(2).sum(1).tolist(),
    },
    "phases": {name: [each[name] for each in phases] for name in ("early", "midlife", "late", "frozen")},
    "masses": {
        "logits.mean": [float(softmax(logits[t, :, 0].numpy())[dead].sum()) for t in range(1, S)],
        "hidden.mean": [float(softmax(W[t] @ hidden[t, 0].numpy())[dead].sum()) for t in range(1, S)],
    },
}))
`;

interface Expected {
  readonly kinematics: object;
  readonly divergence: object;
  readonly phases: Readonly<Record<string, readonly number[]>>;
  readonly masses: Readonly<Record<string, readonly number[]>>;
}

const expected = expectedFrom<Expected>(program, folder);
const dead = [0, 3, 7];

function run(...tensors: string[]): RecordedRun {
  return {
    config: parseRunConfig({}),
    environment: { device: "cpu", cpu_capability: "AVX2", platform: "Linux" },
    goesOn: false,
    deadTokens: dead,
    tensors: ["wte", ...tensors],
    open: (tensor) => openHistory(join(folder, `${tensor.split(".")[0]}.safetensors`), tensor),
  };
}

async function analysed(...[only, options]: [string[], object]) {
  const [history, against] = await Promise.all(["a", "b"].map((name) => openHistory(join(folder, `${name}.safetensors`))));
  if (!(history && against)) throw new Error("no history");
  try {
    return await analyze(history, { only, ...(only.includes("kinematics") && { against }), ...options });
  } finally {
    history.close();
    against.close();
  }
}

test("kinematics and the divergence of two runs are numpy's", async () => {
  const { divergence, ...kinematics } = (await analysed(["kinematics"], {})).kinematics ?? {};
  expect(differences(kinematics, expected.kinematics, 1e-11, 1e-15)).toEqual([]);
  expect(differences(divergence, expected.divergence, 1e-12, 1e-15)).toEqual([]);
});

test("phases last as numpy counts them, token by token, and dead tokens have a table of their own", async () => {
  const { table, ...durations } = (await analysed(["phases"], { run: run() })).phases ?? {};
  expect(durations).toEqual(expected.phases);
  const frozen = dead.map((token) => expected.phases["frozen"]?.[token] ?? 0).sort((a, b) => a - b);
  expect(table?.dead?.frozen).toMatchObject({ n: 3, min: frozen[0], median: frozen[1], max: frozen[2] });
  expect(table?.live?.frozen.n).toBe(6);
  expect(table?.all.early.n).toBe(9);
});

test.each(["logits.mean", "hidden.mean"] as const)("the mass on dead tokens at %s is numpy's softmax", async (tensor) => {
  const { deadMass } = await analysed(["deadMass"], { run: run(tensor) });
  expect(differences(deadMass?.mass, expected.masses[tensor], 1e-12)).toEqual([]);
  expect(deadMass).toMatchObject({ from: tensor, dead: 3, uniform: 3 / 9 });
  expect(deadMass?.steps[0]).toBe(1);
});

test("what they need is said where it is missing", async () => {
  const { notes } = await analysed(["deadMass"], { run: run() });
  expect(notes).toEqual(['left out: deadMass: needs a run that recorded logits.mean or hidden.mean: set record.tensors, or add one with "bh-bridge rerecord"']);
  expect((await analysed(["timeline"], {})).kinematics).toBeUndefined();
});

test("people read them as tables", async () => {
  const { kinematicsAnalysis } = await import("../../../../src/analysis/kinematics/kinematics.js");
  const { phasesAnalysis } = await import("../../../../src/analysis/phases/phases.js");
  const found = await analysed(["kinematics", "phases", "deadMass"], { run: run("logits.mean") });
  const step = (state: number): number => state;
  const tables = [
    found.kinematics && kinematicsAnalysis.print(found.kinematics, step),
    found.phases && phasesAnalysis.print(found.phases, step),
    found.deadMass && deadMassAnalysis.print(found.deadMass, step),
  ];
  expect(tables.map((lines) => lines?.filter((line) => typeof line !== "string").length)).toEqual([3, 1, 1]);
});
