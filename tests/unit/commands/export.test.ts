import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type ExportDocument, exportDocumentSchema } from "../../../src/commands/documents.js";
import { exportCommand } from "../../../src/commands/export.js";
import { train } from "../../../src/runner/train.js";
import { expectedFrom, python, temporaryDirectory } from "../formats/reference-python.js";
import { captureStdout } from "./capture-stdout.js";

const directory = temporaryDirectory();
const out = (name: string): string => join(directory, name);
const steps = 6;
let run = "";

beforeAll(async () => {
  const trained = await train({ preset: "quick", training: { max_steps: steps, logging_steps: 2 }, device: "cpu", threads: 1, python }, { out: directory });
  run = trained.directory;
});

async function exportRun(...args: string[]): Promise<ExportDocument> {
  return exportDocumentSchema.parse(JSON.parse(await captureStdout(exportCommand(), "--json", ...args)));
}

test.each(["safetensors", "npy", "hdf5"] as const)("the history as %s holds the recorded bits in the real library", async (to) => {
  const path = out(`history.${to}`);
  const document = await exportRun(run, "--to", to, "--out", path);
  expect(document).toMatchObject({ to, out: path, tensor: "embedding_history", shape: [steps + 1, 128, 64] });
  const program = `
import sys, json, torch, numpy as np, h5py
from safetensors.torch import load_file
want = load_file(sys.argv[1] + "/history.safetensors")["embedding_history"]
read = {"safetensors": lambda p: load_file(p)["embedding_history"], "npy": lambda p: torch.tensor(np.load(p)).to(torch.bfloat16), "hdf5": lambda p: torch.tensor(h5py.File(p)["W"][:].view(np.int16)).view(torch.bfloat16)}
print(json.dumps(torch.equal(read[sys.argv[3]](sys.argv[2]).view(torch.int16), want.view(torch.int16))))`;
  expect(expectedFrom(program, run, path, to)).toBe(true);
});

test("CSV is one state, the last or that of a step", async () => {
  for (const step of [undefined, 2]) {
    const path = out(`state-${step}.csv`);
    await exportRun(run, "--to", "csv", "--out", path, ...(step === undefined ? [] : ["--step", String(step)]));
    const program = `
import sys, json, numpy as np
from safetensors.torch import load_file
a = np.loadtxt(sys.argv[2], delimiter=",", skiprows=1)
want = load_file(sys.argv[1] + "/history.safetensors")["embedding_history"][int(sys.argv[3])].double().numpy()
print(json.dumps(bool((a[:, 0] == np.arange(128)).all() and (a[:, 1:] == want).all())))`;
    expect(expectedFrom(program, run, path, String(step ?? steps))).toBe(true);
  }
});

describe("--to hf", () => {
  test("makes a directory that plain transformers loads, with a card that names no place of this machine", async () => {
    const path = out("model");
    const document = await exportRun(run, "--to", "hf", "--out", path);
    expect(document.upload).toBe(`hf upload YOUR-NAME/model ${path}`);
    expect(readdirSync(path)).not.toContain("MANIFEST.json");
    const program = `
import sys, json, torch
from transformers import AutoModelForCausalLM
from safetensors.torch import load_file
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], trust_remote_code=True)
last = load_file(sys.argv[2] + "/history.safetensors")["embedding_history"][-1]
print(json.dumps(torch.equal(model.transformer.wte.weight.data, last)))`;
    expect(expectedFrom(program, path, run)).toBe(true);
    const card = readFileSync(join(path, "README.md"), "utf8");
    const manifest = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
    for (const told of [manifest.corpus.sha256, manifest.config_hash, manifest.environment.torch, manifest.package_version, "| verdict | null |"]) {
      expect(card).toContain(told);
    }
    expect(card).not.toContain(process.cwd());
    expect(card).not.toContain(directory);
  });

  test("people are told the command that uploads, and that nothing was sent", async () => {
    const text = await captureStdout(exportCommand(), run, "--to", "hf", "--out", out("again"));
    expect(text).toContain(`Nothing was uploaded. To publish it:  hf upload YOUR-NAME/again ${out("again")}`);
  });

  test("what is no run is refused", async () => {
    await expect(exportRun(directory, "--to", "hf", "--out", out("no"))).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    expect(existsSync(out("no"))).toBe(false);
  });
});

test("nothing is overwritten", async () => {
  const path = out("history.npy");
  const before = readFileSync(path);
  await expect(exportRun(run, "--to", "npy", "--out", path)).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  expect(readFileSync(path).equals(before)).toBe(true);
});
