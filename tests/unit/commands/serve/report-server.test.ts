import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { reportServer } from "../../../../src/commands/serve/serve-in-terminal.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import type { Serving } from "../../../../src/serve/server.js";
import { hearStderr } from "../hear-stderr.js";

const said = hearStderr();
beforeEach(() => {
  vi.stubEnv("SSH_CONNECTION", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const tell = (port: number, wanted: number, host = "127.0.0.1") =>
  reportServer({ port } as Serving, { folders: [], port: wanted, host }, new Terminal({ color: false }));

test("on this machine, at the port that was wanted, its address says all", () => {
  tell(8421, 8421);
  tell(50_123, 0); // any port was wanted
  expect(said.text).toBe("");
});

test("another port than was wanted is told", () => {
  tell(8422, 8421);
  expect(said.text).toBe("Port 8421 is in use: using port 8422\n");
});

test("over SSH the command of a tunnel is told", () => {
  vi.stubEnv("SSH_CONNECTION", "10.0.0.9 51022 10.0.0.1 22");
  tell(8421, 8421);
  expect(said.text).toMatch(/ssh -N -L 8421:127\.0\.0\.1:8421 \S+@10\.0\.0\.1/);
});

test("who lets other machines in is warned, and needs no tunnel", () => {
  vi.stubEnv("SSH_CONNECTION", "10.0.0.9 51022 10.0.0.1 22");
  tell(8421, 8421, "0.0.0.0");
  expect(said.text).toContain("Warning: other machines can reach the page at 0.0.0.0.");
  expect(said.text).not.toContain("ssh ");
});
