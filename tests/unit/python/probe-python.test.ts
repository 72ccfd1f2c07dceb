import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, vi } from "vitest";
import { probePython } from "../../../src/python/require-packages.js";
import { folderTest, writeScript } from "./folder-test.js";

/** A real virtual environment without any package; return its interpreter. */
function makeEnvironment(folder: string): string {
  execFileSync("python3", ["-m", "venv", "--without-pip", folder]);
  return join(folder, "bin", "python");
}

afterEach(() => {
  vi.unstubAllEnvs();
});

folderTest("a fresh environment tells its version and that it has no package", async ({ folder }) => {
  const path = makeEnvironment(folder);
  const version = execFileSync(path, ["-c", "import platform; print(platform.python_version())"], { encoding: "utf8" }).trim();
  expect(await probePython(path)).toEqual({
    path,
    version,
    executable: path,
    prefix: folder,
    platform: process.platform,
    packages: { torch: null, transformers: null, accelerate: null, safetensors: null, numpy: null },
  });
});

folderTest("what a sitecustomize prints, a start-up file and the inspect mode do not disturb it", async ({ folder }) => {
  const path = makeEnvironment(folder);
  const [library = ""] = readdirSync(join(folder, "lib"));
  writeFileSync(
    join(folder, "lib", library, "site-packages", "sitecustomize.py"),
    'import sys\nprint(\'{"version": "1"}\', end="")\nprint("noise", file=sys.stderr)\n',
  );
  mkdirSync(join(folder, "elsewhere"));
  writeFileSync(join(folder, "elsewhere", "sitecustomize.py"), 'print("more noise")\n');
  writeFileSync(join(folder, "startup.py"), 'raise SystemExit("startup")\n');
  vi.stubEnv("PYTHONSTARTUP", join(folder, "startup.py"));
  vi.stubEnv("PYTHONINSPECT", "1");
  vi.stubEnv("PYTHONPATH", join(folder, "elsewhere"));
  vi.stubEnv("PYTHONVERBOSE", "1");
  expect((await probePython(path)).prefix).toBe(folder);
});

folderTest("a program that is no Python is quoted without its control characters", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), 'printf "\\033[31mI am a shell\\033[0m\\n"; exit 7');
  await expect(probePython(path)).rejects.toMatchObject({
    code: "PYTHON_NOT_FOUND",
    message: `${path} is not a working Python: it ended with exit code 7 and printed: [31mI am a shell[0m. Name another interpreter with python (--python on the command line)`,
    exit: { exitCode: 7, signal: null },
  });
});

folderTest("a program that hangs is given up, and so is its child that holds the pipes", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), "sleep 5; exit 0");
  const startedAt = performance.now();
  await expect(probePython(path, undefined, 100)).rejects.toMatchObject({
    code: "PYTHON_NOT_FOUND",
    message: `${path} did not answer within 0.1 s, so it is not a usable Python. Name another interpreter with python (--python on the command line)`,
  });
  expect(performance.now() - startedAt).toBeLessThan(3000);
});

folderTest("a file that cannot be run, or is not there, is not found", async ({ folder }) => {
  writeFileSync(join(folder, "text"), "no program");
  await expect(probePython(join(folder, "text"))).rejects.toMatchObject({ code: "PYTHON_NOT_FOUND", message: expect.stringContaining("cannot be run: ") });
  await expect(probePython(join(folder, "gone"))).rejects.toMatchObject({ code: "PYTHON_NOT_FOUND", message: expect.stringContaining("ENOENT") });
});

folderTest("the signal ends it", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), "sleep 5");
  await expect(probePython(path, AbortSignal.timeout(50))).rejects.toMatchObject({ code: "ABORTED" });
});
