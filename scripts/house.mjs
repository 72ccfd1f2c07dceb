// Checks the imports of src/: a folder may import only from folders below it in src/layers.json, and no files may import each other in a circle.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The layers from top to bottom, and the packages that one file alone may import. */
function readLayers(project = root) {
  return JSON.parse(readFileSync(join(project, "src", "layers.json"), "utf8"));
}

/** Every import of every module of src: paths from src, or the name of a package. The program's own files belong to the layer "". */
function importsOfSource(project = root) {
  const src = join(project, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !file.includes(join("kernels", "assembly")));
  return files.flatMap((file) => {
    const text = readFileSync(join(src, file), "utf8");
    const names = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire(?:\.resolve)?\()\s*"([^"]+)"/g)].map(([, name]) => name);
    return names.map((name) => ({ file, name: name.startsWith(".") ? normalize(join(dirname(file), name)) : name, isOurs: name.startsWith(".") }));
  });
}

const layerOf = (path) => (path.includes(sep) ? path.split(sep)[0] : "");

/** What is wrong with the imports, a sentence each. */
function problems(project = root) {
  const { layers, importedBy } = readLayers(project);
  const height = new Map(layers.map(({ folder }, index) => [folder, layers.length - index]));
  const folders = readdirSync(join(project, "src"), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  const found = folders.filter((folder) => !height.has(folder)).map((folder) => `src/${folder} has no line in src/layers.json: say what stands below it`);
  found.push(
    ...layers.filter(({ folder }) => !folders.includes(folder)).map(({ folder }) => `src/layers.json has a line for src/${folder}, which is not there`),
  );
  const imports = importsOfSource(project);
  for (const { file, name, isOurs } of imports) {
    const owner = importedBy[name.split("/")[0]];
    if (!isOurs && owner !== undefined && file !== normalize(owner)) found.push(`src/${file} imports ${name}: only src/${owner} may`);
    if (!isOurs || layerOf(file) === layerOf(name) || name === "errors.js") continue;
    const [from, to] = [layerOf(file), layerOf(name)];
    if (from === "") continue;
    if (to === "") found.push(`src/${file} imports src/${name}: below the program itself only errors.ts is imported from the top of src`);
    else if ((height.get(to) ?? 0) >= (height.get(from) ?? 0))
      found.push(`src/${file} imports src/${name}: imports point down only, and ${to} stands above ${from} in src/layers.json`);
  }
  return [...found, ...circles(imports).map((files) => `these files import each other in a circle: ${files.map((file) => `src/${file}`).join(", ")}`)];
}

/** Groups of files that import each other in a circle, those that take only types included (Tarjan 1972). */
function circles(imports) {
  const next = new Map();
  for (const { file, name, isOurs } of imports) {
    if (isOurs) next.set(file, [...(next.get(file) ?? []), name.replace(/\.js$/, ".ts")]);
  }
  const order = new Map();
  const lowest = new Map();
  const path = [];
  const found = [];
  const visit = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    path.push(file);
    for (const other of next.get(file) ?? []) {
      if (!order.has(other)) visit(other);
      if (path.includes(other)) lowest.set(file, Math.min(lowest.get(file), lowest.get(other)));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const group = path.splice(path.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of next.keys()) if (!order.has(file)) visit(file);
  return found;
}

const found = problems();
for (const problem of found) console.error(problem);
process.exitCode = found.length > 0 ? 1 : 0;
