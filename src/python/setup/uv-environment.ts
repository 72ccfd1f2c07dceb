import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { durableWrite } from "../../formats/durable-write.js";
import { FileBytes } from "../../formats/file-bytes.js";
import { unpackZip } from "../../formats/zip/unpack-zip.js";
import { ZipArchive } from "../../formats/zip/zip-archive.js";
import { dataFolder, executablesOnPath, interpreterOf } from "../find-python.js";
import { packageRoot } from "../package-manifest.js";
import { downloadFile, indexedFiles, runSetupStep, type SetupStep, sha256Of } from "./setup-steps.js";

const platforms = ["linux-x64", "linux-arm64", "macos-arm64"] as const;
type Platform = (typeof platforms)[number];

const wheelSchema = z.strictObject({
  file: z.string(),
  bytes: z.int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Build of torch that needs it (default: both). */
  torch: z.enum(["cpu", "cuda"]).optional(),
  /** Platforms that need it (default: all). */
  on: z.array(z.enum(platforms)).optional(),
});
type Wheel = z.output<typeof wheelSchema>;

const lockSchema = z.strictObject({ python: z.string(), wheels: z.array(wheelSchema) });

/** The files of an environment that uv makes, one for each package: `python/environment.lock.json`. */
function readLock(): z.output<typeof lockSchema> {
  return lockSchema.parse(JSON.parse(readFileSync(join(packageRoot, "python", "environment.lock.json"), "utf8")));
}

const torchGlibc = 2.28;

/** This platform. @throws {BhBridgeError} `SETUP_FAILED` if PyTorch has no builds for it. */
function setupPlatform(): Platform {
  const { platform, arch } = process;
  const name = `${platform === "darwin" ? "macos" : platform}-${arch}`;
  const found = platforms.find((each) => each === name);
  if (!found) throw new BhBridgeError("SETUP_FAILED", `PyTorch has no builds for ${name}: use one of ${platforms.join(", ")}`);
  if (platform === "linux") {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    const glibc = header.glibcVersionRuntime;
    if (glibc === undefined) throw new BhBridgeError("SETUP_FAILED", "PyTorch has no builds for musl (Alpine Linux): use a Linux with glibc, such as Debian");
    const [major = 0, minor = 0] = glibc.split(".").map(Number);
    if (major + minor / 100 < torchGlibc)
      throw new BhBridgeError("SETUP_FAILED", `PyTorch requires glibc ${torchGlibc}, but this system has ${glibc}: use a newer Linux`);
  }
  return found;
}

/** `auto` is chosen by the hardware; `default` is the build of the package index. */
export type TorchBuild = "auto" | "cpu" | "cuda" | "mps" | "default";

/** Whether the driver of an NVIDIA GPU is loaded, and has a GPU. */
async function hasNvidiaGpu(signal?: AbortSignal): Promise<boolean> {
  const gpus = "/proc/driver/nvidia/gpus";
  if (existsSync(gpus) && readdirSync(gpus).length > 0) return true;
  const [tool] = [...executablesOnPath("nvidia-smi", process.env), "/usr/lib/wsl/lib/nvidia-smi"].filter((path) => existsSync(path));
  if (tool === undefined) return false;
  const listed = await runSetupStep(tool, ["-L"], { signal }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    return ""; // the tool without a driver
  });
  return /^GPU \d+:/m.test(listed);
}

/**
 * The build of torch for this machine, and why. On macOS one build serves the CPU and MPS.
 * @throws {BhBridgeError} `USAGE` for a build that the system does not have.
 */
export async function chooseTorch(asked: TorchBuild, signal?: AbortSignal): Promise<{ torch: "cpu" | "cuda" | "mps"; reason: string }> {
  const isMac = process.platform === "darwin";
  if (isMac && asked === "cuda") throw new BhBridgeError("USAGE", "--torch cuda: macOS has no CUDA. Use mps, or omit --torch");
  if (!isMac && asked === "mps") throw new BhBridgeError("USAGE", "--torch mps: only macOS has MPS. Use cpu or cuda, or omit --torch");
  if (asked === "cpu" || asked === "cuda" || asked === "mps") return { torch: asked, reason: `--torch ${asked}` };
  if (isMac) return { torch: "mps", reason: "macOS" };
  if (asked === "default") return { torch: "cuda", reason: "the build of the package index" };
  return (await hasNvidiaGpu(signal)) ? { torch: "cuda", reason: "an NVIDIA GPU was found" } : { torch: "cpu", reason: "no NVIDIA GPU was found" };
}

/** PyTorch's public index of CPU builds. On Linux the default index has only builds for CUDA, which are five times as large. */
export const torchCpuIndex = "https://download.pytorch.org/whl/cpu";

