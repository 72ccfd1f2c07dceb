// The documentation site: `npm run docs` serves it live, `npm run docs:build` writes docs/.vitepress/dist, which works below any path and offline.
// docs/ is a package of its own, because typedoc needs an older TypeScript than the project.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { build, installPackages, root, run } from "./prepare.mjs";

const docs = join(root, "docs");
const mode = process.argv[2] === "build" ? "build" : "dev";

/** Copies of files outside docs/ that pages link to. `linkOutside` in docs/.vitepress/config.ts leads links to them. */
function copyProjectPages() {
  const folder = join(docs, "project");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const name of ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]) {
    if (!existsSync(join(root, name))) continue;
    const text = readFileSync(join(root, name), "utf8");
    writeFileSync(join(folder, name.toLowerCase()), text.replaceAll("](docs/", "](../").replaceAll("](docs)", "](../index.md)"));
  }
  const examples = readdirSync(join(root, "examples")).sort();
  writeFileSync(join(folder, "examples.md"), `# Examples\n\n${examples.map(exampleSection).join("\n")}`);
}

function exampleSection(name) {
  const text = readFileSync(join(root, "examples", name), "utf8");
  const block = (language, code) => `\`\`\`\`${language}\n${code.trimEnd()}\n\`\`\`\`\n`;
  const cell = ({ cell_type: type, source }) => (type === "code" ? block("python", source.join("")) : `${source.join("").replace(/^#/gm, "##")}\n`);
  const content = extname(name) === ".ipynb" ? JSON.parse(text).cells.map(cell).join("\n") : block(extname(name) === ".py" ? "python" : "ts", text);
  return `## ${name}\n\n${content}`;
}

/** Runs a program; exits if it fails. */
async function must(args, options) {
  const code = await run(process.execPath, args, options);
  if (code !== 0) process.exit(code);
}

await Promise.all([installPackages(docs), build()]);
copyProjectPages();
mkdirSync(join(docs, "public"), { recursive: true });
copyFileSync(join(root, "dist", "try-it.html"), join(docs, "public", "try-it.html"));
copyFileSync(join(root, "web", "public", "icon.svg"), join(docs, "public", "icon.svg"));
if (existsSync(join(root, "scripts", "reference.mjs"))) await must([join(root, "scripts", "reference.mjs")]);
await must([join(docs, "node_modules", "vitepress", "bin", "vitepress.js"), mode, "docs"]);
