import { z } from "zod";

const number = z.number();
const numbers = z.array(number).readonly();
/** Null is a gap. */
const figures = z.array(number.nullable()).readonly();
const texts = z.array(z.string()).readonly();

const axisSchema = z.strictObject({
  label: z.string(),
  unit: z.string().nullable(),
  scale: z.enum(["linear", "log", "symlog", "category"]).describe("symlog is sign(x) log(1 + |x|); the places of a category axis are the names of bars"),
  zero: z.boolean().describe("Whether it begins at 0, or below"),
  domain: z.tuple([number, number]).nullable().describe("Null: as far as the data go"),
  ticks: z
    .array(z.strictObject({ at: number, text: z.string() }))
    .readonly()
    .nullable()
    .describe("Null: as the scale has them"),
});

/** How a series is told from the others: never by its colour alone. */
const seriesSchema = z.strictObject({
  name: z.string().describe("Of the legend; empty when there is nothing to tell apart"),
  palette: z.enum(["series", "levels"]).describe("Colours of things, or of amounts from nothing to most"),
  color: z.int().nonnegative(),
  dash: z.int().nonnegative(),
  marker: z.int().nonnegative(),
});

const series = z.int().nonnegative().describe("Index into the figure's series");

const markSchema = z.discriminatedUnion("mark", [
  z.strictObject({
    mark: z.literal("line"),
    series,
    x: numbers,
    y: figures,
    curve: z.enum(["straight", "step"]),
    thin: z.boolean().optional().describe("One of many, behind what they come to"),
  }),
  z.strictObject({ mark: z.literal("band"), series, x: numbers, low: figures, high: figures, curve: z.enum(["straight", "step"]) }),
  z.strictObject({
    mark: z.literal("dots"),
    series,
    x: numbers,
    y: numbers,
    radius: numbers.optional().describe("In pixels"),
    names: texts.optional().describe("Of each dot, shown when one points at it"),
    labels: texts.optional().describe("Written beside the dots; an empty one is left out"),
  }),
  z.strictObject({ mark: z.literal("bars"), series, names: texts, values: numbers, notes: texts.describe("Written behind each bar") }),
  z.strictObject({ mark: z.literal("bins"), series, edges: numbers.describe("One more than counts"), counts: numbers }),
  z.strictObject({
    mark: z.literal("cells"),
    names: texts.describe("Of the rows, from top to bottom"),
    edges: numbers.describe("Where columns begin, and the last one ends"),
    rows: texts.describe("A character a cell: the digit is an index into levels"),
    levels: z.array(series).readonly(),
  }),
  z.strictObject({ mark: z.literal("links"), series, x1: numbers, y1: numbers, x2: numbers, y2: numbers }),
  z.strictObject({ mark: z.literal("rule"), axis: z.enum(["x", "y"]), at: number, text: z.string() }),
]);

const panelSchema = z.strictObject({
  title: z.string(),
  x: axisSchema,
  y: axisSchema,
  equal: z.boolean().describe("One unit is as long on both axes"),
  marks: z.array(markSchema).readonly(),
});

/** What a figure shows, as plain data: drawn alike in a terminal's file, a report and a page. */
export const figureSchema = z.strictObject({
  schema: z.literal("bh-bridge/figure@1"),
  name: z.string(),
  title: z.string(),
  caption: z.string(),
  sources: z
    .array(z.strictObject({ name: z.string(), hash: z.string() }))
    .readonly()
    .describe("The runs behind it, and the hash of each one's configuration"),
  series: z.array(seriesSchema).readonly(),
  panels: z.array(panelSchema).readonly(),
  columns: z.int().positive().describe("Panels side by side"),
});

export type Figure = z.output<typeof figureSchema>;
export type Panel = z.output<typeof panelSchema>;
export type Axis = z.output<typeof axisSchema>;
export type Series = z.output<typeof seriesSchema>;
export type Mark = z.output<typeof markSchema>;
export type Source = Figure["sources"][number];
