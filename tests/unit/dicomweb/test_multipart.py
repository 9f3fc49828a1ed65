"""Bodies of multipart/related, to the byte."""

from chalicelib.dicomweb.multipart import envelope, make_boundary, multipart_body

# The first 40 digits of the SHA-256 digest of "seed".
BOUNDARY = "19b25856e1c150ca834cffc8b59b23adbd0ec038"


def test_a_boundary_is_a_digest_of_its_seed() -> None:
    assert make_boundary("seed") == BOUNDARY


def test_a_part_is_labelled_with_its_transfer_syntax() -> None:
    parts = envelope("image/jpeg", seed="seed", transfer_syntax_uid="1.2.840.10008.1.2.4.50")
    assert parts.content_type == f'multipart/related; type="image/jpeg"; boundary="{BOUNDARY}"'
    assert parts.wrap(b"frame").decode() == (
        f"--{BOUNDARY}\r\n"
        "Content-Type: image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50\r\n"
        "\r\n"
        "frame\r\n"
        f"--{BOUNDARY}--\r\n"
    )


def test_a_body_in_pieces_is_the_same_body() -> None:
    parts = envelope("application/octet-stream", seed="seed")
    assert parts.head == f"--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
    assert list(parts.wrap_pieces([b"fra", b"me"])) == [parts.head, b"fra", b"me", parts.tail]


def test_each_of_several_parts_has_its_own_head() -> None:
    content_type, body = multipart_body("text/plain", [b"a", b"b"], seed="seed")
    assert content_type == f'multipart/related; type="text/plain"; boundary="{BOUNDARY}"'
    assert body.decode() == (
        f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\na\r\n"
        f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nb\r\n"
        f"--{BOUNDARY}--\r\n"
    )
