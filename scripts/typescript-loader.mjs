// Lets Node run the TypeScript sources as they are: `node --import ./scripts/typescript-loader.mjs FILE.ts`, or imported by a script before a source. Loads
// all of src in a sixth of the processor time that jiti takes with a warm cache.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";

/** Marks this file where the thread of the hooks imports it. */
const asHooks = "?hooks";
if (!import.meta.url.endsWith(asHooks)) register(`${import.meta.url}${asHooks}`);

/**
 * What `using` becomes where Node has no such statement: resources that are disposed of in reverse order, by `d()`.
 * `e` is the error with which their block ended.
 */
function usingContext() {
  const none = {};
  const held = [];
  const hold = (value, isAwaited) => {
    if (value === null || value === undefined) return value;
    const dispose = (isAwaited && value[Symbol.asyncDispose]) || value[Symbol.dispose];
    if (typeof dispose !== "function") throw new TypeError("the value of a `using` declaration cannot be disposed of");
    held.push({ dispose: () => dispose.call(value), isAwaited });
    return value;
  };
  return {
    e: none,
    u: (value) => hold(value, false),
    a: (value) => hold(value, true),
    d() {
      const next = () => {
        while (held.length > 0) {
          const { dispose, isAwaited } = held.pop();
          try {
            const disposed = dispose();
            if (isAwaited) return Promise.resolve(disposed).then(next, failed);
          } catch (error) {
            this.e = error;
          }
        }
        if (this.e !== none) throw this.e;
        return undefined;
      };
      const failed = (error) => {
        this.e = error;
        return next();
      };
      return next();
    },
  };
}

const contextModule = `data:text/javascript,${encodeURIComponent(`export default ${usingContext}`)}`;

const isSource = (url) => url?.startsWith("file:") && url.endsWith(".ts");

/** The sources import each other by the names of the `.js` files that they are compiled to. */
export async function resolve(specifier, context, next) {
  if (specifier === "@oxc-project/runtime/helpers/usingCtx") return { url: contextModule, format: "module", shortCircuit: true };
  const isOurs = isSource(context.parentURL) && /^\.{1,2}\/.*\.js$/.test(specifier);
  return isOurs ? next(specifier.replace(/js$/, "ts"), context).catch(() => next(specifier, context)) : next(specifier, context);
}

export async function load(url, context, next) {
  if (!isSource(url)) return next(url, context);
  const { transformSync } = await import("rolldown/utils");
  const path = fileURLToPath(url);
  const { code, errors } = transformSync(path, readFileSync(path, "utf8"), { target: "es2022" });
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  return { format: "module", source: code, shortCircuit: true };
}
