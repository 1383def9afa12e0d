"""Where what lies."""

API_PREFIX = "/api/"
