"""What the operations on materials take and answer (docs/contract.md, "Materials")."""

from datetime import datetime
from typing import Annotated, Any, Literal

import ninja
from django.conf import settings
from pydantic import Field, StringConstraints

from core.accounts.schemas import UserOut
from core.http.schemas import EXACT_LINE, LINES, ONE_LINE, RequestSchema
from core.text.sizes import format_size
from modules.materials.links import MAX_URL_LENGTH
from modules.materials.notes import MAX_NOTE_LENGTH

Title = Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]
Url = Annotated[str, EXACT_LINE]
Type = Literal["file", "link", "note"]

Content = Annotated[str, LINES]


class MaterialIn(RequestSchema):
    """A material to add. What does not belong to its type is ignored."""

    title: Title = Field(examples=["Python Documentation"])
    type: Type = Field(examples=["link"])
    url: Url | None = Field(
        None,
        description=f"For a `link`: http or https, without credentials, at most {MAX_URL_LENGTH} characters.",
        examples=["https://docs.python.org/3/"],
    )
    content: Content | None = Field(
        None, description=f"For a `note`: at most {MAX_NOTE_LENGTH:,} characters.", examples=[""]
    )


class MaterialChanges(RequestSchema):
    """Any of these; a whole material as it was read may be sent back, what cannot change is ignored."""

    title: Title | None = Field(None, examples=["Python Documentation, 3.13"])
    type: Type | None = Field(None, description="Cannot change; the same one is fine.", examples=["link"])
    url: Url | None = Field(None, description="For a `link`.", examples=["https://docs.python.org/3.13/"])
    content: Content | None = Field(None, description="For a `note`.", examples=[""])


class MaterialOut(ninja.Schema):
    id: int = Field(examples=[1])
    title: str = Field(examples=["Python Basics PDF"])
    type: Type = Field(examples=["file"])
    url: str = Field(description="Of a `link`, else empty.", examples=[""])
    file: str = Field(
        description="Of a `file`: an address at which anyone who has it may read that one file, else empty. It is here,"
        " at Cloudinary or in a bucket, as the server is set up; here and in a bucket it runs out after ten minutes (or"
        " another time that is set). Load the material again for a new one.",
        examples=["http://127.0.0.1:8000/api/files/17-1705053600:zJ0v0a6TRpKf6zZwzBzGvLBX9pYxYhZg4t5vZ5kqU2s/"],
    )
    file_name: str = Field(description="As its owner called the file, else empty.", examples=["python_basics.pdf"])
    content: str = Field(description="Of a `note`, else empty.", examples=[""])
    uploaded_by: UserOut
    uploaded_at: datetime = Field(examples=["2024-01-12T10:00:00Z"])


FILE_PART = {
    "type": "string",
    "format": "binary",
    "description": "The file itself: documents without macros, images other than SVG, audio, video, archives, text or"
    f" source code in UTF-8; at most {format_size(settings.MATERIALS_MAX_BYTES)}, and so many for a session and for a"
    " member that the answer names where they are used up (all as the server is set up). What a picture says of where"
    " it was taken is removed, a clip behind it too. One file alone; its name may be in any encoding.",
}


def json_or_form(kind: type[RequestSchema], *, json: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    """The body of an operation that reads JSON and forms alike, for the OpenAPI document, with an example of each."""
    schema = kind.model_json_schema()
    form_schema = {**schema, "title": f"{kind.__name__}Form", "properties": {**schema["properties"], "file": FILE_PART}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form_schema, "example": form},
                "application/json": {"schema": schema, "example": json},
            },
        }
    }
