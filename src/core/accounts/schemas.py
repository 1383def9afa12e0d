"""Request and response schemas of the account operations (docs/contract.md, "Accounts and tokens")."""

from datetime import datetime
from typing import Annotated

import ninja
from pydantic import AfterValidator, Field, StringConstraints

from core.http.schemas import EXACT_LINE, ONE_LINE, SECRET, RequestSchema
from core.time.zones import require_zone_name

NameText = Annotated[str, StringConstraints(max_length=150), ONE_LINE]
Username = Annotated[str, StringConstraints(min_length=1, max_length=150), ONE_LINE]
Address = Annotated[str, StringConstraints(min_length=3, max_length=254), ONE_LINE, EXACT_LINE]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(require_zone_name)]
# Limited, since the time for hashing grows with the length.
Password = Annotated[str, StringConstraints(min_length=1, max_length=1000), SECRET]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=5000), SECRET]

TOKEN_EXAMPLE = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl"


class UserOut(ninja.Schema):
    """A member as others see them."""

    id: int = Field(examples=[1])
    username: str = Field(examples=["john_doe"])
    first_name: str = Field(examples=["John"])
    last_name: str = Field(examples=["Doe"])
    email: str = Field(
        description="Empty where the caller may not know it: see the description of the API.",
        examples=["john@example.com"],
    )
    date_joined: datetime = Field(examples=["2024-01-01T00:00:00Z"])


class Profile(UserOut):
    """A member as they see themselves."""

    timezone: str = Field(description="IANA name.", examples=["America/New_York"])


class RegisterIn(RequestSchema):
    username: Username = Field(
        description="Without an @; unique whatever its case; in one script (Chinese, Japanese and Korean go with Latin"
        " letters) and one kind of digits; not the name of a role or a path, such as `admin`.",
        examples=["john_doe"],
    )
    email: Address = Field(examples=["john@example.com"])
    password: Password = Field(examples=["correct horse battery staple"])
    first_name: NameText = Field("", examples=["John"])
    last_name: NameText = Field("", examples=["Doe"])
    timezone: Zone | None = Field(
        None, description="IANA name; `UTC` where it is left out.", examples=["America/New_York"]
    )


class RegisterOut(ninja.Schema):
    username: str = Field(examples=["john_doe"])
    email: str = Field(examples=["john@example.com"])
    first_name: str = Field(examples=["John"])
    last_name: str = Field(examples=["Doe"])
    timezone: str = Field(description="IANA name.", examples=["America/New_York"])


class CredentialsIn(RequestSchema):
    username: Annotated[str, StringConstraints(min_length=1, max_length=300), EXACT_LINE] = Field(
        description="A user name or an e-mail address.", examples=["john_doe"]
    )
    password: Password = Field(examples=["learn-together"])


class TokenPairOut(ninja.Schema):
    access: str = Field(description="For the `Authorization` header; short-lived.", examples=[TOKEN_EXAMPLE])
    refresh: str = Field(
        description="For `refresh/` and `logout/`; stays the same until it runs out.", examples=[TOKEN_EXAMPLE]
    )


class RefreshIn(RequestSchema):
    refresh: Secret = Field(examples=[TOKEN_EXAMPLE])


class LogOutIn(RequestSchema):
    refresh: Secret | None = Field(
        None, description="Without one, the login of the access token ends.", examples=[TOKEN_EXAMPLE]
    )


class AccessOut(ninja.Schema):
    access: str = Field(examples=[TOKEN_EXAMPLE])


class ProfileIn(RequestSchema):
    first_name: NameText | None = Field(None, examples=["John"])
    last_name: NameText | None = Field(None, examples=["Doe"])
    timezone: Zone | None = Field(None, description="IANA name.", examples=["America/New_York"])


class PasswordChangeIn(RequestSchema):
    old_password: Password = Field(examples=["learn-together"])
    new_password: Password = Field(examples=["correct horse battery staple"])


class PasswordResetIn(RequestSchema):
    email: Address = Field(examples=["john@example.com"])


class PasswordResetConfirmIn(RequestSchema):
    uid: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(examples=["MQ"])
    token: Secret = Field(examples=["c1xhv4-2f5e9bb5d1c7c5a1f0f2f5d9a0c0c3d4"])
    new_password: Password = Field(examples=["correct horse battery staple"])


class AddressChangeIn(RequestSchema):
    password: Password = Field(examples=["learn-together"])
    new_email: Address = Field(examples=["john@example.org"])


class AddressChangeConfirmIn(RequestSchema):
    token: Secret = Field(examples=["WzEsImpvaG5AZXhhbXBsZS5jb20iLDBd:1sUyRk:Y2hhbmdlIG9mIGFkZHJlc3M"])


class Done(ninja.Schema):
    """What is answered where there is nothing to show."""

    message: str = Field(examples=["Your password has been changed. Log in again."])
