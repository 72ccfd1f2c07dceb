import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What differs between a run that was interrupted, or trained beside others, and the same run left to itself: names of files.
 *
 * Compared: every byte of the histories and their indices, the final weights, optimizer, schedule, random streams and trainer state of the last checkpoint, and
 * every event but for its clock and those that tell of an interruption.
 */
export function runDifferences(run, whole) {
  const last = `checkpoints/${readdirSync(join(whole, "checkpoints")).sort().at(-1)}`;
  const files = [
    ...readdirSync(whole).filter((name) => name.startsWith("history")),
    ...readdirSync(join(whole, "final")).map((name) => `final/${name}`),
    ...readdirSync(join(whole, last))
      .filter((name) => name !== "MANIFEST.json") // it has the size of the event log in it, with the clock's digits
      .map((name) => `${last}/${name}`),
  ];
  const unequal = files.filter((name) => !existsSync(join(run, name)) || !contentOf(join(run, name)).equals(contentOf(join(whole, name))));
  return eventsOf(run) === eventsOf(whole) ? unequal : [...unequal, "events.jsonl"];
}

const interruption = ["resumed", "checkpoint_rejected", "usage", "alert", "step_method"];

function eventsOf(run) {
  return readFileSync(join(run, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => !interruption.includes(type))
    .map(({ seq, mono, wall, ...event }) => JSON.stringify(event, withoutTimings))
    .join("\n");
}

/** HF puts how long an evaluation took among its results. */
const timing = /^eval_(runtime|samples_per_second|steps_per_second)$/;

function withoutTimings(name, value) {
  return timing.test(name) ? undefined : value;
}

/** The content of a file, without what no two runs have in common. */
function contentOf(path) {
  const bytes = readFileSync(path);
  if (!path.endsWith("trainer_state.json")) return bytes;
  const lines = bytes.toString().split("\n"); // not parsed: HF writes NaN, which is no JSON
  return Buffer.from(lines.filter((line) => !timing.test(/"(\w+)":/.exec(line)?.[1] ?? "")).join("\n"));
}
