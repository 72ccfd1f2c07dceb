import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../../src/runs/checkpoint.js";
import { openCheckpoint, openRunDirectory, openRunHistories, openTensors } from "../../../src/runs/open-run-directory.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
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

const directory = temporaryDirectory();
mkdirSync(join(directory, "model"));
expectedFrom(
  `
import json, os, sys, h5py, numpy as np, torch
from safetensors.numpy import save_file
os.chdir(sys.argv[1])
h = np.zeros((2, 3, 2), "f4")
save_file({"w": h[0]}, "plain.safetensors"); save_file({"embedding_history": h}, "states.safetensors"); save_file({"other": h}, "cube.safetensors")
save_file({"w": h[0]}, "model/model.safetensors"); json.dump({}, open("model/config.json", "w"))
json.dump({"weight_map": {"w": "plain.safetensors"}}, open("model.safetensors.index.json", "w"))
torch.save({"w": torch.zeros(2, 2)}, "a.pt"); np.save("a.npy", h); np.savez("a.npz", w=h)
with h5py.File("a.h5", "w") as f: f["W"] = h
print(0)`,
  directory,
);
writeRun({ folder: directory, id: "run", steps: 1 });

test.each([
  ["plain.safetensors", "safetensors"],
  ["states.safetensors", "history"],
  ["cube.safetensors", "safetensors"],
  ["model.safetensors.index.json", "safetensors-sharded"],
  ["a.pt", "torch-zip"],
  ["a.npy", "npy"],
  ["a.npz", "npz"],
  ["a.h5", "hdf5"],
  ["model", "hf-checkpoint"],
  ["run", "run"],
  ["run/history.safetensors", "history"],
])("%s is opened as %s", async (name, kind) => {
  const file = await openTensors(join(directory, name));
  file.close();
  expect(file.kind).toBe(kind);
  expect(file.tensors.length).toBeGreaterThan(0);
});

test("a torch archive tells what torch would call", async () => {
  const path = join(directory, "call.pt");
  expectedFrom('import sys, torch, fractions\ntorch.save({"w": torch.zeros(2), "f": fractions.Fraction(1, 3)}, sys.argv[1])\nprint(0)', path);
  const file = await openTensors(path);
  file.close();
  expect(file.inertGlobals).toEqual(["fractions.Fraction"]);
});

