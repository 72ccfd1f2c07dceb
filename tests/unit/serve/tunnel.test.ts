import { expect, test } from "vitest";
import { tunnelCommand } from "../../../src/serve/tunnel.js";

test("over SSH, the command of the tunnel names the server that was reached and the same port on both sides", () => {
  expect(tunnelCommand(8421, "ann", "10.0.0.9 51022 10.0.0.1 22")).toBe("ssh -N -L 8421:127.0.0.1:8421 ann@10.0.0.1");
});

test.each([undefined, ""])("without a connection (%j) there is none", (connection) => {
  expect(tunnelCommand(8421, "ann", connection)).toBeUndefined();
});
