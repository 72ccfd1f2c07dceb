import { fileURLToPath } from "node:url";

/** The folder of this package's package.json, with a trailing slash: of the checkout, or of the installed package. */
export const packageRoot: string = fileURLToPath(new URL("../../", import.meta.url));
