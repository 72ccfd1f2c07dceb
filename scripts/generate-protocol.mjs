// Write what follows from the schemas of the messages: the protocol as Python reads it, its types, and the messages that both languages are tested with.
// With --check: write nothing, exit 1 when one of them is stale.
import "./typescript-loader.mjs";
import { pythonTypes } from "./python-types.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { protocolJsonSchema } = await import("../src/protocol/json-schema.ts");
const { goldenMessages } = await import("../tests/contract/golden-messages.ts");

writeGenerated(
  {
    "python/bh_bridge/bridge/protocol.schema.json": `${JSON.stringify(protocolJsonSchema(), null, 1)}\n`,
    "python/bh_bridge/bridge/messages.py": pythonTypes(protocolJsonSchema()),
    "tests/contract/golden-messages.json": `[\n${goldenMessages()
      .map((message) => JSON.stringify(message))
      .join(",\n")}\n]\n`,
  },
  "npm run generate:protocol",
);
