import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { runsCommand } from "../../../../src/commands/runs/runs.js";
import { train } from "../../../../src/runner/train.js";
import { foreignEntry } from "../../../../src/runs/remove-run.js";
import { python, temporaryDirectory } from "../../formats/reference-python.js";
import { captureStdout } from "../capture-stdout.js";

const directory = temporaryDirectory();
let whole = "";
let copies = 0;
let run = "";

beforeAll(async () => {
  const model = { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 };
  const input = { model, training: { max_steps: 4, per_device_train_batch_size: 2 }, checkpoint: { every: 2 }, device: "cpu", threads: 1, python } as const;
  whole = (await train(input, { out: join(directory, "whole") })).directory;
}, 120_000);

beforeEach(() => {
  run = join(directory, `copy-${copies++}`, "run");
  cpSync(whole, run, { recursive: true });
});

const remove = (...args: string[]) => captureStdout(runsCommand(), "rm", ...args);

test("a finished run that was analysed, noted and interrupted while it wrote is removed with all its files", async () => {
  for (const name of ["analysis.json", "notes.json", "events.torn", "run.json.0123abcd.partial"]) writeFileSync(join(run, name), "{}");
  mkdirSync(join(run, "checkpoints", ".step-000002.partial"), { recursive: true });
  expect(foreignEntry(run)).toBeUndefined();
  expect(JSON.parse(await remove("--json", "--yes", run))).toEqual({ schema: "bh-bridge/runs-removed@1", removed: [run] });
  expect(readdirSync(join(run, ".."))).toEqual([]);
});

test("nothing goes without --yes where nobody can be asked", async () => {
  await expect(remove(run)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining(`add --yes to remove ${run}`) });
  expect(existsSync(join(run, "run.json"))).toBe(true);
});

test.each([
  "thesis.tex",
  "checkpoints/notes.md",
  "checkpoints/step-000002/figure.png",
  "final/README.md",
  "figures/loss.png",
  "checkpoints/step-best/model.safetensors",
])("a run that holds %s stays, and the file is named", async (foreign) => {
  mkdirSync(join(run, foreign, ".."), { recursive: true });
  writeFileSync(join(run, foreign), "years of work");
  const named = foreign.startsWith("checkpoints/step-best") ? "checkpoints/step-best" : foreign.startsWith("figures") ? "figures" : foreign;
  await expect(remove(run, "--yes")).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: expect.stringContaining(`it holds ${named}, which is not a part of a run. Move it elsewhere first`),
  });
  expect(readFileSync(join(run, foreign), "utf8")).toBe("years of work");
});

test.each([
  ["a project", ["doc", "sub/file"]],
  ["a configuration and a thesis", ["config.json", "thesis.tex"]],
  ["somebody else's run.json", ["run.json"]],
  ["a recorded history alone", ["history.safetensors"]],
])("%s is no run, with and without --yes", async (_, files) => {
  const folder = join(directory, `folder-${copies++}`);
  for (const file of files) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), "{}");
  }
  for (const args of [[folder], [folder, "--yes"]]) await expect(remove(...args)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  for (const file of files) expect(existsSync(join(folder, file))).toBe(true);
});

test("of a symbolic link the link alone goes, and that is said", async () => {
  const link = join(run, "..", "link");
  symlinkSync(run, link);
  await expect(remove(link)).rejects.toThrow(`${link} (a symbolic link: only the link is removed, not the run ${run})`);
  expect(await remove(link, "--yes")).toContain("only the link is removed");
  expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  expect(readdirSync(run)).toEqual(readdirSync(whole));
});

test("of several runs none goes when one of them may not", async () => {
  const other = join(directory, `other-${copies++}`);
  mkdirSync(other);
  await expect(remove(run, other, "--yes")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  expect(existsSync(join(run, "run.json"))).toBe(true);
});

test.each([
  ["note", "great"],
  ["tag", "baseline"],
])("runs %s writes nothing into a directory that is not a run", async (command, text) => {
  const folder = join(directory, `folder-${copies++}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "notes.json"), '{"note":"my own","tags":[]}');
  await expect(captureStdout(runsCommand(), command, folder, text)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  expect(readFileSync(join(folder, "notes.json"), "utf8")).toBe('{"note":"my own","tags":[]}');
});
