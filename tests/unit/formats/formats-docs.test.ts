import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { censusCommand } from "../../../src/commands/census.js";
import { exportCommand } from "../../../src/commands/export.js";
import { inspectCommand } from "../../../src/commands/inspect/inspect.js";
import { exportTargets } from "../../../src/runner/exported.js";
import { checkpointKinds } from "../../../src/runs/checkpoint.js";
import { codeBlocks, ownCommands, shellLines } from "../../code-blocks.js";
import { captureStdout } from "../commands/capture-stdout.js";
import { expectedFrom, temporaryDirectory } from "./reference-python.js";

const home = process.cwd();
const text = await readFile(join(home, "docs/formats.md"), "utf8");
const directory = temporaryDirectory();

beforeAll(() => {
  process.chdir(directory);
  expectedFrom(`
import os, torch, h5py, numpy as np
from safetensors.torch import save_file
h = torch.zeros(4, 128, 2).to(torch.bfloat16); m = h[0].clone()
save_file({"embedding_history": h}, "history.safetensors")
torch.save({"model": {"embedding.weight": m}}, "weights.pt"); torch.save({"state": {0: {"exp_avg": m}}}, "optimizer.pt")
os.mkdir("checkpoint"); save_file({"transformer.wte.weight": m}, "checkpoint/model.safetensors")
with h5py.File("trajectory.h5", "w") as f: f["W"] = np.zeros((4, 8, 2), dtype="u2")
open("corpus.txt", "w").write("some text")
print(0)`);
});
afterAll(() => process.chdir(home));

const commands: Readonly<Record<string, () => Command>> = { inspect: inspectCommand, census: censusCommand, export: exportCommand };

test("every command of the page does what it is there for, in the order of the page", async () => {
  const ours = ownCommands(text);
  expect(ours).toHaveLength(12);
  for (const [name = "", ...words] of ours) {
    const args = words.includes(">") ? words.slice(0, words.indexOf(">")) : words;
    const command = commands[name];
    expect(command, name).toBeDefined();
    if (command) expect(await captureStdout(command(), ...args), args.join(" ")).not.toBe("");
  }
  const scripts: Record<string, string> = JSON.parse(await readFile(join(home, "package.json"), "utf8")).scripts;
  for (const line of shellLines(text).filter((one) => !one.startsWith("npx "))) expect(scripts).toHaveProperty([line.split(" ")[2] ?? ""]);
});

test("its TypeScript runs", async () => {
  const [source = ""] = codeBlocks(text, "ts");
  await writeFile("example.ts", source.replace('"bh-bridge"', JSON.stringify(join(home, "src", "index.ts"))));
  const { result }: { result: object } = await import(/* @vite-ignore */ join(directory, "example.ts"));
  expect(result).toEqual({ C: 1, P: 128, states: 4 });
});

test("its tables name every kind that is read and every format that is written", () => {
  for (const name of [...checkpointKinds, ...exportTargets]) expect(text).toContain(`| \`${name}\` |`);
});
