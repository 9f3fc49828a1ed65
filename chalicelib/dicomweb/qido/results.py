"""Composes the answer for a hit of a search from the documents of its levels (PS3.18 §10.6.3.3). Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.dicomweb.attributes import (
    TAG_OF_COMPUTED,
    Attribute,
    DicomJson,
    Level,
    Returned,
    attributes_of,
)
from chalicelib.dicomweb.qido.include_fields import PrivateField
from chalicelib.dicomweb.qido.query import QidoQuery
from chalicelib.dicomweb.resources import ResourceUids
from chalicelib.dicomweb.values import first_value, plain_text


def levels_shown(query: QidoQuery) -> list[Level]:
    """Levels whose documents are needed: the level of the hits, and levels above whose attributes an answer shows."""
    return [level for level in Level if level <= query.level and any(_shown(query, level))]


def describe_hit(
    query: QidoQuery,
    uids: ResourceUids,
    documents: Mapping[Level, DicomJson],
    dicomweb_root: str,
    data_set: DicomJson | None = None,
) -> DicomJson:
    """Compose the answer for one hit, sorted by tag.

    Parameters
    ----------
    uids
        Address of the hit.
    documents
        Documents of the levels that `levels_shown` returned. If one is missing, the answer contains only the
        UID of its level, since an empty attribute would mean that it has no value.
    dicomweb_root
        Beginning of RetrieveURL, without a trailing slash.
    data_set
        Complete data set of an instance, if the query needs it (`RequestedFields.need_data_set`).
    """
    answer: DicomJson = {
        # DICOM JSON is in UTF-8, whatever the character set of the source (PS3.18 §F.2).
        TAG_OF_COMPUTED["SpecificCharacterSet"]: {"vr": "CS", "Value": ["ISO_IR 192"]},
        TAG_OF_COMPUTED["InstanceAvailability"]: {"vr": "CS", "Value": ["ONLINE"]},
        TAG_OF_COMPUTED["RetrieveURL"]: {"vr": "UR", "Value": [f"{dicomweb_root}/{uids.path}"]},
    }
    for level, document in documents.items():
        for attribute in _shown(query, level):
            element = document.get(attribute.tag)
            if element is not None:
                answer[attribute.tag] = element
            elif attribute.returned is Returned.ALWAYS or attribute.tag in query.fields.known_tags:
                answer.setdefault(attribute.tag, {"vr": attribute.vr})
    if data_set is not None:
        answer |= _beyond_the_table(query, data_set)
    return dict(sorted({**answer, **uids.elements}.items()))


def _beyond_the_table(query: QidoQuery, data_set: DicomJson) -> DicomJson:
    """Requested attributes that only the data set of the instance contains; those that it lacks are left out."""
    found = {tag: data_set[tag] for tag in query.fields.instance_tags if tag in data_set}
    for private in query.fields.private:
        found |= _private_element(private, data_set)
    return found


def _private_element(private: PrivateField, data_set: DicomJson) -> DicomJson:
    """A private element and its Private Creator element, in whichever block of the group the creator has."""
    for block in range(0x10, 0x100):
        creator_tag = f"{private.group}00{block:02X}"
        if plain_text(first_value(data_set.get(creator_tag))) == private.creator:
            tag = f"{private.group}{block:02X}{private.element}"
            if tag in data_set:
                return {creator_tag: data_set[creator_tag], tag: data_set[tag]}
    return {}


def _shown(query: QidoQuery, level: Level) -> Iterator[Attribute]:
    """Attributes of a level that an answer shows.

    Those of a level above are returned by default only if the path does not name that level (PS3.18
    §10.6.3.3): a client that requests the series of one study knows the study.
    """
    named_by_path = (level is Level.STUDY and query.study_instance_uid is not None) or (
        level is Level.SERIES and query.series_instance_uid is not None
    )
    by_default = level is query.level or not named_by_path
    for attribute in attributes_of(level):
        # An attribute of several levels is taken from the document of the hit.
        if level < query.level and attribute.also_above:
            continue
        if (
            query.fields.everything
            or attribute.tag in query.fields.known_tags
            or (by_default and attribute.returned is not Returned.ASKED)
        ):
            yield attribute
