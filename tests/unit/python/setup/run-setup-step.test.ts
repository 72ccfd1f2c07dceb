import { join } from "node:path";
import { afterEach, expect, vi } from "vitest";
import { runSetupStep } from "../../../../src/python/setup/setup-steps.js";
import { folderTest, writeScript } from "../folder-test.js";

afterEach(() => vi.unstubAllEnvs());

folderTest("each line of the output is reported while the program runs, and its stdout is returned", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), 'echo "Collecting torch>=2.6"; echo "Installing collected packages: numpy, torch"');
  const lines: string[] = [];
  const output = await runSetupStep(path, ["-m", "pip"], { onLine: (line) => lines.push(line) });
  expect(lines).toEqual(["Collecting torch>=2.6", "Installing collected packages: numpy, torch"]);
  expect(output).toBe(lines.join("\n"));
});

folderTest("pip asks nothing, and installs to no other place that the environment names", async ({ folder }) => {
  vi.stubEnv("PIP_TARGET", "/elsewhere");
  vi.stubEnv("PIP_PREFIX", "/elsewhere");
  vi.stubEnv("PIP_USER", "1");
  vi.stubEnv("PIP_INDEX_URL", "https://packages.example");
  const path = writeScript(join(folder, "python"), 'echo "$PIP_NO_INPUT/$PIP_USER/$PIP_TARGET$PIP_PREFIX/$PIP_INDEX_URL"; exit 1');
  await expect(runSetupStep(path, [], {})).rejects.toMatchObject({ message: expect.stringContaining("1/0//https://packages.example") });
});

folderTest("a failure quotes the command, the last lines in the order in which they came, and what to do", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), 'echo "Collecting torch"; echo "ERROR: [Errno 28] No space left on device" >&2; exit 2');
  await expect(runSetupStep(path, ["-m", "pip", "install", "torch"], {})).rejects.toMatchObject({
    code: "SETUP_FAILED",
    message: expect.stringMatching(
      new RegExp(
        `^"${path} -m pip install" ended with exit code 2:\\n {2}Collecting torch\\n {2}ERROR: \\[Errno 28\\] No space left on device\\n.*The disk is full`,
        "s",
      ),
    ),
    exit: { exitCode: 2, signal: null, lastLines: ["Collecting torch", "ERROR: [Errno 28] No space left on device"] },
  });
});

folderTest("the signal ends it, and says how to go on", async ({ folder }) => {
  const path = writeScript(join(folder, "python"), "exec sleep 60");
  const controller = new AbortController();
  const running = runSetupStep(path, [], { signal: controller.signal });
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "ABORTED", message: "the set-up was stopped. Run the same command again to continue" });
});

folderTest("an interpreter that cannot be run has failed too", async ({ folder }) => {
  await expect(runSetupStep(join(folder, "python"), ["-m", "venv"], {})).rejects.toMatchObject({ code: "SETUP_FAILED" });
});

folderTest("Ctrl-C that reaches pip before it reaches us stops it too", async ({ folder }) => {
  await expect(runSetupStep(writeScript(join(folder, "python"), "kill -INT $$"), [], {})).rejects.toMatchObject({ code: "ABORTED" });
});
