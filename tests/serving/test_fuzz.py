"""Random bodies: whatever is sent, there is an answer, and the next request is served."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from served import photo

_KINDS = {kind: photo(kind=kind, size=(60, 45)) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")}
_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@st.composite
def damaged(draw):
    """Return a photo of which some bytes are others, or missing."""
    content = bytearray(_KINDS[draw(st.sampled_from(sorted(_KINDS)))])
    for _ in range(draw(st.integers(0, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])


def send(client, body):
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return client.post("/predict", content=body, headers=headers)


@given(content=damaged())
@settings(max_examples=4 * settings().max_examples)
def test_damaged_photos_are_answered(client, content):
    answer = send(client, _HEAD + content + b"\r\n--b--\r\n")
    assert answer.status_code in (200, 413, 415, 422)
    (result,) = answer.json()["results"]
    assert result["code"] == (None if answer.status_code == 200 else answer.status_code)


@given(
    body=st.binary(max_size=400)
    | st.lists(
        st.sampled_from(
            [_HEAD, b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"Content-Type: x", b"abc"]
        ),
        max_size=12,
    ).map(b"".join)
)
@settings(max_examples=4 * settings().max_examples)
def test_bodies_that_are_no_forms_are_answered(client, body):
    assert send(client, body).status_code in (415, 422)
