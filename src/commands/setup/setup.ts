import { type Command, Option } from "commander";
import { z } from "zod";
import type { SetupOptions } from "../../python/setup/setup-python.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { Terminal } from "../terminal/terminal.js";

/** What `setup --json` prints. */
export const setupDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/setup@1"),
  /** `complete` when nothing had to be done, `continued` when the environment was there in part. */
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
  using stop = stopOnSignal(terminal, { stopping: () => "Stopping the set-up, which can go on later" });
  const asked = { ...(python && { python }), ...(indexUrl && { indexUrl }), ...(torch && { torch }), ...(dev && { dev }) };
  const result = await runSetup({ directory, ...asked, signal: stop.signal }, terminal);
  terminal.print(describeSetup(result));
  if (directory !== environmentDirectory()) terminal.say(`Use it with --python ${result.python.path}, or set BH_BRIDGE_PYTHON to that path`);
  const document: SetupDocument = {
    schema: "bh-bridge/setup@1",
    status: result.status,
    directory,
    python: { path: result.python.path, version: result.python.version },
    packages: result.python.packages,
    seconds: result.seconds,
  };
  terminal.document(document);
}

/** `bh-bridge setup`: make the Python environment, or complete it. */
export function setupCommand(): Command {
  const torch = new Option("--torch <build>", "build of torch; on Linux the default one is made for CUDA, and five times as large as cpu");
  return createCommand("setup", "Create or complete the Python environment", "bh-bridge setup --torch cpu")
    .option("--python <path>", "make it with this interpreter (default: the first in PATH that is new enough)")
    .option("--dir <folder>", "make it in this folder (default: .venv in a checkout, else your data folder)")
    .option("--index-url <url>", "install from this package index")
    .addOption(torch.choices(["default", "cpu", "cuda"]).default("default"))
    .option("--dev", "also install what the test suite needs")
    .action(setup);
}
