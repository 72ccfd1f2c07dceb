"""Read the writes, syncs and renames of a traced process out of strace's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

SYSCALLS = (
    "openat,open,creat,write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,"
    "rmdir,ftruncate,fallocate,lseek,copy_file_range,sendfile,link,linkat"
)
# -y names the file of each descriptor, -xx keeps bytes as they are, -s is longer than any write. A slow disk: states
# come so slowly that they are committed by the clock, and a sync takes so long that states are written meanwhile.
STRACE = [
    *("strace", "-f", "-y", "-xx", "-s", "100000000", "-e", f"trace={SYSCALLS}"),
    *("-e", "inject=pwrite64:delay_enter=150000", "-e", "inject=fdatasync:delay_enter=200000", "-o"),
]

_SYNCS = ("fsync", "fdatasync")
_LINE = re.compile(rb"^(\d+)\s+(.*)$")
_UNFINISHED = b" <unfinished ...>"
_RESUMED = re.compile(rb"^<\.\.\. (\w+) resumed>(.*)$")
_CALL = re.compile(rb"^(\w+)\((.*)\)\s+= (-?\d+)")
_STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(rb"^(\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>")


class UnknownCall(Exception):
    """The trace holds a call that changes files and is not understood: the simulation would not be of this run."""


@dataclass(frozen=True)
class Call:
    """One finished system call that changed something, or made a change durable."""

    name: str
    path: str  # absolute; of the descriptor where there is one
    target: str = ""  # second path of a rename
    fd: int = -1
    data: bytes = b""
    offset: int = -1  # -1: at the descriptor's position
    length: int = 0
    creates: bool = False
    truncates: bool = False
    appends: bool = False
    number: int = -1  # of a sync, which begins as "begin_sync" and ends as "sync"; others may write meanwhile


def read_trace(path: Path, root: str) -> Iterator[Call]:
    """The successful calls on files below `root`, in the order in which they ended; a sync has its begin as well."""
    for number, name, arguments, result in _finished(path):
        if result is not None and result < 0:
            continue
        call = _call(name, arguments, result or 0)
        if call is not None and name in _SYNCS:
            call = replace(call, name="begin_sync" if result is None else "sync", number=number)
        if call is not None and (call.path.startswith(root) or call.target.startswith(root)):
            yield call


def _finished(path: Path) -> Iterator[tuple[int, str, bytes, int | None]]:
    """Number, name, arguments and result of each call as it ends; a sync that others overtake also as it begins."""
    begun: dict[bytes, tuple[int, bytes]] = {}
    with path.open("rb") as lines:
        for number, raw in enumerate(lines):
            match = _LINE.match(raw.rstrip(b"\n"))
            if match is None:
                continue
            pid, text = match.groups()
            if text.endswith(_UNFINISHED):
                begun[pid] = number, text[: -len(_UNFINISHED)]
                name, _, arguments = begun[pid][1].partition(b"(")
                if name.decode() in _SYNCS:
                    yield number, name.decode(), arguments, None
                continue
            began = number
            resumed = _RESUMED.match(text)
            if resumed is not None:
                began, beginning = begun.pop(pid, (number, resumed.group(1) + b"("))
                text = beginning + resumed.group(2)
            found = _CALL.match(text)
            if found is not None:
                yield began, found.group(1).decode(), found.group(2), int(found.group(3))


def _call(name: str, arguments: bytes, result: int) -> Call | None:
    strings = [_unhex(text) for text in _STRING.findall(arguments)]
    fds = [
        (-1 if number == b"AT_FDCWD" else int(number), _unhex(path).decode(errors="replace"))
        for number, path in _fds(arguments)
    ]
    numbers = [int(text) for text in re.findall(rb"(?:^|, )(-?\d+)(?=,|$)", _STRING.sub(b"", arguments))]
    paths = [text.decode(errors="replace") for text in strings]
    match name:
        case "openat" | "open" | "creat":
            directory = fds[0][1] if fds else "/"
            flags = arguments[arguments.rindex(b'"') :]
            is_new = b"O_CREAT" in flags
            return Call(
                "open",
                _join(directory, paths[0]),
                fd=result,
                creates=is_new,
                truncates=b"O_TRUNC" in flags,
                appends=b"O_APPEND" in flags,
            )
        case "write" | "writev":
            return Call("write", fds[0][1], fd=fds[0][0], data=b"".join(strings)[:result])
        case "pwrite64":
            return Call("write", fds[0][1], fd=fds[0][0], data=strings[0][:result], offset=numbers[-1])
        case "fsync" | "fdatasync":
            return Call("sync", fds[0][1], fd=fds[0][0])
        case "ftruncate":
            return Call("truncate", fds[0][1], length=numbers[-1])
        case "fallocate":
            return Call("extend", fds[0][1], length=numbers[-2] + numbers[-1])
        case "lseek":
            return Call("seek", fds[0][1], fd=fds[0][0], offset=result)
        case "rename" | "renameat" | "renameat2":
            directories = [path for _, path in fds] or ["/", "/"]
            return Call("rename", _join(directories[0], paths[0]), target=_join(directories[-1], paths[1]))
        case "mkdir" | "mkdirat":
            return Call("mkdir", _join(fds[0][1] if fds else "/", paths[0]))
        case "unlink" | "unlinkat" | "rmdir":
            return Call("remove", _join(fds[0][1] if fds else "/", paths[0]))
        case _:
            names = [*paths, *(path for _, path in fds)]
            return Call("unknown", names[0] if names else "")


def _fds(arguments: bytes) -> list[tuple[bytes, bytes]]:
    return [match.groups() for match in (_FD.match(part) for part in arguments.split(b", ")) if match is not None]


def _unhex(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"\\x", b"").decode())


def _join(directory: str, path: str) -> str:
    return path if path.startswith("/") else f"{directory}/{path}"
