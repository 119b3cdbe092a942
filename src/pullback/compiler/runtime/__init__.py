"""LLVM's part: text to object code for this machine, and object code to addresses.

`compile_text` makes an object, which holds no address of this process and can be kept on disk;
`load` brings one into memory, where it stays as long as the `Library` that it returns.
`threads` has the threads that native code shares its work with.
"""

from pullback.compiler.runtime.compilation import assembly, compile_text
from pullback.compiler.runtime.fault import NativeCodeError
from pullback.compiler.runtime.host import WIDE_VECTORS, Host, host
from pullback.compiler.runtime.library import Library, load
from pullback.compiler.runtime.once import once

__all__ = [
    "WIDE_VECTORS",
    "Host",
    "Library",
    "NativeCodeError",
    "assembly",
    "compile_text",
    "host",
    "load",
    "once",
]
