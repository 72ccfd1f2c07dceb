// Compile the analysis kernels (AssemblyScript, SIMD) and embed them in src/analysis/kernels/kernels.generated.ts.
// With --check: only fail if the embedded module is stale.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const asc = fileURLToPath(new URL("../node_modules/assemblyscript/bin/asc.js", import.meta.url));
const target = new URL("../src/analysis/kernels/kernels.generated.ts", import.meta.url);

function compile() {
  const directory = mkdtempSync(join(tmpdir(), "bh-bridge-kernels-"));
  try {
    const file = join(directory, "kernels.wasm");
    const options = ["--runtime", "stub", "-O2", "--noAssert", "--enable", "simd", "--enable", "bulk-memory", "--outFile", file];
    execFileSync(process.execPath, [asc, "src/analysis/kernels/assembly/index.ts", ...options], { cwd: root, stdio: "inherit" });
    return readFileSync(file).toString("base64");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const source = `// Made by scripts/build-kernels.mjs from the AssemblyScript in assembly/; do not edit.\nexport const kernelsBase64 =\n  "${compile()}";\n`;
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== source) {
    console.error("src/analysis/kernels/kernels.generated.ts is stale: run node scripts/build-kernels.mjs");
    process.exitCode = 1;
  }
} else writeFileSync(target, source);
