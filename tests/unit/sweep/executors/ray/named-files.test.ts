import { createHash } from "node:crypto";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import { namedFiles } from "../../../../../src/sweep/executors/ray/named-files.js";
import { contentHash } from "../../../../../src/sweep/pool/sent-files.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

const folder = temporaryDirectory();
const at = (name: string, content = name) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

test("weights, initial states and tokenizers travel by their content, each once, with what they are read with", () => {
  const model = join(folder, "saved");
  mkdirSync(model);
  writeFileSync(join(model, "config.json"), "{}");
  writeFileSync(join(model, "model.safetensors"), "weights");
  const [history, index, tokenizer] = [at("history.safetensors"), at("history.idx"), at("tokenizer.json")];
  const configs = [
    parseRunConfig({ model: { from: model }, data: { tokenizer } }),
    parseRunConfig({ model: { from: model }, init: { kind: "file", path: history } }),
    parseRunConfig({}),
  ];
  const { packed, files } = namedFiles(configs);
  const named = (path: string) => `files/${contentHash(path)}`;
  expect(packed).toEqual([
    { path: join(model, "config.json"), name: `${named(model)}/saved/config.json` },
    { path: join(model, "model.safetensors"), name: `${named(model)}/saved/model.safetensors` },
    { path: tokenizer, name: `${named(tokenizer)}/tokenizer.json` },
    { path: history, name: `${named(history)}/history.safetensors` },
    { path: index, name: `${named(history)}/history.idx` },
  ]);
  const sum = createHash("sha256").update("history.safetensors").digest("hex");
  expect(files[history]).toEqual({ name: named(history), sha256: createHash("sha256").update(`${sum}  \n`).digest("hex") });
  expect(Object.keys(files)).toEqual([model, tokenizer, history]);
});

test("what is too large, or lies in several files, stays, with the reason; what is not there is nobody's", () => {
  const large = at("large.safetensors", "");
  truncateSync(large, (256 << 20) + 1);
  const config = (path: string) => parseRunConfig({ init: { kind: "file", path } });
  const { packed, files } = namedFiles([config(large), config(at("model.safetensors.index.json")), config("/no/such/file")]);
  expect(packed).toEqual([]);
  expect(Object.values(files)).toEqual([
    { whyNot: "it has 257 MiB, and what configurations name may have 256 MiB in all" },
    { whyNot: "it is an index, whose parts lie beside it" },
  ]);
});
