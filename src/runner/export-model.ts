import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { stringify } from "yaml";
import { isPlainObject } from "../config/json-value.js";
import { familyOf } from "../config/models/families.js";
import { modelInWords } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { durableCreate, syncPath } from "../formats/durable-write.js";
import { savedFamily } from "../formats/hf/hf-directory.js";
import { readJson } from "../formats/read-json.js";
import { packageRoot } from "../python/package-manifest.js";
import type { UsablePython } from "../python/require-packages.js";
import { writeHfState } from "../python/run-python-script.js";
import { temporaryFolder } from "../python/session-folder.js";
import { readRunConfig } from "../runs/run-config.js";
import { finalFolder, modelManifestFile, runFiles } from "../runs/run-layout.js";
import { corpusName, type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { shellQuote } from "../text/escaping.js";
import { count, groupDigits } from "../text/format.js";
import type { Exported } from "./exported.js";
import { isTrainingState, type ModelAtStep } from "./model-at.js";
import { summarizeRun } from "./summarize-run.js";
import type { TrainResult } from "./train-result.js";

interface ModelCardInput {
  readonly manifest: RunManifest;
  readonly config: RunConfig;
  /** Results of the run, for its final model. */
  readonly result?: TrainResult | undefined;
  /** The step of the model, if it is not the final one. */
  readonly step?: number | undefined;
  /** Name of the model on the hub. */
  readonly repository: string;
  /** Whether the model contains Python code. */
  readonly remoteCode: boolean;
}

/** Number of black holes to list. */
const maxHolesListed = 10;

/** The `README.md` of an exported model: usage, corpus, results and versions. */
export function modelCard({ manifest, config, result, step, repository, remoteCode }: ModelCardInput): string {
  const done = step ?? result?.steps.done ?? 0;
  const hasTokenizer = manifest.corpus.tokenizer !== undefined;
  const frontMatter = stringify({ library_name: "transformers", pipeline_tag: "text-generation", tags: [config.model.type, "bh-bridge", "black-holes"] });
  return `---
${frontMatter}---

# ${manifest.name}

A ${modelInWords(config.model)}, ${count(manifest.parameters, "parameter")}, trained for ${groupDigits(done)} of ${count(config.training.max_steps, "step")} from the initial state \`${config.init.kind}\`. ${hasTokenizer ? "Tokens are those of the tokenizer beside it." : `Tokens are bytes below ${config.model.vocab_size}.`}

## Load it

\`\`\`python
from transformers import AutoModelForCausalLM${hasTokenizer ? ", AutoTokenizer" : ""}

model = AutoModelForCausalLM.from_pretrained("${repository}"${remoteCode ? ", trust_remote_code=True" : ""})
${hasTokenizer ? `tokenizer = AutoTokenizer.from_pretrained("${repository}"${remoteCode ? ", trust_remote_code=True" : ""})\n` : ""}\`\`\`

${result ? resultSection(result) : ""}## Data

| | |
|---|---|
| corpus | \`${corpusName(manifest.corpus)}\` |
| sha256 | \`${manifest.corpus.sha256}\` |
| tokens | ${groupDigits(manifest.corpus.tokens)}, of ${count(manifest.corpus.distinct, "kind")}; ${manifest.corpus.dead} never appear |

## Versions

${versionTable(manifest)}

## Configuration

Hash \`${manifest.config_hash}\`.

\`\`\`yaml
${stringify(publicConfig(config))}\`\`\`
`;
}

function resultSection({ census, verdict, finite, displacement }: TrainResult): string {
  return `## Result

| | |
|---|---|
| verdict | ${verdict.result} |
| reason | ${verdict.reason} |
| weights | ${finite ? "all finite" : "not all finite: this training has failed"} |
| unique rows | ${census.unique} of ${census.rows} |
| black holes | C = ${census.C} |
| population | P = ${census.P} |
| largest | ${census.populations.slice(0, maxHolesListed).join(", ") || "none"} |
| centroid displacement | ${displacement.float64 ?? "not finite"} |

`;
}

function versionTable({ package_version, environment, created, git }: RunManifest): string {
  const rows = [
    ["bh-bridge", package_version],
    ["python", environment.python],
    ["torch", environment.torch],
    ["transformers", environment.transformers],
    ["numpy", environment.numpy],
    ["device", `${environment.device}, ${count(environment.threads, "thread")}, ${environment.cpu_capability}`],
    ["trained", created],
    ...(git ? [["git", `${git.commit}${git.dirty ? " with local changes" : ""}`]] : []),
  ];
  return ["| | |", "|---|---|", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}

/** The configuration without paths of this machine, since the card is meant to be published. */
function publicConfig({ python: _python, ...config }: RunConfig): unknown {
  return JSON.parse(JSON.stringify(config, (_key, value: unknown) => (typeof value === "string" && isAbsolute(value) ? basename(value) : value)));
}

const pythonSources = join(packageRoot, "python", "bh_bridge", "models");
/** The last lines of the source of a model of 0.2 or earlier with replaced norms. */
const replacedClass = /^from (?<home>\S+) import (?<native>\w+).*\n+class (?<name>\w+)ForCausalLM\(\k<native>\):/m;

/**
 * Give a copied model with replaced norms a `model_type` that transformers does not know. Models of 0.2 or earlier have the family's type, with which
 * transformers ignores their source and uses the wrong norms.
 * @throws {BhBridgeError} `FORMAT_INVALID`, `RUN_CORRUPT`.
 */
export function useOwnType(directory: string): void {
  const path = join(directory, "config.json");
  const config: unknown = readJson(path);
  if (!isPlainObject(config)) return;
  const { type, norm } = savedFamily(config);
  if (norm === null || typeof type !== "string" || type !== config["model_type"]) return;
  const [module, name] = copySources(directory, type, norm);
  const classes = { AutoConfig: `${module}.${name}Config`, AutoModelForCausalLM: `${module}.${String([config["architectures"]].flat()[0])}` };
  // As text: JSON.stringify would write 0.0 as 0, which transformers refuses for a fraction.
  const text = readFileSync(path, "utf8")
    .replace(/^ {2}"model_type": "[^"]*"/m, `  "model_type": "${type}_with_${norm}"`)
    .replace(/^ {2}"auto_map": \{[^}]*\}/m, () => `  "auto_map": ${JSON.stringify(classes, null, 4).replace("\n}", "\n  }")}`);
  writeFileSync(path, text);
}

/** Copy the present source of a model's classes into its directory. @returns the module and the prefix of its classes' names. */
function copySources(directory: string, type: string, norm: string): readonly [module: string, name: string] {
  const { rmsNorm, source: own } = familyOf({ type }) ?? {};
  const copy = (module: string) => cpSync(join(pythonSources, `${module}.py`), join(directory, `${module}.py`));
  copy("modeling_gpt2_rmsnorm"); // its RMSNorm is used by all families
  if (rmsNorm) return [rmsNorm.module, rmsNorm.name];
  // The present source, ended by the line that `source_with_norms` of python/bh_bridge/models/families.py writes.
  const path = join(directory, "modeling_other_norms.py");
  const { home, native, name } = replacedClass.exec(readFileSync(path, "utf8"))?.groups ?? {};
  if (name === undefined) throw new BhBridgeError("RUN_CORRUPT", `${path} does not end with the class of a ${type} with ${norm}`);
  const classes = `${name}Config, ${name}ForCausalLM = with_norms(${native}, "${type}", "${norm}", __name__)`;
  const source = readFileSync(join(pythonSources, "modeling_other_norms.py"), "utf8");
  writeFileSync(path, `${source}\n\nfrom ${home} import ${native}  # noqa: E402\n\n${classes}\n`);
  if (own !== undefined && home === `.${own}`) copy(own);
  return ["modeling_other_norms", name];
}

/** The suggested name of an exported model on the hub, from its directory. */
export function repositoryOf(out: string): string {
  return `YOUR-NAME/${basename(resolve(out))}`;
}

/**
 * Copy the model of a step into a new directory with a model card, as `exportModel` does for the final model.
 * @param options `optimizer` also writes the state from which HF's Trainer resumes.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`, `FILE_UNWRITABLE`, `DISK_FULL`.
 */
export async function exportModelAt(
  { run, step, directory: source, from, verified }: ModelAtStep,
  out: string,
  { optimizer, python }: { optimizer: boolean; python: () => Promise<UsablePython> },
): Promise<Exported> {
  const manifest = readRunManifest(run);
  const config = readRunConfig(run);
  using state = temporaryFolder("state");
  const tokenizer = manifest.corpus.tokenizer && !existsSync(join(source, runFiles.tokenizer)) ? join(run, runFiles.tokenizer) : null;
  if (optimizer || tokenizer !== null) await writeHfState((await python()).path, { checkpoint: optimizer ? source : null, tokenizer, out: state.path });
  const card = modelCard({ manifest, config, step, repository: repositoryOf(out), remoteCode: readdirSync(source).some((name) => name.endsWith(".py")) });
  writeModel(out, card, source, state.path);
  return { source: run, to: "hf", out, step, from, verified, bytes: bytesIn(out) };
}

/**
 * Copy a run's final model into a new directory with a model card, ready to upload. Nothing is sent.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`; `USAGE` for a run without a final model; `FILE_UNWRITABLE`, `DISK_FULL`.
 */
export async function exportModel(run: string, out: string): Promise<Exported> {
  const manifest = readRunManifest(run);
  const source = join(run, finalFolder);
  if (!existsSync(source)) {
    throw new BhBridgeError("USAGE", `${run} has no final model yet: the run is ${manifest.status}. Resume it: bh-bridge resume ${shellQuote(run)}`);
  }
  const config = readRunConfig(run);
  const result = await summarizeRun(run, config, manifest);
  const card = modelCard({ manifest, config, result, repository: repositoryOf(out), remoteCode: readdirSync(source).some((name) => name.endsWith(".py")) });
  writeModel(out, card, source);
  return { source: run, to: "hf", out, bytes: bytesIn(out) };
}

/** Create a directory with a model, further files and a model card, complete or not at all. */
function writeModel(out: string, card: string, model: string, more?: string): void {
  durableCreate(out, (temporaryPath) => {
    // The checksums of its manifest do not cover the model card.
    const isOfModel = (path: string) => basename(path) !== modelManifestFile && !isTrainingState(basename(path));
    cpSync(model, temporaryPath, { recursive: true, filter: (path) => path === model || isOfModel(path) });
    if (more !== undefined) cpSync(more, temporaryPath, { recursive: true });
    useOwnType(temporaryPath);
    writeFileSync(join(temporaryPath, "README.md"), card);
    const shared = statSync(temporaryPath).mode & 0o666; // weights of older runs are readable for their owner only
    for (const entry of readdirSync(temporaryPath, { withFileTypes: true })) {
      const path = join(temporaryPath, entry.name);
      if (entry.isFile()) chmodSync(path, shared);
      syncPath(path);
    }
  });
}

function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
