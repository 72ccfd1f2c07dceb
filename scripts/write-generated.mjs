import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

/** Write texts into files of the project, by their paths. With --check: write nothing, exit 1 and name each that is stale, and the command that writes it. */
export function writeGenerated(texts, command) {
  for (const [name, text] of Object.entries(texts)) {
    const file = new URL(`../${name}`, import.meta.url);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    if (process.argv.includes("--check")) {
      console.error(`stale: ${name}; run \`${command}\``);
      process.exitCode = 1;
    } else {
      mkdirSync(new URL(".", file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}
