"""The `hf:` source: a file of a model hub, as an address and the token that goes with it."""

from __future__ import annotations

import os
from urllib.parse import quote

from calm_eval.assets.sources import HubSource, check_address
from calm_eval.errors import InputError

ENDPOINT_VARIABLE = "HF_ENDPOINT"
TOKEN_VARIABLE = "HF_TOKEN"
DEFAULT_ENDPOINT = "https://huggingface.co"


def hub_address(source: HubSource) -> str:
    """The address of the file at HF_ENDPOINT. Raises InputError when HF_ENDPOINT is not an https address."""
    endpoint = os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT
    try:
        check_address(endpoint)
    except ValueError as error:
        raise InputError(f"{ENDPOINT_VARIABLE}: {error}") from error
    return f"{endpoint.rstrip('/')}/{source.repo}/resolve/{quote(source.revision, safe='')}/{quote(source.path)}"


def hub_token() -> str | None:
    """The token in HF_TOKEN, or None when it is not set. Raises InputError on characters that no token has."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        return None
    # Checked here because the HTTP library would quote a malformed token in its own error.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{TOKEN_VARIABLE} holds characters that no token has")
    return token
