import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { lockDirectory, lockHolders } from "../../../src/python/lock-holders.js";
import { folderTest } from "./folder-test.js";

folderTest("a directory is locked until its lock is let go, and the second who wants it is refused by name", async ({ folder }) => {
  {
    await using _lock = await lockDirectory("python3", folder);
    expect(await lockHolders([folder])).toEqual(new Map([[folder, process.pid]]));
    await expect(lockDirectory("python3", folder)).rejects.toMatchObject({
      code: "RUN_LOCKED",
      message: `${folder} is in use by process ${process.pid}: wait for it, or stop it with Ctrl-C`,
    });
  }
  expect((await lockHolders([folder])).size).toBe(0);
});

folderTest("the lock of a process that is killed is free at once", async ({ folder }) => {
  const program = join(folder, "hold.ts");
  writeFileSync(
    program,
    `import { lockDirectory } from ${JSON.stringify(resolve("src/python/lock-holders.ts"))};
await lockDirectory("python3", ${JSON.stringify(folder)});
process.send?.("held");
setInterval(() => undefined, 1000);`,
  );
  const holder = fork(program, { execArgv: ["--import", "./scripts/typescript-loader.mjs"], cwd: resolve(".") });
  await once(holder, "message");
  holder.kill("SIGKILL");
  await once(holder, "exit");
  await using _lock = await lockDirectory("python3", folder);
});

folderTest("a Python that cannot take it says why", async ({ folder }) => {
  await expect(lockDirectory("python3", join(folder, "nowhere"))).rejects.toMatchObject({ code: "INTERNAL", message: expect.stringContaining("No such file") });
});
