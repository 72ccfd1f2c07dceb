// Refuses phrases that were dropped from the documents, the help texts and the messages: `npm run lint` runs it.
//
// It reads every page (*.md, docs, examples) and every string of src and web, where the help texts and messages are. With --src, as the lint runs
// it, it also checks comments and the Python package.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Pattern, wording to use instead, a sentence that is refused, a sentence that is accepted. A space matches any white space. */
const dropped = [
  ["hang(s|ing)? on", "depends on", "The speed-up hangs on the CPU.", "The tokens hang together."],
  ["go(es|ne|ing)? on with", "resume, continue", "A run that is gone on with."],
  ["go(es)? on (as|to the same|from)", "continues", "The run goes on from its checkpoint."],
  ["(when|where|be|is|are|was|were) left out", "omitted; (default: …)", "One per core when left out.", "This left out nothing."],
  ["so many", "the number of", "After so many steps."],
  ["(is|are|was|were) told", "is reported, is printed", "The misspelt axis is told."],
  ["tells? (so|it|its|whose|which|whether|how)", "reports, prints", "The error tells which file."],
  ["(says|say|said) (so|which it is)", "reports it", "A line says so.", "The page says what is left."],
  ["that it shall", "name the thing", "The tokens that it shall have."],
  ["stood before the first step", "fixed in advance", "Rules that stood before the first step."],
  ["(is|are) not believed", "is verified first", "It is not believed."],
  ["t(akes?|ook) (it|them) back", "reverses, corrects", "A field that takes it back."],
  ["beg[iau]ns? anew", "restarts from the beginning", "The run begins anew."],
  ["anew", "again", "They are drawn anew."],
  ["the (former|latter)", "name the thing", "The latter is refused."],
  ["(is|are) of GPT-2", "supports only GPT-2", "The exact step is of GPT-2."],
  ["keeps its bits to itself", "has its own bits", "Engine fast keeps its bits to itself."],
  ["mends?", "fixes", "The command that mends it.", "It recommends a fix."],
  ["(is|are) a matter of", "depends on", "This is a matter of the processor."],
  ["wants? (an?|the|to be)", "requires, needs", "It wants a GPU.", "What you want to record."],
  ["one a (core|line|run|step|state|trial|token)", "one per …", "One a core.", "Take one and a step."],
  ["side by side", "in parallel", "They train side by side."],
  ["in turn", "one after another", "Each takes them in turn.", "It runs in turns."],
  ["beside what", "other than …", "Beside what they name."],
  ["(not|nobody) touched", "uninterrupted", "A run that was not touched."],
  ["programmes?", "notebook series", "The programme's own model.", "A program."],
  ["for itself|by themselves|by its likes?", "name the thing", "Drawn for itself."],
  ["the whole of", "all of", "The whole of the run."],
  ["stands? (beside|in the|below|above|by)", "is in, follows", "It stands beside the file.", "It stands for the reference."],
  ["l(ies|ay) (beside|in|on|below|there|evenly)", "is in", "The file lies in the folder.", "It belongs in the folder."],
].map(([pattern, instead, refused, accepted]) => ({
  pattern,
  instead,
  refused,
  accepted,
  expression: new RegExp(`(?<![\\w-])(?:${pattern.replaceAll(" ", "\\s+")})(?![\\w-])`, "gi"),
}));

/** The text of a page without inline code, which holds names; everything else keeps its position. */
const proseOf = (page) => page.replace(/`[^`\n]+`/g, (code) => " ".repeat(code.length));

/** Every string and every part of a template of a TypeScript file, with its position; with comments if asked for. */
function textsOf(file, source, withComments) {
  const { program, errors, comments } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  const found = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node?.type !== "string") return;
    if (node.type === "Literal" && typeof node.value === "string") found.push({ text: node.value, start: node.start });
    else if (node.type === "TemplateElement") found.push({ text: node.value.cooked ?? "", start: node.start });
    else if (node.type === "JSXText") found.push({ text: node.value, start: node.start });
    else if (!node.type.startsWith("Import")) for (const value of Object.values(node)) if (typeof value === "object" && value !== null) visit(value);
  };
  visit(program.body);
  return withComments ? [...found, ...comments.map(({ value, start }) => ({ text: value, start }))] : found;
}

const lineOf = (text, position) => text.slice(0, position).split("\n").length;

/** The dropped phrases in a text, a line each; `offset` is the line on which the text begins. */
function problems(file, text, phrases, offset = 1) {
  return phrases.flatMap(({ expression, instead }) =>
    [...text.matchAll(expression)].map(
      ({ 0: phrase, index }) => `${file}:${offset + lineOf(text, index) - 1}: "${phrase.replace(/\s+/g, " ")}" was dropped: ${instead}`,
    ),
  );
}

/** Why the lists themselves are wrong: a phrase that does not match its own example would find nothing. */
function brokenPhrases() {
  const failing = dropped.filter(({ expression, refused, accepted }) => refused.search(expression) < 0 || (accepted ?? "").search(expression) >= 0);
  return failing.map(({ pattern }) => `scripts/words.mjs: the phrase "${pattern}" fails its own examples`);
}

/** The files below a folder, as paths from the project; none if there is no such folder. */
function filesIn(folder, ending) {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names.filter((name) => ending.test(name) && !name.includes("node_modules")).map((name) => join(folder, name));
}

const read = (file) => readFileSync(join(root, file), "utf8");
const everything = process.argv.includes("--src");

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...filesIn("docs", /^(?!node_modules|\.vitepress|project).*\.md$/),
  ...filesIn("examples", /\.md$/),
];
const sources = [...filesIn("src", /\.ts$/), ...filesIn("web", /\.tsx?$/)].filter((file) => !/\.generated\.|kernels.assembly/.test(file));
const strings = sources.flatMap((file) => {
  const source = read(file);
  return textsOf(file, source, everything).map(({ text, start }) => ({ file, text, line: lineOf(source, start) }));
});

const found = [
  ...brokenPhrases(),
  ...pages.flatMap((file) => problems(file, proseOf(read(file)), dropped)),
  ...strings.flatMap(({ file, text, line }) => problems(file, text, dropped, line)),
  ...(everything ? filesIn(join("python", "bh_bridge"), /\.py$/).flatMap((file) => problems(file, read(file), dropped)) : []),
];
if (pages.length === 0) found.push("scripts/words.mjs found no page to check");
if (strings.length === 0) found.push("scripts/words.mjs found no string to check in src");
for (const problem of found.sort()) console.error(problem);
process.exitCode = found.length > 0 ? 1 : 0;
