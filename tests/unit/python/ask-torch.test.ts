import { join } from "node:path";
import { expect, test } from "vitest";
import { askTorch } from "../../../src/python/ask-torch.js";
import { expectedFrom, python } from "../formats/reference-python.js";
import { folderTest, writeScript } from "./folder-test.js";

test("what torch and transformers say is what they say when Python is asked by hand", async () => {
  const expected = expectedFrom<Record<string, unknown>>(`
import dataclasses, json, torch
from transformers import GPT2Config, TrainingArguments
print(json.dumps({
    "capability": torch.backends.cpu.get_cpu_capability(), "cuda": torch.cuda.device_count(),
    "arguments": [f.name for f in dataclasses.fields(TrainingArguments)], "config": sorted(vars(GPT2Config())),
}))`);
  const { environment, training_arguments, gpt2_config } = await askTorch(python);
  expect({ capability: environment.cpu_capability, cuda: environment.devices.cuda.length, arguments: training_arguments, config: gpt2_config }).toEqual(
    expected,
  );
  expect(environment.threads).toBeGreaterThan(0);
});

folderTest("an interpreter without torch is quoted, and the signal ends it", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), "echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1");
  await expect(askTorch(path)).rejects.toMatchObject({ code: "PYTHON_NOT_FOUND", message: expect.stringContaining("No module named 'torch'") });
  await expect(askTorch(path, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
});
