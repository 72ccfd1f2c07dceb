import { afterEach, beforeEach, vi } from "vitest";

/** What is written to stderr in a test, and not written there; told of each test of the file that calls this, from its beginning. */
export function hearStderr(): { text: string } {
  const heard = { text: "" };
  beforeEach(() => {
    heard.text = "";
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      heard.text += String(text);
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());
  return heard;
}
