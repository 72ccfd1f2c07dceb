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
    "Black holes: unique, C, P and largest have an entry a state; fissions to captures an entry a step, entry i being step i + 1. nanEscapes: those of the escapes whose row became NaN, where there are any",
  );

/** What can happen to the classes of rows in a step, one of each and several. */
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

/** Escapes of rows that became NaN are no sign of a black hole that parts: they are told apart. */
function causeOf(things: (typeof eventNames)[number][1], nan: readonly number[]): string {
  return things === "escapes" && nan.length > 0 ? ` (${groupDigits(total(nan))} of rows that became NaN)` : "";
}

function nanNote(tokens: number, firstStep: number): string {
  const which = tokens === 1 ? "1 token left its black hole because its row" : `${groupDigits(tokens)} tokens left their black holes because their rows`;
  return `${which} became NaN, first at step ${groupDigits(firstStep)}: such a row equals nothing. They count among \`escapes\`, and their black holes among \`splits\`; \`timeline.nanEscapes\` tells the steps`;
}

/** Black holes, state by state and step by step. */
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
      groupDigits(unique[state] ?? 0),
      groupDigits(C[state] ?? 0),
      groupDigits(P[state] ?? 0),
      groupDigits(largest[state] ?? 0),
    ]);
    const events = eventNames.map(([thing, things]) => `${countOf(total(timeline[things]), thing)}${causeOf(things, ofNan)}`);
    const first = firstStateWithTwoHoles === null ? "never" : `first at step ${groupDigits(stepOf(firstStateWithTwoHoles))}`;
    return [{ head: ["step", "unique", "C", "P", "largest"], rows }, events.join(", "), `Two black holes or more: ${first}`];
  },
  series: {
    unique: { per: "state", label: "unique rows", of: ({ unique }) => unique },
    C: { per: "state", label: "C, black holes", of: ({ C }) => C },
    P: { per: "state", label: "P, in black holes", of: ({ P }) => P },
  },
  charts: [{ key: "holes", title: "Black holes", unit: "tokens", series: ["unique", "P", "C"] }],
});
