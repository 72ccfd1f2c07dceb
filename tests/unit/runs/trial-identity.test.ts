import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { RunManifest } from "../../../src/runs/run-manifest.js";
import { corpusIdentity, trialIdentity, trialOfRun } from "../../../src/runs/trial-identity.js";

const facts = { configHash: "c0ffee", corpus: "beef", device: "cuda", threads: 2 };

test("it is the beginning of a SHA-256 of everything that decides bits", () => {
  expect(trialIdentity(facts)).toBe(createHash("sha256").update("c0ffee\nbeef\ncuda\n2").digest("hex").slice(0, 16));
  const changes = [{ configHash: "c" }, { corpus: "c" }, { device: "cpu" }, { threads: 1 }];
  const all = [facts, ...changes.map((change) => ({ ...facts, ...change }))].map(trialIdentity);
  expect(new Set(all).size).toBe(5);
});

test("a run is of the trial that its configuration, text, kind of device and threads make", () => {
  const manifest = { config_hash: "c0ffee", corpus: { sha256: "beef" }, environment: { device: "cuda: NVIDIA H100", threads: 2 } } as RunManifest;
  expect(trialOfRun(manifest)).toBe(trialIdentity(facts));
});

test("another tokenizer makes other tokens of a text", () => {
  const tokenizer = { path: "/tokenizer.json", sha256: "f00d", vocabulary: 9, unreachable: [] };
  expect(corpusIdentity({ sha256: "beef" })).toBe("beef");
  expect(corpusIdentity({ sha256: "beef", tokenizer })).toBe("beef f00d");
});
