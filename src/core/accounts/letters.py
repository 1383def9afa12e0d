"""The letters about an account."""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlencode, urlsafe_base64_encode

from core.accounts.models import User, identity_key
from core.accounts.services import address_change_token
from core.mail.letters import Letter, writes
from core.mail.models import Mail


def _link(path: str, **query: str) -> str:
    return f"{settings.FRONTEND_URL}{path}?{urlencode(query)}"


def _letter(user: User, *paragraphs: str) -> str:
    return _letter_to(user.display_name, *paragraphs)


def _letter_to_new_address(user: User, *paragraphs: str) -> str:
    """To an address that may be a stranger's: names can be whole sentences, and must not reach them through us."""
    return _letter_to(user.username, *paragraphs)


def _letter_to(name: str, *paragraphs: str) -> str:
    return "\n\n".join([f"Hello {name},", *paragraphs, "Peer Learning"]) + "\n"


@writes("welcome")
def welcome(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="Welcome to Peer Learning",
        body=_letter_to_new_address(
            mail.user, f'Your account "{mail.user.username}" is ready. {settings.FRONTEND_URL}'
        ),
    )


@writes("address_taken")
def address_taken(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="You already have an account",
        body=_letter(
            mail.user,
            f'Somebody used this address to open an account. You have one already: "{mail.user.username}".',
            "If it was you, log in with it, or ask for a new password. If not, there is nothing to do.",
        ),
    )


@writes("password_reset")
def password_reset(mail: Mail) -> Letter | None:
    user = User.objects.filter(email_key=identity_key(mail.address), is_active=True).first()
    if user is None or not user.has_usable_password():
        return None
    link = _link(
        "/reset-password",
        uid=urlsafe_base64_encode(force_bytes(user.pk)),
        token=default_token_generator.make_token(user),
    )
    return Letter(
        # Never to what a stranger typed: an address that is the same to us may be another mailbox.
        to=user.email,
        subject="Choose a new password",
        body=_letter(
            user,
            f"Choose a new password here: {link}",
            "The link works once, for a day. If you did not ask for it, there is nothing to do.",
        ),
    )


@writes("password_changed")
def password_changed(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="Your password was changed",
        body=_letter(
            mail.user,
            "Your password was changed just now, and every device was logged out.",
            "If it was not you, ask for a new password at once.",
        ),
    )


@writes("address_change")
def address_change(mail: Mail) -> Letter | None:
    # Whoever asked has since lost the login that they asked with: to a new password, or to a deactivation.
    if mail.user is None or not mail.user.is_active or mail.user.token_version != mail.member_version:
        return None
    link = _link("/confirm-email", token=address_change_token(user=mail.user, new_email=mail.address))
    return Letter(
        subject="Confirm your new address",
        body=_letter_to_new_address(
            mail.user, f"Confirm that this is your new address: {link}", "The link works once, for a day."
        ),
    )


@writes("address_changed")
def address_changed(mail: Mail) -> Letter | None:
    if mail.user is None:
        return None
    return Letter(
        subject="Your address was changed",
        body=_letter(
            mail.user,
            "Your account has a new e-mail address from now on; this one no longer belongs to it.",
            "If it was not you, write to us at once.",
        ),
    )
