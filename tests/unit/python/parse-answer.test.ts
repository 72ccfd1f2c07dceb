import { expect, test } from "vitest";
import { parseAnswer } from "../../../src/python/parse-answer.js";

test("a reply that is right comes through, with the number of events", () => {
  const answer = { ok: {}, events: 3 };
  expect(parseAnswer("release", JSON.stringify(answer))).toMatchObject({ events: 3 });
});

test.each(["", "not JSON", "null", '{"events":0}', '{"ok":{"surprise":1},"events":0}'])("%j is no answer, and the call is named in words", (answer) => {
  expect(() => parseAnswer("trainer.evaluate", answer)).toThrow(
    expect.objectContaining({ code: "PROTOCOL_INVALID", message: expect.stringContaining("evaluating a model") }),
  );
});
