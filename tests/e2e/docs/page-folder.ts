import { cpSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { train } from "../../../src/index.js";
import { printedBy } from "../../unit/formats/reference-python.js";
import { projectRoot, python, run, warmPython, withoutTorch } from "../program.js";
import type { Block } from "./page-blocks.js";

/** The environment of a page's shell and programs. @param inFull as many training steps as the page prints. */
export function environmentOf(root: string, inFull: boolean): Record<string, string> {
  return {
    PATH: `${join(projectRoot, "tests/e2e/docs/bin")}:${join(root, "bin")}:${process.env["PATH"]}`,
    BH_BRIDGE_PYTHON: warmPython,
    XDG_CACHE_HOME: join(root, "cache"),
    OMP_NUM_THREADS: "1",
    DOCS_NODE: process.execPath,
    DOCS_CLI: join(projectRoot, "dist/cli.js"),
    DOCS_LIGHT: withoutTorch.PYTHONPATH,
    DOCS_IN_FULL: inFull ? "1" : "",
  };
}

/** Put the package, its types and `python` where the programs of the pages find them, as `npm install bh-bridge zod @types/node` does. */
export function installInto(root: string): void {
  for (const folder of ["bin", "node_modules/@types"]) mkdirSync(join(root, folder), { recursive: true });
  for (const name of ["zod", "@types/node"]) symlinkSync(join(projectRoot, "node_modules", name), join(root, "node_modules", name));
  symlinkSync(projectRoot, join(root, "node_modules/bh-bridge"));
  writeFileSync(join(root, "bin/python"), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 });
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
}

/** The folder with the files that the guides name. */
let files: Promise<string> | undefined;

/** The folder in which the blocks of a page run. */
export function folderOf(page: string, root: string): string {
  return join(root, page.replaceAll(/[/.]/g, "-"));
}

/**
 * Fill the folder of a page. Pages of the cookbook and of the introduction start from an empty folder; bring-your-own.md has the files of other programs; all other
 * pages find `runs/my-run`, `runs/other-run` and the files that they name.
 */
export async function fillFolder(page: string, root: string): Promise<void> {
  const folder = folderOf(page, root);
  if (/^docs\/(cookbook|learn)\//.test(page)) return;
  if (page === "docs/bring-your-own.md") {
    await execa(python, [join(projectRoot, "tests/e2e/make_what_people_bring.py"), folder]);
    return;
  }
  files ??= filesOfGuides(join(root, "files"));
  cpSync(await files, folder, { recursive: true });
  if (page === "docs/run-directory.md") await interruptInto(folder);
  if (page === "docs/experiments.md") {
    for (const norm of ["layernorm", "rmsnorm"])
      await trainInto(folder, `${norm}-42`, "--preset", "rmsnorm-11.2a", "--steps", "3", "--set", `model.norm=${norm}`);
  }
}

const madeByPython = `
import os, shutil, torch, h5py
from safetensors.torch import save_file
h = torch.zeros(4, 128, 2).to(torch.bfloat16); m = h[0].clone()
save_file({"embedding_history": h}, "history.safetensors")
torch.save({"model": {"embedding.weight": m}}, "weights.pt"); torch.save({"state": {0: {"exp_avg": m}}}, "optimizer.pt")
os.makedirs("checkpoint"); save_file({"transformer.wte.weight": m}, "checkpoint/model.safetensors")
with h5py.File("trajectory.h5", "w") as f: f["W"] = h.view(torch.uint16).numpy()
shutil.make_archive("run", "zip", "runs", "my-run")`;

/** Leave an unfinished run in `runs/`, as Ctrl-C does. */
async function interruptInto(folder: string): Promise<void> {
  const stop = new AbortController();
  const config = { preset: "quick", engine: "portable", python: warmPython, training: { max_steps: 40, per_device_train_batch_size: 1 } } as const;
  const training = train(config, { out: join(folder, "runs"), signal: stop.signal });
  for await (const { type } of training) if (type === "step_end") stop.abort();
  await training;
}

/** Train a run whose directory has its name alone. */
async function trainInto(folder: string, name: string, ...options: string[]): Promise<void> {
  const { exitCode, stderr } = await run(["train", ...options, "--name", name, "--out", `new/${name}`, "--quiet"], { cwd: folder });
  if (exitCode !== 0) throw new Error(stderr);
  mkdirSync(join(folder, "runs"), { recursive: true });
  renameSync(join(folder, "new", name, readdirSync(join(folder, "new", name))[0] ?? ""), join(folder, "runs", name));
}

/** Train `runs/my-run` and `runs/other-run`, which differ in their seed, and make the small files that the guides name. */
async function filesOfGuides(folder: string): Promise<string> {
  mkdirSync(folder);
  const small = ["--preset", "quick", "--engine", "portable", "--steps", "300", "--batch-size", "1", "--set", "checkpoint.every=100"];
  await trainInto(folder, "my-run", ...small);
  await trainInto(folder, "other-run", ...small, "--seed", "43");
  for (const name of ["my.txt", "corpus.txt", "gatsby.txt", "thursday.txt"])
    writeFileSync(join(folder, name), "A text of its own, long enough for a window. ".repeat(100));
  writeFileSync(join(folder, "net.py"), "class Net: ...\n"); // configuration.md only resolves it
  cpSync(join(folder, "runs/my-run/final"), join(folder, "training_output/checkpoint-1000"), { recursive: true });
  writeFileSync(join(folder, "my.yaml"), "preset: quick\ntraining: { max_steps: 20 }\n");
  writeFileSync(join(folder, "sigma.yaml"), "base: quick\nseeds: 1..2\n");
  writeFileSync(join(folder, "norms.yaml"), "base: quick\narms: { layernorm: { model: { norm: layernorm } }, rmsnorm: {} }\nseeds: 1..2\n");
  const results = [1, 2, 3, 4, 5, 6].map((seed) => `baseline,${seed},${3 + seed / 100}\nnew,${seed},${2 + seed / 90}\n`);
  writeFileSync(join(folder, "results.csv"), `arm,seed,loss\n${results.join("")}`);
  writeFileSync(join(folder, "rules.yaml"), "decides: [loss]\nmargin: { loss: 0.002 }\n");
  await printedBy(madeByPython, [], folder);
  return folder;
}

/** The arguments that resolve a configuration without training: of a run, of a sweep, of an experiment, or of rules. Undefined if it is no configuration. */
export function resolving({ language }: Block, code: string): ((file: string) => string[]) | undefined {
  if (language !== "yaml" && !/"\$schema": ".*config\.schema\.json"/.test(code)) return undefined;
  const has = (...names: string[]) => names.some((name) => new RegExp(`^${name}:`, "m").test(code));
  if (has("arms")) return (file) => ["experiment", file, "--dry-run"];
  if (has("grid", "zip", "cases", "random", "optuna", "seeds")) return (file) => ["sweep", file, "--dry-run"];
  if (has("decides", "margin")) return (file) => ["judge", "--rules", file, "--sha256"];
  return (file) => ["train", "--config", file, "--print-config"];
}
