// Trains the models of tests/native/models.json with every build of native/ that this machine can make and run, and compares every bit.
//   npm run test:portable                gcc and clang, -O1 and -O3, three CPUs, 1 to 3 threads, aarch64, WebAssembly, the prebuilt libraries
//   npm run test:portable -- --quick     the builds of CI
//   --steps 20 --starts 300 --json
// What needs a missing program is skipped. A build that contracts multiplications and additions has to differ.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    steps: { type: "string", default: "20" },
    starts: { type: "string", default: "300" },
    json: { type: "boolean", default: false },
  },
});
const [steps, starts] = [Number(values.steps), Number(values.starts)];
const root = fileURLToPath(new URL("..", import.meta.url));
const sources = readdirSync(join(root, "native"), { encoding: "utf8" })
  .filter((name) => name.endsWith(".c"))
  .map((name) => join(root, "native", name));
const driver = join(root, "tests", "native", "train_models.c");
const inBrowserAndNode = join(root, "tests", "native", "train-models.mjs");
const models = JSON.parse(readFileSync(join(root, "tests", "native", "models.json"), "utf8"));
const description = models.map(({ name: _, ...fields }) => Object.values(fields).join(" ")).join("\n");
const prebuilt = join(root, "python", "bh_bridge", "portable", "builds");
const work = mkdtempSync(join(tmpdir(), "bh-bridge-bits-"));
const aarch64 = { compiler: "aarch64-linux-gnu-gcc", emulator: "qemu-aarch64" };

const hashOf = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const exists = (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
const features = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
const isX64 = process.arch === "x64";

/** What the CPU needs for code of these levels. */
const needed = { "-march=haswell": "avx2", "-march=x86-64-v4": "avx512bw", v3: "avx2", v4: "avx512bw", "v4-bf16": "avx512_bf16" };

/** A compiler with its flags, and the numbers of threads to train with. */
function compiled(compiler, flags, threads, more = {}) {
  const missing = [compiler, more.emulator].find((program) => program !== undefined && !exists(program));
  const lacks = flags.map((flag) => needed[flag]).find((feature) => feature !== undefined && !features.includes(feature));
  return { name: `${compiler} ${flags.join(" ")}`, compiler, flags, threads, missing: lacks ?? missing, code: sources, contract: "off", ...more };
}

function compilersOfThisMachine() {
  const cpus = isX64 ? ["native", "x86-64-v4", "haswell", "x86-64"] : ["native"];
  const march = (cpu) => (isX64 ? `-march=${cpu}` : `-mcpu=${cpu}`);
  const all = ["gcc", "clang"].flatMap((compiler) =>
    ["-O3", "-O1"].flatMap((level) => cpus.map((cpu) => compiled(compiler, [level, march(cpu)], level === "-O3" ? [1, 2, 3] : [1]))),
  );
  const emulated = { emulator: aarch64.emulator };
  const arm = ["-O3", "-O1"].map((level) => compiled(aarch64.compiler, [level, "-static"], level === "-O3" ? [1, 2] : [1], emulated));
  if (!values.quick) return [...all, ...arm];
  const chosen = isX64 ? ["gcc -O3 -march=native", "gcc -O1 -march=x86-64", "clang -O3 -march=haswell"] : ["gcc -O3 -mcpu=native", "clang -O3 -mcpu=native"];
  // The run that starts with flush to zero has two threads.
  const few = all.filter(({ name }) => chosen.includes(name)).map((build, index) => ({ ...build, threads: index === 0 ? [1, 3] : [1] }));
  // Emulated steps take twenty times as long. Builds that differ do so from the second step on.
  return [...few, { ...arm[0], threads: [1], steps: Math.min(steps, 5), starts: Math.min(starts, models.length) }];
}

/** The libraries of the package that this machine can run. Only the driver is compiled. */
function libraries() {
  const table = join(prebuilt, "builds.json");
  if (!existsSync(table)) return [];
  return JSON.parse(readFileSync(table, "utf8"))
    .builds.filter(({ platform }) => platform === "linux-x64" || (platform === "linux-arm64" && !values.quick))
    .map(({ name, file, platform, level, sha256 }) => {
      const isArm = platform === "linux-arm64" && process.arch !== "arm64";
      const tools = isArm ? { emulator: aarch64.emulator, emulated: ["-L", "/usr/aarch64-linux-gnu"] } : {};
      const build = compiled(isArm ? aarch64.compiler : "gcc", [], values.quick ? [1] : [1, 2], { ...tools, code: [join(prebuilt, file)] });
      const isBuilt = existsSync(join(prebuilt, file)) && hashOf(join(prebuilt, file)) === sha256;
      const feature = features.includes(needed[level] ?? "") ? undefined : needed[level];
      const other = isX64 || platform === "linux-arm64" ? build.missing : "x86-64 CPU";
      return { ...build, name: `prebuilt ${name}`, missing: isBuilt ? (feature ?? other) : "file with the hash of builds.json" };
    });
}

const everyBuild = [...compilersOfThisMachine(), ...libraries()];

function compile({ compiler, flags, code, contract, name }) {
  const program = join(work, name.replaceAll(/\W+/g, "-"));
  const options = ["-std=gnu11", "-fno-math-errno", `-ffp-contract=${contract}`, "-I", join(root, "native"), "-pthread"];
  execFileSync(compiler, [...flags, ...options, driver, ...code, "-Wl,-rpath", prebuilt, "-o", program], { stdio: ["ignore", "ignore", "pipe"] });
  return program;
}

/** The lines of a training, one for each hash. */
function train(program, build, threads, ...more) {
  const [command, ...before] = build.emulator ? [build.emulator, ...(build.emulated ?? []), program] : [program];
  const args = [...before, threads, build.steps ?? steps, build.starts ?? starts, ...more].map(String);
  return execFileSync(command, args, { input: description, encoding: "utf8", maxBuffer: 1 << 24 })
    .trim()
    .split("\n");
}

const results = [];
let reference = null; // hashes by what they are of

function report(name, state, detail = "") {
  results.push({ name, state, detail });
  if (!values.json) console.log(`${state.padEnd(8)} ${name}${detail && `  (${detail})`}`);
}

/** Compares lines with those of the first build; a build may have taken fewer steps and hard starts. */
function compare(name, lines, { expected = "equal", ofModel = steps } = {}) {
  const hashes = new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), line]));
  reference ??= hashes;
  const differing = [...hashes].filter(([key, line]) => line !== reference.get(key)).map(([, line]) => line);
  const isComplete = hashes.size === lines.length && lines.filter((line) => line.startsWith("model")).length === models.length * ofModel;
  const found = differing.length === 0 && isComplete ? "equal" : "differs";
  const detail = `${lines.length - differing.length} of ${lines.length} hashes equal${differing.length > 0 ? `, first difference: ${differing[0]}` : ""}`;
  report(name, found === expected ? "ok" : "FAILED", detail);
}

