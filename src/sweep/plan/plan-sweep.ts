import type { UsablePython } from "../../python/resolve-python.js";
import type { Executor } from "../executors/executor.js";
import type { LoadedSweep } from "../grammar/load-sweep.js";
import { planSearch } from "../search/plan-search.js";
import { type Plan, planPoints } from "./plan.js";

/** Who carries a plan out, and where. */
interface PlannedBy {
  executor: Executor;
  python: UsablePython;
  /** The folder that holds its directory. */
  out: string;
}

/** Plan a sweep; of a search what is known of it, and what is asked for next. @throws {BhBridgeError} as `planPoints` and `planSearch`. */
export async function planSweep(loaded: LoadedSweep, { executor, python, out }: PlannedBy, signal?: AbortSignal): Promise<Plan> {
  const { name, spec, base, points, sourceOf } = loaded;
  if (spec.optuna) return planSearch(loaded, spec.optuna, { executor, python, out }, signal);
  const prune = spec.prune ?? null;
  const { plan } = await planPoints({ name, base, points, rules: prune, sourceOf }, executor, signal);
  return { ...plan, prune, question: null };
}
