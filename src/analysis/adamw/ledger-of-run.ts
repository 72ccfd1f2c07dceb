import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError } from "../../errors.js";
import { type History, readState, stepsOf } from "../../formats/history.js";
import type { RecordedRun } from "../analysis.js";
import { type AdamwLedger, adamwLedger } from "./adamw-ledger.js";
import type { AdamwArithmetic } from "./adamw-step.js";

type Schedule = Pick<RunConfig["training"], "lr_scheduler_type" | "learning_rate" | "max_steps" | "warmup_steps">;

/**
 * The learning rate of a step, counted from 1, in float64 as in HF's `get_scheduler`; undefined for a schedule that needs more than divisions, such as a cosine,
 * whose last bit depends on the library.
 */
export function learningRates({ lr_scheduler_type, learning_rate, max_steps, warmup_steps }: Schedule): ((step: number) => number) | undefined {
  const warmup = warmup_steps >= 1 ? Math.floor(warmup_steps) : Math.ceil(max_steps * warmup_steps);
  const rising = (done: number): number => done / Math.max(1, warmup);
  switch (lr_scheduler_type) {
    case "constant":
      return () => learning_rate;
    case "constant_with_warmup":
      return (step) => (step - 1 < warmup ? learning_rate * rising(step - 1) : learning_rate);
    case "linear":
      return (step) => learning_rate * (step - 1 < warmup ? rising(step - 1) : Math.max(0, (max_steps - (step - 1)) / Math.max(1, max_steps - warmup)));
    default:
      return undefined;
  }
}

/** CPUs with fused multiply-adds in baseline code. */
const baselineFma = /arm64|aarch64/i;

function arithmeticOf({ config: { model, training } }: RecordedRun): AdamwArithmetic {
  if (model.dtype === "float32-master" || training.optimizer_state_dtype === "float32") return "float32";
  return training.optim === "adamw_torch_fused" ? "fused" : "by-operation";
}

/** Recorded learning rates, or else those of the schedule. */
async function ratesOf({ config, tensors, open }: RecordedRun): Promise<(step: number) => number> {
  if (!tensors.includes("learning_rate")) return learningRates(config.training) ?? (() => Number.NaN);
  const recorded = await open("learning_rate");
  try {
    const rates = new Map(stepsOf(recorded).map((step, state) => [step, readState(recorded, state).at(0, 0)]));
    return (step) => rates.get(step) ?? Number.NaN;
  } finally {
    recorded.close();
  }
}

/**
 * The ledger of a run's embedding, from its recorded gradients and moments.
 * @param work runs the ledger cooperatively.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` if a tensor has other rows than the embedding.
 */
export async function ledgerOfRun(
  weight: History,
  run: RecordedRun,
  note: (line: string) => void,
  work: (steps: Generator<number, AdamwLedger>) => Promise<AdamwLedger>,
): Promise<{ ledger: AdamwLedger; arithmetic: AdamwArithmetic }> {
  const { config, environment } = run;
  const { training, model } = config;
  const arithmetic = arithmeticOf(run);
  if (!environment.device.startsWith("cpu")) {
    note(`adamw: the run was trained on ${environment.device}, but its steps are recomputed as on a CPU, so some bits differ`);
  }
  const opened: History[] = [];
  const open = async (tensor: string): Promise<History> => {
    const history = await run.open(tensor);
    opened.push(history);
    if (history.tokens === weight.tokens && history.dims === weight.dims) return history;
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${tensor} was recorded for other rows than the embedding: its steps cannot be recomputed`);
  };
  try {
    const tensors = {
      weight,
      gradient: await open("wte.grad"),
      firstMoment: await open("wte.exp_avg"),
      secondMoment: await open("wte.exp_avg_sq"),
      ...(model.dtype === "float32-master" && { master: await open("wte.master") }),
    };
    const settings = {
      arithmetic,
      narrowWeights: weight.dtype === "BF16",
      narrowMoments: tensors.firstMoment.dtype === "BF16",
      fma: environment.cpu_capability !== "DEFAULT" || baselineFma.test(environment.platform),
      beta1: training.adam_beta1,
      beta2: training.adam_beta2,
      epsilon: training.adam_epsilon,
      weightDecay: training.weight_decay,
    };
    const firstStep = stepsOf(weight)[0] ?? 0;
    const ledger = await work(adamwLedger(tensors, settings, await ratesOf(run), run.goesOn ? firstStep + 1 : firstStep));
    if (ledger.entries.length === 0) note("adamw: no two consecutive steps were recorded, so no step can be recomputed");
    return { ledger, arithmetic };
  } finally {
    for (const history of opened) history.close();
  }
}
