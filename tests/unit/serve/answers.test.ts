import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { sendBytes, sendDocument, sendPieces, sendText, setSafetyHeaders } from "../../../src/serve/answers.js";
import { ask } from "./asking.js";

/** What a client gets from a server that answers so. */
async function answered(answer: (response: ServerResponse) => void | Promise<void>, method = "GET") {
  const server = createServer((_, response) => void answer(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await ask((server.address() as AddressInfo).port, "/", { method });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test("texts, documents and bytes say what they are, and how long in bytes", async () => {
  const text = await answered((response) => sendText(response, 404, "grün"));
  expect([text.status, text.headers["content-type"], text.headers["content-length"], String(text.body)]).toEqual([
    404,
    "text/plain; charset=utf-8",
    "6",
    "grün\n",
  ]);
  const document = await answered((response) => sendDocument(response, { C: 1, gap: Number.NaN }));
  expect([document.status, document.headers["content-type"], JSON.parse(String(document.body))]).toEqual([
    200,
    "application/json; charset=utf-8",
    { C: 1, gap: null },
  ]);
  expect((await answered((response) => sendBytes(response, Uint8Array.of(1, 255), "image/png"))).body).toEqual(Buffer.of(1, 255));
});

test("pieces are sent as one answer, made one after the other", async () => {
  const made: number[] = [];
  const { headers, body } = await answered((response) =>
    sendPieces(response, 6, { "X-States": "3" }, function* () {
      for (const value of [1, 2, 3]) {
        made.push(value);
        yield Uint8Array.of(value, value);
      }
    }),
  );
  expect([headers["content-length"], headers["x-states"], body]).toEqual(["6", "3", Buffer.of(1, 1, 2, 2, 3, 3)]);
  expect(made).toEqual([1, 2, 3]);
});

test("who asks for the head alone gets the same head, and nothing is made", async () => {
  const head = await answered((response) => sendText(response, 200, "text"), "HEAD");
  expect([head.headers["content-length"], head.body.length]).toEqual(["5", 0]);
  const pieces = await answered((response) => sendPieces(response, 6, {}, () => expect.unreachable()), "HEAD");
  expect([pieces.headers["content-length"], pieces.body.length]).toEqual(["6", 0]);
});

test("no answer lets a page load from elsewhere, stand in another's frame, or be kept", async () => {
  const { headers } = await answered((response) => {
    setSafetyHeaders(response);
    sendText(response, 200, "text");
  });
  const policy = new Map(
    (headers["content-security-policy"] ?? "")
      .toString()
      .split("; ")
      .map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1).join(" ")]),
  );
  expect(policy.get("default-src")).toBe("'none'");
  expect(policy.get("script-src")).toBe("'self' 'wasm-unsafe-eval'");
  expect(policy.get("worker-src")).toBe("'self'");
  expect(policy.get("frame-ancestors")).toBe("'none'");
  expect([...policy.values()].join().replace("'wasm-unsafe-eval'", "")).not.toMatch(/unsafe|\*|http/);
  expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store" });
});
