"""Every file of the corpus gets its response, and none causes a server error."""

import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.http import content_disposition_header
from tests.modules.materials.conftest import ORIGIN, PATH, MaterialsApi
from tests.modules.materials.corpus import ALL, CORPUS, Hostile
from tests.modules.materials.photos import PHOTOS
from tests.modules.materials.samples import ACCEPTED

from core.errors import Invalid
from modules.materials.models import Material
from modules.materials.uploads import Upload, validate_and_sanitize

JOHN = {
    "username": "john_doe",
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@example.com",
    "date_joined": "2024-01-01T00:00:00Z",
}
POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
REFUSED = [pytest.param(each, id=f"{family}: {each.what}") for family, each in ALL if not each.served_as]
TAKEN = [pytest.param(each, id=f"{family}: {each.what}") for family, each in ALL if each.served_as]


def send(creator: MaterialsApi, hostile: Hostile) -> Any:
    """Builds the request itself: Django's test client cannot send such names."""
    name = f"filename{hostile.name}" if hostile.name.startswith("*=") else f'filename="{hostile.name}"'
    head = (
        '--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nA file\r\n'
        '--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nfile\r\n'
        f'--x\r\nContent-Disposition: form-data; name="file"; {name}\r\n'
        f"Content-Type: {hostile.content_type_of_part}\r\n{hostile.more_headers_of_part}\r\n"
    )
    body = head.encode() + hostile.bytes_sent() + b"\r\n--x--\r\n"
    lies = {} if hostile.content_length is None else {"CONTENT_LENGTH": hostile.content_length}
    return creator.client.generic(
        "POST", PATH, body, "multipart/form-data; boundary=x", headers=creator.headers, **lies
    )


def answer(hostile: Hostile) -> dict[str, Any]:
    """The body of the error response."""
    if hostile.error:
        return {"error": hostile.error, **({"fields": hostile.fields} if hostile.fields else {})}
    return {"error": f"file: {hostile.sentence}", "fields": {"file": [hostile.sentence]}}


@pytest.mark.parametrize("hostile", REFUSED)
def test_a_hostile_file_is_refused_and_leaves_nothing(
    hostile: Hostile, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    response = send(creator, hostile)
    assert response.json() == answer(hostile)
    assert response.status_code == 400
    assert nothing_left()


@pytest.mark.parametrize("hostile", TAKEN)
def test_a_harmless_file_is_accepted_and_served_safely(hostile: Hostile, creator: MaterialsApi) -> None:
    response = send(creator, hostile)
    assert response.status_code == 201, response.json()
    body = response.json()
    address = body.pop("file")
    assert address.startswith(f"{ORIGIN}/api/files/")
    assert creator.user is not None
    assert body == {
        "id": Material.objects.get().pk,
        "title": "A file",
        "type": "file",
        "url": "",
        "file_name": hostile.shown_name,
        "content": "",
        "uploaded_by": {"id": creator.user.pk, **JOHN},
        "uploaded_at": "2024-01-12T10:00:00Z",
    }
    served = Client(raise_request_exception=False).get(address)
    content = served.getvalue()
    assert content == (hostile.bytes_sent() if hostile.comes_back is None else hostile.comes_back)
    headers = dict(served.items())
    assert len(headers.pop("X-Request-ID")) == 32
    assert headers == {
        "Content-Type": hostile.served_as,
        "Content-Disposition": content_disposition_header(not hostile.is_shown, hostile.shown_name),
        "Content-Length": str(len(content)),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, max-age=600",
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
        "Last-Modified": "Fri, 12 Jan 2024 10:00:00 GMT",
        "Vary": "origin",
    }


def test_the_corpus_has_enough_files_of_many_families() -> None:
    assert len(ALL) >= 60
    assert len(CORPUS) >= 20
    assert all(CORPUS.values())
    assert len({(family, each.what) for family, each in ALL}) == len(ALL)


def test_no_hostile_file_causes_a_server_error_as_a_replacement(creator: MaterialsApi) -> None:
    path = f"{PATH}{creator.add_file('notes.txt', b'hello').json()['id']}/"
    small = [each for _, each in ALL if not callable(each.content)]
    forms = ({"file": SimpleUploadedFile("x", hostile.bytes_sent())} for hostile in small)
    assert {creator.put_form(path, form).status_code for form in forms} == {200, 400}


# --- Files that nobody has thought of ---------------------------------------------------------------------------

SAMPLES = {
    kind: content for kind, (content, content_type) in {**ACCEPTED, **PHOTOS}.items() if "image/" in content_type
}
NUMBERS = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00")


def mutations(content: bytes, *, seed: str, number: int) -> Iterator[bytes]:
    """The content with random bits flipped, bytes replaced, chunks removed, inserted elsewhere, or truncated."""
    chance = random.Random(seed)
    for _ in range(number):
        mutated = bytearray(content)
        for _ in range(chance.choice((1, 1, 2, 5))):
            position, other = chance.randrange(len(mutated) or 1), chance.randrange(len(mutated) or 1)
            how = chance.randrange(5)
            if how == 0 and mutated:
                mutated[position] ^= 1 << chance.randrange(8)
            elif how == 1:
                mutated[position : position + 4] = chance.choice(NUMBERS)
            elif how == 2:
                mutated[position:position] = mutated[other : other + chance.randrange(64)]
            elif how == 3:
                del mutated[position : position + chance.randrange(32)]
            elif how == 4:
                del mutated[position:]
        yield bytes(mutated)


def inspected(content: bytes) -> tuple[Upload, bytes] | None:
    """The content type and the sanitized bytes; `None` if the file is refused."""
    file = SimpleUploadedFile("file", content)
    try:
        upload = validate_and_sanitize(file)
    except Invalid:
        return None
    file.seek(0)
    return upload, file.read()


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_randomly_changed_picture_is_accepted_or_refused(kind: str) -> None:
    results = [(mutated, inspected(mutated)) for mutated in mutations(SAMPLES[kind], seed=kind, number=200)]
    for mutated, result in results:
        if result is not None:
            upload, stored = result
            assert upload.size == len(mutated) == len(stored)
            assert upload.sha256 == hashlib.sha256(stored).hexdigest()
    assert any(result is None for _, result in results)
    assert any(result is not None for _, result in results)


@pytest.mark.parametrize("kind", [kind for kind, (_, content_type) in ACCEPTED.items() if "image/" not in content_type])
def test_a_randomly_changed_document_is_accepted_or_refused(kind: str) -> None:
    for mutated in mutations(ACCEPTED[kind][0], seed=kind, number=60):
        result = inspected(mutated)
        assert result is None or result[1] == mutated
