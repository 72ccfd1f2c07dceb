import { type Command, Option } from "commander";
import { z } from "zod";
import type { SetupOptions } from "../../python/setup/setup-python.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";

/** The document of `setup --json`. */
export const setupDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/setup@1"),
  /** `complete` if nothing had to be done, `continued` if the environment existed in part. */
  status: z.enum(["created", "continued", "complete"]),
  directory: z.string(),
  python: z.strictObject({ path: z.string(), version: z.string() }),
  /** Package → installed version. */
  packages: z.record(z.string(), z.string().nullable()),
  /** The program that installed the packages, and why; null if nothing was installed. */
  installer: z
    .strictObject({ name: z.enum(["pip", "uv"]), reason: z.string() })
    .nullable()
    .optional(),
  seconds: z.number(),
});

export type SetupDocument = z.infer<typeof setupDocumentSchema>;

/** The document of `setup --download --json`. */
export const setupDownloadDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/setup-download@1"),
  directory: z.string(),
  platform: z.string(),
  torch: z.enum(["cpu", "cuda", "mps"]),
  python: z.string(),
  files: z.int().positive(),
  bytes: z.int().positive(),
});

export type SetupDownloadDocument = z.infer<typeof setupDownloadDocumentSchema>;

type AskedOptions = Pick<SetupOptions, "python" | "indexUrl" | "torchIndexUrl" | "torch" | "uv" | "offline" | "dev">;
type SetupCommandOptions = CommonOptions & AskedOptions & { dir?: string; download?: string };

async function setup({ dir, download, offline, python, indexUrl, torchIndexUrl, torch, uv, dev, ...common }: SetupCommandOptions): Promise<void> {
  const terminal = new Terminal(common);
  const { resolve } = await import("node:path");
  const { environmentDirectory } = await import("../../python/find-python.js");
  const { describeSetup, runDownload, runSetup } = await import("./ensure-python.js");
  const { stopOnSignal } = await import("../terminal/stop-on-signal.js");

  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the set-up; run it again to continue" });
  const asked = { python, indexUrl, torchIndexUrl, torch, uv, dev, signal: stop.signal };
  if (download !== undefined) {
    const directory = resolve(download);
    const done = await runDownload(directory, asked, terminal);
    terminal.print(`${done.files} files for ${done.platform} with torch for ${done.torch}, ${Math.round(done.bytes / 1e6)} MB, in ${directory}`);
    terminal.say(`Next, on a machine of this platform: bh-bridge setup --offline ${download}`);
    return terminal.document({ schema: "bh-bridge/setup-download@1", directory, ...done } satisfies SetupDownloadDocument);
  }
  const directory = dir === undefined ? environmentDirectory() : resolve(dir);
  const result = await runSetup({ directory, ...asked, offline: offline === undefined ? undefined : resolve(offline) }, terminal);
  terminal.print(describeSetup(result));
  const isFound = directory === environmentDirectory();
  if (!isFound) terminal.say(`Use it with --python ${result.python.path}, or set BH_BRIDGE_PYTHON to that path`);
  terminal.say(`Next: bh-bridge train --preset quick${isFound ? "" : ` --python ${result.python.path}`}`);
  const { path, version, packages } = result.python;
  const { status, seconds, installer } = result;
  terminal.document({ schema: "bh-bridge/setup@1", status, directory, python: { path, version }, packages, installer, seconds } satisfies SetupDocument);
}

export function setupCommand(): Command {
  const torch = new Option("--torch <build>", "build of torch; auto takes CUDA, five times the size of cpu, only where there is an NVIDIA GPU");
  const offline = new Option("--offline <folder>", "install from a folder of --download, without a network");
  return createCommand("setup", "Create or complete the Python environment; without a Python, uv installs one", "bh-bridge setup --torch cpu")
    .option("--python <path>", "interpreter that creates it (default: the first recent one in PATH)")
    .option("--uv", "install with uv and its own Python, even if there is a Python")
    .option("--dir <folder>", "folder of the environment (default: .venv in a checkout, else your data folder)")
    .option("--index-url <url>", "package index (default: that of pip)")
    .option("--torch-index-url <url>", "index of torch's CPU builds for Linux (default: PyTorch's own)")
    .addOption(torch.choices(["auto", "cpu", "cuda", "mps", "default"]).default("auto"))
    .option("--download <folder>", "only download what a machine without a network needs")
    .addOption(offline.conflicts("download"))
    .option("--dev", "also the packages of the test suite")
    .action(setup);
}
