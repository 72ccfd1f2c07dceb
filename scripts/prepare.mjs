// Prepares everything that the program and its tests need. Finished steps are skipped within a second.
// Node built-ins only: this runs before node_modules exist. `node scripts/prepare.mjs --dev` prepares for the tests.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildNative } from "./build-native.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...parts) => join(root, ...parts);

/** Modification time of a file in ms, 0 if it does not exist. */
const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Modification time of the newest file in a folder. */
const newestIn = (folder) => Math.max(0, ...readdirSync(folder, { recursive: true }).map((name) => changedAt(join(folder, name))));

/**
 * Runs a program in the project's folder. Returns its exit code, or 128 plus the number of the signal that ended it.
 * The terminal sends Ctrl-C to it, so this only waits; other signals are forwarded.
 */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  const wait = () => undefined;
  const pass = (signal) => child.kill(signal);
  process.on("SIGINT", wait).on("SIGTERM", pass).on("SIGHUP", pass);
  try {
    const [code, signal] = await once(child, "exit");
    return code ?? 128 + constants.signals[signal];
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", pass).off("SIGHUP", pass);
  }
}

/** Runs one step and prints its time; exits if it fails. */
async function step(title, command, args, options = {}) {
  const startedAt = performance.now();
  console.error(`${title} …`);
  // Its results are no result of ours: they go to stderr.
  const code = await run(command, args, { stdio: ["inherit", process.stderr, "inherit"], ...options });
  if (code !== 0) {
    console.error(`${title}: failed with exit code ${code}`);
    process.exit(code);
  }
  console.error(`${title}: done in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

function requireNode() {
  const wanted = JSON.parse(readFileSync(at("package.json"), "utf8")).engines.node.replace(">=", "");
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [wantedMajor, wantedMinor] = wanted.split(".").map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  console.error(`Node.js ${wanted} or newer is required, but this is ${process.versions.node}. Install it with your version manager or system packages`);
  process.exit(3);
}

/**
 * Installs the npm packages of the project, or of another folder with a lockfile, if they are missing or stale. Their scripts do not run: none of them needs one, and
 * an optional package would compile for minutes.
 */
export async function installPackages(folder = root) {
  // npm writes this file last, so an interrupted installation is done again.
  if (changedAt(join(folder, "node_modules", ".package-lock.json")) >= changedAt(join(folder, "package-lock.json"))) return;
  const npm = process.env.npm_execpath;
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"];
  const title = folder === root ? "Installing npm packages" : `Installing npm packages of ${relative(root, folder)}`;
  if (npm) await step(title, process.execPath, [npm, ...args], { cwd: folder });
  else await step(title, "npm", args, { cwd: folder });
}

/** Compiles `dist` if sources have changed. */
export async function build() {
  const sources = Math.max(
    newestIn(at("src")),
    newestIn(at("web")),
    ...["tsconfig.json", "tsconfig.build.json", "package-lock.json", "scripts/build.mjs"].map((file) => changedAt(at(file))),
  );
  if (changedAt(at("dist", "bundled.json")) > sources) return; // written last, so an interrupted build is done again
  await step("Compiling TypeScript", process.execPath, [at("scripts", "build.mjs")]);
}

async function setUpPython(dev) {
  const args = [at("dist", "cli.js"), "setup", ...(dev ? ["--dev"] : [])];
  // The set-up shows its progress on stderr; what it prints at the end is no result of ours.
  const code = await run(process.execPath, args, { stdio: ["inherit", "ignore", "inherit"] });
  if (code !== 0) process.exit(code);
}

/** Updates node_modules, dist and the Python environment; `dev` adds the packages of the tests. Exits if a step fails. */
export async function prepare({ dev = false } = {}) {
  requireNode();
  await installPackages();
  if (dev) await installPackages(at("docs")); // a test builds the documentation site
  await Promise.all([build(), buildNative()]); // without a C compiler, engine portable runs as WebAssembly
  await setUpPython(dev);
}

if (existsSync(process.argv[1]) && fileURLToPath(import.meta.url) === process.argv[1]) await prepare({ dev: process.argv.includes("--dev") });
