import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventHook } from "../../../../src/commands/train/event-hook.js";
import { type TrainEvent, trainEventSchema } from "../../../../src/protocol/events.js";
import { shellQuote } from "../../../../src/text/shell-quote.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const event = (type: string, over: object = {}): TrainEvent => trainEventSchema.parse({ seq: 1, mono: 1, wall: 1, global_step: 7, epoch: null, type, ...over });
const alert = event("alert", { kind: "stall", message: "no step for a minute" });

test("an alert and the end reach the command as JSON on its input, and a step does not", async () => {
  const file = join(temporaryDirectory(), "heard");
  const said: string[] = [];
  const hook = eventHook(`cat > ${shellQuote(file)}`, (text) => said.push(text));
  hook(event("step_end", { loss: 1 }));
  expect(existsSync(file)).toBe(false);
  hook(alert);
  await expect.poll(() => existsSync(file) && readFileSync(file, "utf8")).toBe(`${JSON.stringify(alert)}\n`);
  hook(event("train_end"));
  await expect.poll(() => readFileSync(file, "utf8")).toBe(`${JSON.stringify(event("train_end"))}\n`);
  expect(said).toEqual([]);
});

test("a command that fails is told with what it wrote, and does not hold up anything", async () => {
  const said: string[] = [];
  eventHook("echo wrong >&2; exit 3", (text) => said.push(text))(alert);
  expect(said).toEqual([]);
  await expect.poll(() => [...said].sort()).toEqual(["--on-event ended with exit code 3 at event alert", "wrong"]);
});

test("a command that does not read its input is free not to", async () => {
  const said: string[] = [];
  eventHook("exec <&-; exit 0", (text) => said.push(text))(event("stopped", { reason: "x".repeat(100_000) }));
  eventHook("exit 4", (text) => said.push(text))(alert);
  await expect.poll(() => said.length).toBe(1);
});
