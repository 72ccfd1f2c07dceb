import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readEmbedding } from "../../../src/runs/read-embedding.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { stateOf, writeRun, writtenRows } from "../serve/written-run.js";

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
    message: `${directory} cannot be taken as an embedding: it has the rows of 3 chosen tokens of 8, not a whole embedding`,
  });
});

test("what cannot be opened says so, and what is damaged", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps, dims });
  await expect(readEmbedding(join(run, "gone"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  const history = join(run, "history.safetensors");
  writeFileSync(history, readFileSync(history).subarray(0, -1));
  await expect(readEmbedding(history)).rejects.toMatchObject({ code: "RUN_CORRUPT" });
});
