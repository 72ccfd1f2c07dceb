import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { loadRunConfig } from "../../../src/bridge/load-run-config.js";
import type { ResumePlan } from "../../../src/bridge/resume-plan.js";
import { RunRecord, UnstartedRun } from "../../../src/bridge/run-record.js";
import { TrainerCallback } from "../../../src/bridge/trainer-callback.js";
import type { TrainerSetup } from "../../../src/bridge/trainer-options.js";
import { trainEventSchema } from "../../../src/protocol/events.js";
import type { ReplyOf } from "../../../src/protocol/operations.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { pin } from "../runs/environment-pin.js";
import { writeRun } from "../serve/written-run.js";

const resolved = await loadRunConfig({ input: { preset: "quick", name: "mine" } });
const corpus = { ...readRunManifest(writeRun({ folder: temporaryDirectory(), id: "other", steps: 1 })).corpus, readFrom: new Map() };

class Watching extends TrainerCallback {
  override onStepEnd(): void {
    // one that can be told by this comment
  }
}

function create(over: Partial<TrainerSetup> = {}): Promise<RunRecord> {
  const model = { parameterCount: 116_480, changes: ["a head was replaced"] } as unknown as TrainerSetup["model"];
  return RunRecord.create({ resolved, model, corpus, out: temporaryDirectory(), callbacks: [], ...over }, pin);
}

const reply = (from_step: number) => ({ from_step, recorded_step: 60 }) as ReplyOf<"trainer.create">;
const ended = (seconds: number) => ({ status: "completed", reason: null, seconds }) as ReplyOf<"trainer.train">;

test("a new run says what it is made from before its first step", async () => {
  const { directory } = await create({ callbacks: [new Watching(), new Watching()], startFrom: "checkpoints/x" });
  expect(readRunManifest(directory)).toMatchObject({
    name: "mine",
    preset: "quick",
    status: "running",
    config_hash: resolved.hash,
    parameters: 116_480,
    environment: pin,
    model_changes: ["a head was replaced"],
    start_from: join(process.cwd(), "checkpoints/x"), // wherever it goes on
    seconds: 0,
    ended: null,
  });
  expect(readRunConfig(directory)).toEqual(resolved.config);
  expect(readFileSync(join(directory, "callbacks.js.txt"), "utf8").match(/class Watching/g)).toHaveLength(1);
  expect(existsSync(join((await create()).directory, "callbacks.js.txt"))).toBe(false);
});

test("how its steps are computed is noted when that is known", async () => {
  const record = await create();
  const at = { seq: 1, mono: 1, wall: 1, global_step: 0, epoch: null };
  const exact = { method: "exact", used: true, reason: "it pays", reference_seconds: 0.07, seconds: 0.05 };
  const graphed = { method: "graphed", used: false, reason: "it is for one process", reference_seconds: null, seconds: null };
  const note = (fields: object) => {
    const event = trainEventSchema.parse({ ...at, type: "step_method", ...fields });
    if (event.type === "step_method") record.computedBy(event);
    return readRunManifest(record.directory).step_method;
  };
  expect(note(graphed)).toEqual(graphed);
  expect(note(exact)).toEqual(exact);
  expect(note(graphed), "the method that is used stays").toEqual(exact);
  expect(note({ ...exact, used: false })).toEqual({ ...exact, used: false });
});

test("an end is noted with its seconds, and the run gets its checksums", async () => {
  const record = await create();
  record.finished(ended(12));
  expect(readRunManifest(record.directory)).toMatchObject({ status: "completed", reason: null, seconds: 12, ended: expect.any(String) });
  expect(existsSync(join(record.directory, "SHA256SUMS"))).toBe(true);
});

test("a failure is noted with its words, and one that cannot be noted is a warning", async () => {
  const record = await create();
  record.failed(new Error("no memory"));
  expect(readRunManifest(record.directory)).toMatchObject({ status: "failed", reason: "no memory" });
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  RunRecord.reopen({ directory: "/nowhere/run", manifest: record.manifest } as ResumePlan).failed("why");
  expect(warning).toHaveBeenCalledOnce();
  warning.mockRestore();
});

