"""What is wrong with a file, in plain words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from battery_optimizer.errors import DataError


def why(error: Exception) -> str:
    """Why a file cannot be read, without the system's numbers."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "it is a folder"
        case UnicodeDecodeError():
            return "it is no text"
        case OSError(strerror=str(words)):
            return words
        case _:
            return str(error)


@contextmanager
def reading_json(path: Path) -> Iterator[None]:
    """Turn what goes wrong in reading a JSON file, and what is in it, into DataError."""
    try:
        yield
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} cannot be read as JSON: {why(error)}") from error
    except KeyError as error:
        raise DataError(f"{path}: key {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
