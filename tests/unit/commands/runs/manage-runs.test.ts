import { expect, test } from "vitest";
import { runsDocumentSchema } from "../../../../src/commands/runs/format-runs.js";
import { runsCommand } from "../../../../src/commands/runs/runs.js";
import { writeRunNotes } from "../../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";
import { captureStdout } from "../capture-stdout.js";
import { hearStderr } from "../hear-stderr.js";

const out = temporaryDirectory();
const runs = ["a", "b", "c"].map((id, index) =>
  writeRun({ folder: out, id, seed: index + 1, steps: 10 * (index + 1), status: id === "c" ? "stopped" : "completed" }),
);
writeRunNotes(runs[1] ?? "", { note: null, tags: ["pin"] });

const said = hearStderr();

const list = (...args: string[]) => captureStdout(runsCommand(), "--out", out, ...args);
const documentOf = async (...args: string[]) => runsDocumentSchema.parse(JSON.parse(await list("--json", ...args)));
const namesIn = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/[ ,]/)[0]);

test("runs are listed oldest first, pinned ones before all, with the columns that are asked for", async () => {
  expect(namesIn(await list())).toEqual(["b", "a", "c"]);
  expect(await list("--format", "csv", "--columns", "run, seed,planned")).toBe("run,seed,planned\nb,2,20\na,1,10\nc,3,30\n");
  expect(namesIn(await list("--sort", "-seed"))).toEqual(["b", "c", "a"]);
});

test("conditions choose among them, and where none meets them it is said, not printed", async () => {
  expect((await documentOf("--where", "status:completed", "--where", "seed<2")).runs.map(({ name }) => name)).toEqual(["a"]);
  expect(await list("--where", "seed>9")).toBe("");
  expect(said.text).toContain(`no run in ${out} meets these conditions`);
});

test("a folder without runs says how to start one, and prints nothing", async () => {
  const empty = temporaryDirectory();
  expect(await captureStdout(runsCommand(), "--out", empty)).toBe("");
  expect(said.text).toContain(`no run in ${empty}. Start one with: bh-bridge train`);
  expect(await captureStdout(runsCommand(), "--out", empty, "--format", "csv")).toMatch(/^run,status/);
});

test("the others are compared with the newest run tagged baseline, or with the one that is named", async () => {
  expect((await documentOf()).baseline).toBeNull();
  expect((await documentOf("--baseline", "c")).baseline).toBe(runs[2]);
  writeRunNotes(runs[0] ?? "", { note: null, tags: ["baseline"] });
  expect((await documentOf()).baseline).toBe(runs[0]);
  await list();
  expect(said.text).toContain("Differences in parentheses are relative to the baseline a");
});

test("a column or a field that no run has is refused with the nearest", async () => {
  for (const args of [
    ["--columns", "run,sedd"],
    ["--sort", "sedd"],
    ["--where", "sedd:1"],
  ]) {
    await expect(list(...args)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("seed") });
  }
});
