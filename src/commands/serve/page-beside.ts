import { spawn } from "node:child_process";
import type { Serving } from "../../serve/server.js";
import type { Terminal } from "../terminal/terminal.js";
import { loopback, usualPort } from "./address.js";

/** The page beside what else this process does: served once somebody wants to see it, until this is disposed of. */
export class PageBeside implements AsyncDisposable {
  readonly #folder: string;
  readonly #terminal: Terminal;
  #serving: Promise<Serving> | undefined;

  /** @param folder that holds the runs. */
  constructor(folder: string, terminal: Terminal) {
    this.#folder = folder;
    this.#terminal = terminal;
  }

  /** Serve the page and say where, if it is not served yet. */
  start(): Promise<Serving> {
    this.#serving ??= this.#start();
    return this.#serving;
  }

  /** Open the page in a browser of this machine. */
  async open(): Promise<void> {
    const { url } = await this.start();
    const opener = process.platform === "darwin" ? "open" : "xdg-open";
    spawn(opener, [url], { stdio: "ignore", detached: true })
      .on("error", () => this.#terminal.say(`No browser could be opened here. Open it yourself:  ${url}`))
      .unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#serving)?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<Serving> {
    const [{ serve }, { tellOfServer }] = await Promise.all([import("../../serve/server.js"), import("./tell-of-server.js")]);
    const options = { folders: [this.#folder], port: usualPort, host: loopback };
    const serving = await serve(options);
    this.#terminal.say(`Watch it at  ${serving.url}`);
    tellOfServer(serving, options, this.#terminal);
    return serving;
  }
}
