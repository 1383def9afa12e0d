"""Rejection of confusable and reserved user names (docs/contract.md, "Accounts and tokens"; UTS 39)."""

import unicodedata

import regex

from core.accounts.models import build_username_key
from core.errors import Invalid


def _split_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The scripts of UAX 31 in recommended and in limited use.
SCRIPTS = _split_words("""
    Latn Cyrl Grek Arab Hebr Hani Hira Kana Hang Bopo Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Thai Laoo Tibt
    Mymr Geor Armn Ethi Khmr Thaa
    Adlm Bali Bamu Batk Cakm Cans Cham Cher Hmnp Java Kali Lana Lepc Limb Lisu Mand Mtei Newa Nkoo Olck Osge Plrd Rohg
    Saur Sund Sylo Syrc Tale Talu Tavt Tfng Vaii Wcho Yiii
""")
# Reserved also with digits appended.
LOGIN_PATHS = _split_words("login logout register signup signin")
# Allowed mixtures of scripts ("Highly Restrictive" in UTS 39).
MIXTURES = (("Latn", "Hani", "Hira", "Kana"), ("Latn", "Hani", "Bopo"), ("Latn", "Hani", "Hang"))


def _compile_script_pattern(scripts: tuple[str, ...]) -> "regex.Pattern[str]":
    """Return a pattern for text in these scripts, including common and inherited characters (digits, accents)."""
    return regex.compile("[{}]+".format("".join(rf"\p{{scx={script}}}" for script in [*scripts, "Zyyy", "Zinh"])))


SCRIPT_PATTERNS = [
    _compile_script_pattern(scripts) for scripts in (("Latn",), *MIXTURES, *((script,) for script in SCRIPTS))
]
INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
# Small capitals among them look like other letters.
PHONETIC = regex.compile(r"[\p{Block=Phonetic_Extensions}\p{Block=Phonetic_Extensions_Supplement}]")

# Names that seem to belong to the operator, or to nobody.
ROLES = _split_words("""
    admin administrator moderator moderators mod mods staff superuser root sysadmin system operator support help
    helpdesk security abuse official webmaster postmaster hostmaster mailer mailerdaemon daemon noreply everyone
    everybody nobody anonymous guest deleted unknown null none nil undefined
""")
# Latin characters that look like an ASCII letter; a 1 is tried as i and as l.
LOOKALIKES = str.maketrans("\u0131\u0251\u0261\u029f0357", "iagloest")
# Paths of the API and of apps.
PATHS = _split_words("""
    me api auth docs openapijson sessions mysessions notifications materials files static media healthz unsubscribe
    login logout register signup signin account profile settings password resetpassword confirmemail www
""")


def forbid_confusable_name(username: str) -> None:
    """Raise `Invalid` for a normalized user name that is reserved or can be confused with another."""
    if not any(pattern.fullmatch(username) for pattern in SCRIPT_PATTERNS):
        raise _build_error("A user name is written in one script that is in use today, not in a mixture of several.")
    if INVISIBLE.search(username):
        raise _build_error("A user name contains no characters that nobody sees.")
    if PHONETIC.search(username):
        raise _build_error("A user name contains no phonetic signs.")
    if len({ord(each) - unicodedata.decimal(each) for each in username if each.isdecimal()}) > 1:
        raise _build_error("A user name contains digits of one kind alone.")
    bare = _strip_marks(username)
    if bare in PATHS or bare.rstrip("0123456789") in LOGIN_PATHS or _looks_like_role(username):
        raise _build_error("This user name is reserved. Choose another one.")


def _looks_like_role(username: str) -> bool:
    """Whether the name, or a word in it, is a role: also in the plural, or written with lookalikes."""
    letters = unicodedata.normalize("NFKD", build_username_key(username))
    words = "".join(each if each.isalnum() else " " for each in letters if not unicodedata.combining(each)).split()
    return any(_is_role(word) for word in [_strip_marks(username), *words])


def _is_role(word: str) -> bool:
    readings = {form.translate(LOOKALIKES) for form in (word, word.rstrip("0123456789"))}
    readings |= {each.replace("1", letter) for each in readings for letter in "il"}
    return any(each in ROLES or each.removesuffix("s") in ROLES for each in readings)


def _strip_marks(username: str) -> str:
    """Reduce a name to its letters and digits, without case, accents and punctuation."""
    letters = unicodedata.normalize("NFKD", build_username_key(username))
    return "".join(each for each in letters if each.isalnum())


def _build_error(sentence: str) -> Invalid:
    return Invalid({"username": [sentence]})
