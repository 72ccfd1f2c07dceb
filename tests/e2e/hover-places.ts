import { discriminatorOf, type JsonSchemaNode, rootField } from "../../src/config/json-schema.js";
import { ownModelFields } from "../../src/config/models/family.js";

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
    ...(model?.oneOf ?? []).flatMap((family) => {
      const type = literalOf(family.properties?.["type"]);
      if (type === '"python"') return ownModelPlaces(family, createModel);
      const isTyped = family.properties?.["type"]?.const !== undefined; // the configuration of any further family is that of its class
      const config = places(
        only(family, (name) => isTyped && !isOwn(name)),
        "createModel: config.",
        (inside) => createModel(`type: ${type}, config: { ${inside} }`),
      );
      const own = places(
        only(family, (name) => isOwn(name) && name !== "from" && name !== "type"),
        "createModel: ",
        (inside) => withConfig(`type: ${type}, ${inside}`),
      );
      return [...config, ...own];
    }),
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

/** The fields of a model of one's own, which createModel takes without their section. */
function ownModelPlaces({ properties = {} }: JsonSchemaNode, write: (inside: string) => string): HoverPlace[] {
  const fields = Object.entries(properties).filter(([name]) => !["type", "from", "norm"].includes(name));
  return fields.map(([name, { description }]) => {
    const others = ["code", "class"].filter((other) => other !== name).map((other) => `${other}: "net"`);
    return { path: `createModel: ${name}`, program: write([...others, `|${name}: undefined as never`].join(", ")), description };
  });
}

/** Every field below a node, written as it stands in an object; a union gives the fields of each of its kinds. */
function places(node: JsonSchemaNode, prefix: string, write: (inside: string) => string): HoverPlace[] {
  return (node.oneOf ?? [node]).flatMap(({ properties = {} }) => {
    const tag = discriminatorOf(node);
    const kind = tag && `${tag}: ${literalOf(properties[tag])}`;
    return Object.entries(properties).flatMap(([name, field]) => {
      const written = name === tag ? `|${kind}` : `${kind === undefined ? "" : `${kind}, `}|${name}: undefined as never`;
      const own = { path: `${prefix}${name}`, program: write(written), description: field.description };
      return [own, ...places(field, `${prefix}${name}.`, (inside) => write(`${name}: { ${inside} }`))];
    });
  });
}

function literalOf(kind: JsonSchemaNode | undefined): string | undefined {
  return kind && JSON.stringify(kind.const ?? kind.enum?.[0]);
}

function only(node: JsonSchemaNode | undefined, keep: (name: string) => boolean): JsonSchemaNode {
  return { properties: Object.fromEntries(Object.entries(node?.properties ?? {}).filter(([name]) => keep(name))) };
}
