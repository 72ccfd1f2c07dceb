import { z } from "zod";
import { glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, type Need, type RecordedRun } from "../analysis.js";
import { count, counts, figure, figures, jsonFigures } from "../document-fields.js";

const arithmetics = ["fused", "by-operation", "float32"] as const;
const wanted = ["wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] as const;

const schema = z
  .strictObject({
    tensor: z.string(),
    arithmetic: z
      .enum(arithmetics)
      .describe("fused: torch's fused kernel; by-operation: torch's AdamW without it; float32: bh-bridge's own for float32 moments"),
    components: count.describe("Components of all steps that were looked at"),
    explained: count.describe("Those whose weight and moments came out as recorded, in every bit"),
    nearbyRoots: count.describe(
      "Of the explained ones, those that took a root of the second moment beside the nearest float32, as torch's library for roots gives now and then",
    ),
    first: z
      .strictObject({ step: count, token: count, component: count, tensor: z.string(), recorded: figure, recomputed: figure })
      .nullable()
      .describe("The first component that did not come out"),
    steps: counts.describe("The steps that were looked at: an entry for each in what follows"),
    unexplained: counts,
    movedBy: z.strictObject({ moment: counts, decay: counts, either: counts, together: counts }),
    heldBy: z.strictObject({ nothing: counts, rounding: counts, opposition: counts }),
    decay: figures,
    moment: figures,
    rounding: figures,
  })
  .describe("Every update of the embedding, recomputed: what moved or held its components, and the mean absolute value of each part of the update");

function needOfRun(unmet: (run: RecordedRun) => string | undefined): Need {
  return { unmet: (_history, _settings, run) => (run ? unmet(run) : "it is made of what a run recorded beside its embedding, and this history is of no run") };
}

function notRecorded(wanted: readonly string[], tensors: readonly string[]): string | undefined {
  const missing = wanted.filter((tensor) => !tensors.includes(tensor));
  return missing.length > 0 ? `the run did not record ${missing.join(", ")}: set record.tensors, or add them with "bh-bridge rerecord"` : undefined;
}

const needs: readonly Need[] = [
  needOfRun(({ tensors }) => notRecorded(wanted, tensors)),
  needOfRun(({ tensors, config }) => (config.model.dtype === "float32-master" ? notRecorded(["wte.master"], tensors) : undefined)),
  needOfRun(({ config: { noise } }) => (noise.epsilon > 0 ? "noise.epsilon adds noise to the weights after each step, which is not recorded" : undefined)),
  needOfRun(({ config: { training } }) =>
    training.optim.startsWith("adamw_torch") ? undefined : `it is of AdamW as torch has it, and training.optim is ${training.optim}`,
  ),
  needOfRun(({ config: { training }, tensors }) =>
    ["constant", "constant_with_warmup", "linear"].includes(training.lr_scheduler_type) || tensors.includes("learning_rate")
      ? undefined
      : `the learning rate of training.lr_scheduler_type = ${training.lr_scheduler_type} is not computed again: record learning_rate`,
  ),
];

/** Every update of the embedding by AdamW, recomputed bit for bit. */
export const adamwAnalysis = defineAnalysis({
  name: "adamw",
  schema,
  isOnRequest: true,
  needs,
  async finish({ history, run, signal, note }) {
    if (!run) throw new Error("its needs say that there is a run");
    const [{ ledgerOfRun }, { runHere }] = await Promise.all([import("./ledger-of-run.js"), import("../scan/run-in-parts.js")]);
    const { ledger, arithmetic } = await ledgerOfRun(history, run, note, (steps) => runHere(steps, history.states, { signal }));
    for (const tensor of ["wte", ...wanted, "wte.master"]) for (const problem of (await run.damage?.(tensor)) ?? []) note(`adamw: ${problem}`);
    const { entries, first, ...sums } = ledger;
    const each = <Value>(take: (entry: (typeof entries)[number]) => Value): Value[] => entries.map(take);
    return {
      tensor: "wte",
      arithmetic,
      ...sums,
      first: first && { ...first, ...jsonFigures({ recorded: first.recorded, recomputed: first.recomputed }) },
      steps: each(({ step }) => step),
      unexplained: each(({ unexplained }) => unexplained),
      movedBy: {
        moment: each(({ movedBy }) => movedBy.moment),
        decay: each(({ movedBy }) => movedBy.decay),
        either: each(({ movedBy }) => movedBy.either),
        together: each(({ movedBy }) => movedBy.together),
      },
      heldBy: {
        nothing: each(({ heldBy }) => heldBy.nothing),
        rounding: each(({ heldBy }) => heldBy.rounding),
        opposition: each(({ heldBy }) => heldBy.opposition),
      },
      ...jsonFigures({
        decay: each(({ decay, components }) => decay / components),
        moment: each(({ moment, components }) => moment / components),
        rounding: each(({ rounding, components }) => rounding / components),
      }),
    };
  },
  title: "AdamW, recomputed",
  print({ components, explained, nearbyRoots, first, steps, movedBy, heldBy, decay, moment, rounding }) {
    const roots = nearbyRoots > 0 ? ` (${groupDigits(nearbyRoots)} with a root beside the nearest)` : "";
    const wrong = first
      ? [
          `The first that is not: step ${first.step}, token ${first.token}, component ${first.component}: ${first.tensor} ${first.recorded}, recomputed ${first.recomputed}`,
        ]
      : [];
    const rows =
      steps.length === 0
        ? []
        : glance(0, steps.length - 1).map((at) => [
            groupDigits(steps[at] ?? 0),
            ...[movedBy.moment, movedBy.decay, movedBy.either, movedBy.together, heldBy.rounding, heldBy.opposition, heldBy.nothing].map((series) =>
              groupDigits(series[at] ?? 0),
            ),
            ...[decay, moment, rounding].map((series) => shown(series[at])),
          ]);
    return [
      `${groupDigits(explained)} of ${groupDigits(components)} components come out as recorded, in every bit${roots}`,
      ...wrong,
      "Components moved by moments, decay, either or both together; held by rounding, by opposition, or by nothing; mean size of each part",
      { head: ["step", "moment", "decay", "either", "both", "rounded", "opposed", "nothing", "|decay|", "|moment|", "|rounding|"], rows },
    ];
  },
});
