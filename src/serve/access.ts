import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Who may ask this server, and how a browser comes to be one of them. */
export interface Access {
  /** What stands in the address that is printed. */
  readonly token: string;
  /** Whether a text is that token. */
  isToken(text: string): boolean;
  /** The header that makes the browser known from now on. */
  readonly setCookie: string;
  /** Why a request is refused, with its HTTP status; undefined when it is not. A page elsewhere can make a browser ask, but not under our name. */
  refusal(request: IncomingMessage): Refusal | undefined;
  /** Whether a request carries the cookie. */
  isKnown(request: IncomingMessage): boolean;
}

interface Refusal {
  status: 401 | 403 | 421;
  message: string;
}

/**
 * Access by a token of this start, which becomes a cookie.
 *
 * @param port part of the cookie's name: a browser sends the cookies of a host to all its ports.
 * @param hosts what may stand in the Host header.
 */
export function createAccess(port: number, hosts: readonly string[]): Access {
  const token = randomBytes(32).toString("hex");
  const session = randomBytes(32).toString("hex");
  const cookie = `bh-bridge-${port}`;
  const origins = hosts.map((host) => `http://${host}`);
  const isKnown = (request: IncomingMessage) => cookiesOf(request).some(([name, value]) => name === cookie && isSame(value, session));
  return {
    token,
    isToken: (text) => isSame(text, token),
    setCookie: `${cookie}=${session}; Path=/; HttpOnly; SameSite=Strict`,
    isKnown,
    refusal(request) {
      const { host, origin } = request.headers;
      if (host === undefined || !hosts.includes(host)) return { status: 421, message: "this server answers only to the address that bh-bridge serve printed" };
      const isChange = request.method !== "GET" && request.method !== "HEAD";
      if (origin === undefined ? isChange : !origins.includes(origin)) return { status: 403, message: "a page of another origin may not ask this server" };
      return undefined;
    },
  };
}

/** Compared by digests, so that the time tells nothing of either text. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function cookiesOf({ headers }: IncomingMessage): [name: string, value: string][] {
  return (headers.cookie ?? "").split(";").map((pair) => {
    const [name = "", value = ""] = pair.split("=");
    return [name.trim(), value.trim()];
  });
}
