import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, vi } from "vitest";
import { setupPython } from "../../../../src/python/setup/setup-python.js";
import { folderTest, writeScript } from "../folder-test.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

folderTest("a folder with something else in it is left alone", async ({ folder }) => {
  writeFileSync(join(folder, "thesis.txt"), "");
  await expect(setupPython({ directory: folder })).rejects.toMatchObject({
    code: "SETUP_FAILED",
    message: `${folder} is neither empty nor a working virtual environment: choose another folder with --dir, or remove that one`,
  });
  expect(readdirSync(folder)).toEqual(["thesis.txt"]);
});

folderTest("an environment that is complete is only looked at: no step is taken", async () => {
  const steps: unknown[] = [];
  const directory = join(import.meta.dirname, "..", "..", "..", "..", ".venv");
  const { status, python } = await setupPython({ directory, onStep: (step) => steps.push(step) });
  expect({ status, steps, path: python.path }).toEqual({ status: "complete", steps: [], path: join(directory, "bin", "python") });
});

folderTest("an environment of another Python than the one asked for is not touched", async ({ folder }) => {
  execFileSync("python3", ["-m", "venv", "--without-pip", join(folder, "venv")]);
  const other = writeScript(
    join(folder, "python"),
    `echo "$2"'{"version":"3.99.0","executable":"/new","prefix":"/usr","platform":"linux","packages":{"torch":null,"transformers":null,"accelerate":null,"safetensors":null,"numpy":null}}'`,
  );
  await expect(setupPython({ directory: join(folder, "venv"), python: other })).rejects.toMatchObject({
    code: "SETUP_FAILED",
    message: expect.stringMatching(/is an environment of Python 3\.\d+\.\d+, but .* is 3\.99\.0\. Delete that folder/),
  });
});

folderTest("without a network the reason and the remedy are told, and the half-made environment is kept", async ({ folder }) => {
  const directory = join(folder, "venv");
  vi.stubEnv("PIP_RETRIES", "1");
  vi.stubEnv("PIP_FIND_LINKS", "");
  // Nothing listens on the discard port, so this is refused at once.
  const failure = setupPython({ directory, indexUrl: "http://127.0.0.1:9/simple", torchIndexUrl: "http://127.0.0.1:9/cpu" });
  await expect(failure).rejects.toMatchObject({
    code: "SETUP_FAILED",
    message: expect.stringMatching(
      /-m pip install" ended with exit code 1:\n[\s\S]*\nThe server cannot be reached: [\s\S]*Run the same command again to continue$/,
    ),
    exit: { exitCode: 1, signal: null },
  });
  expect(readdirSync(directory)).toContain("pyvenv.cfg");
});

folderTest("the signal stops it, and says how to go on", async ({ folder }) => {
  mkdirSync(join(folder, "venv"));
  const controller = new AbortController();
  const stopped = setupPython({ directory: join(folder, "venv"), signal: controller.signal, onStep: () => controller.abort() });
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED", message: "the set-up was stopped. Run the same command again to continue" });
});

folderTest("a broken environment that somebody else made is not cleared, with what lies in it", async ({ folder }) => {
  const directory = join(folder, "theirs");
  execFileSync("python3", ["-m", "venv", "--without-pip", directory]);
  rmSync(join(directory, "bin", "python"));
  writeFileSync(join(directory, "thesis.txt"), "years");
  await expect(setupPython({ directory })).rejects.toMatchObject({ code: "SETUP_FAILED" });
  expect(readFileSync(join(directory, "thesis.txt"), "utf8")).toBe("years");
});
