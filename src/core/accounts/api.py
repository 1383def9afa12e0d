"""Accounts and tokens over HTTP (docs/contract.md, "Accounts and tokens")."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from core.accounts import services
from core.accounts.authentication import MemberRequest, read_bearer_token
from core.accounts.models import DEFAULT_ZONE, User
from core.accounts.presentation import EmailAudience, present_user
from core.accounts.schemas import (
    AccessOut,
    AddressChangeConfirmIn,
    AddressChangeIn,
    CredentialsIn,
    Done,
    LogOutIn,
    PasswordChangeIn,
    PasswordResetConfirmIn,
    PasswordResetIn,
    Profile,
    ProfileIn,
    RefreshIn,
    RegisterIn,
    RegisterOut,
    TokenPairOut,
)
from core.http.schemas import declare_responses

router = Router(tags=["Accounts"])


@router.post(
    "register/",
    auth=None,
    response=declare_responses(201, RegisterOut, 400, 413, 415),
    operation_id="register",
    summary="Open an account",
)
def register(request: HttpRequest, payload: RegisterIn) -> Any:
    """Answers what was sent, without the password.

    A user name that is taken is a 400 (user names are public), and so is one that could pass for somebody else's. An
    e-mail address that has an account already is answered like a new one, makes nothing, and its owner gets a mail.
    """
    member = services.register_member(
        username=payload.username,
        email=payload.email,
        password=payload.password,
        first_name=payload.first_name,
        last_name=payload.last_name,
        timezone=DEFAULT_ZONE if payload.timezone is None else payload.timezone,
    )
    return Status(201, member)


@router.post(
    "token/",
    auth=None,
    response=declare_responses(200, TokenPairOut, 400, 401, 413, 415),
    operation_id="log_in",
    summary="Log in",
)
def log_in(request: HttpRequest, payload: CredentialsIn) -> Any:
    """Takes a user name or an e-mail address, whatever the case, and the password."""
    return services.log_in(
        username=payload.username,
        password=payload.password,
        user_agent=request.headers.get("User-Agent", ""),
    )


@router.post(
    "token/refresh/",
    auth=None,
    response=declare_responses(200, AccessOut, 400, 401, 413, 415),
    operation_id="refresh_token",
    summary="Get a new access token",
)
def refresh_token(request: HttpRequest, payload: RefreshIn) -> Any:
    """The refresh token stays valid. 401 once its login has ended: by logging out, by a new password, by time."""
    return {"access": services.refresh_access_token(refresh=payload.refresh)}


@router.post(
    "logout/",
    auth=None,
    response=declare_responses(200, Done, 400, 401, 413, 415),
    operation_id="log_out",
    summary="Log out",
)
def log_out(request: HttpRequest, payload: LogOutIn | None = None) -> Any:
    """Ends the login of this refresh token at once, its access tokens included; without one, that of the access token
    in the `Authorization` header. Twice is fine."""
    services.log_out(refresh=payload.refresh if payload else None, access=read_bearer_token(request))
    return {"message": "You are logged out."}


@router.post(
    "logout/everywhere/",
    response=declare_responses(200, Done, 401),
    operation_id="log_out_everywhere",
    summary="Log out on every device",
)
def log_out_everywhere(request: MemberRequest) -> Any:
    """Ends every login of the caller, this one included."""
    services.log_out_everywhere(user=request.auth)
    return {"message": "You are logged out on every device."}


@router.get("me/", response=declare_responses(200, Profile, 401), operation_id="get_profile", summary="My profile")
def get_profile(request: MemberRequest) -> Any:
    """The caller, with their address and time zone."""
    return _present_profile(request.auth)


@router.patch(
    "me/",
    response=declare_responses(200, Profile, 400, 401, 413, 415),
    operation_id="change_profile",
    summary="Change my profile",
)
def change_profile(request: MemberRequest, payload: ProfileIn) -> Any:
    """Any of `first_name`, `last_name` and `timezone`; the address has an operation of its own."""
    values = payload.model_dump(exclude_unset=True, exclude_none=True)
    return _present_profile(services.change_profile(user=request.auth, values=values))


@router.post(
    "password/change/",
    response=declare_responses(200, Done, 400, 401, 413, 415),
    operation_id="change_password",
    summary="Change my password",
)
def change_password(request: MemberRequest, payload: PasswordChangeIn) -> Any:
    """Ends every login of the caller, this one included."""
    services.change_password(user=request.auth, old_password=payload.old_password, new_password=payload.new_password)
    return {"message": "Your password has been changed. Log in again."}


@router.post(
    "password/reset/",
    auth=None,
    response=declare_responses(200, Done, 400, 413, 415),
    operation_id="ask_password_reset",
    summary="Ask for a new password",
)
def ask_password_reset(request: HttpRequest, payload: PasswordResetIn) -> Any:
    """Writes a link to the address if it has an account; the answer is the same if not."""
    services.ask_password_reset(email=payload.email)
    return {"message": "If this address has an account, a link is on its way to it."}


@router.post(
    "password/reset/confirm/",
    auth=None,
    response=declare_responses(200, Done, 400, 413, 415),
    operation_id="reset_password",
    summary="Choose a new password",
)
def reset_password(request: HttpRequest, payload: PasswordResetConfirmIn) -> Any:
    """Takes `uid` and `token` from the mailed link, which works once. Ends every login of the member."""
    services.reset_password(uid=payload.uid, token=payload.token, new_password=payload.new_password)
    return {"message": "Your password has been changed. Log in."}


@router.post(
    "email/change/",
    response=declare_responses(200, Done, 400, 401, 413, 415),
    operation_id="ask_address_change",
    summary="Ask for another e-mail address",
)
def ask_address_change(request: MemberRequest, payload: AddressChangeIn) -> Any:
    """Writes a confirmation link to the new address; the old one stays until the link is followed."""
    services.ask_address_change(user=request.auth, password=payload.password, new_email=payload.new_email)
    return {"message": "A confirmation is on its way to the new address."}


@router.post(
    "email/change/confirm/",
    auth=None,
    response=declare_responses(200, Done, 400, 413, 415),
    operation_id="confirm_address_change",
    summary="Confirm another e-mail address",
)
def confirm_address_change(request: HttpRequest, payload: AddressChangeConfirmIn) -> Any:
    """Takes `token` from the mailed link, which works once."""
    services.confirm_address_change(token=payload.token)
    return {"message": "Your address has been changed."}


def _present_profile(user: User) -> dict[str, Any]:
    return {**present_user(user, EmailAudience(viewer_id=user.pk)), "timezone": user.timezone}
