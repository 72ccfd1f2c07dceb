import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { endEarlierJob, jobNotePath, noteContact, noteJob } from "../../../../../src/sweep/executors/ray/job-note.js";
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

test("a job whose cluster cannot be reached is not forgotten, and nothing goes on before it must have ended by itself", async () => {
  const directory = temporaryDirectory();
  noteJob(directory, "http://127.0.0.1:9", "job");
  await expect(endEarlierJob(directory)).rejects.toMatchObject({
    code: "EXECUTOR_UNAVAILABLE",
    message: expect.stringMatching(/has the job job on http:\/\/127\.0\.0\.1:9, which may still write and does not answer/),
  });
  const long = new Date(Date.now() - 300_000);
  utimesSync(jobNotePath(directory), long, long);
  await endEarlierJob(directory);
  expect(existsSync(jobNotePath(directory)), "the cluster may come back").toBe(true);
  noteContact(directory);
  await expect(endEarlierJob(directory), "its controller was heard a moment ago").rejects.toMatchObject({ code: "EXECUTOR_UNAVAILABLE" });
});

test("a cluster that refuses to end a job is no cluster without a job", async () => {
  const server = createServer((question, answer) => {
    answer.statusCode = question.method === "POST" ? 500 : 200;
    answer.end(JSON.stringify({ status: "RUNNING", message: null }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const directory = temporaryDirectory();
  noteJob(directory, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, "job");
  await expect(endEarlierJob(directory)).rejects.toMatchObject({ code: "EXECUTOR_UNAVAILABLE" });
  expect(existsSync(jobNotePath(directory))).toBe(true);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 300);
  await expect(endEarlierJob(directory, { patienceMs: 60_000, signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  server.close();
});

test("a job that the cluster does not know has ended, as has that of a note that is not whole, or of no note", async () => {
  const server = createServer((_, answer) => {
    answer.statusCode = 404;
    answer.end("no such job");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const directory = temporaryDirectory();
  await endEarlierJob(directory);
  noteJob(directory, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, "job");
  await endEarlierJob(directory);
  server.close();
  expect(existsSync(jobNotePath(directory))).toBe(false);
  writeFileSync(jobNotePath(directory), '{"addr');
  await endEarlierJob(directory);
});
