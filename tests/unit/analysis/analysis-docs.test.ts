import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownAnalyses } from "../../../src/analysis/analyses.js";
import { analyzeCommand } from "../../../src/commands/analyze.js";
import { codeBlocks, ownCommands } from "../../code-blocks.js";
import { captureStdout } from "../commands/capture-stdout.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const home = process.cwd();
const text = await readFile(join(home, "docs/analysis.md"), "utf8");
const directory = temporaryDirectory();

beforeAll(() => {
  process.chdir(directory);
  expectedFrom(`
import os, torch, h5py
from safetensors.torch import save_file
h = (1 + torch.arange(4 * 6 * 2).reshape(4, 6, 2) // 7 / 64).to(torch.bfloat16)
os.makedirs("runs/my-run"); save_file({"embedding_history": h}, "history.safetensors"); save_file({"embedding_history": h}, "runs/my-run/history.safetensors")
with h5py.File("trajectory.h5", "w") as f: f["W"] = h.view(torch.uint16).numpy()
print(0)`);
});
afterAll(() => process.chdir(home));

test("every command of the page prints an analysis, of all files the same", async () => {
  const commands = ownCommands(text);
  expect(commands).toHaveLength(3);
  const counted = new Set<string>();
  for (const [name, ...words] of commands) {
    const args = words.includes(">") ? words.slice(0, words.indexOf(">")) : words;
    expect(name).toBe("analyze");
    expect(await captureStdout(analyzeCommand(), ...args, "--quiet"), args.join(" ")).not.toBe("");
    const { timeline } = JSON.parse(await captureStdout(analyzeCommand(), args[0] ?? "", "--json", "--quiet"));
    counted.add(JSON.stringify(timeline));
  }
  expect(counted.size).toBe(1);
});

test("its TypeScript runs", async () => {
  const programs = codeBlocks(text, "ts");
  expect(programs).toHaveLength(2);
  for (const [index, source] of programs.entries()) {
    const installed = source
      .replace('"bh-bridge"', JSON.stringify(join(home, "src", "index.ts")))
      .replace('"zod"', JSON.stringify(join(home, "node_modules", "zod", "index.js")));
    await writeFile(`example-${index}.ts`, installed);
    await expect(import(/* @vite-ignore */ join(directory, `example-${index}.ts`))).resolves.toBeDefined();
  }
});

test("it explains every analysis, by its name", () => {
  for (const { name } of ownAnalyses) expect(text).toContain(`**${name}**`);
});
