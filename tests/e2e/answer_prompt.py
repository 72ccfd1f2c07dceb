"""Run a program on a terminal of its own and answer its question: `python answer_prompt.py QUESTION ANSWER PROGRAM…`.

Prints what the program wrote and ends with its exit code; 99 when it never asked.
"""

import fcntl
import os
import pty
import struct
import sys
import termios

question, answer, *program = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(program[0], program)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
written = b""
asked = False
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # Linux's way of saying that the other side has closed
        chunk = b""
    if not chunk:
        break
    written += chunk
    # The prompt hears nothing until it has drawn its choices.
    if not asked and question.encode() in written and b"No" in written.split(question.encode())[-1]:
        asked = True
        os.write(terminal, answer.encode())
sys.stdout.buffer.write(written)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(code if asked else 99)
