"""Errors of the system in plain words."""


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
