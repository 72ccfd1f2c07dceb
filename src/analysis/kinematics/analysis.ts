import { z } from "zod";
import { glance, groupDigits, figure as shown } from "../../text/format.js";
import { defineAnalysis, measurableStates } from "../analysis.js";
import { counts, figures, jsonFigures } from "../document-fields.js";

const schema = z
  .strictObject({
    bulkSpeed: figures,
    peculiarSpeed: figures,
    radial: figures,
    radialSpeed: figures,
    tangentialSpeed: figures,
    autocorrelation: z.strictObject({ lags: counts, bulk: figures, peculiar: figures }),
    divergence: z
      .strictObject({ steps: counts, distance: figures, centroid: figures, equalRows: counts })
      .optional()
      .describe("Distance from another run, if one was given"),
  })
  .describe("Entry i of a series belongs to step i + 1; velocities are ΔW per step");

/** Bulk and peculiar motion, its parts and persistence, and the divergence from another run. */
export const kinematicsAnalysis = defineAnalysis({
  name: "kinematics",
  schema,
  isOnRequest: true,
  needs: [measurableStates],
  async finish({ history, against, signal }) {
    const [{ kinematics, runDivergence }, { runHere }] = await Promise.all([import("./kinematics.js"), import("../scan/run-in-parts.js")]);
    const found = await runHere(kinematics(history), history.states, { signal });
    const divergence = against && (await runHere(runDivergence(history, against), history.states, { signal }));
    const { lags } = found.autocorrelation;
    const figuresFound = jsonFigures(found);
    return {
      ...figuresFound,
      autocorrelation: { ...figuresFound.autocorrelation, lags },
      ...(divergence && { divergence: { ...divergence, ...jsonFigures({ distance: divergence.distance, centroid: divergence.centroid }) } }),
    };
  },
  title: "Kinematics",
  print({ bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed, autocorrelation, divergence }, stepOf) {
    if (bulkSpeed.length === 0) return ["There are no steps."];
    const rows = glance(1, bulkSpeed.length).map((step) => [
      groupDigits(stepOf(step)),
      ...[bulkSpeed, peculiarSpeed, radial, radialSpeed, tangentialSpeed].map((series) => shown(series[step - 1])),
    ]);
    const last = autocorrelation.lags.map((lag, index) => [groupDigits(lag), shown(autocorrelation.bulk[index]), shown(autocorrelation.peculiar[index])]);
    const apart = divergence
      ? [
          "Distance from the other run",
          {
            head: ["step", "distance", "centroids", "equal rows"],
            rows: glance(0, divergence.steps.length - 1).map((at) => [
              groupDigits(divergence.steps[at] ?? 0),
              shown(divergence.distance[at]),
              shown(divergence.centroid[at]),
              groupDigits(divergence.equalRows[at] ?? 0),
            ]),
          },
        ]
      : [];
    return [
      { head: ["step", "bulk", "peculiar", "outwards", "radial", "tangential"], rows },
      "Correlation of velocities by the number of steps between them",
      { head: ["steps", "bulk", "peculiar"], rows: last },
      ...apart,
    ];
  },
});
