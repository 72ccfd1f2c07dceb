import { expect, test } from "vitest";
import { simulate } from "../../../src/runner/simulate.js";
import { expectedFrom, python } from "../formats/reference-python.js";

const seed = 11;

/** Plain torch draws the same states from the same stream, and numpy counts equal rows. */
const program = `
import json, sys, numpy as np, torch
draws, vocab, dim, seed = map(int, sys.argv[1:5])
def unit():
    v = torch.randn(dim, dtype=torch.bfloat16)
    return v / v.norm()
kinds = {
    "normal": lambda: torch.empty(vocab, dim).normal_(0, 0.02),
    "snowball": lambda: torch.randn(dim) + torch.randn(vocab, dim) * 1e-4,
    "narrow": lambda: unit() + torch.randn(vocab, dim, dtype=torch.bfloat16) * 1e-3,
}
found = {}
for name, draw in kinds.items():
    torch.manual_seed(seed)
    counts = []
    for _ in range(draws):
        state = draw().to(torch.bfloat16).float().numpy()
        _, sizes = np.unique(state, axis=0, return_counts=True)
        counts.append((int((sizes > 1).sum()), int(sizes[sizes > 1].sum()), len(sizes), int(sizes.max()) if sizes.max() > 1 else 0))
    C, P, unique, largest = np.array(counts).T
    describe = lambda x: {"mean": float(x.mean()), "sd": float(x.std()), "median": float(np.median(x)), "min": int(x.min()), "max": int(x.max())}
    found[name] = {"C": describe(C), "P": describe(P), "unique": describe(unique), "largest": describe(largest), "with": int((C > 0).sum())}
print(json.dumps(found))
`;

interface Described {
  readonly mean: number;
  readonly sd: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

test("the black holes of drawn states are those that numpy counts in states that torch draws alone", async () => {
  const shape = { draws: 60, vocab: 40, dim: 3 };
  const expected = expectedFrom<Record<string, Record<"C" | "P" | "unique" | "largest", Described> & { with: number }>>(
    program,
    `${shape.draws}`,
    `${shape.vocab}`,
    `${shape.dim}`,
    `${seed}`,
  );
  const inits = {
    normal: { kind: "normal" },
    snowball: { kind: "snowball", sigma: 1e-4 },
    narrow: { kind: "unit-noise", sigma: 1e-3, noise_dtype: "bfloat16" },
  } as const;
  for (const [name, init] of Object.entries(inits)) {
    const found = await simulate({ init, ...shape, seed, python });
    expect(found.draws).toBe(shape.draws);
    for (const measure of ["C", "P", "unique", "largest"] as const) {
      const { n, counts, sd, mean, ...whole } = found[measure];
      expect(n).toBe(shape.draws);
      const { sd: wantedSd = 0, mean: wantedMean = 0, ...wanted } = expected[name]?.[measure] ?? {};
      expect(whole, `${name} ${measure}`).toEqual(wanted);
      expect(mean).toBeCloseTo(wantedMean, 12);
      expect(sd).toBeCloseTo(wantedSd, 12);
      expect(counts.reduce((sum, [value, times]) => sum + value * times, 0)).toBeCloseTo(wantedMean * shape.draws, 9);
    }
    expect(found.withBlackHoles).toBe(expected[name]?.with);
    expect(found.populations.n).toBe(found.C.counts.reduce((sum, [value, times]) => sum + value * times, 0));
  }
});

test("what is no initial state to draw is refused before Python is started", async () => {
  await expect(simulate({ init: { kind: "file", path: "x.safetensors" } })).rejects.toThrow("the rows of a file are not drawn: inspect them with census");
  await expect(simulate(JSON.parse('{"init":{"kind":"snowbal"}}'))).rejects.toThrow("snowball");
  await expect(simulate({ init: { kind: "snowball", sigma: -1 } })).rejects.toThrow("init.sigma");
  await expect(simulate({ init: { kind: "singular" }, draws: 0 })).rejects.toThrow("draws: 0 is not accepted");
});

test("a signal stops it", async () => {
  const stop = new AbortController();
  const simulating = simulate({ init: { kind: "snowball" }, draws: 1e7, python, signal: stop.signal, onProgress: () => stop.abort() });
  await expect(simulating).rejects.toMatchObject({ code: "ABORTED" });
});
