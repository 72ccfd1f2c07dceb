import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { foreignEntry, planRemoval, removeRun } from "../../../src/runs/remove-run.js";
import { noLockHolders } from "../../../src/runs/scan-runs.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

function written() {
  const folder = temporaryDirectory();
  return { folder, run: writeRun({ folder, id: "a", steps: 2 }) };
}

test("a run goes with all that it consists of, and nothing beside it", async () => {
  const { folder, run } = written();
  writeFileSync(join(folder, "thesis.tex"), "");
  await removeRun(await planRemoval(run, noLockHolders), noLockHolders);
  expect(readdirSync(folder)).toEqual(["thesis.tex"]);
});

test("of a link to a run the link goes, and the run stays", async () => {
  const { folder, run } = written();
  const link = join(folder, "newest");
  symlinkSync(run, link);
  const removal = await planRemoval(link, noLockHolders);
  expect(removal).toEqual({ path: link, leadsTo: run });
  await removeRun(removal, noLockHolders);
  expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  expect(existsSync(join(run, "run.json"))).toBe(true);
});

test("what nothing shows to be a run is not planned to go", async () => {
  const { folder, run } = written();
  await expect(planRemoval(folder, noLockHolders)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: expect.stringContaining(`${folder} is not removed, since nothing shows that it is a run`),
  });
  writeFileSync(join(run, "thesis.tex"), "");
  await expect(planRemoval(run, noLockHolders)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: `${run} is not removed: it holds thesis.tex, which is not a part of a run. Move it elsewhere first`,
  });
});

test("a copy of code is part of a run only if its configuration names code", async () => {
  const { run } = written();
  writeFileSync(join(run, "model.py"), "");
  expect(foreignEntry(run)).toBe("model.py");
  const path = join(run, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...config, model: { ...config.model, type: "python", code: { path: "/a/net.py", sha256: "0" } } }));
  expect(foreignEntry(run)).toBeUndefined();
});

test("a run that a process writes is not planned to go", async () => {
  const { run } = written();
  const holders = async (directories: readonly string[]) => new Map(directories.map((directory) => [directory, 4711]));
  await expect(planRemoval(run, holders)).rejects.toMatchObject({
    code: "RUN_LOCKED",
    message: `${run} is being written by process 4711: it is not removed. Stop that process first`,
  });
});

test("a process that began to write it, or a file that came, between plan and removal keeps it, under its own name", async () => {
  const { folder, run } = written();
  const removal = await planRemoval(run, noLockHolders);
  // The lock is looked for under the name that nobody else knows.
  const holders = async ([directory = ""]: readonly string[]) => new Map([[directory, 4711]]);
  await expect(removeRun(removal, holders)).rejects.toMatchObject({ code: "RUN_LOCKED", message: expect.stringContaining(`${run} is being written`) });
  expect(readdirSync(folder)).toEqual(["a"]);
  mkdirSync(join(run, "figures"));
  writeFileSync(join(run, "figures", "loss.png"), "");
  await expect(removeRun(removal, noLockHolders)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a run that is gone when its turn comes is told by the system's reason", async () => {
  const { run } = written();
  const removal = await planRemoval(run, noLockHolders);
  await removeRun(removal, noLockHolders);
  await expect(removeRun(removal, noLockHolders)).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
});

const config = JSON.stringify({ record: { tensors: ["wte", "wte.grad", "transformer.h.0.attn.c_attn.weight"] } });
const manifest = JSON.stringify({ format: 1, files: { "model.safetensors": { size: 0, sha256: "" }, "tokenizer.json": { size: 0, sha256: "" } } });

const contents: Readonly<Record<string, string>> = { "config.json": config, "checkpoints/step-000040/MANIFEST.json": manifest };

const own = [
  "config.json",
  "run.json",
  "run.json.0a1b2c3d.partial",
  "events.jsonl",
  "tokenizer.json",
  "history.safetensors",
  "history.idx",
  "history.wte.grad.safetensors",
  "history.wte.grad.idx",
  "history.transformer.h.0.attn.c_attn.weight.safetensors",
  "history.wte.exp_avg.0-10.safetensors",
  "history.wte.exp_avg.0-10.idx",
  "history.wte.exp_avg.20-30.safetensors.0a1b2c3d.partial",
  ".history.wte.grad.safetensors.partial",
  "analysis.json",
  "SHA256SUMS",
  ".DS_Store",
  ".final.partial/model.safetensors",
  ".final.partial/.tmpa1B2c3",
  ".final.old/config.json",
  "final/config.json",
  "final/tokenizer_config.json",
  "final/modeling_other_norms.py",
  "final/model-00001-of-00002.safetensors",
  "final/MANIFEST.json",
  "checkpoints/step-000020/optimizer.safetensors",
  "checkpoints/step-000020/fast_step.json",
  "checkpoints/step-000020/model.safetensors",
  "checkpoints/step-000040/MANIFEST.json",
  "checkpoints/step-000040/model.safetensors",
  "checkpoints/step-000040/tokenizer.json",
  "checkpoints/step-1000000/model.safetensors",
  "checkpoints/.step-000060.partial/optimizer.json",
  "checkpoints/.step-000005.old/trainer_state.json",
  "checkpoints/.step-000005.removed/model.safetensors",
];

function runWith(...paths: string[]): string {
  const directory = temporaryDirectory();
  for (const path of [...own, ...paths]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), contents[path] ?? "");
  }
  return directory;
}

