import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/experiment/train-result.js";
import { eventually, isAlive, marked, start, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

function eventCount(out: string): number {
  const [run] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, run ?? "", "events.jsonl");
  return run !== undefined && existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}

async function training(name: string) {
  const out = join(folder.path, name);
  const mark = randomUUID();
  // A group of its own, so that a signal can go to all of it as Ctrl-C in a terminal does.
  const program = start(["train", "--device", "cpu", "--threads", "1", "--out", out, "--json"], {
    env: { TEST_MARK: mark },
    detached: true,
    reject: false,
  });
  expect(await eventually(() => eventCount(out) > 5, 60_000)).toBe(true);
  return { program, mark, pid: program.pid ?? 0 };
}

test("Ctrl-C ends after the step with a document, status stopped and exit code 130", async () => {
  const { program, mark, pid } = await training("interrupted");
  process.kill(-pid, "SIGINT");
  const { stdout, exitCode } = await program;
  const result = trainResultSchema.parse(JSON.parse(String(stdout)));
  expect(result.status).toBe("stopped");
  expect(exitCode).toBe(130);
  expect(readdirSync(join(result.run, "checkpoints"))).toEqual([`step-${String(result.steps.done).padStart(6, "0")}`]);
  expect(await eventually(async () => (await marked(mark)).length === 0, 2000)).toBe(true);
});

test.each(["SIGKILL", "SIGTERM"] as const)("%s of Node leaves no Python after two seconds", async (signal) => {
  const { program, mark, pid } = await training(signal);
  const others = (await marked(mark)).filter((id) => id !== pid);
  expect(others.length).toBeGreaterThan(0);
  process.kill(pid, signal);
  // SIGTERM first lets Node end the training in order; its end is what the two seconds count from.
  if (signal === "SIGTERM") await program;
  expect(await eventually(() => !others.some(isAlive), 2000)).toBe(true);
  await program;
});
