"""Addresses and names of a running archive."""

import json
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from localstack.parts.aws import EmulatedAws


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of a running archive and the names of its resources, as `make urls` prints them."""

    viewer: str
    dicomweb: str
    qido: str
    wado: str
    stow: str
    s3_endpoint: str
    landing_bucket: str
    static_bucket: str
    landing_queue: str
    records_table: str
    rejections_table: str
    region: str

    @classmethod
    def from_json(cls, text: str) -> "Urls":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return one JSON object."""
        return json.dumps(asdict(self), indent=2)

    def aws(self) -> EmulatedAws:
        """Return the emulator that holds the archive's buckets, queues and tables."""
        return EmulatedAws(urlsplit(self.s3_endpoint).port or 0, self.region)
