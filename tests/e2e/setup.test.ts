import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { setupDocumentSchema } from "../../src/commands/setup/setup.js";
import { errorDocumentSchema } from "../../src/commands/terminal/terminal-documents.js";
import { run, start, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const directory = join(folder.path, "venv");
const setUp = ["setup", "--dir", directory, "--json"];
/** To compile ten thousand modules that nobody imports takes pip longer than to install them. */
const env = { PIP_NO_COMPILE: "1" };

/** A real installation of a GB takes 30 s on an idle machine; this allows for slow networks and busy disks. */
const installTimeoutMs = 600_000;

describe.sequential("one environment, from nothing to complete", { timeout: installTimeoutMs }, () => {
  test("Ctrl-C while packages are being installed ends with exit code 130 and says how to go on", async () => {
    const program = start(setUp, { buffer: false, env });
    const { stdout, stderr } = program;
    let document = "";
    let progress = "";
    stdout?.on("data", (chunk: Buffer) => {
      document += chunk.toString();
    });
    stderr?.on("data", (chunk: Buffer) => {
      const isFirst = !progress.includes("installing ");
      progress += chunk.toString();
      if (isFirst && progress.includes("installing ")) program.kill("SIGINT");
    });
    const { exitCode } = await program;
    expect(exitCode).toBe(130);
    expect(errorDocumentSchema.parse(JSON.parse(document))).toMatchObject({
      code: "ABORTED",
      message: expect.stringContaining("Run the same command again to continue"),
    });
    for (const steering of ["\r", "\u001b"]) expect(progress).not.toContain(steering);
  });

  test("the same command continues it, and everything can be imported", async () => {
    const { exitCode, stdout, stderr } = await run(setUp, { env });
    expect(stderr).toContain("set BH_BRIDGE_PYTHON to that path");
    expect(exitCode).toBe(0);
    const { status, python } = setupDocumentSchema.parse(JSON.parse(stdout));
    expect(status).toBe("continued");
    execFileSync(python.path, ["-c", "import torch, transformers, accelerate, safetensors, numpy"]);
  });

  test("once more, it is complete and nothing is done", async () => {
    const { exitCode, stdout } = await run(setUp, { env });
    expect(exitCode).toBe(0);
    const { status, seconds } = setupDocumentSchema.parse(JSON.parse(stdout));
    expect(status).toBe("complete");
    expect(seconds).toBeLessThan(5);
  });
});

test("a build of torch that does not exist is a usage error", async () => {
  expect((await run(["setup", "--torch", "rocm"])).exitCode).toBe(2);
});

test("--python that is no Python is an error of the environment", async () => {
  const { exitCode, stdout } = await run(["setup", "--python", "/nowhere/python", "--dir", join(folder.path, "other"), "--json"]);
  expect(exitCode).toBe(3);
  expect(errorDocumentSchema.parse(JSON.parse(stdout))).toMatchObject({ code: "PYTHON_NOT_FOUND" });
});