test("what is not there, and a folder with nothing to open, are refused", async () => {
  await expect(openTensors(join(directory, "gone"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await expect(openTensors(temporaryDirectory())).rejects.toMatchObject({ code: expect.stringMatching(/^FORMAT_/) });
});

interface Expected {
  names: string[];
  /** The first row of the embedding. */
  row: number[];
  globalStep: number;
  moments: Record<string, number>;
}

/** A real training by the real Trainer, and the same model in shards and as pytorch_model.bin. */
const expected = expectedFrom<Expected>(
  `
import sys, json, os, torch
os.environ["HF_HUB_OFFLINE"] = "1"
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
class Data(torch.utils.data.Dataset):
    def __len__(self): return 64
    def __getitem__(self, i): x = (torch.arange(16) * 7 + i) % 64; return {"input_ids": x, "labels": x}
torch.manual_seed(5)
model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=16, n_embd=8, n_layer=1, n_head=2)).to(torch.bfloat16)
arguments = TrainingArguments(output_dir=sys.argv[1] + "/out", max_steps=4, save_steps=2, logging_steps=2, per_device_train_batch_size=4, report_to="none", use_cpu=True, disable_tqdm=True)
trainer = Trainer(model=model, args=arguments, train_dataset=Data())
sys.stdout, out = sys.stderr, sys.stdout
trainer.train()
model.save_pretrained(sys.argv[1] + "/sharded", max_shard_size="3KB")
os.makedirs(sys.argv[1] + "/bin"); model.config.save_pretrained(sys.argv[1] + "/bin"); torch.save(model.state_dict(), sys.argv[1] + "/bin/pytorch_model.bin")
moments = torch.load(sys.argv[1] + "/out/checkpoint-4/optimizer.pt", weights_only=True)["state"]
names = [n for n in model.state_dict() if n != "lm_head.weight"]
json.dump({"names": sorted(names), "row": model.transformer.wte.weight[0].tolist(), "globalStep": trainer.state.global_step,
  "moments": {f"state.{i}.{k}": float(v.double().sum()) for i, s in moments.items() for k, v in s.items() if k != "step"}}, out)`,
  directory,
);

const trained = join(directory, "out", "checkpoint-4");

async function firstRow(checkpoint: Checkpoint, name: string): Promise<number[]> {
  const matrix = await checkpoint.matrix(name);
  return Array.from({ length: matrix.columns }, (_, column) => matrix.at(0, column));
}

describe("a checkpoint of the real Trainer", () => {
  test.each([
    ["one safetensors file", trained, "model.safetensors"],
    ["shards", join(directory, "sharded"), "model-00001-of-"],
    ["pytorch_model.bin", join(directory, "bin"), "pytorch_model.bin"],
  ])("in %s", async (_name, path, fileStart) => {
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.kind).toBe("hf-checkpoint");
    expect(
      checkpoint.tensors
        .map((tensor) => tensor.name)
        .filter((name) => name !== "lm_head.weight")
        .sort(),
    ).toEqual(expected.names);
    expect(checkpoint.tensors.some((tensor) => tensor.file.startsWith(fileStart))).toBe(true);
    expect(await firstRow(checkpoint, "transformer.wte.weight")).toEqual(expected.row);
    expect(await firstRow(checkpoint, "wte.weight")).toEqual(expected.row);
    expect(checkpoint.metadata["config"]).toMatchObject({ model_type: "gpt2", vocab_size: 64 });
  });

  test("shows how far the training had come", async () => {
    await using checkpoint = await openCheckpoint(trained);
    expect(checkpoint.trainerState).toMatchObject({ global_step: expected.globalStep, max_steps: 4 });
    expect(checkpoint.trainerState?.log_history.length).toBeGreaterThan(0);
  });

  test("reads a state with NaN in it, as Python writes it", async () => {
    const path = join(directory, "nan");
    cpSync(trained, path, { recursive: true });
    const state = readFileSync(join(path, "trainer_state.json"), "utf8").replace(/"loss": [^,]+,/, '"loss": NaN, "text": "NaN",');
    expect(state).toContain("NaN, ");
    writeFileSync(join(path, "trainer_state.json"), state);
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.trainerState?.log_history[0]).toMatchObject({ loss: null, text: "NaN" });
  });

  test("with only its optimizer left holds Adam's moments as matrices", async () => {
    const path = join(directory, "optimizer-only");
    mkdirSync(path);
    cpSync(join(trained, "optimizer.pt"), join(path, "optimizer.pt"));
    await using checkpoint = await openCheckpoint(path);
    expect(checkpoint.kind).toBe("hf-optimizer");
    for (const [name, sum] of Object.entries(expected.moments)) {
      const matrix = await checkpoint.matrix(name);
      expect(matrix.toFloat64().reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 12);
    }
  });

  test("is found from the Trainer's output folder by the error that names it", async () => {
    await expect(openCheckpoint(join(directory, "out"))).rejects.toThrow(
      `It holds the checkpoints checkpoint-2, checkpoint-4; name one, for example ${trained}`,
    );
  });

  test("a slip in a tensor's name is told with the nearest", async () => {
    await using checkpoint = await openCheckpoint(trained);
    await expect(checkpoint.matrix("transformer.wte.wieght")).rejects.toThrow(/nearest of its \d+: "transformer.wte.weight"/);
  });
});

test("an index of shards can be opened by itself", async () => {
  await using checkpoint = await openCheckpoint(join(directory, "sharded", "model.safetensors.index.json"));
  expect(checkpoint.kind).toBe("safetensors-sharded");
  expect(await firstRow(checkpoint, "transformer.wte.weight")).toEqual(expected.row);
});

describe("a hostile index", () => {
  const sharded = join(directory, "hostile");
  cpSync(join(directory, "sharded"), sharded, { recursive: true });
  const indexPath = join(sharded, "model.safetensors.index.json");
  const outside = join(directory, "outside.safetensors");
  cpSync(join(trained, "model.safetensors"), outside);

  test.each<[string, string, RegExp]>([
    ["a shard in the parent folder", '{"weight_map":{"w":"../outside.safetensors"}}', /not the plain name/],
    ["an absolute shard", '{"weight_map":{"w":"/etc/passwd"}}', /not the plain name/],
    ["a shard called ..", '{"weight_map":{"w":".."}}', /not the plain name/],
    ["a shard with a control character", '{"weight_map":{"w":"a\\u0000b"}}', /not the plain name/],
    ["a shard of another drive", '{"weight_map":{"w":"C:x"}}', /not the plain name/],
    ["a missing shard", '{"weight_map":{"w":"model-9.safetensors"}}', /does not exist/],
    ["a tensor that its shard lacks", '{"weight_map":{"nowhere":"model-00001-of-00002.safetensors"}}', /no such tensor|does not exist/],
    ["a name twice", '{"weight_map":{"w":"a","w":"b"}}', /"w" stands twice/],
    ["__proto__", '{"weight_map":{"__proto__":"a"}}', /reserved/],
    ["no map", '{"weight_map":[1]}', /not an index of shards/],
    ["no JSON", "{", /not JSON/],
  ])("%s", async (_name, index, reason) => {
    writeFileSync(indexPath, index);
    await expect(openCheckpoint(sharded)).rejects.toThrow(reason);
  });

  test("a link that leads out of the directory is refused; the Hugging Face cache's own links are followed", async () => {
    const linked = join(directory, "linked");
    mkdirSync(linked);
    symlinkSync(outside, join(linked, "model.safetensors"));
    await expect(openCheckpoint(linked)).rejects.toMatchObject({ code: "FORMAT_INVALID" });
    const snapshot = join(directory, "models--x", "snapshots", "abc");
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(directory, "models--x", "blobs"));
    renameSync(outside, join(directory, "models--x", "blobs", "123"));
    symlinkSync("../../blobs/123", join(snapshot, "model.safetensors"));
    await using checkpoint = await openCheckpoint(snapshot);
    expect(await firstRow(checkpoint, "wte.weight")).toEqual(expected.row);
  });
});

test("an empty directory says what it should hold", async () => {
  const path = join(directory, "empty");
  mkdirSync(path);
  await expect(openCheckpoint(path)).rejects.toThrow(/should hold model.safetensors or /);
  rmSync(path, { recursive: true });
  await expect(openCheckpoint(path)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

test("reading a large tensor gives others their turn, and is cancelled by its signal", async () => {
  const path = join(directory, "large.npy");
  const header = `${"{'descr': '|u1', 'fortran_order': False, 'shape': (300000, 1024), }".padEnd(117)}\n`;
  writeFileSync(path, Buffer.concat([Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]), Buffer.from(header)]));
  truncateSync(path, 128 + 300_000 * 1024);
  await using checkpoint = await openCheckpoint(path);
  const [{ name = "" } = {}] = checkpoint.tensors;
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  await expect(checkpoint.matrix(name, { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect((await checkpoint.matrix(name)).bytes.length).toBe(300_000 * 1024);
});
