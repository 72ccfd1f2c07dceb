import { execa } from "execa";
import { expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { projectRoot, python, temporaryFolder } from "./program.js";

/** A network namespace of its own has no interface but a loopback that is down: no packet can leave, not even to this machine. */
const isolated = ["--net"];
const { exitCode } = await execa("unshare", [...isolated, "true"], { reject: false });

test.skipIf(exitCode !== 0)("a run needs no network at all (skipped where no network namespace can be made)", async () => {
  using folder = temporaryFolder();
  const args = ["dist/cli.js", "train", "--steps", "3", "--device", "cpu", "--python", python, "--out", folder.path, "--json"];
  const { stdout } = await execa("unshare", [...isolated, process.execPath, ...args], { cwd: projectRoot, stdin: "ignore" });
  expect(trainResultSchema.parse(JSON.parse(stdout)).status).toBe("completed");
});
