import { Argument, type Command } from "commander";
import { z } from "zod";
import { shellQuote } from "../../text/escaping.js";
import { type CommonOptions, createCommand } from "../terminal/command.js";
import { invocation } from "../terminal/invocation.js";
import { Terminal } from "../terminal/terminal.js";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** The document of `completion --json`. */
export const completionDocumentSchema = z.strictObject({ schema: z.literal("bh-bridge/completion@1"), shell: z.enum(shells), script: z.string() });
export type CompletionDocument = z.output<typeof completionDocumentSchema>;

export function completionCommand(): Command {
  return createCommand("completion", "Print the script that completes commands, options and values in your shell", "bh-bridge completion bash > bh-bridge.bash")
    .addArgument(new Argument("<shell>", "shell that reads the script").choices(shells))
    .action((shell: Shell, options: CommonOptions) => {
      const terminal = new Terminal(options);
      const script = scripts[shell](programWords());
      terminal.print(script);
      terminal.document({ schema: "bh-bridge/completion@1", shell, script } satisfies CompletionDocument);
    });
}

/** The words that start the program from a script: its name if it is on the PATH, else the files that run now. */
function programWords(): string {
  if (invocation() === "bh-bridge") return "command bh-bridge";
  return `${shellQuote(process.execPath)} ${shellQuote(process.argv[1] ?? "")}`;
}

/**
 * bash sends the line instead of COMP_WORDS, which it splits at `:` and `=`. The program returns quoted text and a space behind whole values, because bash 3.2
 * lacks compopt. `compgen -W` is avoided: it executes `$(…)` in names.
 */
const bash = (program: string): string => `# bash completion of bh-bridge
_bh_bridge() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(${program} complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -o nospace -F _bh_bridge bh-bridge`;

const zsh = (program: string): string => `#compdef bh-bridge
# zsh completion of bh-bridge
_bh_bridge() {
  local line value typed="\${(Q)PREFIX}" home
  local -a whole whole_shown open open_shown
  [[ $PREFIX == '~'*/* ]] && home="\${typed%/*}/" && compset -P '*/' # else compadd quotes the ~
  for line in "\${(@f)$(${program} complete zsh "\${(@Q)words[2,CURRENT-1]}" "$typed" 2>/dev/null)}"; do
    value=\${line%%$'\\t'*}
    [[ -n $value ]] || continue
    value=\${value#"$home"}
    [[ -n \${line#*$'\\t'} ]] && line="$value  -- \${line#*$'\\t'}" || line=$value
    if [[ $value == *[/=.:,] ]]; then
      open+=("$value") open_shown+=("$line")
    else
      whole+=("$value") whole_shown+=("$line")
    fi
  done
  compadd -l -d whole_shown -a whole
  compadd -l -S '' -d open_shown -a open
}
if [[ $funcstack[1] == _bh_bridge || $funcstack[1] == _bh-bridge ]]; then
  _bh_bridge "$@"
else
  compdef _bh_bridge bh-bridge
fi`;

const fish = (program: string): string => `# fish completion of bh-bridge
function __bh_bridge_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l plain (string unescape -- $typed; or string replace -r '^["\\']' '' -- $typed)
    ${program} complete fish $words[2..-1] "$plain" 2>/dev/null
end
complete -c bh-bridge -f -a '(__bh_bridge_complete)'`;

const scripts: Readonly<Record<Shell, (program: string) => string>> = { bash, zsh, fish };
