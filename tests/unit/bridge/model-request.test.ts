import { expect, test } from "vitest";
import { modelRequest } from "../../../src/bridge/model-request.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { operations } from "../../../src/protocol/operations.js";

test("the architecture is apart from what the product does with it, and nothing of it is lost", () => {
  const config = parseRunConfig({ model: { norm: "layernorm", dtype: "float32", n_layer: 3 }, init: { kind: "qwen" }, seed: 7 });
  const request = modelRequest(config, "/saved");
  expect(request).toMatchObject({ from: "/saved", norm: "layernorm", dtype: "float32", init: { kind: "singular" }, seed: 7, init_seed: 7 });
  expect({ ...request.config, norm: "layernorm", dtype: "float32", from: null }).toEqual(config.model);
  expect(operations["model.create"].request.parse(request)).toEqual(request);
});
