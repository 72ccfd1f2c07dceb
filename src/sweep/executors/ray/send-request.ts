import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { text } from "node:stream/consumers";

/** What a server is asked. */
interface Question {
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
  signal: AbortSignal;
}

/** What a server has answered. */
export interface Answer {
  status: number;
  text: string;
}

/**
 * Ask a server. Not by `fetch`: it sends the headers of a browser (`Sec-Fetch-Mode`), and Ray lets no browser change anything.
 *
 * @throws {Error} as Node's own requests, with their `code`.
 */
export async function sendRequest(url: string, { method, headers, body, signal }: Question): Promise<Answer> {
  const send = url.startsWith("https:") ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const question = send(url, { method, headers: { ...headers, ...length }, signal }, (answer) => {
      text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, text: said }), reject);
    });
    question.on("error", reject);
    question.end(body);
  });
}
