// What npm packages become part of dist/: their code, their licences, and a list of them for the bill of materials.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/**
 * Packages that the program imports from one file each in dist/vendor, with the name of the file. They are devDependencies: users install half as many
 * packages (15 MB less), and one file loads faster than the forty packages of d3.
 */
const programPackages = { plot: "@observablehq/plot", linkedom: "linkedom" };

/** The folder of the package that a module of a bundle comes from; nothing for our own modules and those of the bundler. */
function packageFolder(moduleId) {
  return /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(moduleId.replace(/^\0/, "").split("?")[0])?.[1];
}

function partOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  if (file === undefined && license === undefined) throw new Error(`${name} has no licence`);
  return { name, version, license, text: file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), "utf8").trim() };
}

/** Notes the packages of every bundle that its plugin sees, and writes `dist/LICENSES.txt` and `dist/bundled.json` at the end. */
export function bundledPackages() {
  const folders = new Set();
  const note = (moduleIds) => {
    for (const id of moduleIds) if (packageFolder(id)) folders.add(packageFolder(id));
  };
  return {
    plugin: { name: "note-packages", generateBundle: (_, bundle) => note(Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds)) },
    /** @param assets folders of packages of which files are copied. */
    write(assets) {
      const parts = [...folders, ...assets].map(partOf).sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
      const sections = parts.map(({ name, version, text }) => `${name} ${version}\n\n${text}\n`);
      const head = "The files of this folder contain code and data of these packages, each with its licence.\n";
      writeFileSync(join(dist, "LICENSES.txt"), [head, ...sections].join(`\n${"-".repeat(80)}\n\n`));
      const list = parts.map(({ name, version, license }) => ({ name, version, license }));
      writeFileSync(join(dist, "bundled.json"), `${JSON.stringify(list, null, 2)}\n`);
    },
  };
}

/** One file for Node.js with a package and all that it imports. */
async function bundle(name, source, plugin) {
  const built = await build({
    configFile: false,
    root,
    logLevel: "warn",
    plugins: [plugin],
    ssr: { noExternal: true, target: "node" },
    build: {
      ssr: true,
      write: false,
      target: "node20",
      minify: true,
      rolldownOptions: { input: { [name]: fileURLToPath(import.meta.resolve(source)) }, preserveEntrySignatures: "strict", output: { format: "es" } },
    },
  });
  const [chunk, ...others] = built.output;
  if (others.length > 0) throw new Error(`${source} became more than one file: ${others.map(({ fileName }) => fileName).join(", ")}`);
  const outside = [...chunk.imports, ...chunk.dynamicImports].filter((id) => !id.startsWith("node:"));
  if (outside.length > 0) throw new Error(`the bundle of ${source} imports ${outside.join(", ")}`);
  writeFileSync(join(dist, "vendor", `${name}.js`), chunk.code);
}

/** In the compiled program every `from "PACKAGE"` becomes the path of its bundle. */
function importBundles() {
  for (const entry of readdirSync(dist, { recursive: true })) {
    if (!entry.endsWith(".js") || entry.startsWith("vendor")) continue;
    const path = join(dist, entry);
    const text = readFileSync(path, "utf8");
    let changed = text;
    for (const [name, source] of Object.entries(programPackages)) {
      const target = relative(dirname(path), join(dist, "vendor", `${name}.js`));
      changed = changed.replaceAll(`from "${source}"`, `from "${target.startsWith(".") ? target : `./${target}`}"`);
    }
    if (changed !== text) writeFileSync(path, changed);
  }
}

/** Write the bundles of the program's packages and let the compiled program import them. */
export async function bundleProgramPackages(plugin) {
  mkdirSync(join(dist, "vendor"), { recursive: true });
  for (const [name, source] of Object.entries(programPackages)) await bundle(name, source, plugin);
  importBundles();
}

/** Bundle the SDK of the Model Context Protocol, 25 MB with its dependencies, into the only file that imports it. zod stays outside, as the program has it. */
export async function bundleMcpServer(plugin) {
  const folder = join(dist, "commands/serve");
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    plugins: [plugin],
    ssr: { noExternal: true },
    build: {
      ssr: join(folder, "mcp-server.js"),
      outDir: folder,
      emptyOutDir: false,
      copyPublicDir: false,
      target: "node20",
      minify: true,
      rolldownOptions: {
        external: (id, importer = "") => /^(?:zod|execa)(?:\/|$)/.test(id) || (id.startsWith(".") && !importer.includes("/node_modules/")),
        output: { entryFileNames: "mcp-server.js", codeSplitting: false },
      },
    },
  });
}
