import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../src/runner/temporary-folder.js";

test("it goes with all that is in it", () => {
  let path = "";
  {
    using folder = temporaryFolder("test");
    path = folder.path;
    writeFileSync(join(path, "file"), "text");
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});
