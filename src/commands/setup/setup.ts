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
  seconds: z.number(),
});

export type SetupDocument = z.infer<typeof setupDocumentSchema>;

type SetupCommandOptions = CommonOptions & Pick<SetupOptions, "python" | "indexUrl" | "torch" | "dev"> & { dir?: string };

async function setup({ dir, python, indexUrl, torch, dev, ...common }: SetupCommandOptions): Promise<void> {
  const terminal = new Terminal(common);
  const { resolve } = await import("node:path");
  const { environmentDirectory } = await import("../../python/find-python.js");
  const { describeSetup, runSetup } = await import("./ensure-python.js");
  const { stopOnSignal } = await import("../terminal/stop-on-signal.js");

  const directory = dir === undefined ? environmentDirectory() : resolve(dir);
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the set-up; run it again to continue" });
  const asked = { ...(python && { python }), ...(indexUrl && { indexUrl }), ...(torch && { torch }), ...(dev && { dev }) };
  const result = await runSetup({ directory, ...asked, signal: stop.signal }, terminal);
  terminal.print(describeSetup(result));
  if (directory !== environmentDirectory()) terminal.say(`Use it with --python ${result.python.path}, or set BH_BRIDGE_PYTHON to that path`);
  const { path, version, packages } = result.python;
  const { status, seconds } = result;
  terminal.document({ schema: "bh-bridge/setup@1", status, directory, python: { path, version }, packages, seconds } satisfies SetupDocument);
}

export function setupCommand(): Command {
  const torch = new Option("--torch <build>", "build of torch; on Linux default is the CUDA build, five times the size of cpu");
  return createCommand("setup", "Create or complete the Python environment", "bh-bridge setup --torch cpu")
    .option("--python <path>", "interpreter that creates it (default: the first recent one in PATH)")
    .option("--dir <folder>", "folder of the environment (default: .venv in a checkout, else your data folder)")
    .option("--index-url <url>", "package index (default: that of pip)")
    .addOption(torch.choices(["default", "cpu", "cuda"]).default("default"))
    .option("--dev", "also the packages of the test suite")
    .action(setup);
}
