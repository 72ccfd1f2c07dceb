import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Candidate {
  value: string;
  description?: string;
}

/** A field of the configuration, by its dotted path. */
interface FieldData {
  path: string;
  description: string;
  choices: string[];
  /** Whether its value is a path. */
  isPath?: true;
}

/** Values that are known when the program is built. */
export interface KnownValues {
  /** Lists by name. */
  values: Record<string, Candidate[]>;
  fields: FieldData[];
  /** The file by which a folder is a run. */
  manifest: string;
  /** The default folders of runs, and of sweeps and experiments. */
  folders: { runs: string; plans: string[] };
}

interface Context extends KnownValues {
  runs: string;
}

type Source = (typed: string, context: Context) => Candidate[];

const sources: Readonly<Record<string, Source>> = {
  run: runCandidates,
  plan: planCandidates,
  tensor: (typed, context) => targetCandidates(typed, context, tensorNames),
  step: (typed, context) => targetCandidates(typed, context, recordedSteps),
  field: fieldCandidates,
  axis: (typed, context) => fieldCandidates(typed, context, ","),
  arm: armCandidates,
  file: fileCandidates,
  none: () => [],
};

/**
 * The candidates for a text.
 * @param kind the first alternative with candidates is taken; `values` with a comma at the end may be given several times.
 */
export function candidatesOf(kind: string, typed: string, context: Context): Candidate[] {
  for (const each of kind.split("|")) {
    const name = each.replace(/,$/, "");
    const found = sources[name]?.(typed, context) ?? valueCandidates(context.values[name] ?? [], typed, each !== name);
    if (found.length > 0) return found;
  }
  return [];
}

function valueCandidates(values: readonly Candidate[], typed: string, isList: boolean): Candidate[] {
  const start = isList ? typed.lastIndexOf(",") + 1 : 0;
  const before = typed.slice(0, start);
  const given = before.split(",");
  return starting(values, typed.slice(start))
    .filter(({ value }) => !given.includes(value))
    .map((each) => ({ ...each, value: before + each.value }));
}

function starting(candidates: readonly Candidate[], typed: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(typed));
}

/** `training.` → the fields of a section; `training.bf16=` → its choices. @param separator what stands between several values of an axis. */
function fieldCandidates(typed: string, { fields }: Context, separator?: string): Candidate[] {
  const equals = typed.indexOf("=");
  if (equals < 0) return fieldNames(typed, fields);
  const field = fields.find(({ path }) => path === typed.slice(0, equals));
  const start = Math.max(equals, separator === undefined ? -1 : typed.lastIndexOf(separator)) + 1;
  const rest = typed.slice(start);
  const found = field?.isPath ? fileCandidates(rest) : starting(field?.choices.map((value) => ({ value })) ?? [], rest);
  return found.map(({ value }) => ({ value: typed.slice(0, start) + value }));
}

/** The next part of each path: a section with its dot, or a field with `=`. */
function fieldNames(typed: string, fields: readonly FieldData[]): Candidate[] {
  const start = typed.lastIndexOf(".") + 1;
  const found = new Map<string, Candidate>();
  for (const { path, description } of fields) {
    if (!path.startsWith(typed)) continue;
    const dot = path.indexOf(".", start);
    const value = dot < 0 ? `${path}=` : path.slice(0, dot + 1);
    if (!found.has(value)) found.set(value, dot < 0 ? { value, description } : { value });
  }
  return [...found.values()];
}

/** `NAME:field=value,field=value`. */
function armCandidates(typed: string, context: Context): Candidate[] {
  const colon = typed.indexOf(":");
  if (colon < 0) return [];
  const start = Math.max(colon, typed.lastIndexOf(",")) + 1;
  return fieldCandidates(typed.slice(start), context).map((each) => ({ ...each, value: typed.slice(0, start) + each.value }));
}

/** Names of the folders in a folder, without hidden ones. */
function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (!entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink()) ? [entry.name] : []));
  } catch {
    return [];
  }
}

/** Maximum number of runs whose display names are read. */
const maxNamesRead = 300;

