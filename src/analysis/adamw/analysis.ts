import { z } from "zod";
import { glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, type Need, type RecordedRun } from "../analysis.js";
import { count, counts, figure, figures, jsonFigures } from "../document-fields.js";
import { arithmetics } from "./adamw-step.js";

const wanted = ["wte.grad", "wte.exp_avg", "wte.exp_avg_sq"] as const;

const schema = z
  .strictObject({
    tensor: z.string(),
    arithmetic: z
      .enum(arithmetics)
      .describe("fused: torch's fused kernel; by-operation: torch's AdamW without it; float32: bh-bridge's for float32 moments; portable: engine portable"),
    components: count.describe("Components of all recomputed steps"),
    explained: count.describe("Components whose weight and moments have the recorded bits"),
    nearbyRoots: count.describe(
      "Explained components that need a neighbour of the correctly rounded root of the second moment, as torch's library returns at times",
    ),
    first: z
      .strictObject({ step: count, token: count, component: count, tensor: z.string(), recorded: figure, recomputed: figure })
      .nullable()
      .describe("The first component that differs from its record"),
    steps: counts.describe("The recomputed steps; the following arrays have one entry for each"),
    unexplained: counts,
    movedBy: z.strictObject({ moment: counts, decay: counts, either: counts, together: counts }),
    heldBy: z.strictObject({ nothing: counts, rounding: counts, opposition: counts }),
    decay: figures,
    moment: figures,
    rounding: figures,
  })
  .describe("Every update of the embedding, recomputed: causes of the components' changes, and the mean absolute value of each part of the update");

function needOfRun(unmet: (run: RecordedRun) => string | undefined): Need {
  return { unmet: (_history, _settings, run) => (run ? unmet(run) : "needs other tensors recorded by a run, and this history belongs to no run") };
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
    training.optim.startsWith("adamw_torch") ? undefined : `supports only torch's AdamW, and training.optim is ${training.optim}`,
  ),
  needOfRun(({ config: { training }, tensors }) =>
    ["constant", "constant_with_warmup", "linear"].includes(training.lr_scheduler_type) || tensors.includes("learning_rate")
      ? undefined
      : `cannot recompute the learning rate of training.lr_scheduler_type = ${training.lr_scheduler_type}: record learning_rate`,
  ),
];

const causesOfMotion = ["moment", "decay", "either", "together"] as const;
const causesOfRest = ["nothing", "rounding", "opposition"] as const;

function columns<Name extends string, Entry>(names: readonly Name[], of: (entry: Entry) => Readonly<Record<Name, number>>, entries: readonly Entry[]) {
  return Object.fromEntries(names.map((name) => [name, entries.map((entry) => of(entry)[name])])) as Record<Name, number[]>;
}

/** Every update of the embedding by AdamW, recomputed bit for bit. */
export const adamwAnalysis = defineAnalysis({
  name: "adamw",
  schema,
  isOnRequest: true,
  needs,
  async finish({ history, run, signal, note }) {
    if (!run) throw new Error("the needs of adamw require a run");
    const [{ ledgerOfRun }, { runHere }] = await Promise.all([import("./adamw-ledger.js"), import("../scan/run-in-parts.js")]);
    const { ledger, arithmetic } = await ledgerOfRun(history, run, note, (steps) => runHere(steps, history.states, { signal }));
    for (const tensor of ["wte", ...wanted, "wte.master"]) for (const problem of (await run.damage?.(tensor)) ?? []) note(`adamw: ${problem}`);
    const { entries, first, ...sums } = ledger;
    const means = (name: "decay" | "moment" | "rounding"): number[] => entries.map((entry) => entry[name] / entry.components);
    return {
      tensor: "wte",
      arithmetic,
      ...sums,
      first: first && { ...first, ...jsonFigures({ recorded: first.recorded, recomputed: first.recomputed }) },
      steps: entries.map(({ step }) => step),
      unexplained: entries.map(({ unexplained }) => unexplained),
      movedBy: columns(causesOfMotion, ({ movedBy }) => movedBy, entries),
      heldBy: columns(causesOfRest, ({ heldBy }) => heldBy, entries),
      ...jsonFigures({ decay: means("decay"), moment: means("moment"), rounding: means("rounding") }),
    };
  },
  title: "AdamW, recomputed",
  print({ components, explained, nearbyRoots, first, steps, movedBy, heldBy, decay, moment, rounding }) {
    const roots = nearbyRoots > 0 ? ` (${groupDigits(nearbyRoots)} with a neighbour of the nearest root)` : "";
    const wrong =
      first &&
      `The first difference: step ${first.step}, token ${first.token}, component ${first.component}: ${first.tensor} ${first.recorded}, recomputed ${first.recomputed}`;
    const shownCounts = [...causesOfMotion.map((cause) => movedBy[cause]), heldBy.rounding, heldBy.opposition, heldBy.nothing];
    const rows = glance(0, steps.length - 1).map((at) => [
      groupDigits(steps[at] ?? 0),
      ...shownCounts.map((series) => groupDigits(series[at] ?? 0)),
      ...[decay, moment, rounding].map((series) => shown(series[at])),
    ]);
    return [
      `${groupDigits(explained)} of ${groupDigits(components)} recomputed components have the recorded bits${roots}`,
      ...(wrong ? [wrong] : []),
      "Components moved by moments, decay, either or both together; held by rounding, by opposition, or by nothing; mean size of each part",
      { head: ["step", "moment", "decay", "either", "both", "rounded", "opposed", "nothing", "|decay|", "|moment|", "|rounding|"], rows },
    ];
  },
});