/** The public index of Python packages, as for pip and uv. */
const publicIndex = "https://pypi.org/simple";

/** Files of pip's configuration, the strongest first. */
function pipConfigurations(env: NodeJS.ProcessEnv): string[] {
  const home = env["HOME"] || homedir();
  const user = [join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "pip", "pip.conf"), join(home, "Library", "Application Support", "pip", "pip.conf")];
  return [env["PIP_CONFIG_FILE"] ?? "", ...user, join(home, ".pip", "pip.conf"), "/etc/xdg/pip/pip.conf", "/etc/pip.conf"];
}

/** The package index: of an option, of uv's and pip's variables, of pip's configuration, or else the public one. */
export function packageIndex(asked: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const named = [asked, env["UV_DEFAULT_INDEX"], env["UV_INDEX_URL"], env["PIP_INDEX_URL"]].find(Boolean);
  if (named) return named;
  for (const path of pipConfigurations(env)) {
    if (path === "" || !statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    const configured = /^\[global\][^[]*?^\s*index[-_]url\s*[=:]\s*(\S+)/ims.exec(readFileSync(path, "utf8"))?.[1];
    if (configured) return configured;
  }
  return publicIndex;
}

export interface UvSources {
  torch: "cpu" | "cuda" | "mps";
  indexUrl?: string | undefined;
  torchIndexUrl?: string | undefined;
  signal?: AbortSignal | undefined;
  onStep?: ((step: SetupStep) => void) | undefined;
  /** Called with the downloaded and the expected bytes of all files, and the name of the file that progressed. */
  onDownload?: ((done: number, total: number, file: string) => void) | undefined;
}

/** Where uv, its Python and the downloads of an unfinished set-up are. */
const uvFolder = () => join(dataFolder(), "uv");
export const defaultDownloads = () => join(uvFolder(), "downloads");
const pythonFolder = () => join(uvFolder(), "python");

const versionOf = (file: string) => file.split("-")[1] ?? "";

/** Wheels for a platform and a build of torch; uv itself is one of them. */
function wheelsFor(platform: Platform, torch: UvSources["torch"]): { uv: Wheel; packages: Wheel[] } {
  const wanted = readLock().wheels.filter((wheel) => (wheel.on?.includes(platform) ?? true) && (wheel.torch === undefined || wheel.torch === torch));
  const uv = wanted.find(({ file }) => file.startsWith("uv-"));
  if (!uv) throw new BhBridgeError("INTERNAL", `python/environment.lock.json has no uv for ${platform}`);
  return { uv, packages: wanted.filter((wheel) => wheel !== uv) };
}

/** The build of torch in a folder of `setup --download`. @throws {BhBridgeError} `SETUP_FAILED` if it has none for this platform. */
export function torchIn(folder: string): UvSources["torch"] {
  const platform = setupPlatform();
  const builds = process.platform === "darwin" ? (["mps"] as const) : (["cpu", "cuda"] as const);
  const found = builds.find((build) => wheelsFor(platform, build).packages.every(({ file }) => existsSync(join(folder, file))));
  if (found) return found;
  const [lacking = ""] = wheelsFor(platform, builds[0]).packages.flatMap(({ file }) => (existsSync(join(folder, file)) ? [] : [file]));
  const remedy = `Make the folder with "bh-bridge setup --download DIR" of this version, on a machine of the same platform`;
  throw new BhBridgeError("SETUP_FAILED", `${folder} is not a complete download for ${platform}: it lacks ${lacking}. ${remedy}`);
}

/** uv's own settings are not the user's: only mirrors of Python are passed on. */
function uvVariables(settings: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const kept = ["UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL"];
  const removed = Object.keys(process.env).filter((name) => name.startsWith("UV_") && !kept.includes(name));
  const own = { UV_NO_CONFIG: "1", UV_NO_PROGRESS: "1", UV_OFFLINE: "1", UV_CACHE_DIR: join(uvFolder(), "cache"), UV_PYTHON_INSTALL_DIR: pythonFolder() };
  return { ...Object.fromEntries(removed.map((name) => [name, undefined])), ...own, ...settings };
}

const mostUvBytes = 2 ** 30;

async function unpackUv(wheel: string, version: string, signal?: AbortSignal): Promise<string> {
  const folder = join(uvFolder(), `uv-${version}`);
  const program = join(folder, `uv-${version}.data`, "scripts", "uv");
  if (existsSync(program)) return program;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const file = new FileBytes(wheel);
  try {
    await unpackZip(file, new ZipArchive(file), partial, mostUvBytes, signal);
  } finally {
    file.close();
  }
  chmodSync(join(partial, relative(folder, program)), 0o755);
  renameSync(partial, folder);
  return program;
}

const uvPlatforms: Readonly<Record<Platform, string>> = {
  "linux-x64": "linux-x86_64-gnu",
  "linux-arm64": "linux-aarch64-gnu",
  "macos-arm64": "macos-aarch64-none",
};

const pythonListSchema = z.array(z.object({ key: z.string(), url: z.string() }));

/** The name of the locked Python for uv, and the address of its archive, which ends in `/DATE/FILE`. */
async function pythonArchive(uv: string, platform: Platform, settings: Readonly<Record<string, string>>, signal?: AbortSignal) {
  const key = `cpython-${readLock().python}-${uvPlatforms[platform]}`;
  const args = ["python", "list", "--output-format", "json", "--show-urls", "--only-downloads", key];
  const listed = pythonListSchema.parse(JSON.parse(await runSetupStep(uv, args, { env: uvVariables(settings), signal })));
  const url = listed.find((each) => each.key === key)?.url;
  if (url === undefined)
    throw new BhBridgeError("SETUP_FAILED", `uv knows no Python ${key}. Unset UV_PYTHON_DOWNLOADS_JSON_URL, or install Python and run setup again`);
  const [date = "", file = ""] = new URL(url).pathname.split("/").slice(-2).map(decodeURIComponent);
  return { key, url, path: join("python", date, file) };
}

/** Expected size of the archive of Python, until the server reports it. */
const pythonBytes = 35e6;
const parallelDownloads = 4;

/** Run `tasks` a few at a time; the first failure ends it. */
async function inParallel(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...tasks];
  const work = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) await task();
  };
  try {
    await Promise.all(Array.from({ length: parallelDownloads }, work));
  } finally {
    waiting.length = 0;
  }
}

