"""Files of arrays: replaced whole or not at all, and read without running code."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core.validation import refuse
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["SUFFIX", "destination", "read", "write"]

SUFFIX = ".safetensors"


def destination(path: Any, where: str, argument: str = "path") -> Path:
    """The file of that name, which ends in ``.safetensors``."""
    wanted = f"the name of a file, ending in {SUFFIX}"
    if not isinstance(path, str | os.PathLike) or isinstance(path, type):
        raise refuse(where, argument, path, wanted)
    text = os.fspath(path)
    if not isinstance(text, str) or not text.endswith(SUFFIX) or "\0" in text:
        raise ArgumentValueError(f"{where}: {argument} is {text!r}, wanted {wanted}")
    return Path(os.path.expanduser(text))


def safetensors(where: str) -> Any:
    """The library, which is optional."""
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ArgumentTypeError(
            f"{where}: parameters are kept in files by safetensors, which isn't installed; write "
            'pip install "pullback[storage]"'
        ) from None
    return safetensors


def write(path: Path, arrays: dict[str, Any], header: dict[str, Any], where: str) -> None:
    """Put arrays, by their names, and a header of what JSON has into a file, in one move.

    The file is written under another name beside its destination, and then takes its place: who
    reads it finds what was there before or what is there now, whenever the writer ends.
    """
    pairs = {name: _real(array) for name, array in arrays.items()}
    content = safetensors(where).numpy.save(pairs, metadata={"pullback": json.dumps(header)})
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except OSError as error:
        raise ArgumentValueError(
            f"{where}: {path} could not be written ({error.strerror or error}); choose another file"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    _settle(target.parent)


def _settle(directory: Path) -> None:
    """Have the new name outlive a loss of power, where directories can be synchronised."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: Path, where: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The arrays in a file by their names, and its header; `None` if it isn't one of `write`."""
    library = safetensors(where)
    try:
        with library.safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            text = (file.metadata() or {}).get("pullback")
        header = None if text is None else json.loads(text)
    except FileNotFoundError:
        raise ArgumentValueError(f"{where}: there is no file {path}") from None
    except OSError as error:
        raise ArgumentValueError(
            f"{where}: {path} could not be read ({error.strerror or error})"
        ) from error
    except (library.SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise ArgumentValueError(
            f"{where}: {path} is damaged, or is no file of safetensors ({error})"
        ) from error
    if header is not None and not isinstance(header, dict):
        raise ArgumentValueError(f"{where}: {path} has a header that save did not write")
    return arrays, header


def _real(array: Any) -> Any:
    """A complex array as its real and imaginary parts, along a last axis: the format has none."""
    return np.stack([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array
