import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { downloadFile, indexedFiles, proxyFor } from "../../../../src/python/setup/setup-steps.js";
import { packageIndex } from "../../../../src/python/setup/uv-environment.js";
import { folderTest } from "../folder-test.js";

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen<Kind extends Server>(server: Kind): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

test.each([
  ["https://a.example/x", { HTTPS_PROXY: "http://p:3128" }, "http://p:3128/"],
  ["https://a.example/x", { https_proxy: "p:3128", HTTPS_PROXY: "http://q" }, "http://p:3128/"],
  ["http://a.example/x", { HTTPS_PROXY: "http://p:3128" }, undefined],
  ["http://a.example/x", { ALL_PROXY: "http://p:3128" }, "http://p:3128/"],
  ["https://a.example/x", { HTTPS_PROXY: "http://p", NO_PROXY: "*" }, undefined],
  ["https://a.example/x", { HTTPS_PROXY: "http://p", NO_PROXY: "b.example, a.example" }, undefined],
  ["https://a.b.example/x", { HTTPS_PROXY: "http://p", no_proxy: ".b.example" }, undefined],
  ["https://a.b.example/x", { HTTPS_PROXY: "http://p", NO_PROXY: "*.b.example" }, undefined],
  ["https://ab.example/x", { HTTPS_PROXY: "http://p", NO_PROXY: "b.example" }, "http://p/"],
  ["https://a.example:8443/x", { HTTPS_PROXY: "http://p", NO_PROXY: "a.example:443" }, "http://p/"],
  ["https://a.example:8443/x", { HTTPS_PROXY: "http://p", NO_PROXY: "a.example:8443" }, undefined],
  ["https://a.example/x", { HTTPS_PROXY: "http://p", NO_PROXY: "" }, "http://p/"],
])("the proxy for %s with %j", (address, env, proxy) => {
  expect(proxyFor(new URL(address), env)?.href).toBe(proxy);
});

test("a proxy of another kind is refused", () => {
  expect(() => proxyFor(new URL("https://a.example"), { ALL_PROXY: "socks5://p:1080" })).toThrow("socks5://p:1080 is not supported");
});

folderTest("the package index is that of the option, of uv, of pip, of pip.conf, in this order", ({ folder }) => {
  const env: NodeJS.ProcessEnv = { HOME: folder, UV_DEFAULT_INDEX: "https://uv.example", PIP_INDEX_URL: "https://pip.example" };
  expect(packageIndex("https://option.example", env)).toBe("https://option.example");
  expect(packageIndex(undefined, env)).toBe("https://uv.example");
  expect(packageIndex(undefined, { ...env, UV_DEFAULT_INDEX: "" })).toBe("https://pip.example");
  mkdirSync(join(folder, ".config/pip"), { recursive: true });
  writeFileSync(
    join(folder, ".config/pip/pip.conf"),
    "[global]\ntimeout = 60\nindex-url = https://conf.example/simple\n[install]\nindex-url = https://no.example\n",
  );
  expect(packageIndex(undefined, { HOME: folder })).toBe("https://conf.example/simple");
  writeFileSync(join(folder, "other.conf"), "[install]\nindex-url = https://no.example\n[global]\nindex_url: https://other.example\n");
  expect(packageIndex(undefined, { HOME: folder, PIP_CONFIG_FILE: join(folder, "other.conf") })).toBe("https://other.example");
});

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const sha256 = createHash("sha256").update(content).digest("hex");

/** Download the content from a server. */
async function download(folder: string, url: string, expected = sha256) {
  const path = join(folder, "package.whl");
  const progress: number[] = [];
  await downloadFile({ path, url: async () => new URL(url), sha256: expected, onBytes: (done) => progress.push(done) });
  return { bytes: readFileSync(path), progress };
}

folderTest("a broken connection is resumed at the byte where it broke, after redirects and busy answers", async ({ folder }) => {
  const seen: string[] = [];
  const answer: RequestListener = ({ url, headers }, response) => {
    seen.push(`${url} ${headers.range ?? ""}`.trim());
    if (url === "/start") return void response.writeHead(302, { location: "/file" }).end();
    if (seen.length === 2) return void response.writeHead(503).end();
    const start = Number(/\d+/.exec(headers.range ?? "0")?.[0]);
    response.writeHead(start > 0 ? 206 : 200, { "content-length": content.length - start });
    if (start > 0) return void response.end(content.subarray(start));
    response.write(content.subarray(0, 100_000), () => response.socket?.end());
  };
  const { bytes, progress } = await download(folder, `http://127.0.0.1:${await listen(createServer(answer))}/start`);
  expect(bytes.equals(content)).toBe(true);
  expect(progress.at(-1)).toBe(content.length);
  expect(seen.slice(0, 4)).toEqual(["/start", "/file", "/start", "/file"]);
  expect(seen.at(-1)).toMatch(/^\/file bytes=[1-9]\d*-$/);
});

