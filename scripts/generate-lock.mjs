// npm run generate:lock -- --uv PATH: writes python/environment.lock.json, the files that `bh-bridge setup` downloads where there is no Python.
//
// Give the uv of the version to pin. The versions below are those with which the published results were computed. The lock names one file with its SHA-256
// for each package and platform. PyTorch's CPU builds have an index of their own: if it cannot be reached, their entries are kept as they are.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "smol-toml";

const { values } = parseArgs({ options: { uv: { type: "string", default: "uv" } } });
const lockPath = fileURLToPath(new URL("../python/environment.lock.json", import.meta.url));
const torchIndex = "https://download.pytorch.org/whl/cpu/torch/";

/** Python and the packages of `pyproject.toml`; pip is there for packages that a user adds. */
const python = "3.11.18";
const torch = "2.13.0";
const wanted = [`torch==${torch}`, "transformers==5.24.0", "accelerate==1.15.0", "safetensors==0.8.0", "numpy==2.4.6", "pip"];

/** The platforms for which PyTorch publishes this version: their name in pip's tags, and the value of uv's option. */
const platforms = {
  "linux-x64": { uv: "x86_64-manylinux_2_28", tag: /^(?:any|.*manylinux\S*_x86_64)$/ },
  "linux-arm64": { uv: "aarch64-manylinux_2_28", tag: /^(?:any|.*manylinux\S*_aarch64)$/ },
  "macos-arm64": { uv: "aarch64-apple-darwin", tag: /^(?:any|.*macosx\S*_(?:arm64|universal2))$/ },
};

const fileOf = (url) => decodeURIComponent(new URL(url).pathname.split("/").at(-1));

/** Whether Python 3.11 on the platform can use a wheel (PEP 425). */
function fits(file, { tag }) {
  const [platform = "", abi = "", interpreter = ""] = file.slice(0, -".whl".length).split("-").reverse();
  if (!tag.test(platform)) return false;
  if (abi === "none") return interpreter.split(".").includes("py3");
  return abi === "cp311" || (abi === "abi3" && Number(interpreter.slice(3)) <= 11);
}

function resolve(platform) {
  const folder = mkdtempSync(join(tmpdir(), "bh-bridge-lock-"));
  try {
    writeFileSync(join(folder, "wanted.txt"), [...wanted, `uv==${execFileSync(values.uv, ["--version"], { encoding: "utf8" }).split(" ")[1]}`].join("\n"));
    const options = ["--no-config", "--python-version", "3.11", "--python-platform", platform.uv, "--only-binary", ":all:", "--format", "pylock.toml"];
    execFileSync(values.uv, ["pip", "compile", ...options, "-q", "-o", "pylock.toml", "wanted.txt"], {
      cwd: folder,
      stdio: "inherit",
      env: { ...process.env, MACOSX_DEPLOYMENT_TARGET: "14.0" }, // that of torch's wheel
    });
    return parse(readFileSync(join(folder, "pylock.toml"), "utf8")).packages;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** PyTorch's CPU builds; those of the present lock if the index cannot be reached. */
async function cpuBuilds() {
  const kept = JSON.parse(readFileSync(lockPath, "utf8")).wheels.filter(({ file }) => file.startsWith(`torch-${torch}+cpu-`));
  try {
    const page = await (await fetch(torchIndex)).text();
    const found = [...page.matchAll(/href="([^"]+)#sha256=([0-9a-f]{64})"/g)].map(([, url, sha256]) => ({ file: fileOf(new URL(url, torchIndex)), sha256 }));
    return kept.map((wheel) => ({ ...wheel, sha256: found.find(({ file }) => file === wheel.file).sha256 }));
  } catch (error) {
    console.error(`${torchIndex} cannot be read (${error.message}): its ${kept.length} entries are kept`);
    return kept;
  }
}

const isCuda = (name) => /^(?:nvidia-|cuda-|triton$|torch$)/.test(name);
const wheels = new Map((await cpuBuilds()).map((wheel) => [wheel.file, wheel]));
for (const [on, platform] of Object.entries(platforms)) {
  for (const { name, wheels: offered } of resolve(platform)) {
    const wheel = offered.find(({ url }) => fits(fileOf(url), platform));
    if (!wheel) throw new Error(`${name} has no wheel for ${on}`);
    const file = fileOf(wheel.url);
    const entry = wheels.get(file) ?? { file, bytes: wheel.size, sha256: wheel.hashes.sha256, on: [] };
    entry.on.push(on);
    if (isCuda(name) && on !== "macos-arm64") entry.torch = "cuda";
    wheels.set(file, entry);
  }
}
const lines = [...wheels.values()]
  .sort((a, b) => (a.file < b.file ? -1 : 1))
  .map(({ on, ...entry }) => JSON.stringify({ ...entry, ...(on.length < Object.keys(platforms).length && { on }) }));
writeFileSync(lockPath, `{\n  "python": "${python}",\n  "wheels": [\n    ${lines.join(",\n    ")}\n  ]\n}\n`);
