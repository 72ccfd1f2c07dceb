// The layers of src/ and what they import: without an argument, refuse imports that point up and circles; `draw` makes docs/house.svg.
// The rule is src/layers.json, from top to bottom: a folder may import what stands below it, and nothing else.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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

const row = 46;
const top = 112;
const matrix = 610;
const cell = 34;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The layers as floors of a house, each with a dot for every floor that it imports from: all dots lie right of the diagonal, so nothing points up. */
export function drawHouse(project = root) {
  const { layers } = readLayers(project);
  const program = { folder: "", name: "cli.ts, index.ts", holds: "the program, and the public API" };
  const floors = [
    program,
    ...layers.map((layer) => ({ ...layer, name: `${layer.folder}/` })),
    { folder: "errors.js", name: "errors.ts", holds: "the one error class, its codes and exit codes" },
  ];
  const used = new Set(
    importsOfSource(project).flatMap(({ file, name, isOurs }) => (isOurs ? [`${layerOf(file)} ${name === "errors.js" ? name : layerOf(name)}`] : [])),
  );
  const parts = floors.map((floor, index) => {
    const y = top + index * row;
    const dots = floors.flatMap(({ folder }, column) => {
      const x = matrix + column * cell + cell / 2;
      if (column === index) return [`<rect class="own" x="${x - 7}" y="${y + 12}" width="14" height="14" rx="3"/>`];
      return used.has(`${floor.folder} ${folder}`)
        ? [`<circle class="dot" cx="${x}" cy="${y + 19}" r="6"/>`]
        : [`<circle class="none" cx="${x}" cy="${y + 19}" r="1.5"/>`];
    });
    return [
      `<rect class="floor" x="16" y="${y}" width="${matrix + floors.length * cell}" height="${row - 8}" rx="6"/>`,
      `<text class="name" x="30" y="${y + 24}">${escaped(floor.name)}</text>`,
      `<text class="holds" x="150" y="${y + 24}">${escaped(floor.holds)}</text>`,
      ...dots,
    ].join("\n");
  });
  const heads = floors.map(({ name }, column) => {
    const x = matrix + column * cell + cell / 2 + 4;
    return `<text class="head" transform="translate(${x} ${top - 10}) rotate(-55)">${escaped(name)}</text>`;
  });
  const width = 32 + matrix + floors.length * cell + 40;
  const height = top + floors.length * row + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">The folders of src from top to bottom, and what each imports</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #222 }
.name { font-weight: 600 } .holds, .head { font-size: 12px } .title { font-size: 12px; fill: #555 }
.floor { fill: #f3f4f6; stroke: #d0d4da } .dot { fill: #2b5fa8 } .own { fill: #b8bec7 } .none { fill: #b8bec7 }
svg { background: #fff }
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="16" y="30">A floor imports from floors below it, never from above.</text>
<text class="title" x="16" y="48">Dot: the floor of this row imports from the floor of that column.</text>
${heads.join("\n")}
${parts.join("\n")}
</svg>
`;
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  if (process.argv[2] === "draw") writeFileSync(join(root, "docs", "house.svg"), drawHouse());
  else {
    const found = problems();
    for (const problem of found) console.error(problem);
    process.exitCode = found.length > 0 ? 1 : 0;
  }
}
