import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as exported from "../../src/index.js";
import { missingNames, type PublicSurface, publicSurface } from "./public-surface.js";

// The public surface of the version in `pinned.version`. Additions leave the file as it is; `npm run generate:pins` writes it for a new version.
const pinned = JSON.parse(readFileSync("tests/contract/pinned.json", "utf8")) as PublicSurface;
const surface = await publicSurface();

test("error codes and exit codes are the pinned ones, no more and no fewer", () => {
  expect(surface.errorCodes).toEqual(pinned.errorCodes);
  expect(surface.exitCodes).toEqual(pinned.exitCodes);
});

test("no pinned export, event, callback, command or option is gone", () => {
  expect(missingNames(pinned.names, surface.names)).toEqual([]);
});

test("the pins are those of this version, and cover every list", () => {
  expect(pinned.version).toBe(surface.version); // else run npm run generate:pins
  for (const list of ["exported values", "exported types", "events", "callback methods", "trainer control", "every command", "bh-bridge train"])
    expect(pinned.names[list]?.length, list).toBeGreaterThan(4);
});

test("a name or a list that is gone is reported, a new one is not", () => {
  const before = { events: ["save", "log"], "bh-bridge train": ["--steps"] };
  expect(missingNames(before, { events: ["log", "save", "alert"], "bh-bridge train": ["--steps"], "bh-bridge fly": [] })).toEqual([]);
  expect(missingNames(before, { events: ["log"] })).toEqual(["events: save", "bh-bridge train"]);
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
  const sources = [...commands.map((path) => `src/commands/${path}`), "src/sweep/sweep-document.ts", "src/sweep/experiment/experiment-summary.ts"];
  const literals = sources.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/schema: z\.literal\("(bh-bridge\/[\w-]+@\d+)"\)/g)].map(([, literal = ""]) => literal),
  );
  const printed = [...new Set(literals)].filter((literal) => literal !== "bh-bridge/progress@1"); // a line on stderr
  expect(printed.length).toBeGreaterThan(20);
  expect(printed.filter((literal) => documents[literal] === undefined)).toEqual([]);
  const documentation = readFileSync("docs/scripting.md", "utf8");
  expect(printed.filter((literal) => !documentation.includes(`\`${literal}\``) || !documentation.includes(`\`${documents[literal]}\``))).toEqual([]);
});
