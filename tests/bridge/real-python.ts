import { existsSync } from "node:fs";
import { resolve } from "node:path";

const candidates = [process.env["BH_BRIDGE_PYTHON"], resolve(".venv/bin/python")].filter((path) => path !== undefined);

/** The interpreter that has torch. */
export const realPython: string = candidates.find((path) => existsSync(path)) ?? "python3";
