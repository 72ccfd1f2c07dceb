// Write the charts of the analyses for the page of a run, which loads no analysis. With --check: write nothing, exit 1 when they are stale.
import "./typescript-loader.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { ownAnalyses } = await import("../src/analysis/analyses.ts");

const charts = ownAnalyses.flatMap(({ charts: own = [], series }) =>
  own.map(({ key, title, unit, isLog = false, series: names }) => ({
    per: series[names[0]].per,
    chart: { key, title, unit, isLog, names: Object.fromEntries(names.map((name) => [name, series[name].label])) },
  })),
);
// Those of states first, as everywhere.
const sorted = ["state", "step"].flatMap((wanted) => charts.filter(({ per }) => per === wanted).map(({ chart }) => `  ${JSON.stringify(chart)},\n`));

writeGenerated(
  {
    "src/analysis/charts.generated.ts": `// Generated from the analyses by scripts/generate-charts.mjs; do not edit.
/** The charts of the analyses' series: each with the names of its series, and what legends call them. */
export const analysisCharts = [
${sorted.join("")}] as const;
`,
  },
  "npm run generate:charts",
);
