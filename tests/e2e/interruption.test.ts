import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { eventually, isAlive, marked, projectRoot, python, start, temporaryFolder, warmPython } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

function eventCount(out: string): number {
  const [run] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, run ?? "", "events.jsonl");
  return run !== undefined && existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}

async function training(name: string, env: Record<string, string> = {}) {
  const out = join(folder.path, name);
  const mark = randomUUID();
  // A group of its own, so that a signal can go to all of it as Ctrl-C in a terminal does.
  const program = start(["train", "--device", "cpu", "--threads", "1", "--out", out, "--json"], {
    env: { TEST_MARK: mark, ...env },
    detached: true,
    reject: false,
  });
  expect(await eventually(() => eventCount(out) > 5, 60_000)).toBe(true);
  return { program, mark, pid: program.pid ?? 0 };
}

test("Ctrl-C ends after the step with a document, status stopped and exit code 130, whatever Python prints meanwhile", async () => {
  const { program, mark, pid } = await training("interrupted", { PYTHONPATH: join(projectRoot, "tests/bridge/noisy") });
  process.kill(-pid, "SIGINT");
  const { stdout, exitCode } = await program;
  const result = trainResultSchema.parse(JSON.parse(String(stdout)));
  expect(result.status).toBe("stopped");
  expect(exitCode).toBe(130);
  expect(readdirSync(join(result.run, "checkpoints"))).toEqual([`step-${String(result.steps.done).padStart(6, "0")}`]);
  expect(await eventually(async () => (await marked(mark)).length === 0, 2000)).toBe(true);
});

/** Run the program on a terminal, and press keys when it has written something. */
async function press(keys: string, when: string, args: readonly string[], interpreter = warmPython) {
  const script = [join(import.meta.dirname, "press_keys.py"), when, keys];
  const program = [process.execPath, join(projectRoot, "dist/cli.js"), ...args];
  const { stdout } = await execa("python3", [...script, ...program], { env: { BH_BRIDGE_PYTHON: interpreter, CI: "" }, stdin: "ignore" });
  return JSON.parse(stdout) as { written: string; exit_code: number; is_restored: boolean };
}

const trainHere = (name: string) => ["train", "--device", "cpu", "--threads", "1", "--steps", "5000", "--out", join(folder.path, name)];
const acknowledged = (what: string) => `${what}. Press Ctrl-C again to end at once`;

test.each([1, 2, 3])("Ctrl-C %i times in a terminal while PyTorch is loaded ends with 130, and leaves terminal and folder as they were", async (times) => {
  const pressed = await press("^C".repeat(times), "starting", trainHere(`start-${times}`), python);
  expect(pressed).toMatchObject({ exit_code: 130, is_restored: true });
  expect(pressed.written).toContain(acknowledged("Stopping"));
  expect(pressed.written).not.toMatch(/hello|model\.create|trainer\.|Go on with/);
  expect(existsSync(join(folder.path, `start-${times}`)) ? readdirSync(join(folder.path, `start-${times}`)) : []).toEqual([]);
});

test.each([1, 2])("Ctrl-C %i times in a terminal during the training ends with 130 and the command that goes on", async (times) => {
  const name = `training-${times}`;
  const pressed = await press("^C".repeat(times), "[1-9][0-9]*/5000 steps", trainHere(name));
  expect(pressed).toMatchObject({ exit_code: 130, is_restored: true });
  expect(pressed.written).toContain(acknowledged("Stopping after this step, with a checkpoint"));
  const [run = ""] = readdirSync(join(folder.path, name));
  expect(pressed.written).toContain(`Resume with:  node dist/cli.js resume ${relative(projectRoot, join(folder.path, name, run))}`);
});

test("keys during the training help, save a checkpoint, and stop it after its step", async () => {
  const pressed = await press("hxsoq", "[1-9][0-9]*/5000 steps", trainHere("keys"));
  expect(pressed).toMatchObject({ exit_code: 130, is_restored: true });
  expect(pressed.written).toMatch(/Keys: .*Saving a checkpoint after this step.*Stopping after this step, with a checkpoint/s);
  expect(pressed.written).toMatch(/Watch it at {2}http:\/\/127\.0\.0\.1:\d+\/\?token=/);
  expect(pressed.written).toMatch(/loss .*\d\.\d{4} {3}C .*\d {3}P .*\d/);
  const [run = ""] = readdirSync(join(folder.path, "keys"));
  expect(readdirSync(join(folder.path, "keys", run, "checkpoints")).length).toBeGreaterThan(0);
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
