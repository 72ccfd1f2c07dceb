"""Code of the user's own: a model, an initial embedding or a loss, in a Python file that the configuration names."""

from __future__ import annotations

import difflib
import hashlib
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from bh_bridge.bridge.messages import Code
from bh_bridge.errors import ConfigInvalid


def load(code: Code, name: str, field: str, named_by: str) -> Any:
    """Execute code as a new module and return what it calls `name`; ConfigInvalid if it fails or lacks it.

    Its source comes with the request, so the file may have changed. field, named_by: of the configuration, in messages.
    """
    module = _module(code, field)
    found = getattr(module, name, None)
    if callable(found):
        return found
    known = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"it has {', '.join(known) or 'nothing to call'}"
    raise ConfigInvalid(f'{named_by}: {code["path"]} has no "{name}": {hint}')


def call(own: Callable[..., Any], code: Code, field: str, *arguments: Any, **named: Any) -> Any:
    """Call a function of the user's own; ConfigInvalid with the line that failed."""
    try:
        return own(*arguments, **named)
    except Exception as error:
        name = getattr(own, "__name__", "it")
        raise ConfigInvalid(f"{field}: {name} of {_failure(code, error)}") from error


def _module(code: Code, field: str) -> types.ModuleType:
    source, path = code["source"], code["path"]
    digest = hashlib.sha256(source.encode()).hexdigest()
    if digest != code["sha256"]:
        raise ConfigInvalid(f"{field}: the source of {path} has SHA-256 {digest}, not {code['sha256']}")
    module = types.ModuleType(f"bh_bridge_own_{digest[:16]}")
    module.__file__ = path
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)  # for tracebacks and inspect
    sys.modules[module.__name__] = module  # dataclasses and torch.compile look modules up
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise ConfigInvalid(f"{field}: {_failure(code, error)}") from error
    return module


def _failure(code: Code, error: BaseException) -> str:
    """What failed in a file, and its line."""
    if isinstance(error, ConfigInvalid):
        return str(error)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == code["path"]]
    if isinstance(error, SyntaxError) and error.filename == code["path"]:
        lines = [error.lineno]
    place = f"{code['path']}:{lines[-1]}" if lines else code["path"]
    text = linecache.getline(code["path"], lines[-1] or 0).strip() if lines else ""
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = ". Code is one file: move what it imports into it, or install that as a package"
    shown = f" in `{text}`" if text else ""
    return f"{place} raises {type(error).__name__}: {error}{shown}{hint}"
