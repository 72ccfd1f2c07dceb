import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readCodeSchema } from "../../config/own-code.js";
import { BhBridgeError } from "../../errors.js";
import { durableWrite } from "../../formats/durable-write.js";
import { createRunDirectory, earlierSlugOf, runDirectoryName, slugOf } from "../../runs/create-run-directory.js";
import { readRunDocument } from "../../runs/read-run-json.js";
import { rulesHash, storedRules } from "../experiment/rules.js";
import { readLedger } from "../ledger.js";
import { pruneSchema } from "../prune/prune-condition.js";
import { type SweepTrial, trialStates } from "../sweep-document.js";
import { type Plan, storedQuestionSchema } from "./plan.js";

/** `plan.json` of a sweep or experiment. A trial's configuration is the base with the values it sets. */
const planFileSchema = z.strictObject({
  schema: z.literal("bh-bridge/plan@1"),
  name: z.string(),
  /** Of base, corpus and rules; the directory name ends with it. */
  hash: z.string(),
  preset: z.string(),
  /** A complete configuration. */
  base: z.record(z.string(), z.json()),
  /** The user's code that trials set by its path, as it was read. */
  code: z.array(readCodeSchema).readonly().optional(),
  prune: pruneSchema.nullable(),
  /** Of an experiment: its arms and rules. */
  question: storedQuestionSchema.nullable(),
  trials: z.array(z.strictObject({ trial: z.string(), set: z.record(z.string(), z.json()) })),
});
type PlanFile = z.output<typeof planFileSchema>;

export const planFileName = "plan.json";

export function planText({ name, hash, base, code, prune, question, trials }: Plan): string {
  const file: z.input<typeof planFileSchema> = {
    schema: "bh-bridge/plan@1",
    name,
    hash,
    preset: base.preset,
    base: JSON.parse(JSON.stringify({ ...base.config, ...base.unused })),
    ...(code && { code }),
    prune,
    question: question && { ...question, rules: storedRules(question.rules), rulesHash: rulesHash(question.rules) },
    trials: trials.map(({ trial, set }) => ({ trial, set })),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

/** Read the plan of a directory. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`. */
export function readPlan(directory: string): PlanFile {
  const plan = readRunDocument(directory, planFileName, planFileSchema);
  if (plan === undefined) throw new BhBridgeError("RUN_NOT_FOUND", `${directory} is neither a sweep nor an experiment: it has no ${planFileName}`);
  return plan;
}

const time = runDirectoryName(new Date(0), "x", "").slice(0, "1970-01-01T00-00-00".length).replaceAll(/\d/g, "\\d");

/** Find the newest directories of a plan's name in a folder: with the same base and rules, and with others. */
export function findPlanDirectory(out: string, { name, hash }: Pick<Plan, "name" | "hash">): Record<"same" | "other", string | undefined> {
  const folder = resolve(out);
  const slugs = [slugOf(name), earlierSlugOf(name)].map((slug) => slug.replaceAll(".", "\\."));
  const named = new RegExp(`^${time}-(?:${slugs.join("|")})-([0-9a-f]{8})(?:-\\d+)?$`);
  const all = existsSync(folder)
    ? readdirSync(folder)
        .filter((entry) => named.test(entry) && existsSync(join(folder, entry, planFileName)))
        .sort()
    : [];
  const isSame = (entry: string) => named.exec(entry)?.[1] === hash.slice(0, 8);
  const [same, other] = [all.findLast(isSame), all.findLast((entry) => !isSame(entry))];
  return { same: same && join(folder, same), other: other && join(folder, other) };
}

/** The directory of a plan, undefined for a new one, and the states of its trials before this process trains any. */
export function trialsFound(out: string, plan: Pick<Plan, "name" | "hash" | "trials">): { directory: string | undefined; states: SweepTrial[] } {
  const directory = findPlanDirectory(out, plan).same;
  const ledger = directory === undefined ? undefined : readLedger(directory);
  const newest = (trial: string) => ledger?.get(trial);
  return { directory, states: trialStates(directory ?? out, plan.trials, newest, () => false) };
}

/** Create the directory of a plan with its `plan.json`. @returns the absolute path. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function createPlanDirectory(out: string, plan: Plan): string {
  return createRunDirectory(out, plan.name, plan.hash, { [planFileName]: planText(plan) });
}

/** Replace the plan of a directory. @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`. */
export function replacePlan(directory: string, plan: Plan): void {
  durableWrite(join(directory, planFileName), planText(plan));
}
