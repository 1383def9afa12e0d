from django.http import HttpRequest


def origin_of(request: HttpRequest) -> str:
    """`https://host`, where this answer comes from: what absolute links begin with."""
    return f"{request.scheme}://{request.get_host()}"
