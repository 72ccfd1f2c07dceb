import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BhBridgeError } from "../../src/errors.js";
import { openCheckpoint } from "../../src/runs/open-run-directory.js";
import { repetitions } from "../repetitions.js";
import { expectedFrom, temporaryDirectory } from "../unit/formats/reference-python.js";
import { tellPosition } from "./fuzz.js";
import { mutate } from "./mutate.js";
import { Random } from "./random.js";

// No other library is asked here: h5py is the same library, and hangs or falls over such files itself.
const runs = Number(process.env["BH_BRIDGE_FUZZ_HDF5"] ?? repetitions(200, 500));
const seed = Number(process.env["BH_BRIDGE_FUZZ_SEED"] ?? 1);
const first = Number(process.env["BH_BRIDGE_FUZZ_FIRST"] ?? 0);
/** A case takes a millisecond; after one in which the library trapped, a copy of it is loaded, for which the test runner takes seconds. */
const maxCaseMs = 30_000;
const refusals: readonly string[] = ["FORMAT_INVALID", "FORMAT_UNSUPPORTED"];

/** Read all of a file; the code of what it was refused with. */
async function readAll(path: string): Promise<string> {
  try {
    await using checkpoint = await openCheckpoint(path);
    for (const { name } of checkpoint.tensors) await checkpoint.matrix(name);
    return "read";
  } catch (error) {
    if (error instanceof BhBridgeError) return error.code;
    throw error;
  }
}

test(`${runs} mutated HDF5 files: read, or refused with a typed error, in time`, { timeout: 60 * 60_000 }, async () => {
  const directory = temporaryDirectory();
  expectedFrom(
    `
import sys, h5py, numpy as np
path = lambda name: f"{sys.argv[1]}/{name}.h5"
bits = np.arange(64, dtype="u2").reshape(4, 8, 2)
with h5py.File(path("plain"), "w") as f: f["W"] = bits
with h5py.File(path("packed"), "w") as f:
    f.create_dataset("W", data=bits, chunks=(1, 8, 2), compression="gzip", shuffle=True).attrs["dtype"] = "bfloat16"
    f["group/x"] = np.ones((5, 3), dtype="f4"); f["soft"] = h5py.SoftLink("/group/x"); f["outside"] = h5py.ExternalLink("other.h5", "/W")
with h5py.File(path("latest"), "w", libver="latest") as f: f["a"] = np.ones((6, 4)); f["h"] = np.arange(6, dtype="f2").reshape(2, 3)
print(0)`,
    directory,
  );
  const seeds = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  const path = join(directory, "case.h5");
  const outcomes = new Map<string, number>();
  for (let index = first; index < first + runs; index++) {
    const random = new Random(seed * 1_000_003 + index);
    tellPosition("hdf5", index);
    writeFileSync(path, mutate(random.pick(seeds), random));
    const start = performance.now();
    const outcome = await readAll(path);
    expect(performance.now() - start, `case ${index}`).toBeLessThan(maxCaseMs);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  process.stderr.write(`hdf5, seed ${seed}: ${JSON.stringify(Object.fromEntries(outcomes))}\n`);
  expect([...outcomes.keys()].filter((outcome) => outcome !== "read" && !refusals.includes(outcome))).toEqual([]);
  if (runs >= 100) expect(outcomes.get("read")).toBeGreaterThan(runs / 10);
});
