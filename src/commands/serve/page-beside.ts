import type { Serving } from "../../serve/server.js";
import type { Terminal } from "../terminal/terminal.js";
import { defaultPort, loopback, openInBrowser } from "./open-in-browser.js";

/** The page during another task of this process: served on demand, until this is disposed of. */
export class PageBeside implements AsyncDisposable {
  readonly #folder: string;
  readonly #terminal: Terminal;
  #serving: Promise<Serving> | undefined;
  #opened: Disposable | undefined;

  constructor(folder: string, terminal: Terminal) {
    this.#folder = folder;
    this.#terminal = terminal;
  }

  /** Serve the page and print its address, once. */
  start(): Promise<Serving> {
    this.#serving ??= this.#start();
    return this.#serving;
  }

  async open(): Promise<void> {
    const { url } = await this.start();
    this.#opened?.[Symbol.dispose]();
    this.#opened = openInBrowser(url, () => this.#terminal.say(`No browser could be opened. Open the page yourself:  ${url}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#opened?.[Symbol.dispose]();
    await (await this.#serving)?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<Serving> {
    const [{ serve }, { reportServer }] = await Promise.all([import("../../serve/server.js"), import("./serve-in-terminal.js")]);
    const options = { folders: [this.#folder], port: defaultPort, host: loopback };
    const serving = await serve(options);
    this.#terminal.say(`Watch it at  ${serving.url}`);
    reportServer(serving, options, this.#terminal);
    return serving;
  }
}
