import { readFileSync } from "node:fs";
import { type Candidate, candidatesOf, type KnownValues } from "./candidates.js";

/** What a value of an option or an argument is: alternatives such as `run|file`, each a source of candidates or a list of `values`. */
type Kind = string;

interface CommandData {
  name: string;
  description: string;
  /** `kind` is absent for an option without a value. */
  options: { names: string[]; description: string; kind?: Kind; holdsRuns?: true }[];
  arguments: { kind: Kind; variadic: boolean }[];
  commands: CommandData[];
}

/** The file `completion.json` of the build: commands, options and values, so that a completion loads no command. */
interface CompletionData extends KnownValues {
  program: CommandData;
}

/** Where the cursor is: the command and what has been given to it. */
interface Position {
  command: CommandData;
  /** Number of arguments before the cursor. */
  given: number;
  /** The option whose value is at the cursor. */
  option: CommandData["options"][number] | undefined;
  /** The folder of runs that the command would search. */
  runs: string;
  onlyArguments: boolean;
}

function positionAfter(words: readonly string[], { program, folders }: CompletionData): Position {
  const at: Position = { command: program, given: 0, option: undefined, runs: folders.runs, onlyArguments: false };
  for (const word of words) {
    const below = at.command.commands.find(({ name }) => name === word);
    if (at.option) {
      if (at.option.holdsRuns) at.runs = word;
      at.option = undefined;
    } else if (at.onlyArguments || !word.startsWith("-") || word === "-") {
      if (below && at.given === 0) at.command = below;
      else at.given += 1;
    } else if (word === "--") at.onlyArguments = true;
    else {
      const [name = "", value] = splitOption(word);
      const option = at.command.options.find(({ names }) => names.includes(name));
      if (value === undefined) at.option = option?.kind === undefined ? undefined : option;
      else if (option?.holdsRuns) at.runs = value;
    }
  }
  return at;
}

/** `--name=value` as name and value. */
function splitOption(word: string): [name: string, value: string | undefined] {
  const at = word.indexOf("=");
  return at < 0 || !word.startsWith("--") ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** The candidates for the last of the words behind the program's name. */
function complete(words: readonly string[], data: CompletionData): Candidate[] {
  const typed = words.at(-1) ?? "";
  const { command, given, option, runs, onlyArguments } = positionAfter(words.slice(0, -1), data);
  const valuesOf = (kind: Kind, text: string) => candidatesOf(kind, text, { ...data, runs });
  if (option?.kind !== undefined) return valuesOf(option.kind, typed);
  if (!onlyArguments && typed.startsWith("-")) {
    const [name, value] = splitOption(typed);
    if (value === undefined) return optionCandidates(command, typed);
    const kind = command.options.find(({ names }) => names.includes(name))?.kind;
    return kind === undefined ? [] : valuesOf(kind, value).map((each) => ({ ...each, value: `${name}=${each.value}` }));
  }
  const commands = given > 0 ? [] : command.commands.filter(({ name }) => name.startsWith(typed));
  const last = command.arguments.at(-1);
  const argument = command.arguments[given] ?? (last?.variadic ? last : undefined);
  return [...commands.map(({ name, description }) => ({ value: name, description })), ...(argument ? valuesOf(argument.kind, typed) : [])];
}

function optionCandidates({ options }: CommandData, typed: string): Candidate[] {
  return options.flatMap(({ names, description }) => {
    const value = names.findLast((name) => name.startsWith(typed));
    return value === undefined ? [] : [{ value, description }];
  });
}

/** A word of a command line of bash. */
interface Word {
  value: string;
  /** The quote that is open at the end. */
  quote: string;
  /** The value up to the place where Readline starts to replace: after an open quote, else after the last word break. */
  kept: string;
  raw: string;
}

/** The words of a line up to the cursor, as bash reads them; an unquoted blank ends a word. @param breaks `COMP_WORDBREAKS`. */
function bashWords(line: string, breaks: string): Word[] {
  const words: Word[] = [];
  let word: Word | undefined;
  const open = (): Word => (word ??= { value: "", quote: "", kept: "", raw: "" });
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    const quote = word?.quote ?? "";
    const isEscape = character === "\\" && quote !== "'" && at + 1 < line.length && (quote === "" || '"\\$`'.includes(line.charAt(at + 1)));
    if (isEscape) {
      at += 1;
      open().value += line.charAt(at);
    } else if (quote === "" && /\s/.test(character)) {
      if (word) words.push(word);
      word = undefined;
      continue;
    } else if (quote === "" ? character === '"' || character === "'" : character === quote) {
      open().quote = quote === "" ? character : "";
      open().kept = open().value;
    } else {
      open().value += character;
      if (quote === "" && breaks.includes(character)) open().kept = open().value;
    }
    open().raw += character;
  }
  words.push(open());
  return words;
}

/** What bash inserts for a candidate: without what it keeps of the word, quoted as the word is, and with a space behind a whole value. Readline closes quotes. */
function bashReply({ value: text }: Candidate, { kept, quote, raw }: Word): string {
  const rest = text.slice(kept.length);
  if (quote === "'") return rest.replaceAll("'", `'\\''`);
  if (quote === '"') return rest.replaceAll(/["\\$`]/g, "\\$&");
  const end = isWhole(text) ? " " : "";
  const home = kept === "" && raw.startsWith("~") ? 1 : 0;
  return rest.slice(0, home) + rest.slice(home).replaceAll(/[^\p{L}\p{N}_@%+=:,./-]/gu, "\\$&") + end;
}

/** Whether a candidate ends a word; one that ends with a separator goes on. */
function isWhole(value: string): boolean {
  return !/[/=.:,]$/.test(value);
}

/** Characters that no line of the answer may have. */
const unprintable = /\p{Cc}/u;

/**
 * Answer a completion script: a line per candidate. A completion never fails: what cannot be read has no candidates.
 * @param shell bash sends its line and word breaks, and gets what it inserts; zsh and fish send words, and get values with descriptions behind a tab.
 */
export function answerShell([shell = "", ...rest]: readonly string[]): string {
  try {
    const data = JSON.parse(readFileSync(new URL("../../completion.json", import.meta.url), "utf8")) as CompletionData;
    const isBash = shell === "bash";
    const [line = "", breaks = ""] = rest;
    const read = isBash ? bashWords(line, breaks) : [];
    const last = read.at(-1);
    const words = last ? read.slice(1).map(({ value }) => value) : rest;
    const found = complete(words, data).filter(({ value }) => !unprintable.test(value) && value.startsWith(last?.kept ?? ""));
    const lines = found.map((each) => (last ? bashReply(each, last) : `${each.value}\t${each.description ?? ""}`));
    return lines.map((each) => `${each}\n`).join("");
  } catch {
    return "";
  }
}
