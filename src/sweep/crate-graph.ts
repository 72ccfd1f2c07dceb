import { statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { sha256, sha256OfFile } from "../runs/checksums.js";
import { runFiles } from "../runs/run-layout.js";
import { markdownText } from "../text/escaping.js";
import { planFileName } from "./plan/plan-directory.js";

export interface Reference {
  readonly "@id": string;
}
interface Entity extends Reference {
  readonly "@type": string | readonly string[];
  readonly [property: string]: unknown;
}

/** Who publishes a crate, and under which licence. */
export interface CrateLabels {
  /** `NAME <URL>, ORGANISATION <URL>`; the addresses and the organisation may be missing. */
  author?: string | undefined;
  /** An SPDX identifier such as `CC-BY-4.0`, or the address of a licence. */
  license?: string | undefined;
}

export const metadataFile = "ro-crate-metadata.json";
export const readmeFile = "README.md";
const profile = "https://w3id.org/ro/wfrun";
const workflowProfile = "https://w3id.org/workflowhub/workflow-ro-crate/1.0";
/** The profiles of a crate by address: the first one of a single run, all of them of a sweep or experiment. */
const profiles: Readonly<Record<string, string>> = {
  [`${profile}/process/0.5`]: "Process Run Crate",
  [`${profile}/workflow/0.5`]: "Workflow Run Crate",
  [`${profile}/provenance/0.5`]: "Provenance Run Crate",
  [workflowProfile]: "Workflow RO-Crate",
};

const mediaTypes: Readonly<Record<string, string>> = {
  ".json": "application/json",
  ".jsonl": "application/x-ndjson",
  ".md": "text/markdown",
  ".py": "text/x-python",
  ".txt": "text/plain",
  ".log": "text/plain",
  ".patch": "text/x-diff",
};
const descriptions: Readonly<Record<string, string>> = {
  [runFiles.manifest]: "Status, environment, corpus and configuration hash of the run",
  [runFiles.config]: "The complete configuration of the run",
  [runFiles.events]: "One event of the training per line",
  [runFiles.analysis]: "The analysis of the run and its verdict",
  [runFiles.pythonEnvironment]: "Python packages, processor and build of PyTorch",
  [runFiles.nodeEnvironment]: "Node.js packages and machine",
  [runFiles.checksums]: "SHA-256 of the files of the run",
  [runFiles.signature]: "OpenSSH signature of the checksums",
  "history.safetensors": "The embedding before training and after every recorded step",
  "history.idx": "Step, loss and CRC-32 of every recorded state",
  [runFiles.deltas]: "All weights before training and after every step, as differences",
  [runFiles.deltasIndex]: "Step, position and CRC-32 of every recorded difference",
  [planFileName]: "The trials of the sweep or experiment",
  "result.json": "The result of the sweep or experiment",
  "summary.md": "The result of the sweep or experiment, for readers",
};

/** A path as a relative address. */
export function pathId(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The entities of a crate, which reference each other by address. */
export class CrateGraph {
  readonly author: Reference;
  readonly #source: string;
  readonly #entities = new Map<string, Entity>();
  readonly #parts: Reference[] = [];
  readonly #mentions: Reference[] = [];
  readonly #license: Reference;
  readonly #publisher: Reference;

  constructor(source: string, { author, license }: CrateLabels) {
    this.#source = source;
    this.#license = this.add(licenseEntity(license));
    const { person, organization } = people(author);
    this.#publisher = this.add(organization);
    this.author = person ? this.add({ ...person, affiliation: this.#publisher }) : this.#publisher;
  }

  add(entity: Entity): Reference {
    this.#entities.set(entity["@id"], entity);
    return { "@id": entity["@id"] };
  }

  get({ "@id": id }: Reference): Entity {
    const entity = this.#entities.get(id);
    if (!entity) throw new BhBridgeError("INTERNAL", `the crate has no entity ${id}`);
    return entity;
  }

  /** Add properties to the entity of a file. */
  extend(file: string, properties: Partial<Entity>): Reference {
    const reference = this.file(file);
    return this.add({ ...this.get(reference), ...properties });
  }

  /** A file with its size and checksum. @param path in the crate. */
  file(path: string): Reference {
    const id = pathId(path);
    if (this.#entities.has(id)) return { "@id": id };
    const source = join(this.#source, path);
    const description = descriptions[basename(path)];
    const encodingFormat = mediaTypes[extname(path)] ?? (basename(path).startsWith(runFiles.checksums) ? "text/plain" : "application/octet-stream");
    const size = { contentSize: String(statSync(source).size), sha256: sha256OfFile(source) };
    return this.add({ "@id": id, "@type": "File", name: basename(path), ...(description !== undefined && { description }), encodingFormat, ...size });
  }

  software(name: string, url: string, version: string, more: Partial<Entity> = {}): Reference {
    const id = `${url}#${encodeURIComponent(`${name} ${version}`)}`;
    return this.add({ "@id": id, "@type": "SoftwareApplication", name, url, softwareVersion: version, ...more });
  }

  value(name: string, value: string | number, more: Partial<Entity> = {}): Reference {
    const id = `#value-${sha256(`${name} ${value}`).slice(0, 16)}`;
    return this.add({ "@id": id, "@type": "PropertyValue", name, value: String(value), ...more });
  }

  action(entity: Entity): Reference {
    const reference = this.add(entity);
    this.#mentions.push(reference);
    return reference;
  }

  /** Add the parts of a folder, which is the crate itself for an empty path. */
  addParts(path: string, name: string, parts: readonly Reference[]): void {
    if (path === "") this.#parts.push(...parts);
    else this.#parts.push(this.add({ "@id": `${pathId(path)}/`, "@type": "Dataset", name, hasPart: parts }));
  }

  /** Describe the crate itself. @param workflow the plan of a sweep or experiment. */
  describe(name: string, description: string, workflow?: Reference): void {
    const urls = Object.keys(profiles).slice(0, workflow ? undefined : 1);
    const specification = [{ "@id": "https://w3id.org/ro/crate/1.1" }, ...(workflow ? [{ "@id": workflowProfile }] : [])];
    for (const url of urls) this.add({ "@id": url, "@type": "CreativeWork", name: profiles[url] ?? url, version: url.slice(url.lastIndexOf("/") + 1) });
    this.add({ "@id": metadataFile, "@type": "CreativeWork", about: { "@id": "./" }, conformsTo: specification });
    this.add({
      ...{ "@id": "./", "@type": "Dataset", name, description },
      datePublished: new Date().toISOString().slice(0, "2026-01-01".length),
      license: this.#license,
      author: this.author,
      publisher: this.#publisher,
      conformsTo: urls.map((url) => ({ "@id": url })),
      ...(workflow && { mainEntity: workflow }),
      hasPart: this.#parts,
      mentions: this.#mentions,
    });
  }

  /** Add a page for readers, and return its text. */
  addReadme(): string {
    const { name, description, license, author } = this.get({ "@id": "./" });
    const shown = (text: unknown) => markdownText(String(text));
    const nameOf = (reference: unknown) => shown(this.get(reference as Reference)["name"]);
    const files = `\`${metadataFile}\` describes every file with its size and SHA-256, the software and the machine (RO-Crate 1.1). \`bh-bridge runs verify\` checks the files of a run.`;
    const text = `# ${shown(name)}\n\n${shown(description)}\n\nAuthor: ${nameOf(author)}. Licence: ${nameOf(license)}.\n\n${files}\n`;
    const size = { contentSize: String(Buffer.byteLength(text)), sha256: sha256(text) };
    this.#parts.push(this.add({ "@id": readmeFile, "@type": "File", name: readmeFile, about: { "@id": "./" }, encodingFormat: "text/markdown", ...size }));
    return text;
  }

  /** The description of the crate as JSON-LD, flattened: a list of one value is written as that value. */
  text(): string {
    const first = [metadataFile, "./"];
    const entities = [...this.#entities.values()].sort((left, right) => first.indexOf(right["@id"]) - first.indexOf(left["@id"]));
    const document = { "@context": ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"], "@graph": entities };
    const compact = (key: string, value: unknown) => (key !== "@graph" && Array.isArray(value) && value.length === 1 ? value[0] : value);
    return `${JSON.stringify(document, compact, 2)}\n`;
  }
}

/** The licence of a crate. @throws {BhBridgeError} `USAGE`. */
function licenseEntity(license: string | undefined): Entity {
  if (license === undefined) {
    return { "@id": "#no-licence", "@type": "CreativeWork", name: "No licence", description: "The author has not granted a licence for these files." };
  }
  if (URL.canParse(license)) return { "@id": license, "@type": "CreativeWork", name: license, description: "The licence of these files" };
  if (!/^[\w.+-]+$/.test(license)) throw new BhBridgeError("USAGE", `--license ${license}: give an SPDX identifier such as CC-BY-4.0, or an address`);
  return { "@id": `https://spdx.org/licenses/${license}`, "@type": "CreativeWork", name: license, description: `SPDX licence ${license}` };
}

const namedAddress = /^\s*(?<name>[^<>]*[^<>\s])\s*(?:<(?<url>[^<>\s]+)>)?\s*$/;

/** The author of a crate and the organization. @throws {BhBridgeError} `USAGE`. */
function people(author: string | undefined): { person: Entity | undefined; organization: Entity } {
  const [first, second] = author?.split(/,(?![^<]*>)/) ?? [];
  const parsed = [first, second].map((text) => (text === undefined ? undefined : namedAddress.exec(text)?.groups));
  const [person, organization] = parsed;
  const isWrong =
    author !== undefined &&
    (!person || (second !== undefined && !organization) || parsed.some((each) => each?.["url"] !== undefined && !URL.canParse(each["url"])));
  if (isWrong)
    throw new BhBridgeError(
      "USAGE",
      `--author ${author}: expected "NAME <URL>, ORGANISATION <URL>", such as "Ada Lovelace <https://orcid.org/0000-0000-0000-0000>"`,
    );
  return {
    person: person && { "@id": person["url"] ?? "#author", "@type": "Person", name: person["name"] },
    organization: organization
      ? { "@id": organization["url"] ?? "#organisation", "@type": "Organization", name: organization["name"], url: organization["url"] ?? "about:blank" }
      : {
          "@id": "#not-stated",
          "@type": "Organization",
          name: "Not stated",
          url: "about:blank",
          description: "The option --author names author and organisation",
        },
  };
}
