// Write what follows from the schemas of configurations, experiments, sweeps and rules: the JSON Schemas that editors check files with, and the types that programs are
// checked with. With --check: write nothing, exit 1 when one of them is stale.
import "./typescript-loader.mjs";
import { inputTypes } from "./input-types.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { configJsonSchema } = await import("../src/config/json-schema.ts");
const { experimentJsonSchema, rulesJsonSchema, sweepJsonSchema } = await import("../src/sweep/json-schemas.ts");
const schema = configJsonSchema();

writeGenerated(
  {
    "schemas/config.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
    "schemas/experiment.schema.json": `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`,
    "schemas/rules.schema.json": `${JSON.stringify(rulesJsonSchema(), null, 2)}\n`,
    "schemas/sweep.schema.json": `${JSON.stringify(sweepJsonSchema(), null, 2)}\n`,
    "src/config/run-config-input.generated.ts": inputTypes(schema),
  },
  "npm run generate:schema",
);
