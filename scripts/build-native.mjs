// Compiles native/ into python/bh_bridge/portable/builds.
//   node scripts/build-native.mjs             for this machine, with its C compiler ($CC, cc, gcc or clang)
//   node scripts/build-native.mjs --release   everything of the package, with zig ($ZIG, zig, or ziglang of PyPI), and its table builds.json
//   node scripts/build-native.mjs --check     the same into a temporary folder: fails if a hash is not that of the table
//   node scripts/build-native.mjs --package   the libraries of the table that are missing, if there is zig; with --required, fails without it
// Node built-ins only: `prepare.mjs` runs this before node_modules exist.
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native");
const builds = join(root, "python", "bh_bridge", "portable", "builds");
const [table, localTable] = [join(builds, "builds.json"), join(builds, "local.json")];

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const sha256 = (content) => createHash("sha256").update(content).digest("hex");
const run = promisify(execFile);

/** Flags that keep the bits: no fused multiply-add but where the code allows it, no fast-math. */
const common = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"];
const shared = ["-fPIC", "-shared", "-pthread"];
const release = [...shared, "-g0", "-Wl,-s"];

/** Levels of x86-64, best first; `v4-bf16` multiplies pairs of bfloat16 numbers. */
const levels = ["v4-bf16", "v4", "v3", "v2"];

const zigTargets = [
  ...levels.map((level) => ({
    name: `linux-x64-${level}`,
    platform: "linux-x64",
    level,
    flags: [...glibc("x86_64"), cpu(`x86_64_${level.replace("-", "+avx512")}`)],
  })),
  { name: "linux-arm64", platform: "linux-arm64", flags: glibc("aarch64") },
  { name: "macos-x64", platform: "macos-x64", level: "v3", flags: [...macos("x86_64"), cpu("x86_64_v3")] },
  { name: "macos-arm64", platform: "macos-arm64", flags: macos("aarch64") },
  {
    name: "wasm",
    platform: "wasm",
    flags: ["-target", "wasm32-wasi", "-mexec-model=reactor", "-msimd128", "-mbulk-memory", "-g0", "-Wl,-s", "-Wl,--export-dynamic"],
  },
];

/** The glibc of CentOS 7: older than that of any PyTorch. */
function glibc(architecture) {
  return [...release, "-target", `${architecture}-linux-gnu.2.17`];
}

/** The oldest macOS that PyTorch supports. The name in the file must not depend on its path. */
function macos(architecture) {
  return [...release, "-target", `${architecture}-macos.11.0`, "-Wl,-install_name,@rpath/portable.dylib"];
}

function cpu(name) {
  return `-mcpu=${name}`;
}

const fileOf = ({ name, platform }) => (platform === "wasm" ? "portable.wasm" : `${name}.${platform.startsWith("macos") ? "dylib" : "so"}`);

const codeFiles = () =>
  readdirSync(sources)
    .filter((name) => /\.[ch]$/.test(name))
    .sort();

/** The hash of names and contents of the C files, as portable/choice.py computes it. */
function hashOfSources() {
  const hash = createHash("sha256");
  for (const name of codeFiles())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(sources, name)))
      .update("\0");
  return hash.digest("hex");
}

