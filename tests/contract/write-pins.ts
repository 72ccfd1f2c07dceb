import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { publicSurface } from "./public-surface.js";

/** Pins the public surface of a new version: `npm run generate:pins`. What is gone since the last version belongs into the changelog. */
writeFileSync(join(import.meta.dirname, "pinned.json"), `${JSON.stringify(await publicSurface(), null, 2)}\n`);
