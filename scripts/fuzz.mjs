// npm run test:fuzz -- --runs N --seed S
//
// Mutates N safetensors files, N torch archives and N HDF5 files (or --safetensors N, --torch N, --hdf5 N). Each must give a typed error or the answer of the
// reference library (HDF5: a typed error or any answer). Also flips single bits in the files of a finished run, 2,000 times (or --flips N); `runs verify` must
// find each. The same seed makes the same files; --first I starts with case I, to repeat one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prepare, root } from "./prepare.mjs";

/** A case takes some milliseconds; one that takes this long hangs. */
const hangMs = 60_000;

const count = (name, text) => {
  if (/^[0-9]{1,9}$/.test(text)) return text;
  console.error(`--${name} ${text} is not a number`);
  process.exit(2);
};

const string = { type: "string" };
const { values } = parseArgs({ options: { runs: string, safetensors: string, torch: string, hdf5: string, flips: string, seed: string, first: string } });
const runs = values.runs ?? "10000";
const settings = {
  SAFETENSORS: values.safetensors ?? runs,
  TORCH: values.torch ?? runs,
  HDF5: values.hdf5 ?? runs,
  FLIPS: values.flips ?? values.runs ?? "2000",
  SEED: values.seed ?? String(Date.now() % 100_000),
  FIRST: values.first ?? "0",
};
for (const [name, text] of Object.entries(settings)) count(name.toLowerCase(), text);

await prepare();
const folder = mkdtempSync(join(tmpdir(), "bh-bridge-fuzz-"));
const position = join(folder, "position");
const environment = Object.fromEntries(Object.entries(settings).map(([name, text]) => [`BH_BRIDGE_FUZZ_${name}`, text]));
const vitest = spawn(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "tests/fuzz"], {
  cwd: root,
  stdio: "inherit",
  detached: true,
  env: { ...process.env, ...environment, BH_BRIDGE_FUZZ_POSITION: position },
});
console.error(
  `seed ${settings.SEED}: ${settings.SAFETENSORS} safetensors files, ${settings.TORCH} torch archives, ${settings.HDF5} HDF5 files, ${settings.FLIPS} flipped bits of a run`,
);

/** The current case and its start. */
let current = { text: "", since: performance.now() };
const readPosition = () => {
  try {
    return readFileSync(position, "utf8");
  } catch {
    return ""; // nothing has been read yet
  }
};
const watchdog = setInterval(() => {
  const text = readPosition();
  if (text !== current.text) current = { text, since: performance.now() };
  if (performance.now() - current.since < hangMs) return;
  console.error(`${text || "the start"} did not end within ${hangMs / 1000} s. Repeat it with --seed ${settings.SEED} --first INDEX --runs 1`);
  process.kill(-vitest.pid, "SIGKILL");
}, 1000);
const stop = (signal) => process.kill(-vitest.pid, signal);
process.on("SIGINT", stop).on("SIGTERM", stop);

const [code] = await once(vitest, "exit");
clearInterval(watchdog);
rmSync(folder, { recursive: true, force: true });
process.exit(code ?? 1);