folderTest("a server that ignores the range sends the file again from its beginning", async ({ folder }) => {
  writeFileSync(join(folder, "package.whl.part"), "something else");
  const port = await listen(createServer((_, response) => response.end(content)));
  expect((await download(folder, `http://127.0.0.1:${port}/file`)).bytes.equals(content)).toBe(true);
});

folderTest("a file that is not there, and an index without the project, are reported at once with the address but not its credentials", async ({ folder }) => {
  let requests = 0;
  const port = await listen(
    createServer((_, response) => {
      requests++;
      response.writeHead(404).end();
    }),
  );
  const address = `http://me:secret@127.0.0.1:${port}`;
  const failure = {
    code: "SETUP_FAILED",
    message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/file cannot be downloaded: the server answered 404 Not Found/),
  };
  await expect(download(folder, `${address}/file`)).rejects.toMatchObject(failure);
  await expect(indexedFiles(`${address}/simple/`, "torch")).rejects.toMatchObject({ message: expect.stringContaining("/simple/torch/ cannot be downloaded") });
  expect(requests).toBe(2);
});

test("links of an index are resolved against its final address, with credentials on the same host", async () => {
  const port = await listen(
    createServer(({ url, headers }, response) => {
      if (url === "/simple/my-package/") return void response.writeHead(301, { location: "/other/my-package/" }).end();
      response.end(
        `<a href="../../files/my_package-1%2Bcpu-py3-none-any.whl#sha256=1" data-x="1">x</a> <a class="y" href='http://b.example/z.whl?a=1&amp;b=2'>z</a>`,
      );
      expect(headers.authorization).toBe(`Basic ${btoa("me:secret")}`);
    }),
  );
  const files = await indexedFiles(`http://me:secret@127.0.0.1:${port}/simple`, "my-package");
  expect(Object.fromEntries([...files].map(([name, url]) => [name, url.href]))).toEqual({
    "my_package-1+cpu-py3-none-any.whl": `http://me:secret@127.0.0.1:${port}/files/my_package-1%2Bcpu-py3-none-any.whl#sha256=1`,
    "z.whl": "http://b.example/z.whl?a=1&b=2",
  });
});

/** A certificate for `packages.example`, signed by itself. */
function certificate(folder: string): { key: Buffer; cert: Buffer; path: string } {
  const [key, path] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=packages.example", "-addext", "subjectAltName=DNS:packages.example"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", path, ...subject], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(path), path };
}

folderTest("a plain address through a proxy gets the credentials of both", async ({ folder }) => {
  const seen: unknown[] = [];
  const answer: RequestListener = ({ url, headers }, response) => {
    seen.push([url, headers.host, headers.authorization, headers["proxy-authorization"]]);
    response.end(content);
  };
  vi.stubEnv("http_proxy", `http://you:there@127.0.0.1:${await listen(createServer(answer))}`);
  vi.stubEnv("no_proxy", "");
  vi.stubEnv("NO_PROXY", "");
  await download(folder, "http://me:secret@packages.example/file");
  expect(seen).toEqual([["http://packages.example/file", "packages.example", `Basic ${btoa("me:secret")}`, `Basic ${btoa("you:there")}`]]);
});

folderTest("through a proxy with a password, to a server whose certificate PIP_CERT names", async ({ folder }) => {
  const { key, cert, path } = certificate(folder);
  const port = await listen(createSecureServer({ key, cert }, (_, response) => response.end(content)));
  const tunnels: (string | undefined)[][] = [];
  const proxy = createServer();
  proxy.on("connect", ({ url, headers }, socket) => {
    tunnels.push([url, headers["proxy-authorization"]]);
    if (headers["proxy-authorization"] === undefined) return socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const target = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    target.pipe(socket).pipe(target);
    for (const end of [socket, target]) end.on("error", () => end.destroy());
  });
  const proxyPort = await listen(proxy);
  vi.stubEnv("https_proxy", `http://me:p%40ss@127.0.0.1:${proxyPort}`);
  vi.stubEnv("no_proxy", "");
  vi.stubEnv("NO_PROXY", "");
  vi.stubEnv("PIP_CERT", path);
  expect((await download(folder, "https://packages.example/file")).bytes.equals(content)).toBe(true);
  expect(tunnels).toEqual([["packages.example:443", `Basic ${btoa("me:p@ss")}`]]);

  vi.stubEnv("PIP_CERT", "");
  vi.stubEnv("SSL_CERT_FILE", "");
  vi.stubEnv("REQUESTS_CA_BUNDLE", "");
  const untrusted = indexedFiles("https://packages.example/simple", "torch");
  await expect(untrusted).rejects.toMatchObject({ code: "SETUP_FAILED", message: expect.stringContaining("set PIP_CERT to its certificate") });
  vi.stubEnv("https_proxy", `http://127.0.0.1:${proxyPort}`);
  await expect(indexedFiles("https://packages.example/simple", "torch")).rejects.toThrow(/the proxy 127\.0\.0\.1:\d+ answered 407/);
});
