"""Changes to accounts and logins (docs/contract.md, "Accounts and tokens")."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import update_last_login
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode
from pydantic import StrictInt, TypeAdapter

from core.accounts import events
from core.accounts.models import DEFAULT_ZONE, Login, User, build_username_key, normalize_password
from core.accounts.passwords import require_strong_password
from core.accounts.tokens import (
    AccessToken,
    RefreshToken,
    authenticate_token,
    get_login_expiry,
    make_token,
    touch_login,
)
from core.accounts.user_names import forbid_confusable_name
from core.errors import Invalid, NotAuthenticated
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.mail.services import enqueue_mail
from core.text.email_addresses import build_address_key
from core.time import clock

NO_ACCOUNT = "No active account fits this user name and password."
WRONG_PASSWORD = "That is not your password."
# How long ended and expired logins are kept.
LOGIN_RETENTION = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class TokenPair:
    access: str
    refresh: str


def register_member(
    *, username: str, email: str, password: str, first_name: str, last_name: str, timezone: str = DEFAULT_ZONE
) -> User:
    """Create an account, or mail the owner of the address if it has one; the caller cannot tell which.

    Returns the member with normalized values. Raises `Invalid` for invalid values, and for a user name that is taken
    (user names are public).
    """
    user = User(username=username, email=email, first_name=first_name, last_name=last_name, timezone=timezone)
    _clean(user, ["username", "email", "first_name", "last_name", "timezone"])
    forbid_confusable_name(user.username)
    _require_free_name(user.username)
    require_strong_password(password, user=user, field="password")
    # In both cases: the response time must not reveal whether the address has an account.
    user.password = make_password(normalize_password(password))
    try:
        with transaction.atomic():
            if _notify_owner(user.email):
                # The owner may have registered while the password was hashed, with the same user name.
                _require_free_name(user.username)
                return user
            user.save(force_insert=True)
            enqueue_mail(kind="welcome", address=user.email, user=user)
            publish(events.MemberRegistered(member_id=user.pk, username=user.username), by=user)
    except IntegrityError:
        # Another registration took the name or the address between the check and the insert.
        _require_free_name(user.username)
        with transaction.atomic():
            _notify_owner(user.email)
    return user


def _notify_owner(address: str) -> bool:
    """Mail the owner of the address that somebody wanted to use it; return whether it has an owner."""
    owner = User.objects.filter(email_key=build_address_key(address)).first()
    if owner is not None:
        enqueue_mail(kind="address_taken", address=owner.email, user=owner)
    return owner is not None


def log_in(*, username: str, password: str, user_agent: str) -> TokenPair:
    """Create a login by user name or e-mail address. Raises `NotAuthenticated`, without saying why."""
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        raise NotAuthenticated(NO_ACCOUNT)
    with transaction.atomic():
        # The password may have been changed, or the member deactivated, since it was checked.
        member = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not member.is_active or member.token_version != user.token_version:
            raise NotAuthenticated(NO_ACCOUNT)
        login = Login.objects.create(user=user, user_agent=user_agent.replace("\x00", "")[:300])
        update_last_login(User, user)
    return TokenPair(
        access=make_token(AccessToken, login, user),
        refresh=make_token(RefreshToken, login, user, expires_at=get_login_expiry(login)),
    )


def refresh_access_token(*, refresh: str) -> str:
    """Issue a new access token for a refresh token, which stays valid. Raises `NotAuthenticated`."""
    login = authenticate_token(refresh, RefreshToken)
    touch_login(login)
    return make_token(AccessToken, login, login.user, expires_at=get_login_expiry(login))


def log_out(*, refresh: str | None = None, access: str | None = None) -> None:
    """End the login of the refresh token, or else of the access token. Idempotent.

    Raises `NotAuthenticated` for a token that is not valid, and `Invalid` without one.
    """
    if refresh is not None:
        login = authenticate_token(refresh, RefreshToken, include_ended=True)
    elif access is not None:
        login = authenticate_token(access, AccessToken, include_ended=True)
    else:
        raise Invalid({"refresh": ["This field is required."]})
    Login.objects.filter(pk=login.pk, ended_at=None).update(ended_at=clock.now())


def log_out_everywhere(*, user: User) -> None:
    """End all logins of the member."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        end_logins(locked)
        locked.save(update_fields=["token_version"])
        publish(events.LoggedOutEverywhere(member_id=user.pk), by=user)


def end_logins(user: User) -> None:
    """End all logins of the member: raise the token version, which the caller saves, and close the rows."""
    user.token_version += 1
    _close_logins(user)


def delete_old_logins() -> int:
    """Delete logins that ended or expired more than `LOGIN_RETENTION` ago; return how many."""
    before = clock.now() - LOGIN_RETENTION
    has_expired = Q(created_at__lt=before - settings.REFRESH_TOKEN_LIFETIME)
    deleted, _ = Login.objects.filter(Q(ended_at__lt=before) | has_expired).delete()
    return deleted


def change_profile(*, user: User, values: dict[str, Any]) -> User:
    """Set any of `first_name`, `last_name` and `timezone`. Raises `Invalid`."""
    with transaction.atomic():
        member = User.objects.select_for_update().get(pk=user.pk)
        changes = {
            name: (getattr(member, name), value) for name, value in values.items() if getattr(member, name) != value
        }
        for name, (_, value) in changes.items():
            setattr(member, name, value)
        _clean(member, list(changes))
        if changes:
            member.save(update_fields=list(changes))
            publish(events.ProfileChanged(member_id=member.pk), by=user, changes=changes)
    return member


