import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { endEarlierJob, jobNotePath, noteJob } from "../../../../../src/sweep/executors/ray/job-note.js";
import { temporaryDirectory } from "../../../formats/reference-python.js";

test("what is noted is what the file has", () => {
  const directory = temporaryDirectory();
  const noted = noteJob(directory, "http://head:8265", "job");
  expect(readFileSync(jobNotePath(directory), "utf8")).toBe(noted);
});

test("a job that still runs is stopped and waited for, and forgotten", async () => {
  const asked: string[] = [];
  const server = createServer((question, answer) => {
    asked.push(`${question.method} ${question.url}`);
    const status = asked.length > 3 ? "STOPPED" : "RUNNING";
    answer.end(question.method === "POST" ? '{"stopped":true}' : JSON.stringify({ status, message: null }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const directory = temporaryDirectory();
  noteJob(directory, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, "job");
  await endEarlierJob(directory);
  server.close();
  expect(asked).toEqual(["GET /api/jobs/job", "POST /api/jobs/job/stop", "GET /api/jobs/job", "GET /api/jobs/job"]);
  expect(existsSync(jobNotePath(directory))).toBe(false);
});

test("a cluster that is gone has no job any more, nor has a note that is not whole, nor a directory without one", async () => {
  const directory = temporaryDirectory();
  await endEarlierJob(directory);
  noteJob(directory, "http://127.0.0.1:9", "job");
  await endEarlierJob(directory);
  expect(existsSync(jobNotePath(directory))).toBe(false);
  writeFileSync(jobNotePath(directory), '{"addr');
  await endEarlierJob(directory);
});
