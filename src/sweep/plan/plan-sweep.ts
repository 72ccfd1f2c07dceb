import type { Executor } from "../executors/executor.js";
import type { LoadedSweep } from "../grammar/load-sweep.js";
import { type Plan, planPoints } from "./plan.js";

/** Plan a sweep. @throws {BhBridgeError} as `planPoints`. */
export async function planSweep({ name, spec, base, points, sourceOf }: LoadedSweep, executor: Executor, signal?: AbortSignal): Promise<Plan> {
  const prune = spec.prune ?? null;
  const { plan } = await planPoints({ name, base, points, rules: prune, sourceOf }, executor, signal);
  return { ...plan, prune, question: null };
}
