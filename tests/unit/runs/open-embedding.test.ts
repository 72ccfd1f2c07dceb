import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openEmbedding, readEmbedding } from "../../../src/runs/open-embedding.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { stateOf, writeRun, writtenRows } from "../serve/written-run.js";

const directory = temporaryDirectory();
const run = join(directory, "run");
mkdirSync(run);

expectedFrom(
  `
import struct, sys, torch, zlib
from safetensors.torch import save_file
d = sys.argv[1]; m = torch.arange(8.).reshape(4, 2)
save_file({"model.embed_tokens.weight": m, "lm_head.weight": m + 1}, f"{d}/llama.safetensors")
save_file({"wte.weight": m, "h.0.attn.c_attn.weight": m.clone(), "b": torch.zeros(2)}, f"{d}/gpt2.safetensors")
save_file({"only": m, "b": torch.zeros(2)}, f"{d}/only.safetensors")
save_file({"a": m, "b": m + 1}, f"{d}/two.safetensors")
save_file({"v": torch.zeros(3)}, f"{d}/vector.safetensors")
history = torch.stack([m + 10 * i for i in range(5)])
save_file({"embedding_history": history, "steps_done": torch.tensor(3)}, f"{d}/run/history.safetensors")
open(f"{d}/run/history.idx", "wb").write(b"".join(struct.pack("<QIId", step, zlib.crc32(history[i].numpy().tobytes()), 0, 0.0) for i, step in enumerate((0, 100, 200, 300))))
save_file({"embedding_history": history}, f"{d}/alone.safetensors")
print(0)`,
  directory,
);

test.each([
  ["llama.safetensors", "model.embed_tokens.weight"],
  ["gpt2.safetensors", "wte.weight"],
  ["only.safetensors", "only"],
])("the embedding of %s is %s", async (file, name) => {
  const embedding = await openEmbedding(join(directory, file));
  expect(embedding).toMatchObject({ tensor: name, shape: [4, 2] });
  embedding.close();
});

test("a file with two matrices of unknown names asks which one", async () => {
  await expect(openEmbedding(join(directory, "two.safetensors"))).rejects.toThrow(/has 2 matrices, .*name one of a, b/);
  expect((await readEmbedding(join(directory, "two.safetensors"), { tensor: "b" })).at(0, 0)).toBe(1);
});

test("a history's embedding is its last recorded state, or that of a step", async () => {
  expect((await readEmbedding(run)).at(0, 0)).toBe(30);
  expect((await readEmbedding(run, { step: 200 })).at(0, 0)).toBe(20);
  await expect(readEmbedding(run, { step: 150 })).rejects.toThrow(/step 150 is not recorded .*4 states of the steps 0 to 300, the nearest 100 and 200/);
  await expect(readEmbedding(run, { step: 400 })).rejects.toMatchObject({ code: "USAGE" });
  expect((await readEmbedding(join(directory, "alone.safetensors"), { step: 2 })).at(0, 0)).toBe(20);
});

test("the place of a state's raw bytes is told", async () => {
  const embedding = await openEmbedding(run, { step: 100 });
  const first = await openEmbedding(run, { step: 0 });
  expect((embedding.rows.raw?.offset ?? 0) - (first.rows.raw?.offset ?? 0)).toBe(4 * 2 * 4);
  embedding.close();
  first.close();
});

test("a step of what is no history, and a vector, are refused", async () => {
  await expect(openEmbedding(join(directory, "only.safetensors"), { step: 1 })).rejects.toMatchObject({ code: "USAGE" });
  await expect(openEmbedding(join(directory, "vector.safetensors"), { tensor: "v" })).rejects.toThrow(/a matrix \[tokens, dims\] is needed/);
});

const steps = 3;
const dims = 8;

test("of a run it is the whole matrix after the last step, or after the one that is asked for", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps, dims });
  for (const [choice, state] of [
    [{}, steps],
    [{ step: 1 }, 1],
  ] as const) {
    const matrix = await readEmbedding(run, choice);
    expect([matrix.dtype, matrix.shape]).toEqual(["BF16", [writtenRows, dims]]);
    expect(Buffer.compare(matrix.bytes, stateOf(state, steps, dims))).toBe(0);
  }
});

test("chosen rows are no embedding: the run is refused with how many it has", async () => {
  const directory = temporaryDirectory();
  const program =
    "import sys, numpy as np\nfrom safetensors.numpy import save_file\nsave_file({'embedding_history': np.zeros((1, 3, 2), 'f4')}, sys.argv[1])\nprint(0)";
  expectedFrom(program, join(directory, "history.safetensors"));
  writeFileSync(join(directory, "config.json"), JSON.stringify({ model: { vocab_size: 8, n_embd: 2, n_head: 1 }, record: { rows: [1, 5, 7] } }));
  await expect(readEmbedding(directory)).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: `${directory} cannot be used as an embedding: it has the rows of 3 chosen tokens of 8, not a whole embedding`,
  });
});

test("what cannot be opened says so, and what is damaged", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps, dims });
  await expect(readEmbedding(join(run, "gone"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  const history = join(run, "history.safetensors");
  writeFileSync(history, readFileSync(history).subarray(0, -1));
  await expect(readEmbedding(history)).rejects.toMatchObject({ code: "RUN_CORRUPT" });
});
