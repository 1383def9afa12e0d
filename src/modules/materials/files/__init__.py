"""Files: storing, serving, scanning, moving, verifying and deleting them."""
