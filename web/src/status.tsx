const signs: Readonly<Record<string, string>> = {
  running: "●",
  completed: "✓",
  stopped: "■",
  interrupted: "◌",
  failed: "✕",
  corrupt: "!",
  planned: "○",
  pruned: "✂",
  lost: "◌",
};

/** The state of a run: a sign, a word and a colour. */
export function Status({ status }: { status: string }) {
  return (
    <span class={`status ${status}`}>
      <span aria-hidden="true">{signs[status] ?? "?"}</span> {status}
    </span>
  );
}
