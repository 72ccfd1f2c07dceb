import { expect, test } from "vitest";
import { EventStreams } from "../../../src/bridge/event-streams.js";

const streamsOf = () => new EventStreams<number>({ maxWaiting: 2, isDroppable: (event) => event >= 0 });

async function readAll(stream: AsyncIterable<number>): Promise<number[]> {
  const read: number[] = [];
  for await (const event of stream) read.push(event);
  return read;
}

test("every reader gets what comes from when it begins, to the end", async () => {
  const streams = streamsOf();
  const first = streams.open();
  streams.push(1);
  const second = streams.open();
  streams.push(2);
  streams.end();
  expect(await Promise.all([readAll(first), readAll(second)])).toEqual([[1, 2], [2]]);
});

test("a reader that leaves, or lags, does not hold up the others", async () => {
  const streams = streamsOf();
  const leaving = streams.open();
  const lagging = streams.open();
  const reading = readAll(streams.open());
  for (const event of [1, 2, 3, -1]) {
    streams.push(event);
    if (event === 1) for await (const _ of leaving) break;
    await new Promise(setImmediate);
  }
  streams.end();
  expect(await readAll(leaving)).toEqual([]);
  expect(await readAll(lagging)).toEqual([1, 2, -1]); // 3 may be left out
  expect(await reading).toEqual([1, 2, 3, -1]);
});

test("after an end others can begin to read, and after a close nothing comes", async () => {
  const streams = streamsOf();
  streams.end();
  const next = streams.open();
  streams.push(1);
  streams.close();
  streams.push(2);
  expect(await readAll(next)).toEqual([1]);
  expect(await readAll(streams.open())).toEqual([]);
});
