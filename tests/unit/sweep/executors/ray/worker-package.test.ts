import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../../../src/config/parse-run-config.js";
import { packageRoot } from "../../../../../src/python/package-manifest.js";
import { namedFiles, pack, workerDependencies, workerFiles } from "../../../../../src/sweep/executors/ray/worker-package.js";
import { contentHash } from "../../../../../src/sweep/pool/sent-files.js";
import { python, temporaryDirectory } from "../../../formats/reference-python.js";

/** What only the controller needs: TypeScript configurations, tables of trials, forms of text other than the prepared one, and formats of other programs that are read to be analysed. */
const notForWorkers = ["jiti", "h5wasm", "hyparquet-writer", "hyparquet", "hyparquet-compressors", "fzstd", "@uwdata/flechette", "@huggingface/tokenizers"];
/** Whose name the one file that imports it does not write in its import. */
const byName = ["pythonia"];

test("the packages that travel are those that the folders of a worker import", () => {
  const layers: { folder: string }[] = JSON.parse(readFileSync(join(packageRoot, "src", "layers.json"), "utf8")).layers;
  const folders = layers.slice(layers.findIndex(({ folder }) => folder === "sweep")).map(({ folder }) => folder);
  const files = folders.flatMap((folder) =>
    readdirSync(join(packageRoot, "src", folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const imported = files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [
      ...readFileSync(join(packageRoot, "src", name), "utf8").matchAll(/(?:^(?:import|export)\b.*?from|import\()\s*"((?:@[^/"]+\/)?[^./"][^/":]*)[^":]*"/gm),
    ])
    .map(([, name]) => name ?? "");
  expect([...new Set([...imported, ...byName])].filter((name) => !notForWorkers.includes(name)).sort()).toEqual([...workerDependencies].sort());
});

test("what travels starts where nothing else of this package is", async () => {
  const folder = temporaryDirectory();
  const files = workerFiles();
  expect(files.find(({ name }) => name === "node_modules/zod/package.json")).toBeDefined();
  const { path, sha256 } = await pack(files, folder, python);
  expect((await pack(files.toReversed(), folder, python)).sha256).toBe(sha256);
  execFileSync(python, ["-m", "zipfile", "-e", path, join(folder, "unpacked")]);
  expect(existsSync(join(folder, "unpacked", "python", "bh_bridge", "on_ray", "job.py"))).toBe(true);
  const portable = join("python", "bh_bridge", "portable"); // with the builds of this checkout, if it has a compiler
  for (const name of ["wasm_process.mjs", ...readdirSync(join(packageRoot, portable, "builds")).map((each) => join("builds", each))])
    expect(existsSync(join(folder, "unpacked", portable, name)), name).toBe(true);
  const program =
    "await import(`${process.cwd()}/dist/sweep/pool/train-trial.js`); const { workerFiles } = await import(`${process.cwd()}/dist/sweep/executors/ray/worker-package.js`); console.log(workerFiles().length)";
  const told = execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: join(folder, "unpacked"), encoding: "utf8" });
  expect(Number(told)).toBe(files.length);
});

test("a package that is not installed is named", () => {
  const root = temporaryDirectory();
  for (const name of ["dist", "python/bh_bridge"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "package.json"), "{}");
  expect(() => workerFiles(root)).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND", message: expect.stringContaining("@petamoriken/float16") }));
});

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
  expect(Object.values(files)).toEqual([{ whyNot: "it has 257 MiB, but at most 256 MiB are sent in all" }, { whyNot: "it is an index of other files" }]);
});
