import { realpathSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { executablesOnPath } from "../../python/find-python.js";
import { shellQuote } from "../../text/escaping.js";

/** Facts that determine how this program was started. */
interface Start {
  /** The script argument of Node. */
  script: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

const program = fileURLToPath(new URL("../../cli.js", import.meta.url));
const commandNames =
  "train|resume|experiment|sweep|judge|runs|serve|mcp|compare|reproduce|rerecord|simulate|analyze|census|tokens|inspect|audit|generate|export|report|tokenizer|presets|config|setup|doctor|completion";
const ownCommand = new RegExp(`(?<![\\w/.@-]|npx )bh-bridge(?= (?:${commandNames})\\b)`, "g");

/**
 * The words that start this program in the user's shell: `bh-bridge` if it is on the PATH, `npx bh-bridge` in a local installation, `node dist/cli.js` in a
 * checkout. `node_modules/.bin` is ignored: npm and npx add it to the PATH of their scripts only.
 */
export function invocation({ script = process.argv[1], env = process.env, cwd = process.cwd() }: Partial<Start> = {}): string {
  const started = realPath(script ?? "");
  const path = (env["PATH"] ?? "").split(":").filter((folder) => !/\/node_modules\/\.bin\/?$/.test(folder));
  const own = realPath(program);
  if (started === undefined || started !== own) return "bh-bridge"; // inside another program
  const [onPath] = executablesOnPath("bh-bridge", { PATH: path.join(":") });
  if (onPath !== undefined && realPath(onPath) === own) return "bh-bridge";
  if (own.includes("/node_modules/") || script?.includes("/node_modules/")) return "npx bh-bridge";
  const near = relative(cwd, own);
  return `node ${shellQuote(near.length < own.length ? near : own)}`;
}

/** Rewrite the commands in a text so that they can be pasted into the user's shell. */
export function runnable(text: string): string {
  return text.includes("bh-bridge") ? text.replaceAll(ownCommand, () => invocation()) : text;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // a script from stdin or a deleted one
  }
}
