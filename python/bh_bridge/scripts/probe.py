"""Say which Python this is and which of the named packages it has: `python probe.py MARKER NAME…`.

Prints one line, the marker and a JSON object, so that whatever a sitecustomize prints beside it does no harm. Nothing
is imported beyond the standard library, and the syntax is that of any Python 3, so that an old one names its version.
"""

import json
import sys


def installed_version(name: str) -> "str | None":
    """Version of an installed distribution; None when it is absent or this Python (before 3.8) cannot tell."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError as error:
        if error.name != "importlib.metadata":  # it is there, and something in its way keeps it from working
            raise
        return None
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    report = {
        "version": ".".join(str(part) for part in sys.version_info[:3]),
        "executable": sys.executable or "",
        "prefix": sys.prefix,
        "platform": sys.platform,
        "packages": {name: installed_version(name) for name in sys.argv[2:]},
    }
    sys.stdout.write("\n" + sys.argv[1] + json.dumps(report) + "\n")
