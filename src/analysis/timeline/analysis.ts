import { z } from "zod";
import { stepOfState } from "../../formats/history.js";
import { count as countOf, glance, groupDigits } from "../../text/format.js";
import { defineAnalysis } from "../analysis.js";
import { count, counts } from "../document-fields.js";

const schema = z
  .strictObject({
    unique: counts,
    C: counts,
    P: counts,
    largest: counts,
    fissions: counts,
    splits: counts,
    merges: counts,
    joins: counts,
    escapes: counts,
    captures: counts,
    nanEscapes: counts.optional(),
    firstStateWithTwoHoles: count.nullable(),
  })
  .describe(
    "Black holes: unique, C, P and largest have one entry per snapshot; fissions to captures one per step, entry i for step i + 1. nanEscapes counts the escapes of rows that became NaN, if any",
  );

/** Names of the changes of a step, singular and plural. */
const eventNames = [
  ["fission", "fissions"],
  ["split", "splits"],
  ["merge", "merges"],
  ["join", "joins"],
  ["escape", "escapes"],
  ["capture", "captures"],
] as const;

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function nanNote(tokens: number, firstStep: number): string {
  const which = tokens === 1 ? "1 token left its black hole because its row" : `${groupDigits(tokens)} tokens left their black holes because their rows`;
  return `${which} became NaN, first at step ${groupDigits(firstStep)}: such a row equals no other. They count as \`escapes\`, and their black holes as \`splits\`; \`timeline.nanEscapes\` counts them per step`;
}

/** Black holes of each state, and their changes in each step. */
export const timelineAnalysis = defineAnalysis({
  name: "timeline",
  schema,
  async finish({ history, timeline, sightings, signal, note }) {
    if (!sightings.nonfiniteTokens.includes(1)) return timeline;
    const [{ nanEscapes }, { runHere }] = await Promise.all([import("./timeline.js"), import("../scan/run-in-parts.js")]);
    const ofNan = await runHere(nanEscapes(history, timeline.escapes), timeline.escapes.length, { signal });
    const first = ofNan.findIndex((tokens) => tokens > 0);
    if (first < 0) return timeline;
    note(nanNote(total(ofNan), stepOfState(history, first + 1)));
    return { ...timeline, nanEscapes: ofNan };
  },
  title: "Timeline",
  print(timeline, stepOf) {
    const { unique, C, P, largest, firstStateWithTwoHoles, nanEscapes: ofNan = [] } = timeline;
    const rows = glance(0, unique.length - 1).map((state) => [
      groupDigits(stepOf(state)),
      ...[unique, C, P, largest].map((series) => groupDigits(series[state] ?? 0)),
    ]);
    // Escapes of rows that became NaN are no sign of a parting black hole.
    const nan = ofNan.length > 0 ? ` (${groupDigits(total(ofNan))} of rows that became NaN)` : "";
    const events = eventNames.map(([thing, things]) => `${countOf(total(timeline[things]), thing)}${things === "escapes" ? nan : ""}`);
    const first = firstStateWithTwoHoles === null ? "never" : `first at step ${groupDigits(stepOf(firstStateWithTwoHoles))}`;
    return [{ head: ["step", "unique", "C", "P", "largest"], rows }, events.join(", "), `Two black holes or more: ${first}`];
  },
  series: {
    unique: { per: "state", label: "distinct rows", of: ({ unique }) => unique },
    C: { per: "state", label: "black holes (C)", of: ({ C }) => C },
    P: { per: "state", label: "tokens in black holes (P)", of: ({ P }) => P },
  },
  charts: [{ key: "holes", title: "Black holes", unit: "tokens", series: ["unique", "P", "C"] }],
});
