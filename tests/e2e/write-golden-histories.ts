import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { computeGolden, startGolden } from "./golden-histories.js";

/** Note the histories of this machine: `npm run generate:golden`, after a change that is meant to alter results. */
const { bridge, environment } = await startGolden();
try {
  const golden = { environment, histories: await computeGolden(bridge) };
  writeFileSync(join(import.meta.dirname, "golden-histories.json"), `${JSON.stringify(golden, null, 2)}\n`);
} finally {
  await bridge.close();
}
