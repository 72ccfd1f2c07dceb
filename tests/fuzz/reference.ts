import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { python } from "../unit/formats/reference-python.js";

const script = fileURLToPath(new URL("./reference.py", import.meta.url));

/** Dtype, shape and the SHA-256 of the dense bytes of each tensor, by name. */
export type Tensors = Readonly<Record<string, readonly [dtype: string, shape: readonly number[], digest: string]>>;
/** What the library says of a file. `crashed` when it took its process down. */
export type Answer = { tensors: Tensors } | { error: string } | { crashed: true };

export type FuzzedKind = "safetensors" | "torch";

/** Write the sound files that are mutated. */
export function writeSeeds(directory: string): void {
  execFileSync(python, [script, "seeds", directory], { stdio: ["ignore", "ignore", "inherit"] });
}

/** The reference libraries in a process of their own, which is started again when a file brings it down. */
export class Reference implements Disposable {
  #process: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #lines: AsyncIterator<string> | undefined;
  #interface: Interface | undefined;

  async ask(kind: FuzzedKind, bytes: Uint8Array): Promise<Answer> {
    this.#start();
    this.#process?.stdin.write(`${kind} ${bytes.length}\n`);
    this.#process?.stdin.write(bytes);
    const line = await this.#lines?.next();
    if (line?.done === false) return JSON.parse(line.value);
    this[Symbol.dispose]();
    return { crashed: true };
  }

  [Symbol.dispose](): void {
    this.#interface?.close();
    this.#process?.kill();
    this.#process = undefined;
  }

  #start(): void {
    if (this.#process) return;
    const started = spawn(python, [script, "serve"], { stdio: ["pipe", "pipe", "ignore"] });
    // A library that crashes leaves a broken pipe behind, which is told by the missing answer.
    started.stdin.on("error", () => undefined);
    this.#process = started;
    this.#interface = createInterface({ input: started.stdout });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }
}
