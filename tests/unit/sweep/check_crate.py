"""Validate RO-Crates: `python check_crate.py CONTEXT PROFILE CRATE…` prints the issues of each crate as JSON.

CONTEXT is the file with the JSON-LD context of RO-Crate 1.1. Everything else that the validator would fetch is a short
list of terms; nothing is sent.
"""

import json
import sys
from pathlib import Path

from rocrate_validator import models, services
from rocrate_validator.utils import http

RUN_TERMS = "https://w3id.org/ro/terms/workflow-run"
NAMES = (
    "sha256",
    "environment",
    "resourceUsage",
    "connection",
    "ParameterConnection",
    "containerImage",
    "ContainerImage",
)
context, profile, *crates = sys.argv[1:]
DOCUMENTS = {
    "https://w3id.org/ro/crate/1.1/context": json.loads(Path(context).read_text()),
    f"{RUN_TERMS}/context": {"@context": {name: f"{RUN_TERMS}#{name}" for name in NAMES}},
}


class Answer:
    """The answer to a request for one of the documents."""

    status_code = 200
    headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012
    from_cache = True

    def __init__(self, url: str):
        self.url = url
        self.text = json.dumps(DOCUMENTS[url])
        self.content = self.text.encode()

    def json(self):
        """Return the document."""
        return json.loads(self.text)


http.HttpRequester.get = lambda _self, url, **_options: Answer(url)
found = []
for crate in crates:
    settings = services.ValidationSettings(
        rocrate_uri=crate, requirement_severity=models.Severity.RECOMMENDED, profile_identifier=profile
    )
    result = services.validate(settings)
    found.append([f"{issue.severity.name} {issue.check.identifier}: {issue.message}" for issue in result.get_issues()])
print(json.dumps(found))
