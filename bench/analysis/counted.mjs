// Count once in a fresh process of the built package, and print the seconds of it, reading included.
// usage: counted.mjs census|timeline FILE [plain]
import { censusOfRows } from "../../dist/analysis/census/census-of-rows.js";
import { timeline } from "../../dist/analysis/timeline/timeline.js";
import { openEmbedding } from "../../dist/runs/open-embedding.js";
import { openHistory } from "../../dist/runs/open-history.js";

const [kind, path, kernels = "wasm"] = process.argv.slice(2);

async function count() {
  if (kind === "census") {
    const { rows } = await openEmbedding(path, { tensor: "w" });
    const started = performance.now();
    const { C, P } = await censusOfRows(rows, undefined, { kernels });
    return { seconds: (performance.now() - started) / 1000, C, P };
  }
  const history = await openHistory(path);
  const started = performance.now();
  const { unique } = await timeline(history, { kernels });
  return { seconds: (performance.now() - started) / 1000, unique: unique.reduce((sum, value) => sum + value, 0) };
}

console.log(JSON.stringify(await count()));