/** Directory names of runs; for a text that begins none, also display names that only one run has. */
function runCandidates(typed: string, { runs, manifest }: Context): Candidate[] {
  if (typed.includes("/")) return [];
  const names = foldersIn(runs).filter((name) => existsSync(join(runs, name, manifest)));
  const found = names.filter((name) => name.startsWith(typed)).map((value) => ({ value }));
  if (found.length > 0) return found;
  const shown = names.slice(-maxNamesRead).map((name) => displayName(join(runs, name, manifest)));
  return [...new Set(shown)].flatMap((value) => (value?.startsWith(typed) && shown.indexOf(value) === shown.lastIndexOf(value) ? [{ value }] : []));
}

function displayName(path: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(path, "utf8")) as { name?: unknown };
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Paths of sweeps and experiments in their default folders. */
function planCandidates(typed: string, { folders }: Context): Candidate[] {
  const paths = folders.plans.flatMap((folder) => foldersIn(folder).map((name) => `${folder}/${name}`));
  return starting(
    paths.map((value) => ({ value })),
    typed,
  );
}

/** `LEFT::RIGHT`, with a run or path on the left. */
function targetCandidates(typed: string, context: Context, rightsOf: (path: string) => string[]): Candidate[] {
  const at = typed.lastIndexOf("::");
  if (at <= 0) return candidatesOf("run|file", typed, context);
  const left = typed.slice(0, at);
  const run = join(context.runs, left);
  const path = existsSync(expanded(left)) ? expanded(left) : existsSync(run) ? run : join(context.runs, runNamed(left, context));
  return starting(
    rightsOf(path).map((right) => ({ value: `${left}::${right}` })),
    typed,
  );
}

/** The directory of the only run whose name or directory starts with a text. */
function runNamed(typed: string, { runs, manifest }: Context): string {
  const found = foldersIn(runs).filter((name) => name.startsWith(typed) || displayName(join(runs, name, manifest))?.startsWith(typed) === true);
  return found.length === 1 ? (found[0] ?? "") : "";
}

/** Maximum size of a header that is read for its names. */
const maxHeader = 4 * 2 ** 20;

/** Names of the tensors of a safetensors file; of a run, those that it recorded; of a model, those of its files. */
function tensorNames(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return path.endsWith(".safetensors") ? headerNames(path) : [];
    const files = readdirSync(path);
    const index = files.find((name) => name.endsWith(".safetensors.index.json"));
    if (index !== undefined) return Object.keys((JSON.parse(readFileSync(join(path, index), "utf8")) as { weight_map: object }).weight_map);
    const own = files.filter((name) => name.endsWith(".safetensors")).flatMap((name) => headerNames(join(path, name)));
    return files.includes("final") ? [...own, ...tensorNames(join(path, "final"))] : own;
  } catch {
    return [];
  }
}

function headerNames(path: string): string[] {
  const file = openSync(path, "r");
  try {
    const size = Buffer.alloc(8);
    readSync(file, size, 0, 8, 0);
    const length = Number(size.readBigUInt64LE());
    if (length > maxHeader) return [];
    const header = Buffer.alloc(length);
    readSync(file, header, 0, length, 8);
    return Object.keys(JSON.parse(header.toString("utf8")) as object).filter((name) => name !== "__metadata__" && name !== "steps_done");
  } finally {
    closeSync(file);
  }
}

/** Steps of the checkpoints of a run. */
function recordedSteps(run: string): string[] {
  return foldersIn(join(run, "checkpoints")).flatMap((name) => /^step-0*(\d+)$/.exec(name)?.[1] ?? []);
}

/** A path with the home folder for `~`. */
function expanded(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}

/** Entries of the folder that a path names so far; hidden ones if it names a hidden one. */
function fileCandidates(typed: string): Candidate[] {
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  const start = typed.slice(folder.length);
  try {
    const entries = readdirSync(expanded(folder === "" ? "." : folder), { withFileTypes: true });
    const shown = entries.filter(({ name }) => name.startsWith(start) && (start.startsWith(".") || !name.startsWith(".")));
    return shown.map((entry) => ({ value: `${folder}${entry.name}${isFolder(entry, folder) ? "/" : ""}` }));
  } catch {
    return [];
  }
}

function isFolder(entry: { name: string; isDirectory(): boolean; isSymbolicLink(): boolean }, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(join(expanded(folder), entry.name), { throwIfNoEntry: false })?.isDirectory() === true;
}
