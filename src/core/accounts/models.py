"""Members and their logins."""

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from core.accounts.fields import AddressField
from core.text.email_addresses import build_address_key, normalize_address_if_valid
from core.text.normalization import MAX_COMPOSED_LENGTH, strip_blanks
from core.time import clock
from core.time.zones import require_zone_name

# Begins the `email_key` of an account that is not found by its address; no address begins so.
SET_ASIDE_PREFIX = "@"
DEFAULT_ZONE = "UTC"


def build_username_key(value: str) -> str:
    """Return the key by which user names are unique: case-folded, in compatibility form (NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())


def set_aside_key(user_id: int | None, address: str) -> str:
    """Return the `email_key` of an account that is not found by its address, since an older account has the same
    mailbox or no mail can be sent there."""
    return f"{SET_ASIDE_PREFIX}{user_id} {build_address_key(address)}"


def normalize_password(raw: str) -> str:
    """Return the form in which a password is hashed (NFKC), since keyboards compose characters differently."""
    # Forms accept longer passwords, whose normalization takes too long.
    return unicodedata.normalize("NFKC", raw) if len(raw) <= MAX_COMPOSED_LENGTH else raw


def validate_timezone(value: str) -> None:
    """Raise `ValidationError` for what is no time zone. Migration 0001 refers to this function."""
    try:
        require_zone_name(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def validate_username(value: str) -> None:
    if "@" in value:
        raise ValidationError("A user name contains no @.")
    UnicodeUsernameValidator()(value)


class UserManager(DjangoUserManager["User"]):
    """Finds members as they log in: by user name or, where there is an @, by address, whatever the case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        login = strip_blanks(username or "")
        if "@" in login:
            return self.get(email_key=build_address_key(login))
        return self.get(username_key=build_username_key(login))

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Normalize an address; an invalid one is left for the validators to reject."""
        return normalize_address_if_valid(email or "")

    def _create_user_object(self, username: str, email: str | None, password: str | None, **fields: Any) -> "User":
        """Normalize the password, which Django hashes here without `set_password`."""
        password = None if password is None else normalize_password(password)
        member: User = super()._create_user_object(username, email, password, **fields)  # type: ignore[misc]
        return member


class User(AbstractUser):
    """A member. Deactivated rather than deleted, since sessions, booking requests and facts refer to them."""

    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[validate_username],
        help_text="Up to 150 letters, digits and . + - _ characters.",
    )
    # Computed in Python, since databases differ in how they compare letters beyond ASCII.
    username_key = models.CharField(max_length=300, unique=True, editable=False)
    email = AddressField("email address", blank=True)
    email_key = models.CharField(max_length=508, unique=True, null=True, editable=False)  # noqa: DJ001
    timezone = models.CharField(max_length=64, default=DEFAULT_ZONE, validators=[validate_timezone])
    # Every token carries it: raising it ends all logins.
    token_version = models.PositiveIntegerField(default=0, editable=False)

    date_joined = models.DateTimeField(default=clock.now)

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = "member"
        permissions = [("deactivate_user", "Can deactivate and reactivate members")]
        constraints = [
            models.CheckConstraint(condition=~Q(username__contains="@"), name="user_name_without_at"),
            models.CheckConstraint(condition=~Q(username=""), name="user_name_not_empty"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username_key = build_username_key(self.username)
        self.email = normalize_address_if_valid(self.email)
        self.email_key = self._build_address_key()
        fields = kwargs.get("update_fields")
        if fields is not None:
            keys = {f"{name}_key" for name in ("username", "email") if name in fields}
            kwargs["update_fields"] = {*fields, *keys}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Check in forms that the user name and the address are unique, whatever their case."""
        super().clean()
        others = User.objects.exclude(pk=self.pk)
        if others.filter(username_key=build_username_key(self.username)).exists():
            raise ValidationError({"username": "This user name is taken."})
        if self.email and others.filter(email_key=build_address_key(self.email)).exists():
            raise ValidationError({"email": "This address has an account."})
        # No other account has the address (any more): `save` ends a set-aside key.
        self.email_key = None

    def _build_address_key(self) -> str | None:
        """Return the key of the address; one that was set aside stays so until the address changes."""
        if not self.email:
            return None
        set_aside = set_aside_key(self.pk, self.email)
        return set_aside if self.email_key == set_aside else build_address_key(self.email)

    @property
    def display_name(self) -> str:
        """The full name, or the user name without one."""
        return self.get_full_name() or self.username

    def get_session_auth_hash(self) -> str:
        """Bind Django's sessions to the token version, so that they end with the member's logins.

        Not to the hash of the password, which a login may upgrade.
        """
        return salted_hmac("core.accounts.session", f"{self.pk}:{self.token_version}").hexdigest()

    def set_password(self, raw_password: str | None) -> None:
        """Set the normalized password and raise the token version, which ends every login."""
        super().set_password(None if raw_password is None else normalize_password(raw_password))
        self.token_version += 1

    def set_unusable_password(self) -> None:
        """Raise the token version too, which ends every login."""
        super().set_unusable_password()
        self.token_version += 1

    def check_password(self, raw_password: str) -> bool:
        """Whether that is the password: normalized, or as typed if it was set before passwords were normalized.

        An outdated hash is upgraded, which ends no login. A wrong password whose forms differ costs two hashings,
        whether or not the member exists.
        """
        normalized = normalize_password(raw_password)
        if check_password(normalized, self.password, self._save_rehashed):
            return True
        if normalized == raw_password or not check_password(raw_password, self.password):
            return False
        self._save_rehashed(normalized)
        return True

    def _save_rehashed(self, password: str) -> None:
        """Upgrade the hash of the same password, unless the password was changed meanwhile."""
        stored, self.password = self.password, make_password(password)
        User.objects.filter(pk=self.pk, password=stored).update(password=self.password)


class Login(models.Model):
    """One login of a member, which all its tokens name."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="logins")
    created_at = models.DateTimeField(default=clock.now)
    # When an access token was last issued.
    last_used_at = models.DateTimeField(default=clock.now)
    user_agent = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at"], name="login_of_user")]

    def __str__(self) -> str:
        return f"Login {self.pk} of {self.user_id}"
