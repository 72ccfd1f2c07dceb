import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { findBasePython } from "../../../../src/python/setup/setup-python.js";
import { folderTest, writeScript } from "../folder-test.js";

/** A Python that is too old cannot be had here: a script that answers the probe as one would, in the marker's line. */
const answerAsOld = `echo "$2"'{"version":"3.9.2","executable":"/old","prefix":"/usr","platform":"linux","packages":{"torch":null,"transformers":null,"accelerate":null,"safetensors":null,"numpy":null}}'`;

const realPython = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();

folderTest("an old python3 and a name that leads nowhere are passed over for one that is new enough", async ({ folder }) => {
  writeScript(join(folder, "python3"), answerAsOld);
  writeScript(join(folder, "python3.14"), "echo 'python3.14: command not found' >&2; exit 127");
  symlinkSync(realPython, join(folder, "python3.11"));
  expect((await findBasePython(undefined, undefined, { PATH: folder })).path).toBe(join(folder, "python3.11"));
});

folderTest("when all are too old, each is named with its version", async ({ folder }) => {
  const old = writeScript(join(folder, "python3"), answerAsOld);
  const ending = "Name another with --python, or omit --python: if there is none, uv installs one";
  const expected = { code: "PYTHON_NOT_FOUND", message: `a virtual environment for bh-bridge requires Python >=3.11, but ${old} is 3.9.2. ${ending}` };
  await expect(findBasePython(undefined, undefined, { PATH: folder })).rejects.toMatchObject(expected);
  await expect(findBasePython(old)).rejects.toMatchObject(expected);
});

folderTest("without any Python in PATH that is said", async ({ folder }) => {
  await expect(findBasePython(undefined, undefined, { PATH: folder })).rejects.toThrow("but there is none in PATH");
});
