"""Run a program on a terminal of its own and press keys: `python press_keys.py WHEN KEYS PROGRAM…`.

The KEYS are pressed in quick succession once the program has written WHEN; a `^C` among them is Ctrl-C. Prints one JSON
object: what the program wrote, its exit code, and whether the terminal was left as it was found.
"""

import json
import os
import pty
import re
import select
import signal
import sys
import termios
import time

GAP_SECONDS = 0.05  # as fast as anybody presses a key twice
PATIENCE_SECONDS = 100

when, keys, *program = sys.argv[1:]
# Of a new terminal: on a busy machine the program may have changed its own before it could be asked.
before = termios.tcgetattr(pty.openpty()[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(program[0], program)
deadline = time.monotonic() + PATIENCE_SECONDS
written = b""
is_pressed = False
while time.monotonic() < deadline:
    ready, _, _ = select.select([terminal], [], [], 1)
    try:
        chunk = os.read(terminal, 4096) if ready else None
    except OSError:  # Linux's way of saying that the other side has closed
        break
    if chunk is not None:
        written += chunk
    if not is_pressed and re.search(when.encode(), written):
        is_pressed = True
        for key in keys.replace("^C", "\x03"):
            try:
                os.write(terminal, key.encode())
            except OSError:  # it has ended
                break
            time.sleep(GAP_SECONDS)
else:
    os.kill(child, signal.SIGKILL)
status = os.waitpid(child, 0)[1]


def is_on(switch_on: bytes, switch_off: bytes) -> bool:
    """Whether what was switched last, if anything, was switched on."""
    return written.rfind(switch_on) >= written.rfind(switch_off)


report = {
    "written": written.decode(errors="replace"),
    "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status),
    "is_restored": is_on(b"\x1b[?25h", b"\x1b[?25l")
    and is_on(b"\x1b[?7h", b"\x1b[?7l")
    and termios.tcgetattr(terminal)[:4] == before[:4],
}
print(json.dumps(report))
