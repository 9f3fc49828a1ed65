"""The includefield parameters of a search (PS3.18 §8.3.4.3): the attributes that a client asks for. Pure."""

import re
from dataclasses import dataclass

from chalicelib.dicomweb.attributes import BY_PATH, KEYWORD_OF_COMPUTED_TAG, TAG_OF_COMPUTED, Level
from chalicelib.dicomweb.data_dictionary import tag_of_keyword
from chalicelib.dicomweb.qido.attribute_names import is_name, known_tag, path_of
from chalicelib.dicomweb.values import plain_text
from chalicelib.errors import InvalidQueryError

# PS3.5 §7.8.1: (gggg,00bb) with odd gggg reserves the block (gggg,bb00) to (gggg,bbFF).
_PRIVATE_CREATOR = re.compile(r"[0-9A-F]{3}[13579BDF]00[1-9A-F][0-9A-F]\Z")
_PRIVATE = re.compile(r"[0-9A-F]{3}[13579BDF][1-9A-F][0-9A-F]{3}\Z")

_SHOWN_NAMES = 20  # in one warning, since the header fields of an answer are limited to about 8 KB


@dataclass(frozen=True, slots=True, order=True)
class PrivateField:
    """A private attribute, in whichever block its creator has in an instance; `group` and `element` are hexadecimal."""

    group: str
    element: str
    creator: str


@dataclass(frozen=True, slots=True)
class RequestedFields:
    """The attributes that are requested in addition to those that are always returned.

    Parameters
    ----------
    known_tags
        Tags of top-level attributes of the table.
    everything
        Whether ``includefield=all`` requests all attributes of the table.
    instance_tags, private
        Attributes outside the table, whose values only the data set of an instance has.
    """

    known_tags: frozenset[str] = frozenset()
    everything: bool = False
    instance_tags: frozenset[str] = frozenset()
    private: frozenset[PrivateField] = frozenset()

    @property
    def need_data_set(self) -> bool:
        """Whether the complete data sets of the hits must be read."""
        return bool(self.instance_tags or self.private)


class FieldReading:
    """Collects the includefield parameters of one request, and the parameters that name private creators."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._known: set[str] = set()
        self._everything = False
        self._instance: set[str] = set()
        self._private: dict[str, str] = {}  # from the tag to the text that the client wrote
        self._creators: dict[str, str] = {}
        self._unsupported: list[str] = []
        self._deeper: list[str] = []

    def include(self, value: str) -> None:
        """Add the fields of one includefield parameter, separated by commas.

        Raises
        ------
        InvalidQueryError
            A field is neither a keyword nor a tag.
        """
        for field in value.split(","):
            self._include(field.strip())

    def include_key(self, tag: str) -> None:
        """Add the tag of a matching key, which is returned as well (PS3.18 §10.6.3.3)."""
        self._known.add(tag)

    def take_creator(self, name: str, value: str) -> bool:
        """Add a parameter that names a private creator, such as ``00090010=ACME``.

        It identifies the private attributes of its block (PS3.18 §8.3.4.3) and does not restrict the search.

        Returns
        -------
        bool
            False if the parameter does not name a private creator; then nothing has been added.
        """
        tag = name.upper()
        creator = plain_text(value)
        if not _PRIVATE_CREATOR.match(tag) or not creator:
            return False
        self._creators[tag] = creator
        return True

    def finish(self) -> tuple[RequestedFields, list[str]]:
        """Return the requested fields, and a warning for each kind of field that was ignored.

        Raises
        ------
        InvalidQueryError
            A parameter names a private creator, and no field belongs to its block.
        """
        private = set()
        unowned = []
        for tag, shown in self._private.items():
            creator = self._creators.get(tag[:4] + "00" + tag[4:6])
            if self._level is not Level.INSTANCE:
                self._unsupported.append(shown)
            elif creator is None:
                unowned.append(shown)
            else:
                private.add(PrivateField(tag[:4], tag[6:], creator))
        unused = set(self._creators) - {tag[:4] + "00" + tag[4:6] for tag in self._private}
        if unused:
            raise InvalidQueryError(f"{min(unused)} names a private creator, but no includefield is in its block")
        warnings = [
            *_warning(self._unsupported, "is not supported", "are not supported"),
            *_warning(self._deeper, "is an attribute of a deeper level", "are attributes of a deeper level"),
            *_warning(unowned, "lacks its private creator", "lack their private creators"),
        ]
        fields = RequestedFields(
            frozenset(self._known), self._everything, frozenset(self._instance), frozenset(private)
        )
        return fields, warnings

    def _include(self, field: str) -> None:
        if field == "all":
            self._everything = True
            return
        parts = field.split(".")
        if not all(map(is_name, parts)):
            raise InvalidQueryError("includefield contains something that is neither a keyword nor a tag")
        path = path_of(field)
        if field in TAG_OF_COMPUTED or path in KEYWORD_OF_COMPUTED_TAG:
            return
        # An attribute in a sequence is returned with the whole sequence. One that the table does not know must be
        # read from the data set of the instance.
        attribute = BY_PATH.get(path.partition(".")[0]) if path in BY_PATH else None
        if attribute is None:
            self._include_unknown(field, parts[0])
        elif attribute.level > self._level and not attribute.also_above:
            self._deeper.append(field)
        else:
            self._known.add(attribute.tag)

    def _include_unknown(self, field: str, first: str) -> None:
        tag = known_tag(first)
        if tag and _PRIVATE.match(tag):
            self._private[tag] = field
            return
        if self._level is Level.INSTANCE:
            tag = tag or tag_of_keyword(first)
            if tag:
                self._instance.add(tag)
                return
        self._unsupported.append(field)


def _warning(names: list[str], one: str, many: str) -> list[str]:
    if not names:
        return []
    listed = ", ".join(name[:64] for name in names[:_SHOWN_NAMES])
    if len(names) == 1:
        return [f"The includefield {listed} {one} and has been ignored."]
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return [f"The includefields {listed}{more} {many} and have been ignored."]
