import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { repetitions } from "../repetitions.js";
import { startProgram } from "./run-program.js";

/** Commands that take long look at every n-th cell in a usual run, and at every cell of the whole matrix with `FULL_TESTS=1`. */
const every = repetitions(48, 1);
const seconds = repetitions(480, 3600);

test("no damage of a run's files hangs a command, ends it with an error of no type, or hides another run", { timeout: (seconds + 60) * 1000 }, async () => {
  const { child, stdout, stderr, ended } = startProgram("tests/bridge/programs/damage-matrix.ts", [String(every)]);
  const hasEnded = await Promise.race([ended.then(() => true), sleep(seconds * 1000, false, { ref: false })]);
  if (!hasEnded) child.kill("SIGKILL");
  const lines = (await stdout).trim().split("\n");
  if (!hasEnded) throw new Error(`this cell did not come to its end: ${lines.at(-1)}`);
  expect(await ended, await stderr).toEqual([0, null]);
  const { looks, wrong } = JSON.parse(lines.at(-1) ?? "") as { looks: number; wrong: string[] };
  expect(wrong).toEqual([]);
  expect(looks).toBeGreaterThan(500);
});
