/** Let the browser keep a file. */
export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Columns as CSV (RFC 4180), the first of them the steps. */
export function csvOf(names: readonly string[], columns: readonly (readonly (number | null)[])[]): Blob {
  const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = (columns[0] ?? []).map((_, at) => columns.map((column) => column[at] ?? "").join(","));
  return new Blob([`${[names.map(cell).join(","), ...rows].join("\r\n")}\r\n`], { type: "text/csv" });
}
