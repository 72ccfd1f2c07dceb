import { existsSync } from "node:fs";
import { resolve } from "node:path";

const candidates = [process.env["BH_BRIDGE_PYTHON"], resolve(".venv/bin/python")].filter((path) => path !== undefined);

/** The interpreter that has torch. */
export const realPython: string = candidates.find((path) => existsSync(path)) ?? "python3";

/** The same, which has imported PyTorch already where vitest started it so (tests/warm): for trainings, where nothing is asked of the process itself. */
export const warmPython: string = process.env["WARM_PYTHON_OF_TESTS"] ?? realPython;
