import { expect, test } from "vitest";
import { startTransport } from "../../../src/python/transport.js";

test("a program that cannot be run ends the transport, and no error goes unheard", async () => {
  const transport = startTransport("/no/such/python");
  expect(await transport.end).toMatchObject({ error: { code: "ENOENT" } });
  transport.dispose();
});

test("a program that is no Python ends the transport with its exit code", async () => {
  const transport = startTransport("/bin/false");
  expect(await transport.end).toEqual({ code: 1, signal: null });
  transport.dispose();
});

test("loading pythonia leaves neither variables nor its global behind", async () => {
  const before = { ...process.env };
  const transport = startTransport("/bin/false");
  expect({ ...process.env }).toEqual(before);
  expect(globalThis).not.toHaveProperty("__pythonBridge");
  await transport.end;
  transport.dispose();
});
