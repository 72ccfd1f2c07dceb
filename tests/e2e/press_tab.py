"""Type lines into an interactive shell and press Tab behind each: `python press_tab.py SHELL SCRIPT < LINES`.

SCRIPT is a completion script, LINES a JSON list of texts. Prints a JSON list: the line that each text became. The shell
has no configuration of the user's.
"""

import json
import os
import pty
import re
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

PATIENCE_SECONDS = 60
DUMP = b"\x18\x10"  # Ctrl-X Ctrl-P
CLEAR = b"\x05\x15"  # Ctrl-E Ctrl-U

shell, script = sys.argv[1:]
lines = json.load(sys.stdin)
home = Path(tempfile.mkdtemp())
dumped = home / "dumped"
store = f"> '{home}/part'; mv '{home}/part' '{dumped}'"
settings = {
    "bash": f"""PS1='READY> '; bind 'set bell-style none'; source '{script}'
        dump() {{ printf %s "$READLINE_LINE" {store}; }}; bind -x '"\\C-x\\C-p": dump'""",
    "zsh": f"""PS1='READY> '; unsetopt beep; autoload -U compinit; compinit -u -D; source '{script}'
        dump() {{ print -rn -- "$BUFFER" {store}; }}; zle -N dump; bindkey '^X^P' dump""",
    "fish": f"""function fish_prompt; echo 'READY> '; end; source '{script}'
        function dump; commandline | string collect {store}; end; bind ctrl-x,ctrl-p dump""",
}
(home / ".zshrc").write_text(settings["zsh"])
(home / "init").write_text(settings[shell])
programs = {
    "bash": ["bash", "--noprofile", "--rcfile", str(home / "init"), "-i"],
    "zsh": ["zsh", "-d", "-i"],
    "fish": ["fish", "--no-config", "-i", "-C", f"source '{home}/init'"],
}
child, terminal = pty.fork()
if child == 0:
    os.environ.update(
        ZDOTDIR=str(home), HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_DATA_HOME=str(home), TERM="xterm"
    )
    os.execvp(programs[shell][0], programs[shell])

deadline = time.monotonic() + PATIENCE_SECONDS
written = b""


def read_until(is_done) -> None:
    """Read what the shell writes, and answer its question for the kind of the terminal, until a condition holds."""
    global written
    while not is_done():
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            sys.exit(f"{shell} did not answer: {written[-2000:]!r}")
        if select.select([terminal], [], [], 0.02)[0]:
            chunk = os.read(terminal, 65536)
            written += chunk
            if re.search(rb"\x1b\[0?c", chunk):
                os.write(terminal, b"\x1b[?62c")


read_until(lambda: b"READY>" in written)
ended = []
for line in lines:
    os.write(terminal, line.encode() + b"\t")
    os.write(terminal, DUMP)
    read_until(dumped.exists)
    ended.append(dumped.read_text().removesuffix("\n"))
    dumped.unlink()
    os.write(terminal, CLEAR)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
print(json.dumps(ended))
