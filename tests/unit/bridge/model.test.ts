import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { modelRequest, saveDirectory } from "../../../src/bridge/model.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { operations } from "../../../src/protocol/operations.js";

test("a directory below the working one, beside it, or elsewhere is taken by its absolute path", () => {
  expect(saveDirectory("models/a")).toBe(resolve("models/a"));
  expect(saveDirectory("../beside")).toBe(join(dirname(process.cwd()), "beside"));
  expect(saveDirectory("/elsewhere")).toBe("/elsewhere");
  expect(saveDirectory("..a")).toBe(resolve("..a")); // a name, and not the folder above
});

test.each([".", "", " ", "a/..", "..", "/", process.cwd()])('"%s" is refused: it is empty, or the working directory, or holds it', (directory) => {
  expect(() => saveDirectory(directory)).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringMatching(/^directory: /) }));
});

test.each([undefined, null, 3, {}])("%o is no path", (directory) => {
  expect(() => saveDirectory(directory as unknown as string)).toThrow(/is not the path of a directory\. Name the one to save into$/);
});

test("the architecture is apart from what the product does with it, and nothing of it is lost", () => {
  const config = parseRunConfig({ model: { norm: "layernorm", dtype: "float32", n_layer: 3 }, init: { kind: "qwen" }, seed: 7 });
  const request = modelRequest(config, "/saved");
  expect(request).toMatchObject({ from: "/saved", norm: "layernorm", dtype: "float32", init: { kind: "singular" }, seed: 7, init_seed: 7 });
  expect({ ...request.config, norm: "layernorm", dtype: "float32", from: null }).toEqual(config.model);
  expect(operations["model.create"].request.parse(request)).toEqual(request);
});
