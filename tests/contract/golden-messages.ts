import type { Operation } from "../../src/protocol/operations.js";
import { commands, error, events, messages, replies, requests } from "./example-messages.js";

type Message = Readonly<Record<string, unknown>>;

/** A message as it crosses the bridge, and whether it is one that may: `messages.test.ts` and `tests/python/bridge/test_protocol.py` read the same. */
export interface GoldenMessage {
  kind: "request" | "reply" | "event" | "message" | "command" | "error";
  op?: Operation;
  name: string;
  valid: boolean;
  message: Message;
}

const operations = Object.keys(requests) as Operation[];

/** Every example, each with a field too many and without a field, and what is said of single values below. */
export function goldenMessages(): GoldenMessage[] {
  return [
    ...operations.flatMap((op) => goldenRequests(op)),
    ...operations.flatMap((op) => replies[op].flatMap((reply, index) => goldenReplies(op, `${op}: reply ${index + 1}`, reply))),
    ...events.map((message): GoldenMessage => ({ kind: "event", name: message.type, valid: true, message })),
    ...Object.entries(messages).map(([name, message]): GoldenMessage => ({ kind: "message", name, valid: true, message })),
    ...Object.entries(commands).map(([name, message]): GoldenMessage => ({ kind: "command", name, valid: true, message })),
    { kind: "error", name: "an error that was foreseen", valid: true, message: error },
    ...changedMessages(),
  ];
}

function goldenRequests(op: Operation): GoldenMessage[] {
  const request: Message = requests[op];
  const wrong = { kind: "request", op, valid: false } as const;
  return [
    { ...wrong, name: `${op}: as it is sent`, valid: true, message: request },
    ...objectsIn(request).map((path) => ({ ...wrong, name: `${op}: with ${[...path, "ffid"].join(".")}`, message: changed(request, [...path, "ffid"], 0) })),
    ...Object.keys(request).map((field) => ({ ...wrong, name: `${op}: without ${field}`, message: changed(request, [field], undefined) })),
  ];
}

function goldenReplies(op: Operation, name: string, reply: Message): GoldenMessage[] {
  return [
    { kind: "reply", op, name, valid: true, message: reply },
    { kind: "reply", op, name: `${name} with a field too many`, valid: false, message: { ...reply, extra: 1 } },
  ];
}

/** Messages in which one value is another: what values may be is said here by hand. */
function changedMessages(): GoldenMessage[] {
  const request = (op: Operation, name: string, path: string, value: unknown, valid = false): GoldenMessage => ({
    ...{ kind: "request", op, name: `${op}: ${name}`, valid },
    message: changed(requests[op], path.split("."), value),
  });
  const stepEnd = events.find(({ type }) => type === "step_end") ?? {};
  return [
    request("release", "a generation of 0", "handle.generation", 0),
    request("model.generate", "a negative token", "tokens", [-1]),
    request("model.forward", "a token that is no integer", "tokens", [[1.5]]),
    request("model.create", "an initial state with noise", "init", { kind: "snowball", sigma: 1e-5 }, true),
    request("model.create", "an initial state without its noise", "init", { kind: "snowball" }),
    request("model.create", "an initial state by its other name", "init", { kind: "qwen" }),
    request("model.create", "half a block", "config.n_layer", 0.5),
    request("trainer.create", "another label shift", "data.label_shift", "single"),
    request("trainer.create", "nothing left to train on", "data.held_out", 1),
    request("trainer.create", "noise below 0", "noise.epsilon", -1),
    request("trainer.create", "rows by number", "record.rows", [1, 5], true),
    request("trainer.create", "no rows", "record.rows", []),
    request("trainer.create", "a tensor that is not recorded", "record.tensors", ["wpe"]),
    request("trainer.create", "a state every 0 steps", "record.every", 0),
    request("trainer.create", "a truth in place of a number", "record.every", true),
    request("trainer.create", "no checkpoints on the way", "checkpoint.every", null, true),
    request("trainer.create", "no checkpoint kept", "checkpoint.keep", 0),
    request("trainer.create", "arguments by name", "training.lr_scheduler_kwargs", { a: [1, { b: null }] }, true),
    request("trainer.create", "a text in place of a number", "training.learning_rate", "0.001"),
    { kind: "reply", op: "model.tensor", name: "model.tensor: an unknown dtype", valid: false, message: { dtype: "bfloat16", shape: [1] } },
    { kind: "reply", op: "trainer.evaluate", name: "trainer.evaluate: a number spelt otherwise", valid: false, message: { loss: "nan", perplexity: 1 } },
    { kind: "event", name: "step_end with a loss of NaN", valid: true, message: { ...stepEnd, loss: "NaN" } },
    { kind: "event", name: "step_end without its loss", valid: false, message: changed(stepEnd, ["loss"], undefined) },
    { kind: "event", name: "step_end with a field too many", valid: false, message: { ...stepEnd, lr: 1 } },
    { kind: "event", name: "an event that there is not", valid: false, message: { ...stepEnd, type: "step" } },
    { kind: "event", name: "a negative step", valid: false, message: { ...stepEnd, global_step: -1 } },
    { kind: "message", name: "no events that were left out", valid: false, message: { ...messages.coalesced, events: 0 } },
    { kind: "message", name: "a question about another event", valid: false, message: { ...messages.decide, event: "save" } },
    { kind: "command", name: "an answer that decides nothing", valid: true, message: { ...commands.answer, control: {} } },
    { kind: "command", name: "an answer with a control that there is not", valid: false, message: { ...commands.answer, control: { should_stop: true } } },
    { kind: "command", name: "an interrupt of no call", valid: false, message: { ...commands.interrupt, call: 0 } },
    { kind: "command", name: "a command that there is not", valid: false, message: { type: "eval", code: "1" } },
    { kind: "error", name: "an error that was not foreseen", valid: true, message: { ...error, code: null } },
    { kind: "error", name: "an error without its traceback", valid: false, message: changed(error, ["traceback"], undefined) },
  ];
}

/** Paths of a message and of every object in it. */
function objectsIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.entries(value).flatMap(([name, field]) => objectsIn(field, [...path, name]));
  return Array.isArray(value) ? below : [[...path], ...below];
}

/** A copy of a message with another value at a path; undefined leaves the field out. */
function changed(message: Message, path: readonly string[], value: unknown): Message {
  const copy = JSON.parse(JSON.stringify(message)) as Message;
  const section = path.slice(0, -1).reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], copy) as Record<string, unknown>;
  section[path.at(-1) ?? ""] = value;
  return copy;
}
