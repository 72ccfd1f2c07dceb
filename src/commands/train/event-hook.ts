import { spawn } from "node:child_process";
import type { TrainEvent, TrainEventType } from "../../protocol/events.js";

/** What a person wants to be called for: that something is wrong, and that a training has ended. */
const hookedEvents: readonly TrainEventType[] = ["alert", "checkpoint_rejected", "stopped", "train_end"];

/**
 * Run a shell command at every notable event, with the event as JSON on its stdin; the training does not wait for it. A webhook is such a command:
 * `curl -sS --json @- https://…`. Nothing is sent anywhere unless this is asked for.
 *
 * @param say told what the command writes to its stderr, and when it fails, which concerns no training.
 */
export function eventHook(command: string, say: (message: string) => void): (event: TrainEvent) => void {
  return (event) => {
    if (!hookedEvents.includes(event.type)) return;
    const child = spawn(command, { shell: true, stdio: ["pipe", "ignore", "pipe"] });
    child.on("error", (error) => say(`--on-event could not be run: ${error.message}`));
    child.on("exit", (code) => code !== 0 && say(`--on-event ended with exit code ${code} at event ${event.type}`));
    child.stderr.setEncoding("utf8").on("data", (text: string) => say(text.trimEnd()));
    child.stdin.on("error", () => undefined); // a command that does not read its input is free not to
    child.stdin.end(`${JSON.stringify(event)}\n`);
  };
}
