// The page of the error codes, from src/errors.ts.
import { anchor, code, fenced, page, table } from "./markdown.mjs";

/** Columns that fit into a block of the page. */
const columns = 76;

/** The page by its path. */
export async function errorPages() {
  const { BhBridgeError, errorCodes, errorHelp, exitCodeOf } = await import("../../src/errors.ts");
  const { wrap } = await import("../../src/text/wrap.ts");
  const exit = (name) => exitCodeOf(new BhBridgeError(name, ""));
  const sections = errorCodes.flatMap((name) => {
    const { cause, remedy, example } = errorHelp[name];
    return [`## ${name}`, cause, `**What to do:** ${remedy}`, fenced(wrap(`${name}: ${example}`, columns)), `Exit code ${exit(name)}.`];
  });
  return {
    "errors.md": page(
      { title: "Errors", order: 7 },
      "Every error has a code, which does not change between versions. The command line prints it before the message, `--json` prints it as `code`, and a `BhBridgeError` has it as `code`. The message says what is wrong, where, and what to do.",
      fenced('RUN_NOT_FOUND: there is no run "rmsnorm" in /home/me/runs. See "bh-bridge runs --out runs"'),
      "`--verbose` also prints the stack, the causes and the Python traceback.",
      table(
        ["code", "exit code"],
        errorCodes.map((name) => [`[${code(name)}](#${anchor(name)})`, exit(name)]),
      ),
      sections,
    ),
  };
}
