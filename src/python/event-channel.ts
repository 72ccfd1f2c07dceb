import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { isPlainObject } from "../config/json-value.js";
import { type ChannelCommand, type ChannelMessage, channelMessageSchema } from "../protocol/events.js";

/** Whoever listens to the events of the call that is under way. */
export interface EventReceiver {
  /** @param training which one it is of, where several are under way. */
  onMessage(message: ChannelMessage, training?: number): void;
  /** A line that is no message. */
  onInvalid(error: unknown): void;
}

/**
 * The side channel from Python: events in batches while a call is under way, and commands back.
 *
 * A Unix socket in a private folder: nobody else can open it, no port is taken, and it works where even the loopback interface is down. The first line has to
 * be the token. End of file tells Python that Node is gone.
 */
export class EventChannel {
  readonly path: string;
  readonly token = randomBytes(32).toString("hex");
  /** Receives what comes; without one, it is dropped. */
  receiver: EventReceiver | undefined;
  readonly #server: Server;
  #socket: Socket | undefined;
  #lines = 0;
  #waiting: { lines: number; resolve: () => void } | undefined;

  private constructor(directory: string) {
    this.path = join(directory, "events");
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on("error", () => undefined); // a connection that could not be accepted is closed, and Python ends without it
    this.#server.unref();
  }

  /** Listen in a folder that only this user can enter. */
  static async listen(directory: string): Promise<EventChannel> {
    const channel = new EventChannel(directory);
    await new Promise<void>((resolve, reject) => {
      channel.#server.once("error", reject);
      channel.#server.listen(channel.path, resolve);
    });
    return channel;
  }

  /** Send a command; lost when Python is gone, which its exit reports. */
  send(command: ChannelCommand): void {
    this.#socket?.write(`${JSON.stringify(command)}\n`);
  }

  /** Resolves when so many lines have come since the connection was made. One caller at a time. */
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
      // What a Python that was killed had begun to write is not a line: it never gets its end, and is never read.
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

/** A message, and the number of the training that it names beside its own fields. */
function addressed(line: unknown): { message: unknown; training?: number } {
  if (!isPlainObject(line) || typeof line["training"] !== "number") return { message: line };
  const { training, ...message } = line;
  return { message, training: training as number };
}
