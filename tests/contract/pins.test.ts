import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as exported from "../../src/index.js";
import { publicSurface } from "./public-surface.js";

// Written by hand, and changed by hand together with the changelog: a name in it is one that somebody's program has.
const pinned = JSON.parse(readFileSync("tests/contract/pinned.json", "utf8")) as Record<string, unknown>;

const surface = await publicSurface();

test.each(Object.keys(surface))("the pinned %s are as they were", (name) => {
  expect(surface[name]).toEqual(pinned[name]);
});

test("nothing is pinned that is not compared", () => {
  expect(Object.keys(pinned).sort()).toEqual(Object.keys(surface).sort());
});

/** `bh-bridge/sweep@1` by the name of the exported schema that it belongs to. */
const documents = Object.fromEntries(
  Object.entries(exported).flatMap(([name, value]) => {
    const literal = (value as { shape?: { schema?: { value?: unknown } } }).shape?.schema?.value;
    return typeof literal === "string" ? [[literal, name] as const] : [];
  }),
);

test("every document that a command prints has an exported schema, which the documentation names", () => {
  const commands = readdirSync("src/commands", { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  const sources = [...commands.map((path) => `src/commands/${path}`), "src/sweep/sweep-document.ts", "src/sweep/experiment/experiment-document.ts"];
  const literals = sources.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/schema: z\.literal\("(bh-bridge\/[\w-]+@\d+)"\)/g)].map(([, literal = ""]) => literal),
  );
  const printed = [...new Set(literals)].filter((literal) => literal !== "bh-bridge/progress@1"); // a line on stderr
  expect(printed.length).toBeGreaterThan(20);
  expect(printed.filter((literal) => documents[literal] === undefined)).toEqual([]);
  const documentation = readFileSync("docs/scripting.md", "utf8");
  expect(printed.filter((literal) => !documentation.includes(`\`${literal}\``) || !documentation.includes(`\`${documents[literal]}\``))).toEqual([]);
});
