"""Reports the version of Python and of the named packages: `python probe.py MARKER NAME…`.

Prints the marker and a JSON object on one line; other output, such as of sitecustomize, is ignored. Uses only the
standard library and the syntax of any Python 3, so that an old Python can report its version.
"""

import json
import sys


def installed_version(name: str) -> "str | None":
    """Version of an installed package; None if it is missing or if Python is older than 3.8."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError as error:
        if error.name != "importlib.metadata":  # the module exists but fails to import
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
