// Writes the reference of the documentation from the sources: `node scripts/reference.mjs [FOLDER]`, by default into docs/reference. `npm run docs:build` calls
// it. Replaces only pages that it wrote itself. With --without-api, it needs no package of docs/, and writes no page of the TypeScript API and no comments of
// fields.
import "./typescript-loader.mjs";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { commandPages } from "./reference/commands.mjs";
import { configurationPages } from "./reference/configuration.mjs";
import { documentLinks, documentPages } from "./reference/documents.mjs";
import { errorPages } from "./reference/errors.mjs";
import { generatedBy } from "./reference/markdown.mjs";

const withoutApi = process.argv.includes("--without-api");
const folder = resolve(process.argv.slice(2).find((word) => !word.startsWith("--")) ?? fileURLToPath(new URL("../docs/reference", import.meta.url)));

/** Remove the pages of an earlier generation, so that none stays whose source is gone. */
function removeGenerated() {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (name.endsWith(".md") && readFileSync(path, "utf8").startsWith(`---\n${generatedBy}\n`)) rmSync(path);
  }
}

/** The pages that the compiler reads from the sources, and those that have comments of fields. */
async function typedPages() {
  if (withoutApi) return await documentPages(() => "");
  const { apiPages, commentReader, readSources } = await import("./reference/typescript.mjs");
  const sources = await readSources();
  const commentOf = await commentReader(sources.program);
  return { ...(await documentPages(commentOf)), ...(await apiPages(sources, await documentLinks(commentOf))) };
}

const pages = { ...(await commandPages()), ...(await configurationPages()), ...(await errorPages()), ...(await typedPages()) };
removeGenerated();
for (const [name, text] of Object.entries(pages)) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`${folder}: ${Object.keys(pages).length} pages`);