def change_password(*, user: User, old_password: str, new_password: str) -> None:
    """Set a new password, which ends all logins. Raises `Invalid`."""
    with transaction.atomic():
        member = User.objects.select_for_update().get(pk=user.pk)
        if not member.check_password(old_password):
            raise Invalid({"old_password": [WRONG_PASSWORD]})
        require_strong_password(new_password, user=member, field="new_password")
        _set_password(member, new_password)


def _set_password(member: User, password: str) -> None:
    member.set_password(password)
    member.save(update_fields=["password", "token_version"])
    record_password_change(member, by=member)


def record_password_change(member: User, *, by: User) -> None:
    """Close the member's logins, publish the change and mail the member.

    Call it in the transaction that has set the password by `User.set_password`.
    """
    _close_logins(member)
    enqueue_mail(kind="password_changed", address=member.email, user=member)
    publish(events.PasswordChanged(member_id=member.pk), by=by)


def record_address_change(member: User, *, before: str, by: User) -> None:
    """Publish the change and mail the old address. Call it in the transaction that has set the new one."""
    enqueue_mail(kind="address_changed", address=before, user=member)
    publish(events.AddressChanged(member_id=member.pk), by=by, changes={"email": (before, member.email)})


def _close_logins(member: User) -> None:
    Login.objects.filter(user=member, ended_at=None).update(ended_at=clock.now())


def ask_password_reset(*, email: str) -> None:
    """Mail a reset link to the owner of the address, if it has one; the caller cannot tell."""
    with transaction.atomic():
        enqueue_mail(kind="password_reset", address=email, user=None)


def reset_password(*, uid: str, token: str, new_password: str) -> None:
    """Set a new password with `uid` and `token` of the mailed link, which works once. Raises `Invalid`."""
    invalid_link = Invalid({"token": ["This link is not valid or has been used. Ask for a new one."]})
    try:
        user_id = int(force_str(urlsafe_base64_decode(uid)))
    except (ValueError, OverflowError):
        raise invalid_link from None
    with transaction.atomic():
        member = User.objects.select_for_update().filter(pk=user_id, is_active=True).first()
        if member is None or not default_token_generator.check_token(member, token):
            raise invalid_link
        require_strong_password(new_password, user=member, field="new_password")
        _set_password(member, new_password)


ADDRESS_SALT = "core.accounts.address"
# The signed state of the account (`_read_address_state`), and the new address.
_CONFIRMATION = TypeAdapter(tuple[StrictInt, str, StrictInt, StrictInt, str])


def ask_address_change(*, user: User, password: str, new_email: str) -> None:
    """Mail a confirmation link to the new address, or a notice if another account has it; the caller cannot tell.

    Raises `Invalid` for a wrong password or a malformed address.
    """
    if not user.check_password(password):
        raise Invalid({"password": [WRONG_PASSWORD]})
    candidate = User(username=user.username, email=new_email)
    try:
        _clean(candidate, ["email"])
    except Invalid as error:
        raise Invalid({"new_email": error.fields["email"]}) from None
    with transaction.atomic():
        owner = User.objects.filter(email_key=build_address_key(candidate.email)).first()
        if owner is not None and owner.pk != user.pk:
            enqueue_mail(kind="address_taken", address=owner.email, user=owner)
        else:
            enqueue_mail(kind="address_change", address=candidate.email, user=user)


def make_address_change_token(*, user: User, new_email: str) -> str:
    """Build the token of a confirmation link. A change of the address or the password invalidates it."""
    return signing.dumps([*_read_address_state(user), new_email], salt=ADDRESS_SALT)


def _read_address_state(user: User) -> list[Any]:
    """Return what must not have changed until the confirmation.

    The number of address changes invalidates a used link even after the old address was restored.
    """
    changed = FactRecord.objects.filter(member_id=user.pk, name=events.AddressChanged.name).count()
    return [user.pk, user.email, user.token_version, changed]


def confirm_address_change(*, token: str) -> None:
    """Set the address that the token was sent to. Raises `Invalid` for an invalid, expired or used token."""
    invalid_link = Invalid({"token": ["This link is not valid or has been used. Ask for a new one."]})
    try:
        claims = _CONFIRMATION.validate_python(
            signing.loads(token, salt=ADDRESS_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
        )
    except (signing.BadSignature, ValueError):
        raise invalid_link from None
    try:
        with transaction.atomic():
            member = User.objects.select_for_update().filter(pk=claims[0], is_active=True).first()
            if member is None or _read_address_state(member) != [*claims[:-1]]:
                raise invalid_link
            old_email, member.email = member.email, claims[-1]
            # The mailbox is proven: a set-aside key ends, unless another account has the address (`IntegrityError`).
            member.email_key = None
            member.save(update_fields=["email"])
            record_address_change(member, before=old_email, by=member)
    except IntegrityError:
        raise invalid_link from None


def _clean(user: User, fields: list[str]) -> None:
    """Run the model's validators of the named fields. Raises `Invalid`."""
    everything_else = {field.name for field in User._meta.get_fields()} - set(fields)
    user.username = User.normalize_username(user.username)
    try:
        user.clean_fields(exclude=everything_else)
    except ValidationError as error:
        raise Invalid(error.message_dict) from None


def _require_free_name(username: str) -> None:
    if User.objects.filter(username_key=build_username_key(username)).exists():
        raise Invalid({"username": ["This user name is taken."]})
