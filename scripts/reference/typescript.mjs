// The pages of the TypeScript API, by typedoc, and the comments of fields, by the compiler. Both come from docs/node_modules, because typedoc needs an older
// TypeScript than the project.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { anchor, page, prose, table } from "./markdown.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "src");
const { resolve } = createRequire(join(root, "docs", "package.json"));
const load = (name) => import(pathToFileURL(resolve(name)).href);

/** The pages of the API: their titles, and the folders of src whose exports they have. The last one has all others. */
const groups = {
  training: ["Training and runs", ["runner", "runs"]],
  bridge: ["Bridge, models and trainers", ["bridge", "protocol"]],
  configuration: ["Configuration", ["config"]],
  files: ["Files and tensors", ["formats"]],
  analysis: ["Analysis", ["analysis"]],
  comparing: ["Comparing", ["compare"]],
  statistics: ["Statistics", ["sweep/statistics"]],
  sweeps: ["Sweeps and experiments", ["sweep"]],
  figures: ["Figures", ["figures"]],
  documents: ["Documents and errors", []],
};

/** The page of an export, from the file that declares it. */
function groupOf(file) {
  const path = relative(source, file).split(sep).join("/");
  return Object.keys(groups).find((name) => groups[name][1].some((folder) => path.startsWith(`${folder}/`))) ?? "documents";
}

/** Load src/index.ts. */
async function convert(folder) {
  const typedoc = await load("typedoc");
  const { default: ts } = await load("typescript");
  const { trainEventMeanings } = await import("../../src/protocol/events.ts");
  const app = await typedoc.Application.bootstrapWithPlugins({
    entryPoints: [join(source, "index.ts")],
    tsconfig: join(root, "tsconfig.build.json"),
    plugin: [resolve("typedoc-plugin-markdown")],
    outputs: [{ name: "markdown", path: folder }],
    logLevel: "Warn",
    readme: "none",
    skipErrorChecking: true, // npm run types has checked them, with the project's own compiler
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    router: "category",
    categorizeByGroup: false,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    ...Object.fromEntries(["parameters", "interfaceProperties", "typeDeclaration", "propertyMembers"].map((name) => [`${name}Format`, "table"])),
  });
  const undocumented = [];
  /** The comment of a type that is `z.output<typeof schema>` or `TrainEventOf<"type">`: that of the schema, or the meaning of the event. */
  const commentOfSchema = (declaration, checker) => {
    const argumentsOf = (ts.isTypeAliasDeclaration(declaration) && declaration.type.typeArguments) || [];
    const event = argumentsOf.find(ts.isLiteralTypeNode);
    const query = argumentsOf.find(ts.isTypeQueryNode);
    const symbol = query && checker.getSymbolAtLocation(query.exprName);
    const aliased = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const text = event ? (trainEventMeanings[event.literal.text] ?? "") : aliased ? ts.displayPartsToString(aliased.getDocumentationComment(checker)) : "";
    return text === "" ? undefined : new typedoc.Comment([{ kind: "text", text }]);
  };
  app.converter.on(typedoc.Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.parent?.kind !== typedoc.ReflectionKind.Project) return;
    const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    const isFunction = reflection.kind === typedoc.ReflectionKind.Function; // the comments of a function are those of its signatures
    reflection.comment ??= commentOfSchema(declaration, context.checker);
    if (!reflection.comment && !isFunction) undocumented.push(reflection.name);
    reflection.comment ??= new typedoc.Comment();
    const text = groupOf(declaration.getSourceFile().fileName);
    reflection.comment.blockTags.push(new typedoc.CommentTag("@category", [{ kind: "text", text }]));
  });
  const project = await app.convert();
  if (!project) throw new Error("typedoc could not read src/index.ts");
  await app.generateOutputs(project);
  if (app.logger.hasWarnings() || app.logger.hasErrors()) throw new Error("typedoc has warnings");
  return { undocumented, program: app.getEntryPoints()[0].program, names: project.children.map(({ name }) => name) };
}

const keywords = { Function: "function", Interface: "interface", "Type Alias": "type", Variable: "const", Class: "class", "Abstract Class": "class" };
const order = ["class", "function", "const", "interface", "type"];

/** One export as typedoc writes it: `{ group, file, name, keyword, body }`. */
function exportOf(folder, file) {
  const text = readFileSync(join(folder, file), "utf8");
  const [, kind, title] = /^# ([A-Za-z ]+): (.*)$/m.exec(text) ?? [];
  if (kind === undefined) return undefined;
  const name = title.replace(/\(\)|\\?<.*/g, "").replaceAll("\\", "");
  return { group: dirname(file), file, name, keyword: keywords[kind], body: text.slice(text.indexOf("\n", text.indexOf(`# ${kind}`)) + 1).trim() };
}

const headingOf = ({ keyword, name }) => `${keyword} ${name}`;