/**
 * Download uv, Python and all packages into a folder, or what it lacks of them, and list them in its `SHA256SUMS`.
 * @throws {BhBridgeError} `SETUP_FAILED`, `FILE_UNWRITABLE`, `DISK_FULL`, `ABORTED`.
 */
export async function downloadEnvironment(folder: string, { torch, indexUrl, torchIndexUrl, signal, onStep, onDownload }: UvSources) {
  const platform = setupPlatform();
  const { uv, packages } = wheelsFor(platform, torch);
  const index = packageIndex(indexUrl);
  const sizes = new Map<string, { done: number; total: number }>([uv, ...packages].map(({ file, bytes }) => [file, { done: 0, total: bytes }]));
  sizes.set("Python", { done: 0, total: pythonBytes });
  const progress = (file: string) => (done: number, total?: number) => {
    const known = sizes.get(file);
    if (!known) return;
    sizes.set(file, { done, total: Math.max(total ?? known.total, done) });
    const sum = (of: "done" | "total") => [...sizes.values()].reduce((bytes, each) => bytes + each[of], 0);
    onDownload?.(sum("done"), sum("total"), file);
  };
  const locate = async (file: string) => {
    const from = file.includes("+cpu-") ? (torchIndexUrl ?? torchCpuIndex) : index;
    const project = (file.split("-")[0] ?? "").toLowerCase().replaceAll(/[-_.]+/g, "-");
    const found = (await indexedFiles(from, project, signal)).get(file);
    if (found) return found;
    throw new BhBridgeError("SETUP_FAILED", `the package index ${from} does not have ${file}. Name another with --index-url or --torch-index-url`);
  };
  const fetchWheel = ({ file, sha256 }: Wheel) => downloadFile({ path: join(folder, file), url: () => locate(file), sha256, signal, onBytes: progress(file) });
  mkdirSync(folder, { recursive: true });
  using _lock = lockFolder(folder);
  onStep?.({
    text: `downloading for ${platform} with torch for ${torch}: ${Math.round([uv, ...packages].reduce((sum, { bytes }) => sum + bytes, 0) / 1e6)} MB and Python`,
    detail: false,
  });
  await fetchWheel(uv);
  const program = await unpackUv(join(folder, uv.file), versionOf(uv.file), signal);
  const { url, path } = await pythonArchive(program, platform, {}, signal);
  const fetchPython = () => downloadFile({ path: join(folder, path), url: async () => new URL(url), sha256: null, signal, onBytes: progress("Python") });
  const largestFirst = packages.toSorted((a, b) => b.bytes - a.bytes);
  await inParallel([fetchPython, ...largestFirst.map((wheel) => () => fetchWheel(wheel))]);
  const sums = [...[uv, ...packages].map(({ file, sha256 }) => [sha256, file]), [await sha256Of(join(folder, path)), path]];
  durableWrite(join(folder, "SHA256SUMS"), sums.map(([sum, file]) => `${sum}  ${file}\n`).join(""));
  return { platform, python: readLock().python, files: sums.length, bytes: [...sizes.values()].reduce((sum, { done }) => sum + done, 0) };
}