function trainWith(build) {
  if (build.missing) return report(build.name, "skipped", `no ${build.missing}`);
  let program;
  try {
    program = compile(build);
  } catch (error) {
    return report(build.name, "FAILED", `does not compile: ${String(error.stderr ?? error).split("\n")[0]}`);
  }
  for (const threads of build.threads)
    compare(`${build.name}, ${threads} thread${threads > 1 ? "s" : ""}`, train(program, build, threads), { expected: build.expected, ofModel: build.steps });
  if (build.flush) compare(`${build.name}, started with flush to zero`, train(program, build, 2, "flush"));
  return undefined;
}

async function trainInNode(bytes) {
  const { trainModels } = await import(pathToFileURL(inBrowserAndNode).href);
  const library = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  library._initialize?.();
  compare("WebAssembly in Node", trainModels(library, models, steps, starts));
}

async function trainInBrowser(bytes) {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  if (!executablePath) return report("WebAssembly in Chromium", "skipped", "no Chromium");
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const training = {
      code: readFileSync(inBrowserAndNode, "utf8"),
      wasm: bytes.toString("base64"),
      models,
      steps,
      starts: Math.min(starts, 2 * models.length),
    };
    const lines = await page.evaluate(async (given) => {
      const { trainModels } = await import(URL.createObjectURL(new Blob([given.code], { type: "text/javascript" })));
      const binary = Uint8Array.from(atob(given.wasm), (character) => character.charCodeAt(0));
      const { instance } = await WebAssembly.instantiate(binary);
      instance.exports._initialize?.();
      return trainModels(instance.exports, given.models, given.steps, given.starts);
    }, training);
    compare("WebAssembly in Chromium", lines);
  } finally {
    await browser.close();
  }
  return undefined;
}

try {
  const first = everyBuild.find(({ missing }) => !missing);
  if (first) first.flush = true;
  for (const build of everyBuild) trainWith(build);
  const wasm = join(prebuilt, "portable.wasm");
  if (existsSync(wasm)) {
    await trainInNode(readFileSync(wasm));
    await trainInBrowser(readFileSync(wasm));
  } else report("WebAssembly", "skipped", "no portable.wasm");
  // The negative control: were this equal, the comparison would see nothing.
  const fused = compiled("gcc", ["-O2", isX64 ? "-march=haswell" : "-mcpu=native"], [1], { contract: "fast", expected: "differs", starts: models.length });
  trainWith({ ...fused, name: "negative control: gcc -ffp-contract=fast" });
} finally {
  rmSync(work, { recursive: true });
}
const count = (state) => results.filter((result) => result.state === state).length;
if (values.json) console.log(JSON.stringify(results));
else console.log(`${count("ok")} as expected, ${count("FAILED")} failed, ${count("skipped")} skipped`);
process.exitCode = count("FAILED") > 0 ? 1 : 0;
