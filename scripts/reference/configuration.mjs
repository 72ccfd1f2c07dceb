// The pages of configurations, experiment files and sweep files, from their JSON Schemas and from the rules of the engines.
import { code, page, prose, table } from "./markdown.mjs";
import { alternativesOf, constantsOf, fieldsBelow, merged, typeOf } from "./schema.mjs";

/** More values than this are not listed. */
const listedValues = 6;

function labelOf({ path, values }) {
  const shown = values.length > listedValues ? "any other family" : values.map(code).join(" or ");
  return { path, shown };
}

/** The branches of unions that a field belongs to: "`engine.name` is `trainer` or `fast`"; nothing if all have it. */
function conditionOf(only, isEverywhere) {
  if (isEverywhere) return "";
  const labels = only.flatMap((branches) => branches.slice(-1).map(labelOf));
  if (labels.length === 0) return "";
  return `with ${code(labels[0].path)} ${[...new Set(labels.map(({ shown }) => shown))].join(", ")}`;
}

const isEmpty = (value) => typeof value === "object" && value !== null && Object.keys(value).length === 0;

function defaultOf({ default: value }) {
  if (value === undefined || isEmpty(value)) return "";
  return `default ${code(typeof value === "string" ? value : JSON.stringify(value))}`;
}

/** The facts of one variant of a field in a line: type, default, when it applies. */
function factsOf({ node, required, only }, isEverywhere, notes) {
  const type = isNested(node) ? "section" : typeOf(node);
  const facts = [type, defaultOf(node), required && defaultOf(node) === "" && "required", conditionOf(only, isEverywhere), ...notes];
  return facts.filter(Boolean).join(" · ");
}

const isNested = (node) => alternativesOf(node).every(({ properties }) => properties);

/** The field whose value selects the branch of a union: every value with its description. */
function discriminatorBlocks(variants, notes) {
  const rows = variants.flatMap(({ node, required }) => {
    const values = constantsOf(node) ?? [];
    const shown = values.length > listedValues ? `${values.length} other names` : values.map(code).join(", ");
    return [[shown + (required ? "" : " (default)"), prose(node.description ?? "")]];
  });
  return [table(["value", "description"], rows), notes.join(" · ")];
}

/** The description of a field, or those of its alternatives. */
function descriptionOf(node) {
  if (node.description !== undefined) return prose(node.description);
  const described = alternativesOf(node).filter(({ description }) => description !== undefined);
  return described.map((each) => `- ${typeOf(each)}: ${prose(each.description)}`).join("\n");
}

/** The heading of a field and what there is to know about it. */
function fieldBlocks({ path, variants }, isEverywhere, notes, level) {
  const heading = `${"#".repeat(level)} ${prose(path)}`;
  const isDiscriminator =
    variants.length > 1 && variants.every(({ node, only }) => constantsOf(node) && only.some((branches) => branches.some((each) => each.path === path)));
  if (isDiscriminator) return [heading, discriminatorBlocks(variants, notes)];
  if (variants.length === 1) return [heading, descriptionOf(variants[0].node), factsOf(variants[0], isEverywhere, notes)];
  const descriptions = new Set(variants.map(({ node }) => node.description));
  const shared = descriptions.size === 1 ? [prose(variants[0].node.description ?? "")] : [];
  const lines = variants.map((variant) => {
    const own = descriptions.size === 1 ? "" : `${prose(variant.node.description ?? "")}\\\n  `;
    return `- ${own}${factsOf(variant, false, [])}`;
  });
  return [heading, shared, lines.join("\n"), notes.join(" · ")];
}

/** How many branches a field could belong to, by the path of the field that selects them. */
function branchCounts(fields) {
  const branches = new Map();
  for (const { only } of fields) {
    for (const { path, values } of only) branches.set(path, new Set([...(branches.get(path) ?? []), JSON.stringify(values)]));
  }
  return branches;
}

/** The blocks of all fields of a section. */
function sectionBlocks(fields, { levelOf, notesOf = () => [] }) {
  const counts = branchCounts(fields);
  return merged(fields).flatMap((field) => {
    const { only } = field.variants[0];
    const last = only[0]?.at(-1);
    const isEverywhere = field.variants.length === 1 && (last === undefined || only.length === counts.get(last.path)?.size);
    return fieldBlocks(field, isEverywhere, notesOf(field.path), levelOf(field.path));
  });
}

