from django.http import HttpRequest


def get_origin(request: HttpRequest) -> str:
    """The scheme and host of the request, as in `https://host`, for absolute URLs."""
    return f"{request.scheme}://{request.get_host()}"