const runs = (command, ...args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;

/** The first of these commands that runs. */
const firstThatRuns = (commands, ...args) => commands.find(([command, ...first]) => runs(command, ...first, ...args));

function findCompiler() {
  const named = process.env.CC ? [process.env.CC.split(" ")] : [];
  return firstThatRuns([...named, ["cc"], ["gcc"], ["clang"]], "--version");
}

function findZig() {
  const python = process.env.ZIG ? [process.env.ZIG.split(" ")] : [];
  return firstThatRuns([...python, ["zig"], [join(root, ".venv", "bin", "python"), "-m", "ziglang"], ["python3", "-m", "ziglang"]], "version");
}

/** Compiles all sources into one file, which appears complete or not at all. Returns its line of a table. */
async function compile(compiler, target, flags, folder) {
  const file = fileOf(target);
  const beside = mkdtempSync(join(folder, ".part-"));
  const code = codeFiles().filter((name) => name.endsWith(".c"));
  try {
    // Relative paths, so that the folder is no part of the result.
    await run(compiler[0], [...compiler.slice(1), ...flags, ...code, "-o", join(beside, file)], { cwd: sources });
    const hash = sha256(readFileSync(join(beside, file)));
    renameSync(join(beside, file), join(folder, file));
    const { name, platform, level } = target;
    return { name, file, sha256: hash, platform, ...(level && { level }), flags: flags.join(" ") };
  } finally {
    rmSync(beside, { recursive: true });
  }
}

/** The builds of this machine: on x86-64 one for each level that the compiler knows. */
function localTargets() {
  const system = process.platform === "darwin" ? "macos" : process.platform;
  const platform = `${system}-${process.arch}`;
  if (process.arch !== "x64") return [{ name: "native", platform, flags: [] }];
  return levels.map((level) => ({
    name: `native-${level}`,
    platform,
    level,
    flags: [`-march=x86-64-${level.replace("-bf16", "")}`, ...(level.endsWith("bf16") ? ["-mavx512bf16"] : [])],
  }));
}

const isComplete = (lines, folder) =>
  lines.every(({ file, sha256: hash }) => existsSync(join(folder, file)) && sha256(readFileSync(join(folder, file))) === hash);

/**
 * Compiles for this machine, unless that has been done.
 * @returns whether there is a compiler.
 */
export async function buildNative() {
  const hash = hashOfSources();
  const before = existsSync(localTable) ? readJson(localTable) : null;
  if (before?.sources === hash && before.builds.length > 0 && isComplete(before.builds, builds)) return true;
  const compiler = findCompiler();
  if (!compiler) return false;
  mkdirSync(builds, { recursive: true });
  const startedAt = performance.now();
  const results = await Promise.allSettled(localTargets().map((target) => compile(compiler, target, [...common, ...shared, ...target.flags], builds)));
  const lines = results.flatMap(({ value }) => value ?? []);
  // Whatever is wrong with the compiler, there is WebAssembly.
  for (const { reason } of results) if (reason) console.error(`${compiler.join(" ")} failed for engine portable: ${firstLines(reason)}`);
  const part = `${localTable}.${process.pid}`;
  writeFileSync(part, `${JSON.stringify({ sources: hash, compiler: compiler.join(" "), builds: lines }, null, 2)}\n`);
  renameSync(part, localTable);
  const names = lines.map(({ name }) => name).join(", ");
  console.error(`Compiling engine portable: ${names || "nothing"} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return true;
}

const firstLines = ({ stderr, message }) => (stderr || message).split("\n").slice(0, 3).join(" / ");

/** Hash of the self-check and version of the recipe, from the build for this machine in a folder. */
function selfCheck(lines, folder) {
  const program =
    "import ctypes, sys; f = ctypes.CDLL(sys.argv[1]); f.bh_self_check.restype = ctypes.c_uint64; print(f.bh_recipe(), f'{f.bh_self_check():016x}')";
  const own = `${process.platform === "darwin" ? "macos" : process.platform}-${process.arch}`;
  const line = lines.findLast(({ platform }) => platform === own);
  if (!line) throw new Error(`no build for ${own}, whose self-check could be run`);
  const { stdout, stderr, status } = spawnSync("python3", ["-c", program, join(folder, line.file)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the self-check of ${line.file} failed: ${stderr}`);
  const [recipe, hash] = stdout.trim().split(" ");
  return { recipe: Number(recipe), self_check: hash };
}

/** Compiles everything of the package into a folder; returns its table. */
async function buildRelease(folder) {
  const zig = findZig();
  if (!zig) throw new Error("no zig: install it with python3 -m pip install ziglang, or name it in ZIG");
  const lines = [];
  for (const target of zigTargets) lines.push(await compile([...zig, "cc"], target, [...common, ...target.flags], folder));
  const version = spawnSync(zig[0], [...zig.slice(1), "version"], { encoding: "utf8" }).stdout.trim();
  return { ...selfCheck(lines, folder), sources: hashOfSources(), compiler: `zig ${version}`, builds: lines };
}

async function releaseBuilds() {
  mkdirSync(builds, { recursive: true });
  const made = await buildRelease(builds);
  writeFileSync(table, `${JSON.stringify(made, null, 2)}\n`);
  for (const { name, file, sha256: hash } of made.builds) console.log(`${name.padEnd(12)} ${readFileSync(join(builds, file)).length} bytes  ${hash}`);
}

/** Compiles everything of the package into a folder and compares every hash with the table. */
async function buildAsStated(folder) {
  const [stated, made] = [readJson(table), await buildRelease(folder)];
  if (stated.compiler !== made.compiler) throw new Error(`builds.json is of ${stated.compiler}, this is ${made.compiler}`);
  const differing = made.builds.filter(({ name, sha256: hash }) => stated.builds.find((each) => each.name === name)?.sha256 !== hash);
  if (stated.self_check !== made.self_check) differing.push({ name: "self-check" });
  if (differing.length > 0)
    throw new Error(`builds.json is stale: ${differing.map(({ name }) => name).join(", ")}. Run: node scripts/build-native.mjs --release`);
  console.error(`${made.builds.length} builds have the hashes of builds.json`);
}

async function check() {
  const folder = mkdtempSync(join(tmpdir(), "bh-bridge-native-"));
  try {
    await buildAsStated(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function completePackage(isRequired) {
  const { builds: lines } = readJson(table);
  if (isComplete(lines, builds)) return;
  if (isRequired || findZig()) await buildAsStated(builds);
  else console.error("No zig: this package has no prebuilt libraries, so engine portable runs as WebAssembly there");
}

async function main(options) {
  if (options.includes("--release")) return await releaseBuilds();
  if (options.includes("--check")) return await check();
  if (options.includes("--package")) return await completePackage(options.includes("--required"));
  if (!(await buildNative())) throw new Error("no C compiler (cc, gcc, clang): engine portable runs as WebAssembly");
}

if (process.argv[1] && existsSync(process.argv[1]) && fileURLToPath(import.meta.url) === process.argv[1]) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(`build-native: ${error.message}`);
    process.exitCode = 1;
  }
}