/** The body of an export below its heading: lesser headings become bold text, those of members get the name of their class. */
function bodyOf(entry, byFile, documents) {
  const body = entry.body
    .replace(/^\*\*\*$/gm, "")
    .replace(/\| `undefined` (?=\|)/g, "| ") // a parameter without a default
    .replace(/^### (.*)$/gm, (_, title) => (entry.keyword === "class" ? `### ${entry.name}.${title.replace(/\\\[(\w+)\\\]/, "$1")}` : `**${title}**`))
    .replace(/^#+ (?:Implements|Implementation of|See)\n\n(?:- )?.*$/gm, "")
    .replace(/^#+ (?:Accessors|Methods|Constructors|Properties|Get Signature|Call Signature)$/gm, "")
    .replace(/^(##|####|#####) (.*)$/gm, "**$2**")
    .replace(/\]\(([^)#]+\.md)(?:#[^)]*)?\)/g, (_, target) => {
      const other = byFile.get(join(entry.group, target).split(sep).join("/"));
      if (!other) throw new Error(`${entry.file} links to ${target}, which typedoc did not write`);
      return `](${other.group === entry.group ? "" : `${other.group}.md`}#${anchor(headingOf(other))})`;
    })
    .replace(/\n{3,}/g, "\n\n");
  const schema = entry.name.endsWith("Schema") ? entry.name : /z\.output<typeof (\w+)>/.exec(body)?.[1];
  const link = documents[schema] === undefined ? "" : `\n\nIts fields are in [${documents[schema].title}](../${documents[schema].link}).`;
  // The type of a schema repeats all of its fields.
  const isSchema = entry.keyword === "const" && entry.name.endsWith("Schema");
  return (
    (isSchema
      ? body.replace(/^```ts\n[\s\S]*?\n```/, `\`\`\`ts\nconst ${entry.name}: z.ZodType;\n\`\`\``).replace(/\*\*Type Declaration\*\*[\s\S]*$/, "")
      : body) + link
  );
}

/** The program of the compiler, and every export as typedoc describes it. @throws if an export has no comment. */
export async function readSources() {
  const folder = mkdtempSync(join(tmpdir(), "bh-bridge-api-"));
  try {
    const { undocumented, names, program } = await convert(folder);
    if (undocumented.length > 0) throw new Error(`exports without a comment: ${undocumented.join(", ")}`);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".md") && file.includes(sep));
    const entries = files.map((file) => exportOf(folder, file)).filter(Boolean);
    const missing = names.filter((name) => !entries.some((entry) => entry.name === name));
    if (missing.length > 0) throw new Error(`typedoc wrote no page for ${missing.join(", ")}`);
    entries.sort((one, other) => order.indexOf(one.keyword) - order.indexOf(other.keyword) || one.name.localeCompare(other.name));
    return { program, entries };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The pages by their paths. `documents` has page and title of each schema that another page describes. */
export async function apiPages({ entries }, documents) {
  const byFile = new Map(entries.map((entry) => [entry.file.split(sep).join("/"), entry]));
  const pages = Object.entries(groups).map(([group, [title]], index) => {
    const own = entries.filter((entry) => entry.group === group);
    return [`api/${group}.md`, page({ title, order: index + 1 }, ...own.flatMap((entry) => [`## ${headingOf(entry)}`, bodyOf(entry, byFile, documents)]))];
  });
  return { "api/index.md": indexPage(entries), ...Object.fromEntries(pages) };
}

function indexPage(entries) {
  const rows = Object.entries(groups).map(([group, [title]]) => {
    const links = entries.filter((entry) => entry.group === group).map((entry) => `[\`${entry.name}\`](${group}.md#${anchor(headingOf(entry))})`);
    return [`[${prose(title)}](${group}.md)`, links.join(" ")];
  });
  return page("TypeScript API", "Everything that `bh-bridge` exports. [The guide](../../api.md) shows how to use it.", table(["page", "exports"], rows));
}

/**
 * A function that returns the comment of a field of an exported schema, by its path; empty if there is none. Lists have `[]` in a path, records `NAME`.
 */
export async function commentReader(program) {
  const { default: ts } = await load("typescript");
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(source, "index.ts")));
  const exported = new Map(checker.getExportsOfModule(module).map((symbol) => [symbol.name, symbol]));
  const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const text = (symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll("\n", " ");
  const parts = (type) => (type.isUnion() ? type.types.flatMap(parts) : [type]);
  const below = (types, name) =>
    types.flatMap((type) => {
      if (name === "[]" || name === "NAME") {
        const inner = checker.getIndexTypeOfType(type, name === "[]" ? ts.IndexKind.Number : ts.IndexKind.String);
        return inner ? [{ types: parts(inner) }] : [];
      }
      const symbol = checker.getPropertyOfType(type, name);
      return symbol ? [{ symbol, types: parts(checker.getTypeOfSymbol(symbol)) }] : [];
    });
  return (schema, path) => {
    const symbol = resolved(exported.get(schema));
    if (path === "") return text(symbol);
    const [input] = below([checker.getTypeOfSymbol(symbol)], "_output");
    let found = [{ types: input.types }];
    for (const name of path.replaceAll("[]", ".[]").split(".").filter(Boolean))
      found = below(
        found.flatMap(({ types }) => types),
        name,
      );
    return found.map((each) => (each.symbol ? text(each.symbol) : "")).find((each) => each !== "") ?? "";
  };
}
