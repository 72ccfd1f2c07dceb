import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { isPlainObject } from "../config/json-value.js";
import { type ChannelCommand, type ChannelMessage, channelMessageSchema } from "../protocol/events.js";

/** Listener for the events of the current call. */
export interface EventReceiver {
  /** @param training number of its training, if several are running. */
  onMessage(message: ChannelMessage, training?: number): void;
  /** Called for a line that is not a message. */
  onInvalid(error: unknown): void;
}

/**
 * The side channel to Python: events in batches during a call, and commands back.
 *
 * It is a Unix socket in a private folder: other users cannot open it, and it requires neither a port nor a loopback interface. The first line must be the
 * token. Python exits at end of file, since Node has ended then.
 */
export class EventChannel {
  readonly path: string;
  readonly token = randomBytes(32).toString("hex");
  /** Receives messages; without a receiver they are dropped. */
  receiver: EventReceiver | undefined;
  readonly #server: Server;
  #socket: Socket | undefined;
  #lines = 0;
  #waiting: { lines: number; resolve: () => void } | undefined;

  private constructor(directory: string) {
    this.path = join(directory, "events");
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on("error", () => undefined); // a connection that cannot be accepted is closed, and Python exits
    this.#server.unref();
  }

  /** Listen in a private folder. */
  static async listen(directory: string): Promise<EventChannel> {
    const channel = new EventChannel(directory);
    await new Promise<void>((resolve, reject) => {
      channel.#server.once("error", reject);
      channel.#server.listen(channel.path, resolve);
    });
    return channel;
  }

  /** Send a command. It is lost if Python has ended, which is reported elsewhere. */
  send(command: ChannelCommand): void {
    this.#socket?.write(`${JSON.stringify(command)}\n`);
  }

  /** Resolves when the connection has received this number of lines in total. One caller at a time. */
  received(lines: number): Promise<void> {
    if (this.#lines >= lines) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { lines, resolve };
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    socket.unref();
    socket.on("error", () => socket.destroy()); // a reset connection is a closed one
    socket.setEncoding("utf8");
    let isTrusted = false;
    let begun = "";
    socket.on("data", (piece: string) => {
      // An incomplete last line, as a killed Python leaves it, is never read.
      const lines = (begun + piece).split("\n");
      begun = lines.pop() ?? "";
      for (const line of lines) {
        if (isTrusted) this.#receive(line);
        else if (this.#socket === undefined && this.#isToken(line)) [isTrusted, this.#socket] = [true, socket];
        else return socket.destroy();
      }
    });
  }

  #isToken(line: string): boolean {
    const expected = Buffer.from(this.token);
    const given = Buffer.from(line);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #receive(line: string): void {
    try {
      const { message, training } = addressed(JSON.parse(line));
      this.receiver?.onMessage(channelMessageSchema.parse(message), training);
    } catch (error) {
      this.receiver?.onInvalid(error);
    } finally {
      if (++this.#lines === this.#waiting?.lines) this.#waiting.resolve();
    }
  }
}

/** Separate a message from the number of its training. */
function addressed(line: unknown): { message: unknown; training?: number } {
  if (!isPlainObject(line) || typeof line["training"] !== "number") return { message: line };
  const { training, ...message } = line;
  return { message, training: training as number };
}
