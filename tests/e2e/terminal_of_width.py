"""Run a program on a terminal of its own with so many columns: `python terminal_of_width.py COLUMNS PROGRAM…`.

Prints what the program wrote and ends with its exit code.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

columns, *program = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(columns), 0, 0))
    os.execvp(program[0], program)
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # Linux's way of saying that the other side has closed
        chunk = b""
    if not chunk:
        break
    sys.stdout.buffer.write(chunk)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
