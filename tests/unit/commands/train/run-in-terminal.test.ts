import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test, vi } from "vitest";
import type { PageBeside } from "../../../../src/commands/serve/page-beside.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { eventHook, offerToResume, resumeLine, trainingKeys } from "../../../../src/commands/train/run-in-terminal.js";
import { resolveRunConfig } from "../../../../src/config/resolve-run-config.js";
import { BhBridgeError } from "../../../../src/errors.js";
import { type TrainEvent, trainEventSchema } from "../../../../src/protocol/events.js";
import { shellQuote } from "../../../../src/text/escaping.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";
import { hearStderr } from "../hear-stderr.js";

const event = (type: string, over: object = {}): TrainEvent => trainEventSchema.parse({ seq: 1, mono: 1, wall: 1, global_step: 7, epoch: null, type, ...over });
const alert = event("alert", { kind: "stall", message: "no step for a minute" });

test("an alert and the end reach the command as JSON on its input, and a step does not", async () => {
  const file = join(temporaryDirectory(), "heard");
  const said: string[] = [];
  const hook = eventHook(`cat > ${shellQuote(file)}`, (text) => said.push(text));
  hook(event("step_end", { loss: 1 }));
  expect(existsSync(file)).toBe(false);
  hook(alert);
  await expect.poll(() => existsSync(file) && readFileSync(file, "utf8")).toBe(`${JSON.stringify(alert)}\n`);
  hook(event("train_end"));
  await expect.poll(() => readFileSync(file, "utf8")).toBe(`${JSON.stringify(event("train_end"))}\n`);
  expect(said).toEqual([]);
});

test("a command that fails is told with what it wrote, and does not hold up anything", async () => {
  const said: string[] = [];
  eventHook("echo wrong >&2; exit 3", (text) => said.push(text))(alert);
  expect(said).toEqual([]);
  await expect.poll(() => [...said].sort()).toEqual(["--on-event failed with exit code 3 at event alert", "wrong"]);
});

test("a command that does not read its input is free not to", async () => {
  const said: string[] = [];
  eventHook("exec <&-; exit 0", (text) => said.push(text))(event("stopped", { reason: "x".repeat(100_000) }));
  eventHook("exit 4", (text) => said.push(text))(alert);
  await expect.poll(() => said.length).toBe(1);
});

/** Give a run a step as Python writes it, with spaces behind the colons: by these it is looked for. */
const asPython = (run: string) => {
  writeFileSync(join(run, "events.jsonl"), '{"seq": 1, "mono": 1.0, "wall": 1.0, "type": "step_end", "global_step": 1, "epoch": 0.1, "loss": 2.0}\n');
  return run;
};

test("a run that has taken a step has the command that goes on with it, from where one is", () => {
  const run = asPython(writeRun({ folder: temporaryDirectory(), id: "it's a run" }));
  expect(resumeLine(run)).toBe(`Resume with:  bh-bridge resume '${relative(process.cwd(), run).replaceAll("'", "'\\''")}'`);
});

test("one that has taken none has nothing to go on from", () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "run" });
  writeFileSync(join(run, "events.jsonl"), "");
  expect(resumeLine(run)).toBeUndefined();
  expect(resumeLine("/nowhere")).toBeUndefined();
});

const said = hearStderr();

function keys(open: () => Promise<void> = async () => undefined) {
  const requestCheckpoint = vi.fn();
  return { requestCheckpoint, actions: trainingKeys(new Terminal({ color: false }), { requestCheckpoint }, { open } as PageBeside) };
}

test("the help names every key that there is", () => {
  const { actions } = keys();
  actions["h"]?.();
  for (const key of Object.keys(actions)) expect(said.text).toMatch(new RegExp(`[ ,]${key} `));
});

test("s asks for a checkpoint, and says so", () => {
  const { actions, requestCheckpoint } = keys();
  actions["s"]?.();
  expect(requestCheckpoint).toHaveBeenCalledOnce();
  expect(said.text).toBe("Saving a checkpoint after this step\n");
});

test("q stops as Ctrl-C does", () => {
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  keys().actions["q"]?.();
  expect(kill).toHaveBeenCalledWith(process.pid, "SIGINT");
});

test("a page that cannot be served does not end the training", async () => {
  keys(() => Promise.reject(new BhBridgeError("IO_FAILED", "no port is free"))).actions["o"]?.();
  await expect.poll(() => said.text).toBe("The page cannot be served: no port is free\n");
});

const resolved = await resolveRunConfig({ input: { preset: "quick" } });

/** A run of that configuration which has taken a step. */
function unfinished(folder: string, id: string, over: object = {}, status: "running" | "stopped" | "completed" = "stopped"): string {
  const run = writeRun({ folder, id, status });
  const path = join(run, "run.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), config_hash: resolved.hash, ...over }));
  writeFileSync(join(run, "events.jsonl"), '{"seq": 1, "mono": 1.0, "wall": 1.0, "type": "step_end", "global_step": 1, "epoch": 0.1, "loss": 2.0}\n');
  return run;
}

const offer = (folder: string, startFrom?: string) => offerToResume(resolved, folder, startFrom, new Terminal({ color: false }));

test("where nobody can be asked, an unfinished run of the same configuration is named, and a new one begins", async () => {
  const folder = temporaryDirectory();
  unfinished(folder, "older", { created: "2026-01-01T00:00:00.000Z" });
  unfinished(folder, "newer", { created: "2026-01-02T00:00:00.000Z" }, "running");
  expect(await offer(folder)).toBeUndefined();
  expect(said.text).toMatch(
    /^Unfinished run of the same configuration: \S+\/newer \(interrupted\)\nStarting a new run\. To resume that one: {2}bh-bridge resume \S+\/newer\n$/,
  );
});

test("a run of another configuration, of another beginning, or that is complete, is not offered", async () => {
  const folder = temporaryDirectory();
  unfinished(folder, "other", { config_hash: "1".repeat(64) });
  unfinished(folder, "begun", { start_from: "/checkpoints/x" });
  unfinished(folder, "complete", {}, "completed");
  expect(await offer(folder)).toBeUndefined();
  expect(said.text).toBe("");
  await offer(folder, "/checkpoints/x");
  expect(said.text).toContain("/begun (stopped)");
});
