import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspect } from "../../../src/index.js";
import { scriptOf } from "../../../src/runner/inspect.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const directory = temporaryDirectory();

expectedFrom(
  `
import sys, os, torch
from safetensors.torch import save_file
d = sys.argv[1]
save_file({"embedding_history": torch.zeros(6, 4, 2, dtype=torch.bfloat16), "steps_done": torch.tensor(3)}, f"{d}/history.safetensors", metadata={"note": "n"})
class Evil:
    def __reduce__(self): return (os.system, ("true",))
torch.save({"w": torch.zeros(4, 2), "evil": Evil()}, f"{d}/evil.pt")
print(0)`,
  directory,
);

test("of a run with a tokenizer its tokens are told by their writing systems", async () => {
  const run = writeRun({ folder: directory, id: "words", steps: 2, dims: 2 });
  const config = JSON.parse(readFileSync(join(run, "config.json"), "utf8"));
  writeFileSync(join(run, "config.json"), JSON.stringify({ ...config, data: { ...config.data, tokenizer: "/gone/tokenizer.json" } }));
  const manifest = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  const deadTokens = [1, 2, 4];
  writeFileSync(join(run, "run.json"), JSON.stringify({ ...manifest, corpus: { ...manifest.corpus, deadTokens } }));
  const vocab = Object.fromEntries([" the", "мир", "слово", "道", "12"].map((text, token) => [text, token]));
  writeFileSync(join(run, "tokenizer.json"), JSON.stringify({ model: { vocab } }));
  expect((await inspect(run)).scripts).toEqual([
    { script: "Cyrillic", dead: 2, tokens: 2 },
    { script: "no letters", dead: 1, tokens: 1 },
    { script: "no text", dead: 0, tokens: 123 }, // of 128 rows
    { script: "Latin", dead: 0, tokens: 1 },
    { script: "Han", dead: 0, tokens: 1 },
  ]);
});

test("a program learns what a file holds, how far its history has come, and nothing of the command line", async () => {
  const path = join(directory, "history.safetensors");
  const inspection = await inspect(path);
  expect(inspection).toEqual({
    path,
    kind: "history",
    tensors: expect.arrayContaining([{ name: "embedding_history", dtype: "BF16", shape: [6, 4, 2], bytes: 96, file: "history.safetensors" }]),
    metadata: { note: "n" },
    history: { tensor: "embedding_history", states: 4, planned: 6, tokens: 4, dims: 2 },
    notExecuted: [],
  });
});

test("what a torch archive would call is named, and not called", async () => {
  expect(await inspect(join(directory, "evil.pt"))).toMatchObject({ kind: "torch-zip", notExecuted: ["posix.system"] });
});

test("what cannot be opened is refused", async () => {
  const path = join(directory, "notes.txt");
  writeFileSync(path, "no tensors");
  await expect(inspect(path)).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  await expect(inspect(join(directory, "missing"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

test.each([
  [" the", "Latin"],
  ["naïve", "Latin"],
  ["мир", "Cyrillic"],
  ["λόγος", "Greek"],
  ["道", "Han"],
  ["ハイ", "Katakana"],
  ["ไทย", "Thai"],
  ["aя", "several"],
  ["ᏣᎳᎩ", "other"],
  [" 123, ", "no letters"],
  ["<0xE2><0x82>", "parts of characters"],
  ["<0xE2>x", "Latin"],
  ["", "no letters"],
  [null, "no text"],
])("%j is %s", (text, script) => {
  expect(scriptOf(text)).toBe(script);
});
