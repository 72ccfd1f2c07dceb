import { z } from "zod";
import { figure, glance, groupDigits, percent } from "../../text/format.js";
import { defineAnalysis, latticeFor, measurableStates } from "../analysis.js";
import { figures, jsonFigures, steps } from "../document-fields.js";
import { observation } from "./motion.js";
import { motionMeter } from "./step-motion.js";

const norms = z.strictObject({ meanL1: figures, maxL1: figures, meanL2: figures, maxL2: figures, meanLinf: figures, maxLinf: figures });

const schema = z
  .strictObject({
    weight: norms,
    lattice: norms.optional(),
    lastMotionStep: steps.optional(),
    stillFraction: z.array(z.number()).readonly(),
    frozenFraction: z.array(z.number()).readonly(),
    bulk: figures,
    thermal: figures,
    participation: figures,
  })
  .describe("One entry per step, entry i for step i + 1; lastMotionStep has one entry per token");

/** Motion of the tokens, step by step. */
export const motionAnalysis = defineAnalysis({
  name: "motion",
  schema,
  needs: [latticeFor(["lattice", "lastMotionStep"]), measurableStates],
  observation,
  async finish({ range, history, perToken }) {
    const { motionOf } = await import("./motion.js");
    const { lastMotionStep, stillFraction, frozenFraction, ...series } = motionOf(range, history.dtype === "BF16");
    const lastSteps = lastMotionStep && perToken({ lastMotionStep }, history.tokens);
    return { ...jsonFigures(series), ...lastSteps, stillFraction, frozenFraction };
  },
  title: "Motion",
  print({ weight, lattice, stillFraction, frozenFraction, bulk, thermal, participation }, stepOf) {
    if (bulk.length === 0) return ["There are no steps."];
    const rows = glance(1, bulk.length).map((step) => [
      groupDigits(stepOf(step)),
      ...[weight, ...(lattice ? [lattice] : [])].map(({ meanL2 }) => figure(meanL2[step - 1])),
      ...[stillFraction, frozenFraction].map((series) => percent(series[step - 1])),
      ...[bulk, thermal, participation].map((series) => figure(series[step - 1])),
    ]);
    const unit = lattice ? ", in weights and in lattice cells" : "";
    const head = ["step", "|ΔW|", ...(lattice ? ["cells"] : []), "still", "frozen", "bulk", "thermal", "particip."];
    return [`|ΔW| is the mean length of a token's step${unit}`, { head, rows }];
  },
  series: {
    meanStep: { per: "step", label: "mean |ΔW|", of: ({ weight }) => weight.meanL2 },
    meanCells: { per: "step", label: "mean |ΔW′|", of: ({ lattice }) => lattice?.meanL2 },
    still: { per: "step", label: "still in this step", of: ({ stillFraction }) => stillFraction },
    frozen: { per: "step", label: "frozen from here on", of: ({ frozenFraction }) => frozenFraction },
  },
  charts: [
    { key: "motion", title: "Motion", unit: "L2 norm of a token's step", isLog: true, series: ["meanStep"] },
    { key: "cells", title: "Motion in cells", unit: "of the bfloat16 lattice", isLog: true, series: ["meanCells"] },
    { key: "still", title: "Still tokens", unit: "share", series: ["still", "frozen"] },
  ],
  live: {
    series: ["meanStep", "still"],
    start(shape) {
      let measure: ReturnType<typeof motionMeter> | undefined;
      return (current, previous) => {
        if (!previous) return { meanStep: Number.NaN, still: Number.NaN };
        measure ??= motionMeter(shape);
        const lengths = measure({ previous, current, previousBits: undefined }).weight.L2;
        return {
          meanStep: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
          still: lengths.filter((length) => length === 0).length / lengths.length,
        };
      };
    },
  },
});
