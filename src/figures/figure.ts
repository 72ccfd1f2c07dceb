import { z } from "zod";

const number = z.number();
const numbers = z.array(number).readonly();
/** Null is a gap. */
const figures = z.array(number.nullable()).readonly();
const texts = z.array(z.string()).readonly();

const axisSchema = z.strictObject({
  label: z.string(),
  unit: z.string().nullable(),
  scale: z.enum(["linear", "log", "symlog", "category"]).describe("symlog is sign(x) log(1 + |x|); a category axis has the names of bars"),
  zero: z.boolean().describe("Whether it includes 0"),
  domain: z.tuple([number, number]).nullable().describe("Null: the range of the data"),
  ticks: z
    .array(z.strictObject({ at: number, text: z.string() }))
    .readonly()
    .nullable()
    .describe("Null: defaults of the scale"),
});

/** The style of a series, which never differs from others by colour alone. */
const seriesSchema = z.strictObject({
  name: z.string().describe("Name in the legend; empty if none is needed"),
  palette: z.enum(["series", "levels"]).describe("Colours for categories, or for ascending levels"),
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
    thin: z.boolean().optional().describe("One of many lines behind their mean"),
    smooth: z.boolean().optional().describe("Whether its exponential mean is drawn, with the line itself behind"),
  }),
  z.strictObject({
    mark: z.literal("band"),
    series,
    x: numbers,
    low: figures,
    high: figures,
    curve: z.enum(["straight", "step"]),
    solid: z.boolean().optional().describe("One of several stacked areas, and not the spread around a line"),
  }),
  z.strictObject({
    mark: z.literal("dots"),
    series,
    x: numbers,
    y: numbers,
    radius: numbers.optional().describe("In pixels"),
    names: texts.optional().describe("Tooltips of the dots"),
    labels: texts.optional().describe("Labels beside the dots; empty for none"),
  }),
  z.strictObject({
    mark: z.literal("bars"),
    series,
    names: texts,
    values: numbers.describe("Ends of the bars"),
    from: numbers.optional().describe("Starts of stacked bars (default: 0)"),
    notes: texts.describe("Labels after the bars, or inside stacked ones"),
  }),
  z.strictObject({
    mark: z.literal("pies"),
    x: numbers,
    y: numbers,
    radius: numbers.describe("In pixels"),
    slices: z.array(series).readonly(),
    values: z.array(numbers).readonly().describe("Size of each slice of each pie"),
    names: texts.optional().describe("Tooltips"),
    labels: texts.optional().describe("Labels beside the pies; empty for none"),
  }),
  z.strictObject({ mark: z.literal("bins"), series, edges: numbers.describe("One more than counts"), counts: numbers }),
  z.strictObject({
    mark: z.literal("cells"),
    names: texts.describe("Names of the rows, from top to bottom"),
    edges: numbers.describe("Start of each column, and end of the last"),
    rows: texts.describe("One digit per cell: an index into levels"),
    levels: z.array(series).readonly(),
  }),
  z.strictObject({
    mark: z.literal("spans"),
    names: texts.describe("Names of the rows, from top to bottom"),
    tokens: numbers.optional().describe("Token of each row, unless rows hold several"),
    dead: numbers.describe("Share of dead tokens in each row"),
    row: numbers.describe("Row of each span; the spans of a row follow one another"),
    from: numbers.describe("First step of each span"),
    to: numbers.describe("Last recorded step of each span"),
    hole: numbers.describe("Number of the black hole of each span, by size from 1; 0 for alone"),
    levels: z.array(series).readonly().describe("Series of black holes 1, 2, …; the last is that of all further ones"),
    gutter: series.describe("Series of the marks of dead tokens"),
  }),
  z.strictObject({ mark: z.literal("links"), series, x1: numbers, y1: numbers, x2: numbers, y2: numbers }),
  z.strictObject({ mark: z.literal("rule"), axis: z.enum(["x", "y"]), at: number, text: z.string() }),
]);

const panelSchema = z.strictObject({
  title: z.string(),
  x: axisSchema,
  y: axisSchema,
  equal: z.boolean().describe("Whether units have the same length on both axes"),
  height: number.optional().describe("Of its frame, in pixels; omitted: the default of the figure"),
  marks: z.array(markSchema).readonly(),
});

/** A figure as plain data, which files, reports and the page draw alike. */
export const figureSchema = z.strictObject({
  schema: z.literal("bh-bridge/figure@1"),
  name: z.string(),
  title: z.string(),
  caption: z.string(),
  sources: z
    .array(z.strictObject({ name: z.string(), hash: z.string() }))
    .readonly()
    .describe("Names of the runs with the hashes of their configurations"),
  series: z.array(seriesSchema).readonly(),
  panels: z.array(panelSchema).readonly(),
  columns: z.int().positive().describe("Panels per row"),
});

export type Figure = z.output<typeof figureSchema>;
export type Panel = z.output<typeof panelSchema>;
export type Axis = z.output<typeof axisSchema>;
export type Series = z.output<typeof seriesSchema>;
export type Mark = z.output<typeof markSchema>;
export type Source = Figure["sources"][number];
