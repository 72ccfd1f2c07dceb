import { escaped, printable } from "./escaping.js";
import { groupDigits } from "./format.js";

/** Maximum length of a token's name: longer texts are shortened. */
const longestToken = 24;
/** Unicode's pictures of white space, which common fonts have; they lack those of most other control characters. */
const pictures: Readonly<Record<string, string>> = { " ": "␣", "\t": "⇥", "\n": "⏎" };
const firstOfTwoBytes = 0x100;
/** Control, format and private characters, lone surrogates, and spaces other than U+0020. */
const invisible = /[\p{C}\p{Z}]/u;

/**
 * The name of a token wherever people read it: its text with pictures for white space, `#35` for a token without text.
 *
 * Digits, and a text that looks like the number of a token, are quoted. Other control characters, invisible ones and marks of writing direction are escaped.
 *
 * @param text its text, if known. @param limit maximum number of characters.
 */
export function tokenName(token: number, text: string | null | undefined, limit = longestToken): string {
  if (text === null || text === undefined || text === "") return `#${token}`;
  const characters = Array.from(text.slice(0, 2 * limit), visibleCharacter);
  const isCut = characters.length > limit || text.length > 2 * limit;
  const name = isCut ? `${characters.slice(0, limit - 1).join("")}…` : characters.join("");
  const whole = /^\p{M}/u.test(name) ? `◌${name}` : name;
  return /^#?\d+$/.test(whole) ? `'${whole}'` : whole;
}

function visibleCharacter(character: string): string {
  const picture = pictures[character];
  if (picture !== undefined || !invisible.test(character)) return picture ?? character;
  const code = character.codePointAt(0) ?? 0;
  return code < firstOfTwoBytes ? `\\x${code.toString(16).padStart(2, "0")}` : escaped(character);
}

/** A name of a token in running text: `“,”`, `“4”`. The number of a token without text stays as it is. */
export function quotedToken(name: string): string {
  return /^#\d+$/.test(name) ? name : `“${name.replace(/^'(#?\d+)'$/, "$1")}”`;
}

/** Names of tokens in running text: `“,”, “.”, “T” and 6 more`. @param limit maximum number of names. */
export function quotedTokens(names: readonly string[], limit: number): string {
  const quoted = names.slice(0, limit).map(quotedToken);
  const end = names.length > limit ? `${groupDigits(names.length - limit)} more` : quoted.pop();
  return quoted.length === 0 ? (end ?? "") : `${quoted.join(", ")} and ${end}`;
}

/** What the pictures in names of tokens mean, for captions. */
export const tokenNameLegend = "␣ is a space, ⏎ a line break, ⇥ a tab, \\x00 another control character, and #35 is token 35 without text";

/** A run with the fields of its configuration that differ from those of other runs. */
export interface NamedRun {
  readonly name: string;
  /** Values by path, such as `training.seed`. */
  readonly differs: Readonly<Record<string, unknown>>;
  /** The name of its directory, which distinguishes runs that are equal in everything else. */
  readonly directory: string;
}

/** Maximum lengths of a run's own name, of a value, and of both together; the first differing field is always there. */
const longestName = 40;
const longestValue = 24;
const longestLabel = 72;

/** Distinct names of runs that are shown together: each one's own name with the differing fields behind it, as `quick · seed 43`. */
export function runNames(runs: readonly NamedRun[]): string[] {
  const paths = [...new Set(runs.flatMap(({ differs }) => Object.keys(differs)))];
  const differing = paths.filter((path) => new Set(runs.map(({ differs }) => JSON.stringify(differs[path]))).size > 1);
  const names = runs.map((run) => {
    const own = printable(run.name, longestName);
    return differing
      .flatMap((path) => fieldText(own, path, differing, run.differs[path]))
      .reduce((name, field, at) => (at === 0 ? `${name} · ${field}` : name.length + field.length < longestLabel ? `${name}, ${field}` : name), own);
  });
  return names.map((name, at) => {
    const isDistinct = names.indexOf(name) === names.lastIndexOf(name);
    return isDistinct ? name : `${name} (${printable(runs[at]?.directory.slice(-8) ?? String(at + 1))})`;
  });
}

/** A field as `seed 43`; nothing if the run's own name already contains it, as names of trials do. */
function fieldText(name: string, path: string, paths: readonly string[], value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const last = lastPart(path);
  const text = printable(valueText(value), longestValue);
  const isTrial = name.split(" ").some((word) => word.endsWith(`${last}=${text}`) || word.endsWith(`${last}-${text}`));
  const isNamed = isTrial || name === text || name.startsWith(`${text}-seed-`);
  return isNamed ? [] : [`${paths.filter((other) => lastPart(other) === last).length > 1 ? path : last} ${text}`];
}

/** Numbers below this are written as 5e-4. */
const smallestPlain = 1e-3;

/** A value of a configuration as text: small numbers as 5e-4. */
export function valueText(value: unknown): string {
  if (typeof value === "number" && value !== 0 && Math.abs(value) < smallestPlain) return value.toExponential();
  return typeof value === "string" ? value : JSON.stringify(value);
}

function lastPart(path: string): string {
  return path.split(".").at(-1) ?? path;
}

/** Fields with names that are usual in the field. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ["training.learning_rate", "lr"],
  ["training.per_device_train_batch_size", "batch"],
]);

/** The name of a field among others: its short name, the last part of its path, or the path if another field ends in the same part. */
export function fieldName(path: string, paths: readonly string[]): string {
  const short = shortNames.get(path);
  if (short !== undefined) return short;
  return paths.some((other) => other !== path && lastPart(other) === lastPart(path)) ? path : lastPart(path);
}

/** Names of trials by the values that they set and in which they differ, as `lr 0.001 · batch 8`; `base` for a trial that sets none of them. */
export function trialNames(sets: readonly Readonly<Record<string, unknown>>[]): string[] {
  const paths = [...new Set(sets.flatMap((set) => Object.keys(set)))];
  const differing = paths.filter((path) => new Set(sets.map((set) => JSON.stringify(set[path]))).size > 1);
  const shown = differing.length > 0 ? differing : paths;
  const fields = (set: Readonly<Record<string, unknown>>) => shown.filter((path) => set[path] !== undefined);
  return sets.map(
    (set) =>
      fields(set)
        .map((path) => `${fieldName(path, shown)} ${printable(valueText(set[path]), longestValue)}`)
        .join(" · ") || "base",
  );
}
