"""Hostile files, family by family, each with the answer that it gets; all of them made here.

`refused` is 400 with the sentence, and nothing is kept. `taken` is 201, and the file comes back under that content type
to be downloaded: what it may do on a machine of its reader is the same as of any file, but no browser runs it and no
page of ours shows it.
"""

from tests.modules.materials.corpus.cases import Hostile
from tests.modules.materials.corpus.pictures_and_names import PICTURES_AND_NAMES
from tests.modules.materials.corpus.programs_and_documents import PROGRAMS_AND_DOCUMENTS

__all__ = ["ALL", "CORPUS", "Hostile"]

CORPUS: dict[str, list[Hostile]] = {**PROGRAMS_AND_DOCUMENTS, **PICTURES_AND_NAMES}
ALL = [(family, hostile) for family, members in CORPUS.items() for hostile in members]