test("a symbolic link in the place of a folder is none of a run's", () => {
  const run = runWith();
  symlinkSync(temporaryDirectory(), join(run, "checkpoints/step-000100"));
  expect(foreignEntry(run)).toBe("checkpoints/step-000100");
});

test("where the configuration cannot be read, a history of a tensor that any run can record is a run's own", () => {
  const directory = temporaryDirectory();
  for (const name of ["history.wte.grad.safetensors", "history.my.copy.safetensors"]) writeFileSync(join(directory, name), "");
  expect(foreignEntry(directory)).toBe("history.my.copy.safetensors");
});

test("all that a run makes is its own, and so is what a dead process left", () => expect(foreignEntry(runWith())).toBeUndefined());

test.each([
  ["thesis.tex", "thesis.tex"],
  ["figures/loss.png", "figures"],
  ["draft.partial", "draft.partial"],
  ["draft.partial/chapter1.tex", "draft.partial"],
  ["thesis.0a1b2c3d.partial", "thesis.0a1b2c3d.partial"],
  [".mynotes.old", ".mynotes.old"],
  [".mynotes.old/a", ".mynotes.old"],
  [".final.partial/thesis.tex", ".final.partial/thesis.tex"],
  [".final.old/deeper/config.json", ".final.old/deeper"],
  [".final/config.json", ".final"],
  ["history.csv", "history.csv"],
  ["history.npy", "history.npy"],
  ["history.safetensors.bak", "history.safetensors.bak"],
  ["history.wte.safetensors", "history.wte.safetensors"],
  ["history.my.copy.safetensors", "history.my.copy.safetensors"],
  ["history.copy.0-10.safetensors", "history.copy.0-10.safetensors"],
  [".history.my.copy.safetensors.partial", ".history.my.copy.safetensors.partial"],
  ["history.wte.grad.safetensors.partial", "history.wte.grad.safetensors.partial"],
  ["run.lock/mine", "run.lock"],
  ["checkpoints/step-5/model.safetensors", "checkpoints/step-5"],
  ["checkpoints/step-000040/config.json", "checkpoints/step-000040/config.json"],
  ["checkpoints/.step-000060.partial/thesis.tex", "checkpoints/.step-000060.partial/thesis.tex"],
  ["checkpoints/.step-best.partial/model.safetensors", "checkpoints/.step-best.partial"],
  ["checkpoints/.mine.old", "checkpoints/.mine.old"],
  ["final/thesis.tex", "final/thesis.tex"],
  ["final/deeper/config.json", "final/deeper"],
  ["final/optimizer.safetensors", "final/optimizer.safetensors"],
  ["checkpoints/notes.txt", "checkpoints/notes.txt"],
  ["checkpoints/mine/model.safetensors", "checkpoints/mine"],
  ["checkpoints/step-000020/thesis.tex", "checkpoints/step-000020/thesis.tex"],
])("%s is none of a run's: %s is told", (path, told) => expect(foreignEntry(runWith(path))).toBe(told));
