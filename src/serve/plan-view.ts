import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import type { Figure } from "../figures/figure.js";
import { readRunDocument } from "../runs/read-run-json.js";
import type { LockHolders } from "../runs/scan-runs.js";
import { experimentDocumentSchema, storedVerdict } from "../sweep/experiment/experiment-summary.js";
import { readPlan } from "../sweep/plan/plan-directory.js";
import { readSweep } from "../sweep/sweep-summary.js";
import type { ServedPlan, Shelf } from "./catalogue.js";
import type { PlanDocument, ShelfDocument } from "./documents.js";
import { fileIdentity } from "./lock-watch.js";

const resultFile = "result.json";

/** An experiment or a sweep with its trials. @throws {BhBridgeError} `RUN_CORRUPT`; as `readPlan`. */
export async function planDocument({ id, directory }: ServedPlan, shelf: Shelf, lockHolders: LockHolders): Promise<PlanDocument> {
  const { question } = readPlan(directory);
  const { name, trials, counts } = await readSweep(directory, lockHolders);
  const written = question && existsSync(join(directory, resultFile)) ? readRunDocument(directory, resultFile, experimentDocumentSchema) : undefined;
  const judged = written && question && { ...written, verdict: storedVerdict(written, question) };
  const ids = new Map(shelf.runs.map((run) => [run.directory, run]));
  return {
    schema: "bh-bridge/serve-plan@1",
    id,
    kind: question ? "experiment" : "sweep",
    name,
    directory: basename(directory),
    arms: question ? [...question.arms] : [],
    counts,
    verdict: judged?.verdict.result ?? null,
    problem: null,
    seeds: question ? [...question.seeds] : [],
    isSequential: question?.rules.sequential === true,
    trials: trials.flatMap(({ run, ...trial }) => {
      const served = run === null ? undefined : ids.get(run);
      const cells = question?.cells.filter((cell) => cell.trial === trial.trial) ?? [{ arm: null, seed: served?.row.seed ?? null }];
      return cells.map(({ arm, seed }) => ({ ...trial, run: served?.id ?? null, arm, seed }));
    }),
    judged: judged ? { measures: judged.measures, confounds: judged.confounds, verdict: judged.verdict, traps: judged.traps } : null,
  };
}

type PlanRow = ShelfDocument["plans"][number];

/** Changes whenever an experiment or a sweep does. */
function signatureOf({ directory }: ServedPlan): string {
  return ["plan.json", "ledger.jsonl", resultFile].map((name) => fileIdentity(join(directory, name))).join("|");
}

const keptFigures = 12;

/** The figures of experiments, each made once for the files that it shows. */
export class PlanFigures {
  readonly #made = new Map<string, { readonly signature: string; readonly figure: Promise<Figure> }>();

  /** @throws {BhBridgeError} `USAGE` for another name, and for an experiment that has nothing to show yet; as `readExperiment`. */
  of(plan: ServedPlan, name: string): Promise<Figure> {
    const key = `${plan.id} ${name}`;
    const signature = signatureOf(plan);
    const known = this.#made.get(key);
    if (known?.signature === signature) return known.figure;
    const figure = planFigure(plan, name);
    this.#made.delete(key);
    this.#made.set(key, { signature, figure });
    figure.catch(() => this.#made.delete(key));
    const [oldest] = this.#made.keys();
    if (this.#made.size > keptFigures && oldest !== undefined) this.#made.delete(oldest);
    return figure;
  }
}

async function planFigure({ directory }: ServedPlan, name: string): Promise<Figure> {
  const { experimentFigure, experimentFigureNames } = await import("../figures/many/experiment-figures.js");
  const { readExperiment } = await import("../report/report-page.js");
  const kind = experimentFigureNames.find((each) => each === name);
  if (kind === undefined) throw new BhBridgeError("USAGE", `name must be one of ${experimentFigureNames.join(", ")}`);
  const figure = await experimentFigure(await readExperiment(directory), kind);
  if (figure === undefined) throw new BhBridgeError("USAGE", `this experiment has no run for the figure "${name}" yet`);
  return figure;
}

/** Rows of the experiments and sweeps, and the arms of their runs, cached until the files of a plan change. */
export class PlanRows {
  readonly #known = new Map<string, { signature: string } & ArmedRow>();

  async of(shelf: Shelf, lockHolders: LockHolders): Promise<PlanRow[]> {
    const rows: PlanRow[] = [];
    for (const plan of shelf.plans) {
      const signature = signatureOf(plan);
      const known = this.#known.get(plan.id);
      const armed = known?.signature === signature ? known : await armedRow(plan, shelf, lockHolders);
      this.#known.set(plan.id, { signature, row: armed.row, arms: armed.arms });
      rows.push(armed.row);
    }
    return rows;
  }

  /** The arm of a run, null if it has none. */
  armOf({ id, plan }: { id: string; plan: string | null }): string | null {
    return (plan === null ? undefined : this.#known.get(plan)?.arms.get(id)) ?? null;
  }
}

/** A row, and the arm of each run. */
type ArmedRow = { readonly row: PlanRow; readonly arms: ReadonlyMap<string, string> };

async function armedRow(plan: ServedPlan, shelf: Shelf, lockHolders: LockHolders): Promise<ArmedRow> {
  try {
    const { id, kind, name, directory, arms, counts, verdict, problem, trials } = await planDocument(plan, shelf, lockHolders);
    const own = new Map<string, string>();
    for (const { run, arm } of trials) if (run !== null && arm !== null) own.set(run, own.has(run) ? `${own.get(run)} and ${arm}` : arm);
    return { row: { id, kind, name, directory, arms, counts, verdict, problem }, arms: own };
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    const directory = basename(plan.directory);
    return { row: { id: plan.id, kind: "sweep", name: directory, directory, arms: [], counts: {}, verdict: null, problem: error.message }, arms: new Map() };
  }
}
