import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { portableRecipe } from "../../src/config/engine-schema.js";
import { computeGolden, type GoldenHistories, type PortableGolden, portablePresets, startGolden } from "./golden-histories.js";

/**
 * Note the histories of this machine: `npm run generate:golden`, for a new preset, or after a change that is meant to alter results. What other machines
 * have noted is kept, unless this one has noted other bits before: then theirs are old too. Those of engine `portable` are the same on every machine.
 */
const path = join(import.meta.dirname, "golden-histories.json");
const { bridge, environment } = await startGolden();
try {
  const golden: GoldenHistories[] = JSON.parse(readFileSync(path, "utf8"));
  const histories = await computeGolden(bridge);
  const others = golden.filter((one) => !isDeepStrictEqual(one.environment, environment));
  const before = golden.find((one) => !others.includes(one))?.histories ?? {};
  const still = Object.entries(histories).every(([preset, hash]) => [undefined, hash].includes(before[preset as keyof typeof before]));
  writeFileSync(path, `${JSON.stringify([...(still ? others : []), { environment, histories }], null, 2)}\n`);
  const portable: PortableGolden = { recipe: portableRecipe, histories: await computeGolden(bridge, portablePresets, "portable") };
  writeFileSync(join(import.meta.dirname, "golden-portable.json"), `${JSON.stringify(portable, null, 2)}\n`);
} finally {
  await bridge.close();
}
