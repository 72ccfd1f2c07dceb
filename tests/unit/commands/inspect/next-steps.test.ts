import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nextSteps } from "../../../../src/commands/inspect/next-steps.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { writeSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { inspect } from "../../../../src/runner/inspect.js";
import { memorySource } from "../../analysis/memory-source.js";
import { writeRunOfStates } from "../../figures/run-of-states.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";

const folder = temporaryDirectory();

const commandsOf = async (path: string) => (await nextSteps(await inspect(path))).map(({ command }) => command);

/** A file of matrices by their names. */
function fileOf(name: string, shapes: Record<string, readonly number[]>): string {
  const path = join(folder, name);
  const tensors = Object.entries(shapes).map(([tensor, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const matrix = new Matrix("F32", shape, new Uint8Array(4 * count));
    return { name: tensor, shape, rows: memorySource(matrix) };
  });
  writeSafetensors(path, tensors);
  return path;
}

test("a run is counted, analysed, trained from, and given to Python", async () => {
  const run = writeRun({ folder, id: "run" });
  expect(await commandsOf(run)).toEqual([
    `bh-bridge census ${run}`,
    `bh-bridge analyze ${run}`,
    `bh-bridge train --from ${run}::0`,
    `bh-bridge export ${run} --to npy --out history.npy`,
  ]);
});

test("a run of chosen rows, or of fewer tokens than ASCII has, is nothing to train from", async () => {
  for (const tokens of [undefined, [65, 66]]) {
    const run = writeRunOfStates({
      states: [
        [[1], [2]],
        [[1], [1]],
      ],
      ...(tokens && { tokens }),
    });
    expect((await commandsOf(run)).join("\n")).not.toContain("train");
  }
});

test("of a history the first recorded step is named", async () => {
  const states = [1, 2].map((value) => Array.from({ length: 128 }, (_, row) => [row, value]));
  expect(await commandsOf(writeRunOfStates({ states, steps: [500, 501] }))).toContainEqual(expect.stringMatching(/^bh-bridge train --from \S+::500$/));
});

test("a saved model of another family is trained on from, in windows that a small text has", async () => {
  for (const [name, positions, window] of [
    ["long", 40_960, " --set data.window_length=128"],
    ["short", 64, ""],
  ] as const) {
    const model = join(folder, name);
    mkdirSync(model);
    const file = fileOf(`${name}/model.safetensors`, { "model.embed_tokens.weight": [128, 2] });
    writeFileSync(join(model, "config.json"), JSON.stringify({ model_type: "llama", vocab_size: 128, hidden_size: 2, max_position_embeddings: positions }));
    expect(file).toContain(name);
    expect(await commandsOf(model)).toContain(`bh-bridge train --from ${model}${window}`);
  }
});

test("an embedding is counted and given to a spreadsheet, and a matrix that is none is counted by its name", async () => {
  const embedding = fileOf("a.safetensors", { "wte.weight": [4, 2] });
  expect(await commandsOf(embedding)).toEqual([`bh-bridge census ${embedding}`, `bh-bridge export ${embedding} --to csv --out matrix.csv`]);
  const two = fileOf("b.safetensors", { left: [4, 2], right: [4, 2] });
  expect(await commandsOf(two)).toEqual([`bh-bridge census ${two}::left`]);
});

test("nothing can be done with a file of vectors", async () => {
  expect(await commandsOf(fileOf("c.safetensors", { bias: [4] }))).toEqual([]);
});

test("a command works in a shell, whatever the file is called", async () => {
  mkdirSync(join(folder, "it's here"));
  const odd = fileOf("it's here/a b.safetensors", { "wte.weight": [4, 2] });
  expect((await commandsOf(odd))[0]).toBe(`bh-bridge census '${odd.replaceAll("'", "'\\''")}'`);
  const inspection = { ...(await inspect(odd)), path: "-x.safetensors" };
  expect((await nextSteps(inspection))[0]?.command).toBe("bh-bridge census ./-x.safetensors");
});

test("next steps never overwrite an existing file", async () => {
  const embedding = fileOf("d.safetensors", { "wte.weight": [4, 2] });
  const here = process.cwd();
  process.chdir(folder); // new files are proposed where the command was asked for
  try {
    for (const name of ["matrix.csv", "matrix-2.csv"]) writeFileSync(name, "mine");
    expect((await commandsOf(embedding))[1]).toMatch(/--out matrix-3\.csv$/);
  } finally {
    process.chdir(here);
  }
});
