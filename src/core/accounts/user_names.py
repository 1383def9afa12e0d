"""User names that could pass for somebody else's, which nobody registers (docs/contract.md, "Accounts and tokens")."""

import unicodedata

import regex

from core.accounts.models import build_identity_key
from core.errors import Invalid


def _split_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The scripts that are in use today: those that UAX 31 recommends for names, and those of limited use.
SCRIPTS = _split_words("""
    Latn Cyrl Grek Arab Hebr Hani Hira Kana Hang Bopo Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Thai Laoo Tibt
    Mymr Geor Armn Ethi Khmr Thaa
    Adlm Bali Bamu Batk Cakm Cans Cham Cher Hmnp Java Kali Lana Lepc Limb Lisu Mand Mtei Newa Nkoo Olck Osge Plrd Rohg
    Saur Sund Sylo Syrc Tale Talu Tavt Tfng Vaii Wcho Yiii
""")
# Paths that are refused with a number behind them, too.
LOGINS = _split_words("login logout register signup signin")
# What UTS 39 calls Highly Restrictive: one script, or one of these mixtures, in which people write.
MIXTURES = (("Latn", "Hani", "Hira", "Kana"), ("Latn", "Hani", "Bopo"), ("Latn", "Hani", "Hang"))


def _list_letters(scripts: tuple[str, ...]) -> "regex.Pattern[str]":
    """Matches what is written in these scripts; what all of them share (digits, accents) belongs to each."""
    return regex.compile("[{}]+".format("".join(rf"\p{{scx={script}}}" for script in [*scripts, "Zyyy", "Zinh"])))


WRITABLE = [_list_letters(scripts) for scripts in (("Latn",), *MIXTURES, *((script,) for script in SCRIPTS))]
UNSEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}")
# Letters of phoneticians, in which nobody writes: the small capitals among them look like any word.
PHONETIC = regex.compile(r"[\p{Block=Phonetic_Extensions}\p{Block=Phonetic_Extensions_Supplement}]")

# Who is called so seems to speak for the service, or to be nobody.
ROLES = _split_words("""
    admin administrator moderator moderators mod mods staff superuser root sysadmin system operator support help
    helpdesk security abuse official webmaster postmaster hostmaster mailer mailerdaemon daemon noreply everyone
    everybody nobody anonymous guest deleted unknown null none nil undefined
""")
# What looks like a letter of ASCII within the script of Latin; a 1 is an i or an l.
LETTERS_ALIKE = str.maketrans("\u0131\u0251\u0261\u029f0357", "iagloest")
# Where something else is found, here or in an app.
PATHS = _split_words("""
    me api auth docs openapijson sessions mysessions notifications materials files static media healthz unsubscribe
    login logout register signup signin account profile settings password resetpassword confirmemail www
""")


def require_unmistakable(username: str) -> None:
    """Raises `Invalid`, saying why, for a normalised user name that could be taken for another one."""
    if not any(letters.fullmatch(username) for letters in WRITABLE):
        raise _build_refusal("A user name is written in one script that is in use today, not in a mixture of several.")
    if UNSEEN.search(username):
        raise _build_refusal("A user name contains no characters that nobody sees.")
    if PHONETIC.search(username):
        raise _build_refusal("A user name contains no phonetic signs.")
    if len({ord(each) - unicodedata.decimal(each) for each in username if each.isdecimal()}) > 1:
        raise _build_refusal("A user name contains digits of one kind alone.")
    bare = _strip_marks(username)
    # With a number behind them, only those that are long enough to be read as themselves.
    if bare in PATHS or bare.rstrip("0123456789") in LOGINS or _is_read_as_role(username):
        raise _build_refusal("This user name is reserved. Choose another one.")


def _is_read_as_role(username: str) -> bool:
    """Whether a role is the whole name or a word of it between signs, in the plural too, or by letters alike."""
    letters = unicodedata.normalize("NFKD", build_identity_key(username))
    words = "".join(each if each.isalnum() else " " for each in letters if not unicodedata.combining(each)).split()
    return any(_is_role(word) for word in [_strip_marks(username), *words])


def _is_role(word: str) -> bool:
    read = {form.translate(LETTERS_ALIKE) for form in (word, word.rstrip("0123456789"))}
    read |= {each.replace("1", letter) for each in read for letter in "il"}
    return any(each in ROLES or each.removesuffix("s") in ROLES for each in read)


def _strip_marks(username: str) -> str:
    """What of a name is read at a glance: its letters and digits without case, accents and signs."""
    letters = unicodedata.normalize("NFKD", build_identity_key(username))
    return "".join(each for each in letters if each.isalnum())


def _build_refusal(sentence: str) -> Invalid:
    return Invalid({"username": [sentence]})
