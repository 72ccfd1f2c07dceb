import { expect, test } from "vitest";
import { formatInspection } from "../../../../src/commands/inspect/format-inspection.js";
import type { InspectDocument } from "../../../../src/commands/inspect/inspect-document.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal-text.js";

const colors = terminalColors(false);
const tensor = (name: string, file = "model.safetensors") => ({ name, dtype: "F32", shape: [128, 64], bytes: 32_768, file });
const document: InspectDocument = {
  schema: "bh-bridge/inspect@1",
  path: "model.safetensors",
  kind: "safetensors",
  tensors: [tensor("wte.weight"), { ...tensor("scale"), shape: [], bytes: 4 }],
  metadata: {},
  notExecuted: [],
  next: [],
};
const shown = (over: Partial<InspectDocument>, width = 100) => formatInspection({ ...document, ...over }, colors, width);

test("a file is what it holds, with its tensors; a tensor without dimensions is a scalar", () => {
  expect(shown({})).toBe(`model.safetensors is a safetensors file: 2 tensors, 32.8 kB

  name        dtype     shape     size
  wte.weight  F32    128 × 64  32.8 kB
  scale       F32      scalar  4 bytes`);
});

test("a history says how far it has come, and which rows it has", () => {
  const history = { tensor: "embedding_history", states: 61, planned: 10_001, tokens: 128, dims: 64 };
  expect(shown({ history })).toContain("embedding_history: 61 states of 10,001 planned, 128 tokens × 64 dims");
  expect(shown({ history: { ...history, planned: 61, tokens: 1, tokenIds: [7] } })).toContain("embedding_history: 61 states, 1 chosen token × 64 dims");
});

test("a checkpoint of the Trainer says where its training stood, by the last loss that was logged", () => {
  const trainerState = { global_step: 1500, max_steps: 10_000, epoch: 1.23456, log_history: [{ loss: 3.5 }, { loss: 2.25 }, { eval_loss: 9 }] };
  expect(shown({ trainerState } as Partial<InspectDocument>)).toContain("Trainer: step 1,500 of 10,000, epoch 1.23, last logged loss 2.25");
  expect(shown({ trainerState: { ...trainerState, epoch: null, log_history: [] } } as Partial<InspectDocument>)).toContain("Trainer: step 1,500 of 10,000\n");
});

test("each thing that can be done has its command on a line of its own, as it can be copied", () => {
  const command = `bh-bridge census '${"a folder/".repeat(20)}x'`;
  expect(shown({ next: [{ does: "count its black holes", command }] }, 60)).toContain(`\n  count its black holes\n    ${command}\n`);
});

test("tensors of several files stand below the name of each", () => {
  const lines = shown({ tensors: [tensor("a", "one.safetensors"), tensor("b", "one.safetensors"), tensor("c", "two.safetensors")] }).split("\n");
  expect(lines.slice(3).map((line) => line.trim().split(" ")[0])).toEqual(["one.safetensors", "a", "b", "two.safetensors", "c"]);
});

test("of many tensors and values the first are shown, and it is said how many are not", () => {
  const tensors = Array.from({ length: 1041 }, (_, index) => tensor(`layer.${index}`));
  const metadata = Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`key${index}`, index]));
  const text = shown({ tensors, metadata });
  expect(text).toContain("… and 1,001 more; --json lists all");
  expect(text).toContain("… and 1 more value; --json lists all");
  expect(text).not.toContain("layer.40");
});

test("metadata is told one level deep", () => {
  const text = shown({ metadata: { note: "n", none: null, config: { vocab_size: 128, nested: { deep: 1 } } } });
  expect(text).toContain("  note: n\n  none: null\n  config.vocab_size: 128");
  expect(text).not.toContain("deep");
});

test("what cannot be read says why, whole, and what would be called is named", () => {
  const unreadable = `is of a kind that ${"is not read ".repeat(20)}`;
  const text = shown({ tensors: [{ ...tensor("q"), unreadable }], notExecuted: Array.from({ length: 12 }, (_, index) => `os.f${index}`) }, 60);
  expect(text).toContain(`q ${unreadable}`);
  expect(text).toContain("os.f9 and 2 more. Nothing was called here.");
});

test.each([60, 100])("no line of the table is wider than a terminal of %i columns, and names keep their ends", (width) => {
  const text = shown({ tensors: [tensor(`${"block.".repeat(40)}weight`)] }, width);
  const row = text.split("\n").find((line) => line.includes("F32")) ?? "";
  expect(row.length).toBeLessThanOrEqual(width);
  expect(row).toMatch(/^ {2}…\S+\.weight /);
});

test("nothing that a file says steers the terminal", () => {
  const evil = "\u001b[31mred";
  const text = shown({ path: evil, tensors: [tensor(evil), tensor("b", evil)], metadata: { [evil]: evil }, notExecuted: [evil] });
  expect(text).not.toContain("\u001b");
});
