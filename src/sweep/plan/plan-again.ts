import { resolve } from "node:path";
import { type ResolvedConfig, storedBase } from "../../config/resolve-run-config.js";
import { BhBridgeError } from "../../errors.js";
import type { Executor } from "../executors/executor.js";
import { storedRules } from "../experiment/rules.js";
import { type Plan, planPoints, type Question, withArms } from "./plan.js";
import { refuseEqualArms } from "./plan-experiment.js";
import { readPlan } from "./plan-file.js";

/** What a directory was begun with, to be gone on with. */
interface StoredPlan {
  base: ResolvedConfig;
  /** What its trials are to answer; null for a sweep. */
  question: Question | null;
  /** Plan its trials as they were planned. @throws {BhBridgeError} `USAGE` where they would be others now; as `planPoints` and `refuseEqualArms`. */
  plan(executor: Executor, signal?: AbortSignal): Promise<Plan>;
}

/** Read the plan of a directory, to go on with it without the command that began it. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`. */
export function planAgain(path: string): StoredPlan {
  const directory = resolve(path);
  const { name, hash, preset, base: stored, prune, question: asked, trials } = readPlan(directory);
  const base = storedBase(stored, preset);
  const question = asked && questionOf(asked);
  return {
    base,
    question,
    async plan(executor, signal) {
      const points = trials.map(({ set }) => ({ set, placeOf: (at: string) => at }));
      const rules = question ? storedRules(question.rules) : prune;
      const { plan, trialOf } = await planPoints({ name, base, points, rules, sourceOf: () => "plan.json" }, executor, signal);
      if (question) refuseEqualArms(plan, question, () => "plan.json");
      if (plan.hash === hash && trials.every(({ trial }, index) => trial === trialOf[index])) {
        return { ...plan, trials: withArms(plan.trials, question?.cells ?? []), prune, question };
      }
      throw new BhBridgeError(
        "USAGE",
        `${directory} cannot be gone on with from its plan alone: its text, the device or what its trials begin with is another here, or Optuna chooses its points. Give the command that began it once more, with --retry`,
      );
    },
  };
}

/** As it was planned: the file has the hash of its rules beside it. */
function questionOf({ arms, seeds, rules, measures, cells }: Question): Question {
  return { arms, seeds, rules, measures, cells };
}
