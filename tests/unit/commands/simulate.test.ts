import { expect, test } from "vitest";
import { simulateDocumentSchema } from "../../../src/commands/documents.js";
import { simulateCommand } from "../../../src/commands/simulate.js";
import { python } from "../formats/reference-python.js";
import { captureStdout } from "./capture-stdout.js";

const words = ["snowball", "--sigma", "1e-4", "--draws", "5", "--vocab", "6", "--dim", "2", "--python", python, "--quiet"];

test("it prints a document that its schema knows, and a table for people", async () => {
  const document = simulateDocumentSchema.parse(JSON.parse(await captureStdout(simulateCommand(), ...words, "--json")));
  expect(document).toMatchObject({ draws: 5, vocab: 6, dim: 2, init: { kind: "snowball", sigma: 1e-4 }, dtype: "bfloat16", seed: 42 });
  const text = await captureStdout(simulateCommand(), ...words);
  expect(text).toContain("snowball, sigma 0.0001: 5 draws of 6 × 2, bfloat16");
  expect(text).toContain("populations");
});
