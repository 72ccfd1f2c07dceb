import type { createColors } from "picocolors";

/** The colours that a configuration is printed in; each does nothing where colour is off. */
export type TextColors = Pick<ReturnType<typeof createColors>, "bold" | "cyan" | "dim" | "green" | "red" | "yellow">;
