// Checked by the compiler, never run: a line that should not compile has the reason above it, and fails when it does compile.
import { expectTypeOf } from "vitest";
import { z } from "zod";
import type { SeriesName } from "../../src/analysis/analyses.js";
import { defineAnalysis } from "../../src/analysis/analysis.js";

const part = { name: "sums", schema: z.strictObject({ sum: z.array(z.number()) }), finish: () => ({ sum: [] }), title: "Sums", print: () => [] } as const;
const series = { sum: { per: "state", label: "sum", of: ({ sum }: { sum: readonly number[] }) => sum } } as const;

export const sums = defineAnalysis({ ...part, series, charts: [{ key: "sums", title: "Sums", unit: "weights", series: ["sum"] }] });

expectTypeOf<Extract<SeriesName, "P" | "maxRadius" | "still">>().toEqualTypeOf<"P" | "maxRadius" | "still">();

// @ts-expect-error a chart of a series that the analysis does not declare
defineAnalysis({ ...part, series, charts: [{ key: "sums", title: "Sums", unit: "weights", series: ["sums"] }] });
// @ts-expect-error a field that the document does not have
defineAnalysis({ ...part, series: { sum: { per: "state", label: "sum", of: ({ total }) => total } } });
