"""The bytes of files: where they lie, how they get there and away again, and at which addresses they are read."""
