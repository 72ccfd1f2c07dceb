"""Runs the programs that compute expected values, each in a fork of a process that has imported the libraries once.

`python reference_server.py` reads folders from stdin, one a line. A folder has `request.json`, a program, its
arguments and where to run it; what the program prints goes to the files `stdout` and `stderr` there, and its exit code
to the named pipe `code`. The end of stdin ends the server.
"""

import gc
import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any, NoReturn

LIBRARIES = ["h5py", "numpy", "safetensors.torch", "scipy.stats", "torch", "transformers.models.gpt2.modeling_gpt2"]


def main() -> None:
    """Serve until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    for line in sys.stdin:
        if LIBRARIES[0] not in sys.modules:
            import_libraries()
        if os.fork() == 0:
            answer(line.rstrip("\n"))


def import_libraries() -> None:
    """Import what programs use; what is there then is no garbage."""
    gc.disable()
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()
    gc.enable()


def answer(folder: str) -> NoReturn:
    """Run the program of a folder in a process of its own, tell its exit code, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(f"{folder}/request.json", encoding="utf-8") as file:
        request = json.load(file)
    child = os.fork()
    if child == 0:
        run(request, folder)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(f"{folder}/code", "w") as pipe:
        pipe.write(str(code))
    os._exit(0)


def run(request: dict[str, Any], folder: str) -> NoReturn:
    """Run a program as `python -c` does, and end."""
    for descriptor, name in ((0, os.devnull), (1, f"{folder}/stdout"), (2, f"{folder}/stderr")):
        os.dup2(os.open(name, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT), descriptor)
    os.chdir(request["cwd"])
    sys.argv = ["-c", *request["arguments"]]
    code = 1
    try:
        exec(compile(request["program"], "<program>", "exec"), {"__name__": "__main__"})
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)  # taking the libraries down in order would cost more than most programs


if __name__ == "__main__":
    main()
