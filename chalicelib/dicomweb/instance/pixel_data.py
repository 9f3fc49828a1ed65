"""The frames of an instance's pixel data: their locations in the file, and their bytes as they are served.

Encapsulated frames are served in the transfer syntax received, without item tags and offset tables. Native
frames are served as Explicit VR Little Endian (PS3.18 §8.7.3); a bit-packed frame begins at a byte boundary.

Strategy: all frames are located from headers and offset tables before the first one is read. An instance
with missing frames is therefore refused before any of its objects is written, and memory holds one frame at
a time.
"""

from chalicelib.dicomweb.instance.boundary import rejects
from chalicelib.dicomweb.instance.encapsulated_frames import EncapsulatedFrames
from chalicelib.dicomweb.instance.native_frames import NativeFrames
from chalicelib.dicomweb.instance.part10 import Instance
from chalicelib.dicomweb.instance.structure import PIXEL_DATA, PIXEL_DATA_TAGS
from chalicelib.errors import InstanceRejectedError

Frames = EncapsulatedFrames | NativeFrames


@rejects("the frames of the pixel data cannot be located")
def find_frames(instance: Instance) -> Frames | None:
    """Locate the frames of an instance; return None if it has no pixel data.

    Raises
    ------
    InstanceRejectedError
        The pixel data does not contain the frames that the data set declares.
    """
    for tag in PIXEL_DATA_TAGS:
        location = instance.elements.get(tag)
        if location is None or location.length == 0:
            continue
        encapsulated = location.length is None
        if encapsulated != (instance.transfer_syntax.encapsulated and tag == PIXEL_DATA):
            raise InstanceRejectedError("the pixel data is not encoded as its transfer syntax requires")
        return EncapsulatedFrames(instance, location) if encapsulated else NativeFrames(instance, tag, location)
    return None
