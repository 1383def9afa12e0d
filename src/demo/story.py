"""What has happened in the community so far: sessions in every state, so that each list of the API has something."""

from demo.community import Community
from demo.past import write_past


def write_story(c: Community) -> None:
    """Put the steps of the story into the community; `Community.tell` lets them happen."""
    c.then(c.ago(days=95), c.arrive)
    write_past(c)
    _completed(c)
    _expired(c)
    _cancelled_and_rejected(c)
    _ongoing(c)
    _open(c)
    _waiting(c)
    _materials(c)


def _completed(c: Community) -> None:
    c.then(
        c.ago(days=20),
        lambda: c.offer(
            *("git", "john", c.ahead(days=-6), "Git for Beginners", "Programming"),
            duration=90,
            description="Commits, branches, and how to get out of trouble.",
        ),
    )
    c.then(c.ago(days=19), lambda: c.approve("git"))
    c.then(c.ago(days=15), lambda: c.ask("git", "jane", "bob"))
    c.then(c.ago(days=14), lambda: c.admit("git", "jane", "bob"))


def _expired(c: Community) -> None:
    c.then(
        c.ago(days=12),
        lambda: c.offer("juggling", "alice", c.ahead(days=-8), "Juggling with Three Balls", "Movement", duration=30),
    )
    c.then(
        c.ago(days=11),
        lambda: c.offer(
            *("handwriting", "jane", c.ahead(days=-4), "Reading Old Handwriting", "History"), level="advanced"
        ),
    )
    c.then(c.ago(days=10), lambda: c.approve("handwriting"))


def _cancelled_and_rejected(c: Community) -> None:
    c.then(
        c.ago(days=10, hours=1),
        lambda: c.offer("sourdough", "alice", c.ahead(days=2), "Sourdough at Home", "Cooking", duration=120),
    )
    c.then(c.ago(days=9), lambda: c.approve("sourdough"))
    c.then(c.ago(days=8), lambda: c.ask("sourdough", "bob", "jane", message="I have a starter to bring."))
    c.then(c.ago(days=7), lambda: c.admit("sourdough", "bob"))
    c.then(c.ago(days=3), lambda: c.cancel("sourdough", "My oven has broken down."))
    c.then(
        c.ago(days=3, hours=2),
        lambda: c.offer("lottery", "bob", c.ahead(days=9), "Guaranteed Lottery Wins", "Mathematics"),
    )
    c.then(
        c.ago(days=2, hours=20),
        lambda: c.reject("lottery", "Please offer what can be learnt, not what is promised."),
    )


def _ongoing(c: Community) -> None:
    c.then(
        c.ago(days=5),
        lambda: c.offer(
            *("spanish", "jane", c.ahead(hours=0), "Spanish Conversation", "Languages"),
            level="intermediate",
            duration=180,
            description="We talk about our week, in Spanish only.",
        ),
    )
    c.then(c.ago(days=4, hours=20), lambda: c.approve("spanish"))
    c.then(c.ago(days=4), lambda: c.ask("spanish", "alice", "bob", message="Me gustaría participar."))
    c.then(c.ago(days=3, hours=20), lambda: c.admit("spanish", "alice", "bob"))


def _open(c: Community) -> None:
    c.then(
        c.ago(days=9, hours=5),
        lambda: c.offer(
            *("python", "john", c.ahead(days=3), "Advanced Python Programming", "Programming"),
            level="advanced",
            duration=90,
            max_participants=15,
            description="Decorators, generators and context managers.",
        ),
    )
    c.then(
        c.ago(days=9, hours=4),
        lambda: c.offer(
            *("javascript", "alice", c.ahead(days=5), "JavaScript Fundamentals", "Web Development"),
            max_participants=10,
            description="Values, functions and the page.",
        ),
    )
    c.then(
        c.ago(days=9, hours=3),
        lambda: c.offer("chess", "bob", c.ahead(days=10), "Chess Openings", "Games", level="intermediate"),
    )
    c.then(
        c.ago(days=9, hours=2),
        lambda: c.offer("drawing", "bob", c.ahead(days=6), "Pair Drawing", "Art", max_participants=2),
    )
    c.then(c.ago(days=8), lambda: c.approve("python", "javascript", "chess", "drawing"))
    c.then(c.ago(days=7), lambda: c.ask("python", "jane", "alice"))
    c.then(c.ago(days=7), lambda: c.ask("javascript", "john"))
    c.then(c.ago(days=7), lambda: c.ask("drawing", "john", "alice"))
    c.then(c.ago(days=6), lambda: c.admit("python", "jane", "alice"))
    c.then(c.ago(days=6), lambda: c.admit("javascript", "john"))
    c.then(c.ago(days=6), lambda: c.admit("drawing", "john", "alice"))
    c.then(c.ago(days=5, hours=20), lambda: c.make_tutor("python", "jane"))
    c.then(c.ago(days=1, hours=6), lambda: c.ask("chess", "john", "jane"))
    c.then(c.ago(days=1, hours=5), lambda: c.turn_down("chess", "jane"))
    c.then(c.ago(days=1, hours=4), lambda: c.ask("python", "bob", message="I am interested in generators."))
    c.then(c.ago(hours=20), lambda: c.edit("javascript", description="Values, functions, events and the page."))


def _waiting(c: Community) -> None:
    c.then(
        c.ago(hours=5),
        lambda: c.offer(
            *("watercolour", "bob", c.ahead(days=7), "Watercolour Landscapes", "Art"),
            description="Skies first. Bring paper that likes water.",
        ),
    )
    c.then(
        c.ago(hours=4), lambda: c.offer("bicycle", "jane", c.ahead(hours=30), "Bicycle Repair", "Crafts", duration=45)
    )
    # While their creator offers another session already.
    c.then(
        c.ago(hours=26),
        lambda: c.offer(
            *("regular expressions", "john", c.ahead(days=3), "Regular Expressions", "Programming"),
            level="intermediate",
            description="From one letter to a whole address, and when to leave them alone.",
        ),
    )
    c.then(
        c.ago(hours=2),
        lambda: c.offer("stretching", "alice", c.ahead(hours=18), "Evening Stretching", "Movement", duration=30),
    )


def _materials(c: Community) -> None:
    c.then(
        c.ago(days=13),
        lambda: c.share_note("git", "john", "Before we meet", "Install Git and tell it your name and address."),
    )
    c.then(
        c.ago(days=5, hours=19),
        lambda: c.share_link("python", "jane", "Python Documentation", "https://docs.python.org/3/"),
    )
    c.then(c.ago(days=5), c.read_everything)


EXERCISES = b'''"""Write a decorator that counts how often a function was called."""


def counted(function): ...
'''


def share_files(c: Community) -> None:
    """The end of the story, outside its transaction: bytes that are written cannot be rolled back."""
    c.share_file("python", "john", "Exercises", "exercises.py", EXERCISES)
