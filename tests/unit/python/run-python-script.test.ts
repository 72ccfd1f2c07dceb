import { join } from "node:path";
import { expect, test } from "vitest";
import { askTorch, runPythonScript } from "../../../src/python/run-python-script.js";
import { expectedFrom, python } from "../formats/reference-python.js";
import { folderTest, writeScript } from "./folder-test.js";

const probe = { file: "scripts/probe.py", timeoutMs: 60_000 };

folderTest("the answer is the line with the marker, whatever is printed around it", async ({ folder }) => {
  // A stand-in interpreter is given the script, the marker and the arguments.
  const path = writeScript(
    join(folder, "python"),
    'echo noise; echo "bh-bridge-0:{}"; echo "$2{\\"script\\": \\"$(basename "$1")\\", \\"rest\\": \\"$3 $4\\"}"; echo more',
  );
  expect(await runPythonScript(path, { ...probe, args: ["a", "b c"] })).toEqual({ script: "probe.py", rest: "a b c" });
});

folderTest("the folder of the script is not where its imports are looked for", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), 'echo "$2{\\"safe\\": \\"$PYTHONSAFEPATH\\"}"');
  expect(await runPythonScript(path, probe)).toEqual({ safe: "1" });
});

folderTest("an answer counts though the interpreter ends badly afterwards", async ({ folder }) => {
  expect(await runPythonScript(writeScript(join(folder, "python"), 'echo "$2{}"; exit 3'), probe)).toEqual({});
});

folderTest("what it said last is quoted when there is no answer", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), "for n in 1 2 3 4 5 6 7; do echo line $n; done; exit 4");
  await expect(runPythonScript(path, probe)).rejects.toMatchObject({
    code: "PYTHON_NOT_FOUND",
    message: expect.stringContaining("it ended with exit code 4 and printed: line 3 / line 4 / line 5 / line 6 / line 7"),
    exit: { exitCode: 4, signal: null, lastLines: ["line 3", "line 4", "line 5", "line 6", "line 7"] },
  });
});

folderTest("a program that ends well and says nothing is no Python", async ({ folder }) => {
  await expect(runPythonScript(writeScript(join(folder, "python"), "exit 0"), probe)).rejects.toMatchObject({
    message: expect.stringContaining("it ended with exit code 0 and printed: nothing. Name another interpreter with python (--python on the command line)"),
  });
});

folderTest("a signal that kills it is named", async ({ folder }) => {
  await expect(runPythonScript(writeScript(join(folder, "python"), "kill -SEGV $$"), probe)).rejects.toMatchObject({
    message: expect.stringContaining("it ended with SIGSEGV"),
    exit: { signal: "SIGSEGV" },
  });
});

folderTest("Ctrl-C that reaches the interpreter before it reaches us says nothing about the interpreter", async ({ folder }) => {
  await expect(runPythonScript(writeScript(join(folder, "python"), "kill -INT $$"), probe)).rejects.toMatchObject({ code: "ABORTED" });
});

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
