// Write schemas/config.schema.json, the JSON Schema that editors check configuration files with. With --check: write nothing, exit 1 when it is stale.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createJiti } from "jiti";

const file = new URL("../schemas/config.schema.json", import.meta.url);
const { configJsonSchema } = await createJiti(import.meta.url, { fsCache: false }).import("../src/config/json-schema.ts");
const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("stale: schemas/config.schema.json; run `npm run generate:schema`");
    process.exitCode = 1;
  }
} else {
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, text);
}
