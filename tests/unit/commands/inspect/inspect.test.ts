import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatInspection, inspectCommand } from "../../../../src/commands/inspect/inspect.js";
import { type InspectDocument, inspectDocumentSchema } from "../../../../src/commands/inspect/next-steps.js";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import { expectedFrom, temporaryDirectory } from "../../formats/reference-python.js";
import { captureStdout } from "../capture-stdout.js";

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);

expectedFrom(
  `
import sys, torch, os, numpy as np, h5py
from safetensors.torch import save_file
d = sys.argv[1]; h = torch.zeros(6, 4, 2, dtype=torch.bfloat16)
save_file({"embedding_history": h, "steps_done": torch.tensor(3)}, f"{d}/history.safetensors", metadata={"note": "n"})
save_file({"wte.weight": h[0].clone(), "b": torch.zeros(3)}, f"{d}/model.safetensors")
class Evil:
    def __reduce__(self): return (os.system, ("true",))
torch.save({"w": h[0].clone(), "lr": float("inf"), "epoch": 3, "evil": Evil(), "\\x1b[31mred": torch.zeros(1)}, f"{d}/evil.pt")
np.save(f"{d}/a.npy", np.zeros((2, 2)))
with h5py.File(f"{d}/t.h5", "w") as f: f["W"] = np.zeros((3, 2, 2), dtype="u2")
print(0)`,
  directory,
);

async function inspect(name: string): Promise<InspectDocument> {
  return inspectDocumentSchema.parse(JSON.parse(await captureStdout(inspectCommand(), file(name), "--json")));
}

test("a history says how far it has come and what can be done with it", async () => {
  expect(await inspect("history.safetensors")).toEqual({
    schema: "bh-bridge/inspect@1",
    path: file("history.safetensors"),
    kind: "history",
    tensors: [
      { name: "steps_done", dtype: "I64", shape: [], bytes: 8, file: "history.safetensors" },
      { name: "embedding_history", dtype: "BF16", shape: [6, 4, 2], bytes: 96, file: "history.safetensors" },
    ],
    metadata: { note: "n" },
    history: { tensor: "embedding_history", states: 4, planned: 6, tokens: 4, dims: 2 },
    notExecuted: [],
    next: [
      { does: "count its black holes", command: `bh-bridge census ${file("history.safetensors")}` },
      { does: "analyse its history", command: `bh-bridge analyze ${file("history.safetensors")}` },
      { does: "export the history for Python", command: `bh-bridge export ${file("history.safetensors")} --to npy --out history.npy` },
    ],
  });
});

test.each([
  ["model.safetensors", "safetensors", 2],
  ["evil.pt", "torch-zip", 2],
  ["a.npy", "npy", 1],
  ["t.h5", "hdf5", 1],
])("%s is %s", async (name, kind, tensors) => {
  const document = await inspect(name);
  expect(document).toMatchObject({ kind });
  expect(document.tensors).toHaveLength(tensors);
  expect(document.next[0]?.command).toContain("bh-bridge census");
});

test("a torch archive shows its plain values, and what it would have called", async () => {
  expect(await inspect("evil.pt")).toMatchObject({ metadata: { lr: "inf", epoch: 3 }, notExecuted: ["posix.system"] });
  const text = await captureStdout(inspectCommand(), file("evil.pt"));
  expect(text).toContain("Loading it with torch would call posix.system. This command called nothing.");
  expect(text).toContain("\\u{1b}[31mred");
  expect(text).not.toContain("\u001b[31mred");
});

test("what can be done is said before the tensors are listed", async () => {
  const text = await captureStdout(inspectCommand(), file("model.safetensors"));
  expect(text.indexOf("bh-bridge census")).toBeGreaterThan(0);
  expect(text.indexOf("bh-bridge census")).toBeLessThan(text.indexOf("BF16"));
});

test("the table fits the terminal, and a name keeps its end", async () => {
  const long = `${"block.".repeat(40)}weight`;
  const header = JSON.stringify({ [long]: { dtype: "U8", shape: [2], data_offsets: [0, 2] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(file("long.safetensors"), Buffer.concat([length, Buffer.from(header), Buffer.alloc(2)]));
  const lines = (await captureStdout(inspectCommand(), file("long.safetensors"))).split("\n");
  const row = lines.find((line) => line.includes("U8")) ?? "";
  expect(row.length).toBeLessThanOrEqual(process.stdout.columns ?? 100);
  expect(row).toMatch(/^ {2}…[block.]+\.weight /);
});

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
  expect(text).toContain("os.f9 and 2 more. This command called nothing.");
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
