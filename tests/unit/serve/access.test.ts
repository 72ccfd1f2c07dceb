import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { createAccess } from "../../../src/serve/server.js";

const hosts = ["127.0.0.1:8080", "localhost:8080"];
const request = (headers: object, method = "GET") => ({ method, headers }) as IncomingMessage;
const ours = { host: "127.0.0.1:8080" };

test("every start has a token and a session of its own, which are not each other", () => {
  const [one, other] = [createAccess(8080, hosts), createAccess(8080, hosts)];
  expect(one.token).toMatch(/^[0-9a-f]{64}$/);
  expect(one.token).not.toBe(other.token);
  expect(one.setCookie).toMatch(/^bh-bridge-8080=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(one.setCookie).not.toContain(one.token);
});

test("a token is that one, in all its characters", () => {
  const access = createAccess(8080, hosts);
  expect([access.token, access.token.slice(1), `${access.token} `, access.token.toUpperCase(), ""].map((text) => access.isToken(text))).toEqual([
    true,
    false,
    false,
    access.token === access.token.toUpperCase(), // digits alone
    false,
  ]);
});

test("a browser is known by its cookie among others, not by one of another port, of another start, or by the token", () => {
  const access = createAccess(8080, hosts);
  const [cookie = ""] = access.setCookie.split(";");
  const value = cookie.split("=")[1];
  const isKnown = (text?: string) => access.isKnown(request({ ...ours, cookie: text }));
  expect([isKnown(cookie), isKnown(`a=b;${cookie} ; c`)]).toEqual([true, true]);
  const strangers = [undefined, "", `bh-bridge-8081=${value}`, `bh-bridge-8080=${access.token}`, "bh-bridge-8080", createAccess(8080, hosts).setCookie];
  expect(strangers.map(isKnown)).toEqual(strangers.map(() => false));
});

test.each<[what: string, headers: object, method: string, status: number | undefined]>([
  ["our own address", ours, "GET", undefined],
  ["our other name", { host: "localhost:8080" }, "HEAD", undefined],
  ["our own page, also to change something", { ...ours, origin: "http://127.0.0.1:8080" }, "POST", undefined],
  ["no host", {}, "GET", 421],
  ["a name that leads here, as DNS rebinding has it", { host: "evil.example:8080" }, "GET", 421],
  ["another port", { host: "127.0.0.1:8081" }, "GET", 421],
  ["a page elsewhere", { ...ours, origin: "http://evil.example" }, "GET", 403],
  ["a page without an origin of its own", { ...ours, origin: "null" }, "GET", 403],
  ["our address by another scheme", { ...ours, origin: "https://127.0.0.1:8080" }, "GET", 403],
  ["a change of which nobody says where it comes from", ours, "POST", 403],
])("a request from %s (%o, %s) gets the status %s", (_, headers, method, status) => {
  expect(createAccess(8080, hosts).refusal(request(headers, method))?.status).toBe(status);
});