/** Notes on a field: its short option, and the engines that support only some values. */
function notes(engineSupport, options) {
  return (path) => {
    const short = options[path];
    const engines = Object.entries(engineSupport).flatMap(([engine, fields]) =>
      fields.filter((field) => field.path === path).map(({ has }) => ({ engine, has })),
    );
    const limits = engines.map(({ engine, has }) => [
      engine,
      has
        .filter((value) => value !== undefined && value !== null)
        .map((value) => code(String(value)))
        .join(", "),
    ]);
    const texts = [...new Set(limits.map(([, values]) => values))].map((values) => {
      const names = limits.filter(([, other]) => other === values).map(([engine]) => code(engine));
      const which = `engine${names.length > 1 ? "s" : ""} ${names.join(" and ")}`;
      return values === "" ? `not with ${which}` : `${which}: only ${values}`;
    });
    return [...(short ? [`option ${code(short)}`] : []), ...texts];
  };
}

const guide = "[The guide](../configuration.md) explains how to use them.";

async function configurationPage(schema) {
  const { engineSupport } = await import("../../src/config/rules/engine-rules.ts");
  const { aliases, optionOf } = await import("../../src/config/layers.ts");
  const { productOwnedTrainingArguments } = await import("../../src/config/training-schema.ts");
  const options = Object.fromEntries(Object.entries(aliases).map(([name, { path }]) => [path, optionOf(name)]));
  const notesOf = notes(engineSupport, options);
  const entries = Object.entries(schema.properties);
  const old = entries.filter(([, node]) => node.deprecated);
  const isSection = ([, node]) => alternativesOf(node).some(({ properties, $ref }) => properties || $ref);
  const present = entries.filter(([, node]) => !node.deprecated);
  const below = (name, node) => fieldsBelow({ properties: { [name]: node } }, schema.$defs).filter(({ path }) => path !== name || !isNested(node));
  const general = present.filter((entry) => !isSection(entry)).flatMap(([name, node]) => below(name, node));
  return page(
    { title: "Configuration", order: 1 },
    `Every field of a configuration. ${guide} Set a field in a file, or with \`--set path=value\`. All fields are optional: omitted ones come from the preset, then from the defaults.`,
    `An editor shows the same from [config.schema.json](../configuration.md#write-a-file), and \`bh-bridge config schema\` prints it.`,
    "## General",
    sectionBlocks(general, { levelOf: () => 3, notesOf }),
    present.filter(isSection).flatMap(([name, node]) => [
      `## ${name}`,
      prose(node.description ?? ""),
      sectionBlocks(
        below(name, node).filter(({ path }) => path !== name),
        { levelOf: () => 3, notesOf },
      ),
    ]),
    "## Fields that bh-bridge sets",
    "These fields of `TrainingArguments` are refused:",
    table(
      ["field", "reason"],
      Object.entries(productOwnedTrainingArguments).map(([name, reason]) => [code(`training.${name}`), prose(reason)]),
    ),
    "## Old names",
    "Names of earlier versions, which are still read:",
    table(
      ["name", "meaning"],
      old.map(([name, node]) => [code(name), prose(node.description)]),
    ),
  );
}

function filePage(head, introduction, schema) {
  const fields = Object.entries(schema.properties).flatMap(([name, node]) => {
    const isConfiguration = alternativesOf(node).some(({ $ref }) => $ref === "#/$defs/configuration") || name === "base";
    const entry = { path: name, node, required: schema.required?.includes(name) ?? false, only: [] };
    if (node.$ref === "#/$defs/axes") return axisFields(entry, schema.$defs);
    return isConfiguration
      ? [{ ...entry, node: { ...node, properties: undefined, anyOf: [{ type: "string" }, { $ref: "#/$defs/configuration" }] } }]
      : [entry, ...nested(name, node, schema.$defs)];
  });
  return page(head, introduction, sectionBlocks(fields, { levelOf: (path) => (path.includes(".") ? 3 : 2) }));
}

function nested(name, node, definitions) {
  if (node.additionalProperties?.$ref) return []; // arms, which have the fields of a configuration
  return fieldsBelow({ properties: { [name]: node } }, definitions).filter(({ path }) => path !== name);
}

/** The field of axes, which are named by the fields of a configuration, and those of one axis. */
function axisFields(entry, { axis }) {
  const node = { type: "object", description: entry.node.description, additionalProperties: axis };
  return [{ ...entry, node }, ...nested(entry.path, node, {})];
}

/** The pages by their paths. */
export async function configurationPages() {
  const { configJsonSchema } = await import("../../src/config/json-schema.ts");
  const { experimentJsonSchema, sweepJsonSchema } = await import("../../src/sweep/json-schemas.ts");
  return {
    "configuration.md": await configurationPage(configJsonSchema()),
    "experiment-file.md": filePage(
      { title: "Experiment files", order: 2 },
      "Every field of a file for `bh-bridge experiment` and `defineExperiment`. [The guide](../experiments.md) explains arms, seeds and rules.",
      experimentJsonSchema(),
    ),
    "sweep-file.md": filePage(
      { title: "Sweep files", order: 3 },
      "Every field of a file for `bh-bridge sweep` and `defineSweep`. [The guide](../many-runs.md) explains axes and seeds.",
      sweepJsonSchema(),
    ),
  };
}
