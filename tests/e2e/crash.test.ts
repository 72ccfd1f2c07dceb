import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { isFull, repetitions } from "../repetitions.js";
import { projectRoot, python, warmPython } from "./program.js";

/** A fork of a warm Python dies by SIGKILL as a fresh one does, which needs 3 s more for each start. */
const environment = { BH_BRIDGE_PYTHON: isFull ? python : warmPython };

// The first run of this seed is killed twice: its Node, and its Python while it writes a checkpoint.
test("runs killed at random instants resume to the same bits", { timeout: 480_000 }, async () => {
  const { stdout } = await execa(process.execPath, [join(projectRoot, "scripts/crash-test.mjs"), "--kills", `${repetitions(2, 20)}`, "--seed", "40"], {
    env: environment,
    reject: false,
  });
  expect(stdout).toMatch(/(\d+) of \1 identical$/);
});

test("an experiment that is killed goes on by the same command, and ends as one that nobody touched", { timeout: 480_000 }, async () => {
  const smallest = ["--kills", "1", "--workers", "1", "--small", "--seed", "2"];
  const { stdout } = await execa(process.execPath, [join(projectRoot, "scripts/sweep-crash-test.mjs"), ...smallest], { env: environment, reject: false });
  expect(stdout).toMatch(/1 kills in 1 experiments: 1 of 1 identical$/);
});

const hasStrace = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "strace")));

const states = repetitions(12, 200);

test.skipIf(!hasStrace)("disks that power loss may leave recover to the same bits", { timeout: 480_000 }, async () => {
  const { stdout } = await execa(python, [join(projectRoot, "scripts/powerloss"), "--states", `${states}`, "--seed", "5"], {
    env: { BH_BRIDGE_PYTHON: python }, // what strace follows
    reject: false,
  });
  expect(stdout).toContain(`${states} of ${states} states recovered to the bits of the whole run`);
});
