"""The table of transfer syntaxes: how each is encoded, and the media type in which its frames are served."""

from dataclasses import dataclass

from chalicelib.dicomweb.media_types import OCTET_STREAM

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """One transfer syntax (PS3.5 Annex A).

    `frame_media_type` is taken from PS3.18 Table 8.7.3-5. A `video` contains all its frames in one stream.
    """

    uid: str
    frame_media_type: str = OCTET_STREAM
    encapsulated: bool = True
    implicit_vr: bool = False
    little_endian: bool = True
    deflated: bool = False
    video: bool = False


def _native(
    uid: str, *, implicit_vr: bool = False, little_endian: bool = True, deflated: bool = False
) -> TransferSyntax:
    return TransferSyntax(
        uid, encapsulated=False, implicit_vr=implicit_vr, little_endian=little_endian, deflated=deflated
    )


def _compressed(media_type: str, *suffixes: str, video: bool = False) -> list[TransferSyntax]:
    return [TransferSyntax(f"1.2.840.10008.1.2.{suffix}", media_type, video=video) for suffix in suffixes]


_TABLE = [
    _native(IMPLICIT_VR_LITTLE_ENDIAN, implicit_vr=True),
    _native(EXPLICIT_VR_LITTLE_ENDIAN),
    _native(EXPLICIT_VR_BIG_ENDIAN, little_endian=False),
    _native(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, deflated=True),
    *_compressed("application/x-deflate", "8.1"),
    # Baseline, Extended, the retired Spectral Selection and Full Progression, Lossless, Lossless SV1.
    *_compressed("image/jpeg", "4.50", "4.51", "4.53", "4.55", "4.57", "4.70"),
    *_compressed("image/jls", "4.80", "4.81"),
    *_compressed("image/jp2", "4.90", "4.91"),
    *_compressed("image/jpx", "4.92", "4.93"),
    *_compressed("image/jphc", "4.201", "4.202", "4.203"),
    *_compressed("image/jxl", "4.110", "4.111", "4.112"),
    *_compressed("image/dicom-rle", "5"),
    *_compressed("video/mpeg", "4.100", "4.100.1", "4.101", "4.101.1", video=True),
    *_compressed(
        "video/mp4",
        *("4.102", "4.102.1", "4.103", "4.103.1", "4.104", "4.104.1"),
        *("4.105", "4.105.1", "4.106", "4.106.1", "4.107", "4.108"),
        video=True,
    ),
]

TRANSFER_SYNTAXES = {syntax.uid: syntax for syntax in _TABLE}
