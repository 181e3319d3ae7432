"""Which media type a client likes best, by the quality values of its Accept header."""

from __future__ import annotations

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
HTML = "text/html"


def quality(accept: str, media_type: str) -> float:
    """How much a media type that is named there is wanted, 0..1; -1 if it is not named.

    >>> quality("text/html, application/json;q=0.5", "application/json")
    0.5
    """
    for part in accept[:2000].lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == media_type:
            return _q(parameters)
    return -1.0


def wants_graphql_response(accept: str) -> bool:
    """Whether the answer is to be application/graphql-response+json; the default is JSON."""
    wanted = quality(accept, GRAPHQL_RESPONSE)
    return wanted > 0 and wanted >= quality(accept, JSON)


def wants_event_stream(accept: str) -> bool:
    """Whether a stream is liked better than JSON; urql names a stream last in every request."""
    plain = max(quality(accept, GRAPHQL_RESPONSE), quality(accept, JSON))
    stream = quality(accept, EVENT_STREAM)
    return stream > 0 and stream > plain


def _q(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
