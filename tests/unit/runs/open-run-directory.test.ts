import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRunDirectory, openRunHistories } from "../../../src/runs/open-run-directory.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

/** A safetensors file with one tensor of two bytes. */
function safetensors(name: string): Buffer {
  const header = Buffer.from(JSON.stringify({ [name]: { dtype: "BF16", shape: [1], data_offsets: [0, 2] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(2)]);
}

function runWith(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const directory = writeRun({ folder: temporaryDirectory(), id: "a", name: "a run", steps: 2 });
  mkdirSync(join(directory, "final"));
  if (Object.keys(files).length === 0) rmSync(join(directory, "final"), { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, path), content);
  return directory;
}

const namesOf = (open: typeof openRunDirectory, directory: string) => {
  const file = open(directory);
  file.close();
  return file.tensors.map(({ name, file: at }) => [name, at]);
};

test("a run without an end has its histories, in alphabetical order", () => {
  const histories = [
    ["embedding_history", "history.safetensors"],
    ["steps_done", "history.safetensors"],
  ];
  const directory = runWith();
  expect(namesOf(openRunDirectory, directory)).toEqual(expect.arrayContaining(histories));
  writeFileSync(join(directory, "history.wte.grad.safetensors"), safetensors("wte.grad"));
  expect(namesOf(openRunHistories, directory).at(-1)).toEqual(["wte.grad", "history.wte.grad.safetensors"]);
});

test("its final model is beside them, and its record is told", () => {
  const directory = runWith({ "final/model.safetensors": safetensors("transformer.wte.weight") });
  expect(namesOf(openRunDirectory, directory)).toContainEqual(["transformer.wte.weight", "final/model.safetensors"]);
  expect(namesOf(openRunHistories, directory).flat()).not.toContain("transformer.wte.weight");
  const file = openRunDirectory(directory);
  file.close();
  expect(file.metadata).toMatchObject({ name: "a run", status: "completed" });
});

test("without a record, or with one that is no object, there is none", () => {
  const directory = runWith();
  for (const change of [() => writeFileSync(join(directory, "run.json"), "[]"), () => rmSync(join(directory, "run.json"))]) {
    change();
    const file = openRunDirectory(directory);
    file.close();
    expect(file.metadata).toEqual({});
  }
});

test("what cannot be opened is told with its file", () => {
  expect(() => openRunDirectory(runWith({ "final/model.safetensors": "short" }))).toThrow(
    expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("final/model.safetensors") }),
  );
  expect(() => openRunDirectory(runWith({ "final/notes.txt": "" }))).toThrow(expect.objectContaining({ code: "FORMAT_UNSUPPORTED" }));
});
