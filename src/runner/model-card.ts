import { basename, isAbsolute } from "node:path";
import { stringify } from "yaml";
import { modelInWords } from "../config/models/model-sizes.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { corpusName } from "../runs/corpus-name.js";
import type { RunManifest } from "../runs/run-manifest.js";
import { count } from "../text/count.js";
import { groupDigits } from "../text/group-digits.js";
import type { TrainResult } from "./train-result.js";

/** What a model card is made from. */
interface ModelCardInput {
  readonly manifest: RunManifest;
  readonly config: RunConfig;
  readonly result: TrainResult;
  /** What the model will be called on the hub. */
  readonly repository: string;
  /** Whether the model brings Python code of its own. */
  readonly remoteCode: boolean;
}

/** So many black holes are listed. */
const maxHolesListed = 10;

/** The `README.md` of an exported model: how to load it, what it was trained on, what came out, and with which versions. */
export function modelCard({ manifest, config, result, repository, remoteCode }: ModelCardInput): string {
  const { census, verdict, steps } = result;
  const hasTokenizer = manifest.corpus.tokenizer !== undefined;
  const frontMatter = stringify({ library_name: "transformers", pipeline_tag: "text-generation", tags: [config.model.type, "bh-bridge", "black-holes"] });
  return `---
${frontMatter}---

# ${manifest.name}

A ${modelInWords(config.model)}, ${count(manifest.parameters, "parameter")}, trained for ${groupDigits(steps.done)} of ${count(steps.planned, "step")} from the initial state \`${config.init.kind}\`. ${hasTokenizer ? "Tokens are those of the tokenizer beside it." : `Tokens are bytes below ${config.model.vocab_size}.`}

## Load it

\`\`\`python
from transformers import AutoModelForCausalLM${hasTokenizer ? ", AutoTokenizer" : ""}

model = AutoModelForCausalLM.from_pretrained("${repository}"${remoteCode ? ", trust_remote_code=True" : ""})
${hasTokenizer ? `tokenizer = AutoTokenizer.from_pretrained("${repository}"${remoteCode ? ", trust_remote_code=True" : ""})\n` : ""}\`\`\`

## Result

| | |
|---|---|
| verdict | ${verdict.result} |
| reason | ${verdict.reason} |
| weights | ${result.finite ? "all finite" : "not all finite: this training has failed"} |
| unique rows | ${census.unique} of ${census.rows} |
| black holes | C = ${census.C} |
| population | P = ${census.P} |
| largest | ${census.populations.slice(0, maxHolesListed).join(", ") || "none"} |
| centroid displacement | ${result.displacement.float64 ?? "not finite"} |

## Data

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

/** The configuration without the places of the machine it ran on: the card is meant to be published. */
function publicConfig({ python: _python, ...config }: RunConfig): unknown {
  return JSON.parse(JSON.stringify(config, (_key, value: unknown) => (typeof value === "string" && isAbsolute(value) ? basename(value) : value)));
}
