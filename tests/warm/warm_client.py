"""Stands for a process that `warm_server.py` forks: see there.

usage: warm_client.py SOCKET PROGRAM [ARG ...]
"""

import array
import contextlib
import json
import os
import signal
import socket
import sys
import time

server = socket.socket(socket.AF_UNIX)
while server.connect_ex(sys.argv[1]) != 0:  # it is still importing
    if not os.path.exists(os.path.dirname(sys.argv[1])):
        sys.exit("the tests have ended")
    time.sleep(0.05)
listed = [int(name) for name in os.listdir("/proc/self/fd")]
files = sorted(file for file in listed if file != server.fileno() and os.path.exists(f"/proc/self/fd/{file}"))
umask = os.umask(0)
os.umask(umask)
request = {
    "arguments": sys.argv[2:],
    "environment": dict(os.environ),
    "cwd": os.getcwd(),
    "umask": umask,
    "files": files,
    "ignores_interrupts": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
}
data = json.dumps(request).encode() + b"\n"
sent = server.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
server.sendall(data[sent:])
for file in files:
    if file > 2:
        os.close(file)
os.setpgid(0, 0)  # as a Python of ours leaves its group: who signals the group reaches this process
answers = server.makefile()
fork = int(answers.readline().split()[1])


def pass_on(number: int, _: object) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(fork, number)


for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(one, pass_on)
status = int(answers.readline().split()[1])
if os.WIFSIGNALED(status):
    if os.WTERMSIG(status) != signal.SIGKILL:
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.waitstatus_to_exitcode(status))
