import { PythonSession } from "../../../src/python/python-session.js";

// Start Python and do with it what the second argument says; the test then does something to this process.
const [, , python = "", task = ""] = process.argv;
const session = await PythonSession.start({ python, threads: 1, device: "cpu" });
process.stdout.write(`${JSON.stringify({ pid: session.environment.pid, folder: session.folder })}\n`);

if (task === "idle") setInterval(() => undefined, 1000);
else if (task === "leave") process.exitCode = 5;
else if (task === "exit") process.exit(6);
else await session.invoke("model.save", { handle: { slot: 0, generation: 1 }, directory: task, overwrite: false });