/** Refuse a second set-up in a folder. A lock of a process that is gone is replaced. */
function lockFolder(folder: string): Disposable {
  const path = join(folder, ".setup-lock");
  const holder = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new BhBridgeError("SETUP_FAILED", `process ${holder} is downloading to ${folder}. Wait for it, or stop it, and run the same command again`);
  }
  rmSync(path, { force: true });
  const descriptor = openSync(path, "wx");
  writeSync(descriptor, String(process.pid));
  closeSync(descriptor);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Verify that a folder has the locked files. @throws {BhBridgeError} `SETUP_FAILED` naming the first that differs. */
async function verifyDownloads(folder: string, wheels: readonly Wheel[]): Promise<void> {
  for (const { file, sha256 } of wheels) {
    if ((await sha256Of(join(folder, file))) === sha256) continue;
    throw new BhBridgeError(
      "SETUP_FAILED",
      `${join(folder, file)} is not the file that bh-bridge expects: its SHA-256 is not ${sha256}. Download the folder again`,
    );
  }
}

/**
 * Make an environment from downloaded files, and put it in place when it is complete: an interrupted call leaves nothing that could be used.
 * @param folder that `downloadEnvironment` has filled.
 * @param prompt of the environment.
 */
export async function installEnvironment(folder: string, directory: string, prompt: string, { torch, signal, onStep }: UvSources): Promise<void> {
  const platform = setupPlatform();
  const { uv, packages } = wheelsFor(platform, torch);
  const step = (text: string) => onStep?.({ text, detail: false });
  step(`verifying ${packages.length + 1} files`);
  await verifyDownloads(folder, [uv, ...packages]);
  const program = await unpackUv(join(folder, uv.file), versionOf(uv.file), signal);
  const mirror = { UV_PYTHON_INSTALL_MIRROR: pathToFileURL(join(folder, "python")).href };
  const { key, path } = await pythonArchive(program, platform, mirror, signal);
  if (!existsSync(join(folder, path))) throw new BhBridgeError("SETUP_FAILED", `${folder} lacks ${path}, the archive of Python. Download the folder again`);
  step(`installing Python ${readLock().python}`);
  await installPython(program, key, join(folder, path), mirror, signal);
  removeAbandoned(directory);
  const partial = `${directory}.partial-${process.pid}`;
  const [major, minor] = readLock().python.split(".");
  const python = join(pythonFolder(), key, "bin", `python${major}.${minor}`);
  const run = (args: readonly string[]) => runSetupStep(program, args, { env: uvVariables(mirror), signal });
  try {
    mkdirSync(dirname(directory), { recursive: true });
    await run(["venv", "--relocatable", "--no-project", "--python", python, "--prompt", prompt, partial]);
    step(`installing ${packages.length} packages`);
    const files = packages.map(({ file }) => join(folder, file));
    await run(["pip", "install", "--no-deps", "--no-index", "--compile-bytecode", "--python", interpreterOf(partial), ...files]);
    replaceFolder(directory, partial);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  rmSync(join(uvFolder(), "cache"), { recursive: true, force: true });
}

/** Install Python; a damaged archive is removed, so that the next set-up downloads it again. */
async function installPython(uv: string, key: string, archive: string, mirror: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void> {
  try {
    await runSetupStep(uv, ["python", "install", "--no-bin", key], { env: uvVariables(mirror), signal });
  } catch (error) {
    const isDamaged = error instanceof BhBridgeError && error.code === "SETUP_FAILED" && /hash mismatch|invalid gzip|unexpected end/i.test(error.message);
    if (isDamaged && archive.startsWith(`${defaultDownloads()}/`)) rmSync(archive);
    throw error;
  }
}

/** Remove the unfinished environments of set-ups that were killed. */
function removeAbandoned(directory: string): void {
  const parent = dirname(directory);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(`${basename(directory)}.partial-`) ? Number(/-(\d+)(?:-old)?$/.exec(name)?.[1]) : Number.NaN;
    if (pid > 0 && pid !== process.pid && !isAlive(pid)) rmSync(join(parent, name), { recursive: true });
  }
}

/** Put a complete folder where an incomplete one may be. */
function replaceFolder(directory: string, complete: string): void {
  const old = `${complete}-old`;
  if (existsSync(directory)) renameSync(directory, old);
  renameSync(complete, directory);
  rmSync(old, { recursive: true, force: true });
}
