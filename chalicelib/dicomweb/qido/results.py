"""The answers of a search (PS3.18 §10.6.3.3): what a hit shows out of its levels' documents. Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.dicomweb.attributes import (
    UID_OF_LEVEL,
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
    """Levels whose documents an answer needs: the hit's, and those above that it shows something of."""
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
        The hit's address.
    documents
        Of the levels that `levels_shown` names. Of a level that is missing only the UID is shown: an
        empty attribute would say that it is known to have no value.
    dicomweb_root
        What RetrieveURL begins with.
    data_set
        All attributes of an instance, where the query needs them.
    """
    answer: DicomJson = {
        # Annex F is UTF-8 whatever the source was written in (PS3.18 §F.2).
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00081190": {"vr": "UR", "Value": [f"{dicomweb_root}/{uids.path}"]},
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
    for level, uid in zip(Level, uids.uids, strict=False):
        answer[UID_OF_LEVEL[level].tag] = {"vr": "UI", "Value": [uid]}
    return dict(sorted(answer.items()))


def _beyond_the_table(query: QidoQuery, data_set: DicomJson) -> DicomJson:
    """Attributes that only the instance's data set knows; those that it lacks are left out."""
    found = {tag: data_set[tag] for tag in query.fields.instance_tags if tag in data_set}
    for private in query.fields.private:
        found |= _private_element(private, data_set)
    return found


def _private_element(private: PrivateField, data_set: DicomJson) -> DicomJson:
    """A private element and its Private Creator element, wherever in the group the creator's block lies."""
    for block in range(0x10, 0x100):
        creator_tag = f"{private.group}00{block:02X}"
        if plain_text(first_value(data_set.get(creator_tag))) == private.creator:
            tag = f"{private.group}{block:02X}{private.element}"
            if tag in data_set:
                return {creator_tag: data_set[creator_tag], tag: data_set[tag]}
    return {}


def _shown(query: QidoQuery, level: Level) -> Iterator[Attribute]:
    """Attributes of a level that the answer shows.

    Those of a level above are required only where the path does not name it (PS3.18 §10.6.3.3): who asks
    for the series of one study knows the study.
    """
    named_by_path = (level is Level.STUDY and query.study_instance_uid is not None) or (
        level is Level.SERIES and query.series_instance_uid is not None
    )
    by_default = level is query.level or not named_by_path
    for attribute in attributes_of(level):
        # What stands at several levels is the hit's own at its level.
        if level < query.level and attribute.also_above:
            continue
        if (
            query.fields.everything
            or attribute.tag in query.fields.known_tags
            or (by_default and attribute.returned is not Returned.ASKED)
        ):
            yield attribute
