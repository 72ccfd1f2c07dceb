// Write what follows from the schemas of a configuration: the JSON Schemas that editors check files with, and the types that programs are checked with.
// With --check: write nothing, exit 1 when one of the two is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createJiti } from "jiti";
import { inputTypes } from "./input-types.mjs";

const source = createJiti(import.meta.url, { fsCache: false });
const { configJsonSchema } = await source.import("../src/config/json-schema.ts");
const { experimentJsonSchema } = await source.import("../src/sweep/experiment/experiment-json-schema.ts");
const schema = configJsonSchema();
const generated = {
  "schemas/config.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
  "schemas/experiment.schema.json": `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`,
  "src/config/run-config-input.generated.ts": inputTypes(schema),
};

for (const [name, text] of Object.entries(generated)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  if (process.argv.includes("--check")) {
    console.error(`stale: ${name}; run \`npm run generate:schema\``);
    process.exitCode = 1;
  } else {
    mkdirSync(new URL(".", file), { recursive: true });
    writeFileSync(file, text);
  }
}
