import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { repetitions } from "../repetitions.js";
import { projectRoot, python } from "./program.js";

const [trials, kills] = [repetitions(30, 1000), repetitions(4, 50)];

// The small form of `npm run bench:trials`, whose figures stand in docs/many-runs.md.
test(
  "a controller that is killed again and again completes each trial once, and its ledger is exact",
  async () => {
    const program = join(projectRoot, "bench/sweep/many/main.mjs");
    const { stdout, exitCode } = await execa(process.execPath, [program, "--trials", `${trials}`, "--kills", `${kills}`], {
      reject: false,
      env: { BH_BRIDGE_PYTHON: python },
    });
    expect(stdout).toContain(`${kills} kills of the controller: each trial completed once, the ledger exact`);
    expect(exitCode).toBe(0);
  },
  repetitions(200_000, 1_200_000),
);
