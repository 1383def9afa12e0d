"""How long texts may be, where several modules hold to the same limit."""

# Of the reason for a decision, wherever one is given, in characters.
MAX_REASON_LENGTH = 1000
# How much of a note is shown where all of it would be too much, in characters.
NOTE_EXCERPT_LENGTH = 200
