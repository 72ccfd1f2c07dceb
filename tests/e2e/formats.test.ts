import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRun } from "../../src/runner/open-run.js";
import { openCheckpoint } from "../../src/runs/open-run-directory.js";
import { experimentDocumentSchema } from "../../src/sweep/experiment/experiment-summary.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { projectRoot, run, temporaryFolder } from "./program.js";

const fixtures = join(projectRoot, "tests/e2e/formats");
const versions = readdirSync(fixtures).map((name) => name.replace(/\.zip$/, ""));
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test("there is a fixture of this version and of every earlier one", () => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
  expect(versions).toEqual(["0.1.0", "0.2.0", version]);
});

/** Number of different rows of each recorded state, by numpy. */
const uniqueRows = `
import json, sys, numpy, torch
from safetensors import safe_open
with safe_open(sys.argv[1], "pt") as file: states = file.get_tensor("embedding_history").view(torch.int16).numpy()
print(json.dumps([len(numpy.unique(state, axis=0)) for state in states]))`;

/** The recorded states of a run as bytes. */
async function statesOf(directory: string): Promise<Buffer[]> {
  const states: Buffer[] = [];
  for await (const { step, matrix } of (await openRun(directory)).history()) {
    expect(step).toBe(states.length);
    states.push(Buffer.from(matrix.bytes));
  }
  return states;
}

// What each version left on disk, as scripts/format-fixture.mjs wrote it with the program of that version.
describe.each(versions)("what version %s wrote", (version) => {
  const cwd = join(folder.path, version);
  const hasMany = version !== "0.1.0"; // experiments and reports came later

  beforeAll(async () => {
    mkdirSync(cwd);
    await printedBy("import shutil, sys; shutil.unpack_archive(*sys.argv[1:])", [join(fixtures, `${version}.zip`), cwd]);
  });

  const json = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await run([...args, "--json"], { cwd });
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout);
  };

  /** Resume the stopped run. A processor of another kind than that of the archive is refused, and then allowed. */
  const resumed = async () => {
    const resume = ["resume", "stopped", "--corpus", "corpus.txt"];
    const { stdout, stderr, exitCode } = await run([...resume, "--json"], { cwd });
    if (exitCode === 0) return JSON.parse(stdout);
    expect(stderr).toMatch(/RESUME_MISMATCH: .*: processor AMD with AVX512-BF16 → [^,]+\. Its next steps would have other bits/);
    return json(...resume, "--allow-inexact");
  };

  test("a finished run is opened, verified and analysed with the same numbers", async () => {
    expect(await json("runs", "verify", "finished")).toMatchObject({ ok: true, problems: [] });
    const counted: number[] = JSON.parse(await printedBy(uniqueRows, [join(cwd, "finished/history.safetensors")]));
    expect(counted).toHaveLength(13);
    const stored = JSON.parse(readFileSync(join(cwd, "finished/analysis.json"), "utf8"));
    const { finalCensus, states } = await json("analyze", "finished");
    expect({ states, unique: finalCensus.unique }).toEqual({ states: 13, unique: counted.at(-1) });
    expect(finalCensus).toEqual(stored.finalCensus);
  });

  test("a checkpoint is opened, and its embedding has the bits of the recorded state", async () => {
    await using checkpoint = await openCheckpoint(join(cwd, "stopped/checkpoints/step-000010"));
    const embedding = await checkpoint.matrix("transformer.wte.weight");
    expect(Buffer.from(embedding.bytes).equals((await statesOf(join(cwd, "stopped")))[10] ?? Buffer.alloc(0))).toBe(true);
  });

  test("a stopped run is resumed to its last step, and what it had recorded stays", async () => {
    const before = await statesOf(join(cwd, "stopped"));
    expect(before.length).toBeGreaterThan(15);
    expect((await resumed()).status).toBe("completed");
    const after = await statesOf(join(cwd, "stopped"));
    expect(after).toHaveLength(301);
    expect(before.filter((state, step) => !state.equals(after[step] ?? Buffer.alloc(0)))).toEqual([]);
    expect((await json("runs", "verify", "stopped")).ok).toBe(true);
  });

  test.runIf(hasMany)("a stopped experiment is continued from its plan and ledger to a verdict", async () => {
    const [name = ""] = readdirSync(join(cwd, "experiments"));
    const experiment = join("experiments", name);
    const before = await json("sweep", "status", experiment);
    const finished = before.trials.filter(({ status }: { status: string }) => status === "completed");
    expect(finished.length).toBeGreaterThan(0);
    expect(finished.length).toBeLessThan(before.trials.length);
    const { seeds, control } = experimentDocumentSchema.parse(await json("sweep", "retry", experiment, "--workers", "1"));
    expect({ seeds, runs: control.length }).toEqual({ seeds: [1, 2, 3], runs: 3 });
    const after = await json("sweep", "status", experiment);
    expect(after.trials.map(({ status }: { status: string }) => status)).toEqual(before.trials.map(() => "completed"));
    for (const trial of finished) expect(after.trials).toContainEqual(trial); // not trained again
  });

  test.runIf(hasMany)("a report carries the data of its run", () => {
    const page = readFileSync(join(cwd, "report.html"), "utf8");
    const [, packed = ""] = /<script type="text\/plain" id="data">([^<]*)</.exec(page) ?? [];
    const data = JSON.parse(inflateRawSync(Buffer.from(packed, "base64")).toString());
    expect(data.schema).toBe("bh-bridge/report-data@1");
  });
});
