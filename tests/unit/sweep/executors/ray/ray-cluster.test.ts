import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RayCluster, rayAddress, sendRequest } from "../../../../../src/sweep/executors/ray/ray-cluster.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

describe("the address", () => {
  const variables = { RAY_ADDRESS: "http://10.0.0.1:8265/" };

  test("is the one that is given, then that of Ray's own commands, then this machine's", () => {
    expect(rayAddress("http://head:8265", variables)).toBe("http://head:8265");
    expect(rayAddress(undefined, { ...variables, RAY_API_SERVER_ADDRESS: "https://ray.example" })).toBe("https://ray.example");
    expect(rayAddress(undefined, variables)).toBe("http://10.0.0.1:8265");
    expect(rayAddress(undefined, { RAY_ADDRESS: "auto" })).toBe("http://127.0.0.1:8265");
  });

  test("is refused where it is no address of a dashboard", () => {
    expect(() => rayAddress("127.0.0.1:8265", {})).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining("http://127.0.0.1:8265") }),
    );
  });
});

test("a cluster that does not answer is told with its address, and what to do", async () => {
  await expect(new RayCluster("http://127.0.0.1:9").version()).rejects.toMatchObject({
    code: "EXECUTOR_UNAVAILABLE",
    message: expect.stringMatching(/^no Ray cluster answers at http:\/\/127\.0\.0\.1:9 \(the connection is refused\): .*--address/),
  });
});

describe("a cluster that wants a token", () => {
  const server = createServer((question, answer) => {
    const isAllowed = question.headers.authorization === "Bearer secret" && question.headers["sec-fetch-mode"] === undefined;
    answer.writeHead(isAllowed ? 200 : 401).end(isAllowed ? '{"ray_version":"2.60.0"}' : "Unauthorized");
  });
  let address = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  test("gets that of the environment, from the variable or from its file", async () => {
    const path = join(temporaryDirectory(), "token");
    writeFileSync(path, "secret\n");
    expect(await new RayCluster(address, { RAY_AUTH_TOKEN: "secret" }).version()).toBe("2.60.0");
    expect(await new RayCluster(address, { RAY_AUTH_TOKEN_PATH: path }).version()).toBe("2.60.0");
  });

  test("refuses without, and it is said which variable to set", async () => {
    await expect(new RayCluster(address, {}).version()).rejects.toMatchObject({
      code: "EXECUTOR_UNAVAILABLE",
      message: expect.stringContaining("set RAY_AUTH_TOKEN"),
    });
  });
});

test("bytes arrive with their length and nothing that a browser would send", async () => {
  const server = createServer((question, answer) => {
    const { "content-length": length, "sec-fetch-mode": mode, origin } = question.headers;
    void text(question).then((said) => answer.writeHead(201).end(JSON.stringify({ said, length, mode, origin, method: question.method })));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { status, text: answered } = await sendRequest(url, { method: "PUT", headers: {}, body: Buffer.from("é"), signal: AbortSignal.timeout(5000) });
  server.close();
  expect([status, JSON.parse(answered)]).toEqual([201, { said: "é", length: "2", method: "PUT" }]);
});

test("a server that is not there rejects with the system's code", async () => {
  await expect(sendRequest("http://127.0.0.1:9/", { method: "GET", headers: {}, signal: AbortSignal.timeout(5000) })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});
