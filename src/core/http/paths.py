API_PREFIX = "/api/"
