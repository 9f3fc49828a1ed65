"""Creates a representation that the static bucket does not hold, and keeps it there where that pays.

The edge asks the bucket first, and this service on a miss: either nobody has requested the representation
before (the instance object of an image, a copy for clients without gzip), or the resource does not exist.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.dicomweb.compression import decompress
from chalicelib.dicomweb.instance.part10 import Instance, read_instance
from chalicelib.dicomweb.instance.pixel_data import Frames, find_frames
from chalicelib.dicomweb.instance.structure import PIXEL_DATA_TAGS
from chalicelib.dicomweb.media_types import DICOM, DICOM_JSON, JSON, MULTIPART_RELATED, OCTET_STREAM, MediaRange
from chalicelib.dicomweb.multipart import multipart_body
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.wado.representation import MAX_ANSWER_BYTES, Answer, Wanted
from chalicelib.dicomweb.wado.static_instance import instance_object
from chalicelib.dicomweb.wado.static_object import IMMUTABLE, REVALIDATED, StaticObject
from chalicelib.errors import BadRequestError, InstanceRejectedError, NotAcceptableError, NotFoundError
from chalicelib.ports import InstanceRecord, ObjectContent, ObjectStore, ObjectVersion, RecordStore

IDENTITY_PREFIX = "identity/"

_MAX_FRAMES_IN_LIST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRepresentation:
    """The use case; its methods are named after the resources of PS3.18 §10.4.1.

    All raise NotFoundError if the resource does not exist, NotAcceptableError if the client accepts none of
    its media types, InvalidUidError or BadRequestError if the address is malformed, and ServiceFaultError if
    a service failed.
    """

    objects: ObjectStore
    records: RecordStore
    static_bucket: str
    dicomweb_root: str
    max_inflated_bytes: int

    # --- metadata -----------------------------------------------------------------------------

    def metadata(self, uids: ResourceUids, wanted: Wanted) -> Answer:
        """Metadata of an instance, or of all instances of a study or series (PS3.18 §10.4.1.1.2)."""
        _check_single(wanted, DICOM_JSON, JSON)
        return self._stored(f"{uids.key}/metadata", wanted)

    # --- frames and bulk data -----------------------------------------------------------------

    def frames(self, uids: ResourceUids, frame_list: str, wanted: Wanted) -> Answer:
        """One frame, or several in one multipart body in the requested order (PS3.18 §10.4.1.1.6)."""
        numbers = _frame_numbers(frame_list)
        if len(numbers) == 1:
            answer = self._stored(f"{uids.key}/frames/{numbers[0]}", wanted)
            _check_multipart(wanted, _root_type(answer.content_type))
            return answer
        with self._frames(self._record(uids)) as frames:
            if max(numbers) > len(frames):
                raise NotFoundError("the instance has fewer frames")
            _check_multipart(wanted, frames.media_type)
            return self._parts(uids, frames, numbers, f"{uids.key}/frames/{','.join(map(str, numbers))}")

    def bulk_data(self, uids: ResourceUids, path: str, wanted: Wanted) -> Answer:
        """One bulk data value; pixel data is returned as its frames, without item tags (PS3.18 §8.7.3.3)."""
        if path not in {f"{tag:08X}" for tag in PIXEL_DATA_TAGS}:
            return self._stored(f"{uids.key}/bulkdata/{path}", wanted)
        with self._frames(self._record(uids), int(path, 16)) as frames:
            _check_multipart(wanted, frames.media_type)
            return self._parts(uids, frames, range(1, len(frames) + 1), f"{uids.key}/bulkdata/{path}")

    # --- instances ----------------------------------------------------------------------------

    def instance(self, uids: ResourceUids, wanted: Wanted) -> Answer:
        """The instance as stored, as multipart/related or as a single part (PS3.18 §10.4.1.1.1)."""
        record = self._record(uids)
        if _takes_multipart(wanted, DICOM):
            with self.objects.open(record.landing) as content, self._parsed(content) as instance:
                made = instance_object(uids, instance.transfer_syntax_uid, record.sha256, content.file, content.size)
                return self._keep(made, wanted)
        _check_single(wanted, DICOM)
        return Answer(b"", DICOM, location=self._landing_url(record.landing))

    def _landing_url(self, landing: ObjectVersion) -> str:
        # The landing bucket holds exactly these bytes, so no copy is made.
        return self.objects.presign(landing, content_type=DICOM)

    # --- stored objects -----------------------------------------------------------------------

    def _stored(self, key: str, wanted: Wanted) -> Answer:
        """A stored object in an encoding that the client accepts."""
        head = self.objects.head(self.static_bucket, key)
        if head is None:
            raise NotFoundError("there is no such resource")
        immutable = head.cache_control == IMMUTABLE
        if wanted.gzip and head.size > MAX_ANSWER_BYTES:
            # It was written after the edge asked the bucket: the edge will find it now.
            return self._redirect(key)
        body = self.objects.get_bytes(self.static_bucket, key)
        encoding = head.content_encoding
        if encoding == "gzip" and not wanted.gzip:
            body, encoding = decompress(body), None
        plain = StaticObject(key, body, head.content_type, head.cache_control, encoding)
        if wanted.gzip:
            return _answer(plain)
        return self._keep(plain, wanted) if immutable else self._send_aggregate(plain, head.etag)

    def _send_aggregate(self, plain: StaticObject, etag: str) -> Answer:
        """Answer an aggregate without gzip.

        It changes, so no copy is kept under its path; a large one is written under a key with its ETag.
        """
        body = plain.body if isinstance(plain.body, bytes) else b"".join(plain.body)
        if len(body) <= MAX_ANSWER_BYTES:
            return _answer(plain)
        version_key = "/".join(("versions", etag.strip('"'), plain.key))
        self.objects.put(self.static_bucket, StaticObject(version_key, body, plain.content_type, REVALIDATED))
        url = self.objects.presign(ObjectVersion(self.static_bucket, version_key), content_type=plain.content_type)
        return Answer(b"", plain.content_type, location=url)

    def _keep(self, made: StaticObject, wanted: Wanted) -> Answer:
        """Write an immutable object where the edge looks for it; answer with it, or redirect to it if it is large."""
        kept = made if wanted.gzip else _renamed(made, IDENTITY_PREFIX + made.key)
        self.objects.put(self.static_bucket, kept)
        if not isinstance(kept.body, bytes) or len(kept.body) > MAX_ANSWER_BYTES:
            return self._redirect(made.key)
        return _answer(kept)

    def _redirect(self, key: str) -> Answer:
        return Answer(b"", "", location=f"{self.dicomweb_root}/{key.removeprefix('dicomweb/')}")

    def _parts(self, uids: ResourceUids, frames: Frames, numbers: "list[int] | range", key: str) -> Answer:
        parts = (b"".join(frames.read(number)) for number in numbers)
        content_type, body = multipart_body(
            frames.media_type, parts, seed=f"{uids}/{key}", transfer_syntax_uid=frames.transfer_syntax_uid
        )
        made = StaticObject(key, body, content_type)
        if len(body) <= MAX_ANSWER_BYTES:
            return Answer(body, content_type)
        # Kept under both keys: which one the edge asks for depends on whether the client accepts gzip.
        self.objects.put(self.static_bucket, _renamed(made, IDENTITY_PREFIX + key))
        self.objects.put(self.static_bucket, made)
        return self._redirect(key)

    # --- instances as received ----------------------------------------------------------------

    def _record(self, uids: ResourceUids) -> InstanceRecord:
        record = self.records.get_instance(uids)
        if record is None or not record.complete:
            raise NotFoundError("there is no such instance")
        return record

    @contextmanager
    def _frames(self, record: InstanceRecord, pixel_data_tag: int | None = None) -> Iterator[Frames]:
        """Frames of an instance; with a tag, only those of that kind of pixel data."""
        with self.objects.open(record.landing) as content, self._parsed(content) as instance:
            frames = find_frames(instance)
            if frames is None or pixel_data_tag not in (None, *instance.elements):
                raise NotFoundError("the instance has no such pixel data")
            yield frames

    @contextmanager
    def _parsed(self, content: ObjectContent) -> Iterator[Instance]:
        try:
            with read_instance(content.file, max_inflated_bytes=self.max_inflated_bytes) as instance:
                yield instance
        except InstanceRejectedError as error:
            # It could be read when it was published, so the object is no longer the one that was converted.
            raise NotFoundError("the stored instance cannot be read") from error


def _frame_numbers(frame_list: str) -> list[int]:
    texts = frame_list.split(",")
    if len(texts) > _MAX_FRAMES_IN_LIST or not all(
        text.isascii() and text.isdecimal() and len(text) < 10 for text in texts
    ):
        raise BadRequestError("a frame list consists of numbers from 1, separated by commas")
    numbers = [int(text) for text in texts]
    if 0 in numbers:
        raise BadRequestError("frames are numbered from 1")
    return numbers


def _check_single(wanted: Wanted, *media_types: str) -> None:
    if not any(member.covers(media_type) for member in wanted.accept for media_type in media_types):
        raise NotAcceptableError(f"this resource is available as {media_types[0]} only")


def _check_multipart(wanted: Wanted, part_type: str) -> None:
    if not _takes_multipart(wanted, part_type):
        raise NotAcceptableError(f'this resource is available as multipart/related; type="{part_type}" only')


def _takes_multipart(wanted: Wanted, part_type: str) -> bool:
    """Whether a client accepts multipart/related of this type.

    A request for octet-stream accepts any frame: viewers send it, and rely on the Content-Type of the part.
    """
    for member in wanted.accept:
        if not member.covers(MULTIPART_RELATED):
            continue
        asked = member.parameters.get("type", "*/*").lower()
        if asked == OCTET_STREAM and part_type != DICOM:
            return True
        if MediaRange(asked, {}).covers(part_type):
            return True
    return False


def _root_type(content_type: str) -> str:
    """The `type` parameter of a multipart Content-Type that the archive wrote."""
    return content_type.partition('type="')[2].partition('"')[0]


def _renamed(made: StaticObject, key: str) -> StaticObject:
    return StaticObject(key, made.body, made.content_type, made.cache_control, made.content_encoding)


def _answer(made: StaticObject) -> Answer:
    body = made.body if isinstance(made.body, bytes) else b"".join(made.body)
    return Answer(body, made.content_type, made.cache_control, made.content_encoding)
