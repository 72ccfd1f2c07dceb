import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser of this machine; where there is none, tests of the page are left out, but never in CI. */
export const browserProgram: string | undefined = programs.find((program) => existsSync(program)) ?? (process.env["CI"] ? programs[0] : undefined);

/** Start the browser, without a screen and without a graphics card. */
export function startBrowser(): Promise<Browser> {
  const args = ["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-background-networking"];
  return chromium.launch({ executablePath: browserProgram ?? "chromium", args });
}

/** Whether a message is that of a graphics driver: a browser without a graphics card reads each picture back. */
export function isOfTheDriver(text: string): boolean {
  return text.includes("GPU stall due to ReadPixels");
}

/** A page, and everything that it complains of. */
export interface WatchedPage extends AsyncDisposable {
  page: Page;
  complaints: string[];
}

/** Open an address in a window of its own. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !isOfTheDriver(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
