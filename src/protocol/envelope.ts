import { z } from "zod";

/** A Python exception on the wire. */
export const pythonErrorSchema = z.strictObject({
  type: z.string(),
  module: z.string(),
  message: z.string(),
  /** One of our error codes, for an error that was foreseen. */
  code: z.string().nullable(),
  mro: z.array(z.string()),
  traceback: z.string(),
});

/** Lines that Python has sent over the event channel so far: another pipe, so that they may arrive after the reply. */
const events = z.int().nonnegative();

/** What `invoke` returns: the reply, or the exception that ended the operation. */
export function envelopeSchema<Reply extends z.ZodType>(reply: Reply) {
  return z.union([z.strictObject({ ok: reply, events }), z.strictObject({ err: pythonErrorSchema, events })]);
}
