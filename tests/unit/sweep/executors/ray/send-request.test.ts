import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { sendRequest } from "../../../../../src/sweep/executors/ray/send-request.js";

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
