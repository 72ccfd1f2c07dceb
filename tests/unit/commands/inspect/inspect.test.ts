import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspectCommand } from "../../../../src/commands/inspect/inspect.js";
import { type InspectDocument, inspectDocumentSchema } from "../../../../src/commands/inspect/inspect-document.js";
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
      { does: "analyse its whole history", command: `bh-bridge analyze ${file("history.safetensors")}` },
      { does: "give the history to Python", command: `bh-bridge export ${file("history.safetensors")} --to npy --out history.npy` },
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
  expect(text).toContain("Loading it in torch would call posix.system. Nothing was called here.");
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
