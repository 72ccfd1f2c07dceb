import { join } from "node:path";
import { expect } from "vitest";
import { runPythonScript } from "../../../src/python/run-python-script.js";
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
    message: expect.stringContaining("it ended with exit code 4 and said: line 3 / line 4 / line 5 / line 6 / line 7"),
    exit: { exitCode: 4, signal: null, lastLines: ["line 3", "line 4", "line 5", "line 6", "line 7"] },
  });
});

folderTest("a program that ends well and says nothing is no Python", async ({ folder }) => {
  await expect(runPythonScript(writeScript(join(folder, "python"), "exit 0"), probe)).rejects.toMatchObject({
    message: expect.stringContaining("it ended with exit code 0 and said: nothing. Name another interpreter with python (--python on the command line)"),
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
