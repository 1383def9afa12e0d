"""Lengths of texts that several modules share, in characters."""

# The maximum length of the reason for a decision.
MAX_REASON_LENGTH = 1000
# The length of the excerpt of a note where it is not displayed in full.
NOTE_EXCERPT_LENGTH = 200
