// Write python/bh_bridge/protocol.schema.json, the protocol as Python reads it. With --check: write nothing, exit 1 when it is stale.
import { readFileSync, writeFileSync } from "node:fs";
import { createJiti } from "jiti";

const file = new URL("../python/bh_bridge/protocol.schema.json", import.meta.url);
const { protocolJsonSchema } = await createJiti(import.meta.url, { fsCache: false }).import("../src/protocol/json-schema.ts");
const text = `${JSON.stringify(protocolJsonSchema(), null, 1)}\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("stale: python/bh_bridge/protocol.schema.json; run `npm run generate:protocol`");
    process.exitCode = 1;
  }
} else writeFileSync(file, text);
