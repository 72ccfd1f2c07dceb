import type { UsablePython } from "../../python/resolve-python.js";
import type { LoadedSweep } from "../grammar/load-sweep.js";
import { type Plan, planPoints } from "./plan.js";

/** Plan a sweep. @throws {BhBridgeError} as `planPoints`. */
export async function planSweep({ name, spec, base, points, sourceOf }: LoadedSweep, python: UsablePython, signal?: AbortSignal): Promise<Plan> {
  const prune = spec.prune ?? null;
  const { plan } = await planPoints({ name, base, points, rules: prune, sourceOf }, python, signal);
  return { ...plan, prune, question: null };
}
