import type { ConductedPlan } from "../conduct-plan.js";
import type { Plan } from "../plan/plan.js";

/**
 * Carry out a plan, and, of a search, one after the other those that follow from what came out.
 *
 * @param next plans once more; undefined where there is one plan alone. A plan without a further trial is the last.
 * @param conduct carries out one plan; told whether it is the first.
 */
export async function conductRounds<SomePlan extends Pick<Plan, "trials">, Document>(
  first: SomePlan,
  next: (() => Promise<SomePlan>) | undefined,
  conduct: (plan: SomePlan, isFirst: boolean) => Promise<ConductedPlan<Document>>,
  { signal, failFast = false }: { signal?: AbortSignal | undefined; failFast?: boolean | undefined },
): Promise<ConductedPlan<Document>> {
  let plan = first;
  let conducted = await conduct(plan, true);
  while (next && !signal?.aborted && !(failFast && conducted.trials.some(({ status }) => status === "failed"))) {
    const further = await next();
    if (further.trials.length === plan.trials.length) break;
    plan = further;
    conducted = await conduct(plan, false);
  }
  return conducted;
}
