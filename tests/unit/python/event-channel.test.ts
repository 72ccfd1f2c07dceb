import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChannelMessage } from "../../../src/protocol/events.js";
import { EventChannel } from "../../../src/python/event-channel.js";

let folder = "";
let channel: EventChannel;
const received: ChannelMessage[] = [];
const invalid: unknown[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "channel-"));
  channel = await EventChannel.listen(folder);
  channel.receiver = { onMessage: (message) => received.push(message), onInvalid: (error) => invalid.push(error) };
  received.length = 0;
  invalid.length = 0;
});
afterEach(() => {
  channel.close();
  rmSync(folder, { recursive: true });
});

async function peer(...lines: string[]): Promise<Socket> {
  const socket = connect(channel.path);
  await once(socket, "connect");
  socket.write(lines.map((line) => `${line}\n`).join(""));
  return socket;
}

const coalesced = (events: number) => JSON.stringify({ type: "coalesced", events });

test("what comes after the token is received, in order, however it is cut", async () => {
  const socket = await peer(channel.token, coalesced(1), coalesced(2));
  const [head, tail] = [coalesced(3).slice(0, 9), coalesced(3).slice(9)];
  socket.write(head);
  await channel.received(2);
  socket.write(`${tail}\n`);
  await channel.received(3);
  expect(received.map((message) => "events" in message && message.events)).toEqual([1, 2, 3]);
  await channel.received(3);
});

test("a message of one of several trainings is told with its number, and is what it is without", async () => {
  const told: unknown[] = [];
  channel.receiver = { onMessage: (...message) => told.push(message), onInvalid: (error) => invalid.push(error) };
  await peer(channel.token, '{"type":"coalesced","events":1,"training":7}', coalesced(2), "null");
  await channel.received(3);
  expect(told).toEqual([
    [{ type: "coalesced", events: 1 }, 7],
    [{ type: "coalesced", events: 2 }, undefined],
  ]);
  expect(invalid).toHaveLength(1);
});

test("a peer without the token is turned away, and so is a second one with it", async () => {
  const stranger = await peer("not the token", coalesced(1));
  await once(stranger, "close");
  await peer(channel.token, coalesced(2));
  await channel.received(1);
  const second = await peer(channel.token, coalesced(3));
  await once(second, "close");
  expect(received).toHaveLength(1);
});

test.each(["no JSON", '{"type":"unknown"}', '{"type":"coalesced","events":1,"more":1}'])("a line that is no message is told and counted: %s", async (line) => {
  await peer(channel.token, line, coalesced(1));
  await channel.received(2);
  expect(invalid).toHaveLength(1);
  expect(received).toHaveLength(1);
});

test("a command is one line for the peer, and lost when there is none", async () => {
  channel.send({ type: "leave" });
  const socket = await peer(channel.token, coalesced(1));
  await channel.received(1);
  channel.send({ type: "stop", training: 1, reason: "signal" });
  const [data] = await once(socket, "data");
  expect(String(data)).toBe('{"type":"stop","training":1,"reason":"signal"}\n');
});

test("closing it is the end of file for the peer", async () => {
  const socket = await peer(channel.token, coalesced(1));
  await channel.received(1);
  channel.close();
  await once(socket.resume(), "end");
});

test("its socket lies where nobody else can enter", () => {
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(channel.token).toMatch(/^[0-9a-f]{64}$/);
});

test("a line that a killed peer did not finish is no message, and none is made of it", async () => {
  const socket = await peer(channel.token, coalesced(1));
  await channel.received(1);
  socket.end(coalesced(2).slice(0, 9));
  await once(socket, "close");
  await once(await peer("not the token"), "close"); // by then the end of the first has been heard
  expect(received).toHaveLength(1);
  expect(invalid).toEqual([]);
});
