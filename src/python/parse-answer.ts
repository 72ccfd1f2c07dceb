import type { z } from "zod";
import { envelopeSchema } from "../protocol/envelope.js";
import { type Operation, operations } from "../protocol/operations.js";
import { callPhrases } from "./call-phrases.js";
import { protocolInvalid } from "./failures.js";

/** Kept for each operation: a schema is compiled when it is first used, which takes longer than a call. */
const envelopes: Partial<Record<Operation, ReturnType<typeof envelopeSchema<z.ZodType>>>> = {};

/** What `invoke` returned, checked. @throws {BhBridgeError} `PROTOCOL_INVALID` naming the operation and the field. */
export function parseAnswer(op: Operation, answer: string) {
  try {
    envelopes[op] ??= envelopeSchema<z.ZodType>(operations[op].reply);
    return envelopes[op].parse(JSON.parse(answer));
  } catch (cause) {
    throw protocolInvalid(`the answer to ${callPhrases[op]}`, cause);
  }
}
