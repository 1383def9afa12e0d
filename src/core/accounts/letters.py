"""The letters about an account.

To an address that may be a stranger's, a letter names the user name only: full names are free text, which a spammer
could fill with a message.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.accounts.deactivation import find_last_change
from core.accounts.models import User
from core.accounts.services import make_address_change_token
from core.http.frontend import build_address_confirmation_url, build_home_url, build_password_reset_url
from core.mail.letters import Letter, Link, writes
from core.mail.models import Mail
from core.text.email_addresses import build_address_key
from core.time.durations import format_duration


@writes("welcome")
def write_welcome(mail: Mail) -> Letter | None:
    if mail.user is None or not mail.user.is_active:
        return None
    return Letter(
        subject="Welcome to Peer Learning",
        reader=mail.user.username,
        paragraphs=(f'Your account "{mail.user.username}" is ready.',),
        link=Link(label="Look around", url=build_home_url()),
    )


@writes("address_taken")
def write_address_taken(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="You already have an account",
        reader=mail.user.display_name,
        paragraphs=(
            f'Somebody used this address to open an account. You have one already: "{mail.user.username}".',
            "If it was you, log in with it, or ask for a new password. If not, there is nothing to do.",
        ),
    )


@writes("password_reset")
def write_password_reset(mail: Mail) -> Letter | None:
    user = User.objects.filter(email_key=build_address_key(mail.address), is_active=True).first()
    if user is None or not user.has_usable_password():
        return None
    link = build_password_reset_url(
        uid=urlsafe_base64_encode(force_bytes(user.pk)),
        token=default_token_generator.make_token(user),
    )
    return Letter(
        # Not to the address that was typed: it has the same key, and may still be another mailbox.
        to=user.email,
        subject="Choose a new password",
        reader=user.display_name,
        paragraphs=("You asked for a new password.",),
        link=Link(label="Choose a new password", url=link),
        small_print=(f"{_describe_link_validity()} If you did not ask for it, there is nothing to do.",),
    )


@writes("password_changed")
def write_password_changed(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="Your password was changed",
        reader=mail.user.display_name,
        paragraphs=(
            "Your password was changed just now, and every device was logged out.",
            "If it was not you, ask for a new password at once.",
        ),
    )


@writes("address_change")
def write_address_change(mail: Mail) -> Letter | None:
    # The login that asked for it has ended since: by a new password, or by a deactivation.
    if mail.user is None or not mail.user.is_active or mail.user.token_version != mail.member_version:
        return None
    link = build_address_confirmation_url(token=make_address_change_token(user=mail.user, new_email=mail.address))
    return Letter(
        subject="Confirm your new address",
        reader=mail.user.username,
        paragraphs=("Confirm that this is your new address.",),
        link=Link(label="Confirm", url=link),
        small_print=(_describe_link_validity(),),
    )


@writes("address_changed")
def write_address_changed(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="Your address was changed",
        reader=mail.user.display_name,
        paragraphs=(
            "Your account has a new e-mail address from now on; this one no longer belongs to it.",
            "If it was not you, write to us at once.",
        ),
    )


@writes("deactivated")
def write_deactivated(mail: Mail) -> Letter | None:
    if mail.user is None or mail.user.is_active:
        return None
    change = find_last_change(mail.user.pk)
    reason = (f"The reason: {change.reason}",) if change else ()
    return Letter(
        subject="Your account was deactivated",
        reader=mail.user.display_name,
        paragraphs=(
            "A moderator has deactivated your account: you can no longer log in.",
            *reason,
            "What you had planned here is called off, and whom it concerned is told.",
            "If you think that this is a mistake, write to us.",
        ),
    )


@writes("reactivated")
def write_reactivated(mail: Mail) -> Letter | None:
    if mail.user is None or not mail.user.is_active:
        return None
    return Letter(
        subject="Your account is active again",
        reader=mail.user.display_name,
        paragraphs=("You can log in again. What was called off when your account was deactivated stays so.",),
        link=Link(label="Look around", url=build_home_url()),
    )


def _describe_link_validity() -> str:
    validity = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return f"The link works once, for {'a day' if validity == timedelta(days=1) else format_duration(validity)}."
