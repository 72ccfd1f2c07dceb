import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Modules of Python and of this package, some that libraries import where they are installed, and what Python itself imports as it starts. */
const modules = [
  ...["random", "json", "torch", "numpy", "transformers", "bh_bridge", "sitecustomize", "usercustomize", "tokenizers", "pip", "venv", "ensurepip", "ray"],
  ...["scipy", "sklearn", "torchvision", "optuna", "apex", "Bridge", "proxy"],
];
const packages = ["zod", "commander", "execa", "pythonia", "jiti", "yaml"];

/** A working folder in which every file that something might load writes its name into a file elsewhere, and ends the process. */
export class HostileFolder {
  readonly path: string;
  readonly #marker: string;

  /** @param parent an existing folder. */
  constructor(parent: string) {
    this.path = join(parent, "hostile");
    this.#marker = join(parent, "executed");
    mkdirSync(this.path);
    const at = (...names: string[]) => join(this.path, ...names);
    for (const name of modules) writeFileSync(at(`${name}.py`), `open(${JSON.stringify(this.#marker)}, "a").write("${name}.py ")\nraise SystemExit(9)\n`);
    const script = (name: string) => `require("node:fs").appendFileSync(${JSON.stringify(this.#marker)}, "${name} ");\nprocess.exit(9);\n`;
    for (const name of packages) {
      mkdirSync(at("node_modules", name), { recursive: true });
      writeFileSync(at("node_modules", name, "index.js"), script(name));
    }
    for (const name of ["bh-bridge.config.js", "config.ts", "index.js", "jiti.config.js"]) writeFileSync(at(name), script(name));
    writeFileSync(at("package.json"), '{ "type": "commonjs", "main": "index.js" }');
    for (const name of ["python3", "node", "git", "sh"]) writeFileSync(at(name), `#!/bin/sh\necho "${name}" >>'${this.#marker}'\nexit 9\n`, { mode: 0o755 });
    execFileSync("git", ["init", "-q"], { cwd: this.path });
    execFileSync("git", ["config", "core.fsmonitor", `echo fsmonitor >>'${this.#marker}'; false`], { cwd: this.path });
    writeFileSync(at("corpus.txt"), "It was many and many a year ago, in a kingdom by the sea.\n".repeat(40));
  }

  /** What was executed since this was last asked; empty where nothing was. */
  executed(): string {
    const names = existsSync(this.#marker) ? readFileSync(this.#marker, "utf8") : "";
    rmSync(this.#marker, { force: true });
    return names;
  }
}
