import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { loadRunConfig } from "../../../../src/bridge/load-run-config.js";
import { directoryCommands, sweepExportDocumentSchema, sweepLogsDocumentSchema } from "../../../../src/commands/sweep/directory-commands.js";
import { Ledger } from "../../../../src/sweep/ledger.js";
import { sweepDocumentSchema } from "../../../../src/sweep/sweep-document.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { captureStdout } from "../capture-stdout.js";

const command = (name: string): Command => {
  const found = directoryCommands().find((each) => each.name() === name);
  if (!found) throw new Error(name);
  return found;
};

/** A sweep of two trials: one whose Python printed a hundred lines and failed, one that waits. */
function sweep(): string {
  const directory = temporaryDirectory();
  const trials = ["aaaa1111", "bbbb2222"].map((trial, index) => ({ trial, set: { seed: index + 1 } }));
  const plan = { schema: "bh-bridge/plan@1", name: "sigma", hash: "ab", preset: "quick", base: {}, prune: null, question: null, trials };
  writeFileSync(join(directory, "plan.json"), JSON.stringify(plan));
  mkdirSync(join(directory, "runs", "a"), { recursive: true });
  writeFileSync(join(directory, "runs", "a", "python.log"), Array.from({ length: 100 }, (_, line) => `line ${line + 1}\n`).join(""));
  using ledger = new Ledger(directory);
  ledger.append({ trial: "aaaa1111", status: "failed", run: "runs/a", reason: "PYTHON_CRASHED: no memory" });
  return directory;
}

test("the state of a sweep is read from its directory alone", async () => {
  const directory = sweep();
  const document = sweepDocumentSchema.parse(JSON.parse(await captureStdout(command("status"), "--json", directory)));
  expect(document).toMatchObject({ directory, counts: { failed: 1, planned: 1 } });
  expect(await captureStdout(command("status"), directory)).toContain("1 failed");
});

test("the last lines of a trial's Python are printed with why it failed, by the beginning of its name", async () => {
  const directory = sweep();
  const logs = async (...args: string[]) => sweepLogsDocumentSchema.parse(JSON.parse(await captureStdout(command("logs"), "--json", directory, ...args)));
  const told = await logs("aa");
  expect(told).toMatchObject({ trial: "aaaa1111", status: "failed", reason: "PYTHON_CRASHED: no memory", run: join(directory, "runs/a") });
  expect([told.lines.length, told.lines[0], told.lines.at(-1)]).toEqual([40, "line 61", "line 100"]);
  expect((await logs("aa", "--lines", "2")).lines).toEqual(["line 99", "line 100"]);
  expect(await captureStdout(command("logs"), directory, "aa", "--lines", "1")).toBe("aaaa1111  failed  seed=1\nPYTHON_CRASHED: no memory\nline 100\n");
});

test("a trial that has not begun has printed nothing, and one that there is not is told", async () => {
  const directory = sweep();
  expect(await captureStdout(command("logs"), directory, "bbbb")).toContain("No output from its Python");
  await expect(captureStdout(command("logs"), directory, "cc")).rejects.toMatchObject({ code: "USAGE" });
});

test("what is not running cannot be stopped, and a folder that is none says so", async () => {
  await expect(captureStdout(command("cancel"), sweep())).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("is not running") });
  await expect(captureStdout(command("cancel"), temporaryDirectory())).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});

test("the table of the trials is written as the name of its file says", async () => {
  const directory = sweep();
  const write = async (name: string) => {
    await captureStdout(command("export"), directory, "-o", join(directory, name));
    return readFileSync(join(directory, name));
  };
  expect((await write("trials.csv")).toString()).toMatch(/^trial,status,seed,/);
  expect((await write("trials.parquet")).subarray(0, 4).toString()).toBe("PAR1");
  await expect(write("trials.json")).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining(".csv or .parquet") });
});

test("with --json the table is in the document, unless it is written into a file", async () => {
  const directory = sweep();
  const exported = async (...args: string[]) =>
    sweepExportDocumentSchema.parse(JSON.parse(await captureStdout(command("export"), "--json", directory, ...args)));
  const { rows } = await exported();
  expect(rows).toMatchObject([
    { trial: "aaaa1111", status: "failed", seed: 1, verdict: null, run: join(directory, "runs/a"), reason: expect.stringContaining("no memory") },
    { trial: "bbbb2222", status: "planned", seed: 2 },
  ]);
  expect(await exported("-o", join(directory, "trials.csv"))).toEqual({
    ...{ schema: "bh-bridge/sweep-export@1", directory, output: join(directory, "trials.csv"), trials: 2 },
  });
});

test("the table of an experiment has the arms, and in each row the value of every field that an arm sets", async () => {
  const directory = temporaryDirectory();
  const trials = [{ "model.norm": "layernorm", "init.sigma": 1e-4, "init.kind": "snowball", seed: 1 }, { seed: 1 }].map((set, at) => ({
    trial: `trial${at}`,
    set,
  }));
  const rules = { score: "notebook", decides: ["deadC"], margin: { deadC: 0.5 }, alpha: 0.05 };
  const cells = ["layernorm", "rmsnorm"].map((arm, at) => ({ arm, seed: 1, trial: `trial${at}` }));
  const question = { arms: ["layernorm", "rmsnorm"], seeds: [1], rules, rulesHash: "", measures: [], cells };
  const { config } = await loadRunConfig({ preset: "quick" });
  const plan = { schema: "bh-bridge/plan@1", name: "norms", hash: "ab", preset: "quick", base: config, prune: null, question, trials };
  writeFileSync(join(directory, "plan.json"), JSON.stringify(plan));
  const [head, ...lines] = (await captureStdout(command("export"), directory)).trimEnd().split("\n");
  expect(head).toMatch(/^trial,arm,status,model\.norm,init\.sigma,init\.kind,seed,/);
  expect(lines.map((line) => line.split(",").slice(0, 7))).toEqual([
    ["trial0", "layernorm", "planned", "layernorm", "0.0001", "snowball", "1"],
    ["trial1", "rmsnorm", "planned", "rmsnorm", "", "singular", "1"], // a singular start has no sigma
  ]);
});
