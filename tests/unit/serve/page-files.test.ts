import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPageFiles } from "../../../src/serve/server.js";
import { temporaryDirectory } from "../formats/reference-python.js";

test("the files of the page have their addresses and types, and what is no part of a page has none", () => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, "assets"));
  for (const name of ["index.html", "icon.svg", "assets/main-1a2b.js", "assets/main-1a2b.css", "assets/main.js.map", "notes.txt"])
    writeFileSync(join(folder, name), name);
  const files = readPageFiles(folder);
  expect(Object.fromEntries([...files].map(([address, { type, isFixed }]) => [address, [type, isFixed]]))).toEqual({
    "/": ["text/html; charset=utf-8", false],
    "/icon.svg": ["image/svg+xml", false],
    "/assets/main-1a2b.js": ["text/javascript; charset=utf-8", true],
    "/assets/main-1a2b.css": ["text/css; charset=utf-8", true],
  });
  expect(String(files.get("/")?.bytes)).toBe("index.html");
});

test("a page that was not built is told with what builds it", () => {
  expect(() => readPageFiles(join(temporaryDirectory(), "web"))).toThrow(
    expect.objectContaining({ code: "INTERNAL", message: expect.stringContaining("scripts/build.mjs") }),
  );
});
