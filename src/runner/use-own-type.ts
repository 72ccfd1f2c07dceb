import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isPlainObject } from "../config/json-value.js";
import { familyOf } from "../config/models/families.js";
import { BhBridgeError } from "../errors.js";
import { savedFamily } from "../formats/hf/saved-family.js";
import { readJson } from "../formats/read-json.js";
import { packageRoot } from "../python/package-root.js";

const pythonSources = join(packageRoot, "python", "bh_bridge", "models");
/** The last lines of the source beside a model of 0.2 or earlier whose family's norms were replaced. */
const replacedClass = /^from (?<home>\S+) import (?<native>\w+).*\n+class (?<name>\w+)ForCausalLM\(\k<native>\):/m;

/**
 * Give a copied model with replaced norms a `model_type` that transformers does not know. Models that were saved by 0.2 or earlier have the family's own, with
 * which transformers loads them without their source and with the wrong norms.
 *
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

/** Copy the present source of a model's classes beside it. @returns the module and the beginning of the names of its classes. */
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