test("a run that goes on counts its seconds up to the checkpoint, and says where it went on", async () => {
  const directory = writeRun({ folder: temporaryDirectory(), id: "run", status: "stopped" }); // 60 steps of a tenth of a second
  const manifest = readRunManifest(directory);
  const plan: ResumePlan = { directory, manifest, exact: false, differences: ["torch"], isExtended: false };
  const record = RunRecord.reopen(plan);
  record.resumed(plan, resolved, { ...pin, torch: "2.14.0" }, reply(60));
  const resumed = readRunManifest(directory);
  expect(resumed).toMatchObject({ status: "running", reason: null, ended: null, config_hash: manifest.config_hash, environment: { torch: "2.14.0" } });
  expect(resumed.seconds).toBeCloseTo(6, 9);
  expect(resumed.resumes).toMatchObject([{ from_step: 60, recorded_step: 60, exact: false, differences: ["torch"] }]);
  record.finished(ended(4));
  expect(readRunManifest(directory).seconds).toBeCloseTo(10, 9);
});

test("one that gets more steps has its configuration and hash written anew", async () => {
  const directory = writeRun({ folder: temporaryDirectory(), id: "run", status: "stopped" });
  const plan: ResumePlan = { directory, manifest: readRunManifest(directory), exact: true, differences: [], isExtended: true };
  RunRecord.reopen(plan).resumed(plan, resolved, pin, reply(60));
  expect(readRunManifest(directory).config_hash).toBe(resolved.hash);
  expect(readRunConfig(directory)).toEqual(resolved.config);
});

test("a run that never began goes, unless somebody has put something of their own into it", async () => {
  const empty = await create();
  empty.discard();
  empty.discard();
  expect(existsSync(empty.directory)).toBe(false);
  const foreign = await create();
  writeFileSync(join(foreign.directory, "thesis.tex"), "years of work");
  foreign.discard();
  expect(readFileSync(join(foreign.directory, "thesis.tex"), "utf8")).toBe("years of work");
  expect(readRunManifest(foreign.directory)).toMatchObject({ status: "failed", reason: "its training never began" });
});

test("the repository that it is told of is noted, whatever folder the process stands in", async () => {
  const state = { commit: "c0ffee", dirty: true, branch: "main", untracked: [], patch: "repository.patch", patch_truncated: false };
  const { directory } = await create({ repository: { state, patch: "+ a line\n" } });
  expect(readRunManifest(directory).git).toEqual(state);
  expect(readFileSync(join(directory, "repository.patch"), "utf8")).toBe("+ a line\n");
  expect(readRunManifest((await create({ repository: null })).directory).git).toBeNull();
});

function record(): RunRecord {
  const directory = writeRun({ folder: temporaryDirectory(), id: "run", steps: 1 });
  return RunRecord.reopen({ directory, manifest: readRunManifest(directory) } as ResumePlan);
}

/** Never settles: Python lives on. */
const alive = new Promise(() => undefined);

test("its directory goes when its trainer lets it go, and that is said, also when it is asked again", () => {
  const run = record();
  const unstarted = new UnstartedRun(run, alive);
  expect([unstarted.discard(), unstarted.discard()]).toEqual([true, true]);
  expect(existsSync(run.directory)).toBe(false);
});

test("it goes when Python ends", async () => {
  const run = record();
  const unstarted = new UnstartedRun(run, Promise.resolve());
  await expect.poll(() => existsSync(run.directory)).toBe(false);
  expect(unstarted.discard()).toBe(true);
});

test("once its training has begun it stays, whatever ends", async () => {
  const run = record();
  const python = new AbortController();
  const unstarted = new UnstartedRun(run, once(python.signal, "abort"));
  unstarted.begin();
  python.abort();
  await new Promise(setImmediate);
  expect(unstarted.discard()).toBe(false);
  expect(existsSync(run.directory)).toBe(true);
});
