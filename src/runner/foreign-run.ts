import { statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { readTrainerState } from "../formats/hf/hf-directory.js";
import { wireNumberSchema } from "../protocol/events.js";
import { runScriptWith } from "../python/run-python-script.js";
import { type ForeignLog, foreignLog } from "../runs/run-layout.js";

/** Logged values over training steps. */
interface ForeignLine {
  readonly x: number[];
  readonly y: number[];
}

/** What a log of another program contains. */
export interface ForeignRun {
  readonly kind: ForeignLog["kind"];
  /** The newest step, and the planned number if it is known. */
  readonly steps: { readonly done: number; readonly planned: number };
  /** Lines by the names of Hugging Face's Trainer (`loss`, `eval_loss`, `learning_rate`, `grad_norm`), or other names. */
  readonly lines: ReadonlyMap<string, ForeignLine>;
  /** Time of the last change. */
  readonly changed: string;
}

/** Read logs by the identity of their files. */
const known = new Map<string, { identity: string; read: Promise<ForeignRun> }>();
/** A log of 10,000 steps takes a megabyte. */
const mostKnown = 100;

/** Identity of the files of a log, which changes as they grow. */
export function foreignIdentity({ folder, files }: ForeignLog): string {
  const identities = files.map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    return `${name} ${size} ${mtimeMs}`;
  });
  return [folder, ...identities].join("|");
}

/**
 * Read the log of another program, cached until it changes. TensorBoard's needs a Python with its library.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `FORMAT_INVALID`; `PYTHON_DEPENDENCY_MISSING`, `PYTHON_NOT_FOUND`.
 */
export async function readForeign(directory: string): Promise<ForeignRun> {
  const log = foreignLog(directory);
  if (log === undefined) throw new BhBridgeError("RUN_NOT_FOUND", `${directory} has neither trainer_state.json nor event files of TensorBoard`);
  const identity = foreignIdentity(log);
  const before = known.get(directory);
  if (before?.identity === identity) return before.read;
  const read = (log.kind === "trainer" ? readTrainer(log) : readEventFiles(log.folder)).then((content) => ({
    kind: log.kind,
    changed: changedAt(log),
    ...content,
  }));
  known.delete(directory);
  known.set(directory, { identity, read });
  const [oldest] = known.keys();
  if (known.size > mostKnown && oldest !== undefined) known.delete(oldest);
  read.catch(() => known.delete(directory)); // the library may be installed meanwhile
  return read;
}

function changedAt({ folder, files }: ForeignLog): string {
  return new Date(Math.max(...files.map((name) => statSync(join(folder, name)).mtimeMs))).toISOString();
}

type Content = Pick<ForeignRun, "steps" | "lines">;

async function readTrainer({ folder }: ForeignLog): Promise<Content> {
  const state = readTrainerState(folder);
  const points = (state?.log_history ?? []).flatMap((logged) => {
    const { step, epoch: _, ...values } = logged;
    if (typeof step !== "number" || "train_runtime" in values) return []; // a summary of the training
    return Object.entries(values).map(([name, value]) => ({ name, step, value }));
  });
  const done = state?.global_step ?? 0;
  return { steps: { done, planned: state?.max_steps ?? done }, lines: linesOf(points) };
}

function linesOf(points: Iterable<{ name: string; step: number; value: unknown }>): Map<string, ForeignLine> {
  const lines = new Map<string, ForeignLine>();
  for (const { name, step, value } of points) {
    if (typeof value !== "number") continue;
    const line = lines.get(name) ?? { x: [], y: [] };
    lines.set(name, line);
    line.x.push(step);
    line.y.push(value);
  }
  return lines;
}

const answerSchema = z.object({ logs: z.array(z.array(z.object({ tag: z.string(), steps: z.array(z.int()), values: z.array(wireNumberSchema) }))) });
const timeoutMs = 600_000;

/** Folders that wait for the same Python, which takes a second to start. */
let waiting: { folder: string; resolve: (content: Content) => void; reject: (error: unknown) => void }[] = [];

function readEventFiles(folder: string): Promise<Content> {
  return new Promise((resolve, reject) => {
    if (waiting.length === 0) setTimeout(() => void readWaiting(), 0);
    waiting.push({ folder, resolve, reject });
  });
}

async function readWaiting(): Promise<void> {
  const asked = waiting;
  waiting = [];
  try {
    const script = { file: "scripts/read_logs.py", args: ["scalars", JSON.stringify(asked.map(({ folder }) => folder))], timeoutMs };
    const { logs } = answerSchema.parse(await runScriptWith("tensorboard", { python: undefined, what: "Reading TensorBoard logs" }, script));
    for (const [index, { resolve }] of asked.entries()) resolve(contentOf(logs[index] ?? []));
  } catch (error) {
    for (const { reject } of asked) reject(error);
  }
}

function contentOf(scalars: z.output<typeof answerSchema>["logs"][number]): Content {
  const done = Math.max(0, ...scalars.map(({ steps }) => steps.at(-1) ?? 0));
  const tags = scalars.map(({ tag }) => tag);
  return { steps: { done, planned: done }, lines: new Map(scalars.map(({ tag, steps, values }) => [trainerName(tag, tags), { x: steps, y: values }])) };
}

const ofEvaluation = /eval|valid|\bval\b|test/i;

/** The name that Trainer gives the values of a tag: `train/loss` is `loss`. Without such a tag, the first other loss counts. */
function trainerName(tag: string, tags: readonly string[]): string {
  const [, ofTraining] = /^train\/(.+)$/.exec(tag) ?? [];
  const [, evaluated] = /^eval\/(.+)$/.exec(tag) ?? [];
  if (ofTraining !== undefined) return ofTraining;
  if (evaluated !== undefined) return `eval_${evaluated}`;
  const hasOwn = tags.includes("train/loss") || tags.includes("loss");
  return !hasOwn && tag === tags.find((each) => /loss/i.test(each) && !ofEvaluation.test(each)) ? "loss" : tag;
}
