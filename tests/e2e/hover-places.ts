import { rootField } from "../../src/config/field-catalog.js";
import type { JsonSchemaNode } from "../../src/config/json-schema.js";
import { ownModelFields } from "../../src/config/models/own-model-fields.js";

/** A place where a program writes a field of a configuration, and what is documented there. */
export interface HoverPlace {
  /** The call and the field's path in its argument: `createModel: config.n_embd`. */
  path: string;
  /** The program, with `|` before the field's name. */
  program: string;
  description: string | undefined;
}

const bridge = 'import type { Bridge, Model } from "bh-bridge";\ndeclare const bridge: Bridge;\ndeclare const model: Model;\n';
const trainerFields = ["data", "training", "noise", "record", "checkpoint", "device", "name"];
const isOwn = (name: string) => (ownModelFields as readonly string[]).includes(name);

/** Every field of a configuration wherever the API takes it: `train`, `createModel`, `createTrainer`. */
export function hoverPlaces(): HoverPlace[] {
  const root = rootField();
  const model = root.properties?.["model"];
  const train = (inside: string) => `import { train } from "bh-bridge";\ntrain({ ${inside} });`;
  const createModel = (inside: string) => `${bridge}bridge.createModel({ ${inside} });`;
  const withConfig = (inside: string) => createModel(`config: {}, ${inside}`);
  return [
    ...places(
      only(root, (name) => name !== "$schema"),
      "train: ",
      train,
    ),
    ...places(
      only(model, (name) => !isOwn(name)),
      "createModel: config.",
      (inside) => createModel(`config: { ${inside} }`),
    ),
    ...places(
      only(model, (name) => isOwn(name) && name !== "from"),
      "createModel: ",
      withConfig,
    ),
    ...places(
      only(root, (name) => name === "init" || name === "seed"),
      "createModel: ",
      withConfig,
    ),
    ...places(
      only(root, (name) => trainerFields.includes(name)),
      "createTrainer: ",
      (inside) => `${bridge}bridge.createTrainer({ model, ${inside} });`,
    ),
  ];
}

/** Every field below a node, written as it stands in an object; a union gives the fields of each of its kinds. */
function places(node: JsonSchemaNode, prefix: string, write: (inside: string) => string): HoverPlace[] {
  return (node.oneOf ?? [node]).flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, field]) => {
      const kind = literalOf(properties["kind"]);
      const written = name === "kind" ? `|kind: ${kind}` : `${kind === undefined ? "" : `kind: ${kind}, `}|${name}: undefined as never`;
      const own = { path: `${prefix}${name}`, program: write(written), description: field.description };
      return [own, ...places(field, `${prefix}${name}.`, (inside) => write(`${name}: { ${inside} }`))];
    }),
  );
}

function literalOf(kind: JsonSchemaNode | undefined): string | undefined {
  return kind && JSON.stringify(kind.const ?? kind.enum?.[0]);
}

function only(node: JsonSchemaNode | undefined, keep: (name: string) => boolean): JsonSchemaNode {
  return { properties: Object.fromEntries(Object.entries(node?.properties ?? {}).filter(([name]) => keep(name))) };
}
