import { expect, test } from "vitest";
import { presetDocumentSchema, presetsCommand, presetsDocumentSchema } from "../../../src/commands/presets.js";
import { captureStdout } from "./capture-stdout.js";

test("presets lists every preset and says how to run one", async () => {
  const text = await captureStdout(presetsCommand());
  expect(text).toContain("rmsnorm-11.2a  RMSNorm diffusion test (default)\n");
  expect(text).toContain("\nquick  Quick look\n");
  expect(text).toContain("bh-bridge train --preset NAME");
});

test("presets --json prints one document of its schema", async () => {
  const document = presetsDocumentSchema.parse(JSON.parse(await captureStdout(presetsCommand(), "--json")));
  expect(document.default).toBe("rmsnorm-11.2a");
  expect(document.presets.map(({ name }) => name)).toContain("clean");
});

test("presets show tells what a preset changes of the defaults", async () => {
  const text = await captureStdout(presetsCommand(), "show", "layernorm-control");
  expect(text).toContain("Changed from the default:\n  model.norm  rmsnorm → layernorm\n");
  expect(await captureStdout(presetsCommand(), "show", "rmsnorm-11.2a")).toContain("This is the default.");
});

test("presets show --json prints one document of its schema", async () => {
  const document = presetDocumentSchema.parse(JSON.parse(await captureStdout(presetsCommand(), "show", "quick", "--json")));
  expect(document.changes).toEqual([{ path: "training.max_steps", before: 10_000, after: 800, typeChanged: false }]);
  expect(document.config.training.max_steps).toBe(800);
});

test("an unknown preset is refused with the nearest one", async () => {
  await expect(captureStdout(presetsCommand(), "show", "quik")).rejects.toThrow('there is no preset "quik": did you mean "quick"?');
});
