import { expect, test } from "vitest";
import { z } from "zod";
import { envelopeSchema } from "../../../src/protocol/envelope.js";

const schema = envelopeSchema(z.strictObject({ steps: z.int() }));
const err = { type: "ValueError", module: "builtins", message: "no", code: null, mro: ["ValueError", "Exception"], traceback: "…" };

test("a reply or an exception, with the number of events", () => {
  expect(schema.parse({ ok: { steps: 3 }, events: 0 })).toEqual({ ok: { steps: 3 }, events: 0 });
  expect(schema.parse({ err, events: 2 })).toEqual({ err, events: 2 });
});

test.each([
  { ok: { steps: 3 } },
  { ok: { steps: "3" }, events: 0 },
  { ok: { steps: 3 }, err, events: 0 },
  { ok: { steps: 3 }, events: -1 },
  { err: { ...err, code: undefined }, events: 0 },
  { events: 0 },
])("%j is no answer", (answer) => {
  expect(schema.safeParse(answer).success).toBe(false);
});
