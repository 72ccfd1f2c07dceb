// The pages of the JSON documents, of the events and of the progress lines, from their schemas.
import { anchor, code, page, prose, table } from "./markdown.mjs";
import { alternativesOf, constantsOf, fieldsBelow, merged, typeOf } from "./schema.mjs";

/** The pages, and which exported schemas each describes. */
const pagesOf = [
  { file: "documents.md", has: (_, node) => /^bh-bridge\/(?!serve-)/.test(constantsOf(node.properties?.schema ?? {})?.[0] ?? "") },
  { file: "page-api.md", has: (comment) => /^`(POST )?\/api\/|stream of changes/.test(comment) },
];

/** Every exported schema that is an object or a union, as JSON Schema of the text that is printed. */
async function exportedSchemas() {
  const { z } = await import("zod");
  const all = await import("../../src/index.ts");
  return Object.entries(all).flatMap(([name, schema]) => {
    if (!name.endsWith("Schema") || !(schema instanceof z.ZodType)) return [];
    return [[name, z.toJSONSchema(schema, { io: "input", unrepresentable: "any", override: ({ jsonSchema }) => withoutSafeBounds(jsonSchema) })]];
  });
}

function withoutSafeBounds(node) {
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
}

const typeName = (schema) => `${schema[0].toUpperCase()}${schema.slice(1).replace(/Schema$/, "")}`;

function typeText(node) {
  const nested = alternativesOf(node).some(({ properties }) => properties);
  return nested && alternativesOf(node).length === 1 ? "object" : typeOf(node);
}

/** The rows of a table of fields; `commentOf(path)` finds their comments. */
function fieldRows(node, commentOf, leaveOut = []) {
  const fields = merged(fieldsBelow(node, node.$defs)).filter(({ path }) => !leaveOut.includes(path));
  return fields.map(({ path, variants }) => {
    const types = [...new Set(variants.map((variant) => typeText(variant.node)))].join(" or ");
    const optional = variants.some(({ required, node: field }) => !required && field.default === undefined);
    return [code(path), types, `${optional ? "optional; " : ""}${prose(commentOf(path))}`.replace(/; $/, "")];
  });
}

const fieldTable = (...given) => table(["field", "type", "description"], fieldRows(...given));

/** The heading of a document: its name in `schema` if there is one. */
function titleOf(name, node) {
  const [schema] = constantsOf(node.properties?.schema ?? {}) ?? [];
  return schema ?? typeName(name);
}

function documentBlocks([name, node], commentOf) {
  const comment = commentOf(name, "");
  return [
    `## ${titleOf(name, node)}`,
    prose(comment),
    `${code(name)}, type [${code(typeName(name))}](api/index.md)`,
    fieldTable(node, (path) => commentOf(name, path), ["schema"]),
  ];
}

/** The exported schemas that have a place in these pages: page and title of each. */
export async function documentLinks(commentOf) {
  const found = {};
  for (const [name, node] of await exportedSchemas()) {
    const home = pagesOf.find(({ has }) => has(commentOf(name, ""), node));
    if (home) found[name] = { link: `${home.file}#${anchor(titleOf(name, node))}`, title: titleOf(name, node) };
  }
  found.trainEventSchema = { link: "events.md#training-events", title: "Events" };
  found.progressLineSchema = { link: "events.md#progress-lines", title: "Events" };
  found.trialEventSchema = { link: "events.md#events-of-sweeps-and-experiments", title: "Events" };
  return found;
}

async function eventsPage(commentOf) {
  const { trainEventMeanings } = await import("../../src/protocol/events.ts");
  const schemas = Object.fromEntries(await exportedSchemas());
  const [events, trials, lines] = [schemas.trainEventSchema.oneOf, schemas.trialEventSchema.oneOf, schemas.progressLineSchema.oneOf];
  const shared = ["seq", "mono", "wall", "type", "global_step", "epoch"];
  const first = events[0];
  const meanings = {
    seq: "number of the event in its run, from 0",
    mono: "monotonic clock, in seconds",
    wall: "time of day, in seconds since 1970",
    type: "one of the types below",
    global_step: "number of completed steps",
    epoch: "passes over the text so far",
  };
  const sharedRows = shared.map((name) => [code(name), name === "type" ? "string" : typeOf(first.properties[name]), meanings[name]]);
  const own = (name, node, discriminator, leaveOut = []) => fieldTable(node, (path) => commentOf(name, path), ["schema", discriminator, ...leaveOut]);
  const sections = (name, nodes, discriminator, leaveOut, meaning = () => "") =>
    nodes.map((node) => {
      const [type] = constantsOf(node.properties[discriminator]);
      return [`### ${type}`, meaning(type), own(name, node, discriminator, leaveOut)];
    });
  return page(
    { title: "Events", order: 6 },
    "A training reports what happens as events. They are the lines of `events.jsonl` in a [run](../run-directory.md#the-files), the arguments of a [`TrainerCallback`](../api.md#callbacks), the items of `trainer.events()`, and part of `--progress json`. Numbers that JSON lacks are the strings `NaN`, `Infinity` and `-Infinity`.",
    "## Training events",
    "Fields of every event:",
    table(["field", "type", "description"], sharedRows),
    sections("trainEventSchema", events, "type", shared, (type) => trainEventMeanings[type]),
    "## Events of sweeps and experiments",
    "Items of `sweep()` and `experiment()`, and `event` of the progress line `trial`. Their field `kind` is one of these:",
    sections("trialEventSchema", trials, "kind", []),
    "## Progress lines",
    'With `--progress json`, every line on stderr is one of these objects, with `"schema": "bh-bridge/progress@1"` and a `type`. [Scripting](../scripting.md#progress-lines) describes when each is written.',
    lines.map((node) => [`### Line ${constantsOf(node.properties.type)[0]}`, linesTable(node)]),
  );
}

/** The fields of a progress line; those of an event are above. */
function linesTable(node) {
  const { event, ...properties } = node.properties;
  const rows = fieldRows({ ...node, properties }, () => "", ["schema", "type"]);
  return table(["field", "type", "description"], [...rows, ...(event ? [[code("event"), "object", "an event as above"]] : [])]);
}

/** The pages by their paths. `commentOf(schema, path)` finds the comments of fields. */
export async function documentPages(commentOf) {
  const schemas = await exportedSchemas();
  const home = (name, node) => pagesOf.find(({ has }) => has(commentOf(name, ""), node));
  const own = (file) =>
    schemas.filter(([name, node]) => home(name, node)?.file === file).sort((one, other) => titleOf(...one).localeCompare(titleOf(...other)));
  const blocks = (file) => own(file).map((entry) => documentBlocks(entry, commentOf));
  return {
    "documents.md": page(
      { title: "JSON documents", order: 4 },
      "What commands print with `--json`, field by field. [Scripting](../scripting.md#json-documents) lists which command prints which. `[]` in a field stands for each item of a list, `NAME` for each name of a map.",
      "Later versions may add fields; the number after `@` changes when a field changes its meaning.",
      blocks("documents.md"),
    ),
    "page-api.md": page(
      { title: "Documents of the live page", order: 5 },
      "The [live page](../seeing.md#the-live-page) of `bh-bridge serve` reads these documents from the addresses below. A request needs the token of the printed address, as `?token=`.",
      blocks("page-api.md"),
    ),
    "events.md": await eventsPage(commentOf),
  };
}
