import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { reasonNotRead } from "../formats/file-bytes.js";
import { isPlainObject, valueAt, withValueAt } from "./json-value.js";

/** Python source that the user wrote and named. Its content travels with the configuration, so the file may change or go once it was read. */
export const readCodeSchema = z.strictObject({
  path: z.string().min(1).describe("The file that it was read from."),
  sha256: z.string().describe("SHA-256 of its content, in hex. Part of the hash, unlike the path."),
  source: z.string().describe("Its content."),
});
export type OwnCode = z.output<typeof readCodeSchema>;

/** A Python file by its path, or its content as an earlier configuration recorded it. The only code that Python executes besides our own. */
export const codeSchema = z
  .union([z.string().min(1), readCodeSchema.partial({ sha256: true, source: true })])
  .transform((given, context): OwnCode => {
    try {
      return readCode(typeof given === "string" ? { path: given } : given);
    } catch (cause) {
      context.addIssue({ code: "custom", message: cause instanceof Error ? cause.message : String(cause) });
      return z.NEVER;
    }
  })
  .pipe(readCodeSchema)
  .describe(
    "Python file, which training executes. It may import installed packages, but no other file. The run stores a copy, which resuming and reproducing use. A relative path in a config file starts at that file.",
  );

/**
 * Values by dotted path in which files of code are read. What cannot be read stays, for the schema to refuse.
 * @param known code by its path, which is not read again; receives what is read.
 */
export function withReadCode(values: Readonly<Record<string, unknown>>, known: Map<string, OwnCode>): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const path of codePaths) {
    const file = values[path];
    if (typeof file !== "string") continue;
    const code = known.get(file) ?? codeSchema.safeParse(file).data;
    if (code === undefined) continue;
    known.set(file, code);
    read[path] = { ...code };
  }
  return { ...read, ...Object.fromEntries(Object.entries(values).filter(([path]) => !Object.hasOwn(read, path))) }; // first, for a SHA-256 of its own to be compared
}

/** A name in Python. */
export const pythonNameSchema = z.string().regex(/^[^\W\d]\w*$/, "is not a name in Python");

/** A function in a Python file. */
export const ownFunctionShape = { code: codeSchema, function: pythonNameSchema.describe("Name of the function in that file.") };

/** Content of a file of code. @throws {Error} with a message that continues the path of the field. */
function readCode({ path, sha256, source = contentOf(path) }: { path: string; sha256?: string | undefined; source?: string | undefined }): OwnCode {
  const found = createHash("sha256").update(source).digest("hex");
  if (sha256 === undefined || sha256 === found) return { path, sha256: found, source };
  throw new Error(`${path} has changed: its SHA-256 is ${found}, not ${sha256}. Restore it, or give its path alone`);
}

function contentOf(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${reasonNotRead(cause)}. Give a Python file`, { cause });
  }
  const text = bytes.toString("utf8");
  if (Buffer.from(text).equals(bytes)) return text;
  throw new Error(`${path} is not UTF-8, as Python source is. Give a Python file`);
}

/** Fields of a configuration that hold code, with the name of its copy in a run. */
const codeFields = { "model.code": "model.py", "init.code": "init.py", "training.compute_loss_func.code": "loss.py" } as const;

/** Dotted paths of these fields. */
export const codePaths: readonly string[] = Object.keys(codeFields);

/** Names of the copies of code in a run. */
export const codeCopies: readonly string[] = Object.values(codeFields);

/** The code of a configuration by the name of its copy in a run. */
export function codeOf(config: object): Record<string, OwnCode> {
  const found = Object.entries(codeFields).map(([path, copy]) => [copy, valueAt(path.split("."), config)]);
  return Object.fromEntries(found.filter(([, code]) => isPlainObject(code)));
}

/** A copy of a configuration with other values in place of its code. @param replace gets the name of the copy in a run. */
export function withCode<Config extends object>(config: Config, replace: (code: OwnCode, copy: string) => unknown): Config {
  let changed = { ...config } as Record<string, unknown>;
  for (const [path, copy] of Object.entries(codeFields)) {
    const code = valueAt(path.split("."), config);
    if (isPlainObject(code)) changed = withValueAt(path.split("."), changed, replace(code as unknown as OwnCode, copy));
  }
  return changed as unknown as Config;
}

/** Code in words: `net.py (SHA-256 1f2e3d4c…)`. */
export function codeInWords({ path, sha256 }: OwnCode): string {
  return `${basename(path)} (SHA-256 ${sha256.slice(0, 8)}…)`;
}
